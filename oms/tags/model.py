"""Tags as values: what one looks like."""

import unicodedata
from collections.abc import Iterable

from oms.kernel.errors import Conflict, Rejected
from oms.kernel.limits import TAG_CHARACTERS_MAX


class TagInvalid(Rejected):
    """A tag is a few words in a line, without a comma."""

    code = "TAG_INVALID"


class TooManyTags(Conflict):
    """An order has as many tags as it may have."""

    code = "TOO_MANY_TAGS"


def tag_of(text: str) -> str:
    """Return a tag as it is kept: in lower case, with single spaces. Raises TagInvalid."""
    tag = " ".join(unicodedata.normalize("NFC", text).lower().split())
    if not tag or len(tag) > TAG_CHARACTERS_MAX or not all(map(_may_be_in, tag)):
        raise TagInvalid(f"a tag has 1 to {TAG_CHARACTERS_MAX} characters, and no comma")
    return tag


def tags_of(texts: Iterable[str]) -> list[str]:
    """Return tags as they are kept, each once. Raises TagInvalid."""
    return sorted({tag_of(each) for each in texts})


def _may_be_in(character: str) -> bool:
    return character == " " or (character != "," and unicodedata.category(character)[0] not in "CZ")
