"""Words as what is looked for among those of an order: terms of a tsquery."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

WORD_CHARACTERS_MAX: Final = 64
TAG_CHARACTERS_MAX: Final = 200
# From so many characters on, what follows leading zeros is looked up by how it begins.
ZEROLESS_MIN: Final = 4
# So many digits of a phone number are kept, its last ones; fewer are none.
PHONE_DIGITS: Final = 9
PHONE_DIGITS_MIN: Final = 7
# A word no order has.
NOBODY: Final = "none:"

_LOCAL_PART: Final = re.compile(r"[\w.+-]+")
_PHONE: Final = re.compile(r"[\d\s()+./-]+")
# As a parcel's number stands on its label: short groups with eight digits at least.
_LABEL: Final = re.compile(r"(?=(?:\D*\d){8})\w{1,6}(?:\s+\w{1,6})+\s*", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """Something an order's words must meet, as a tsquery.

    `beginnings` are words it may be met by: what is asked of the statistics to tell how many
    orders that are. A tag is one word as it stands.
    """

    query: str
    beginnings: tuple[str, ...]
    is_tag: bool = False

    @property
    def characters(self) -> int:
        """The length of the shortest way to meet it."""
        return min(map(len, self.beginnings))


def any_tag(tags: Sequence[str]) -> Term:
    """Return the term that is met by any of some tags; by nothing where there are none."""
    cut = tuple(each[:TAG_CHARACTERS_MAX] for each in tags) or (NOBODY,)
    return Term(query=" | ".join(map(_quoted, cut)), beginnings=cut, is_tag=True)


def chunks(q: str) -> list[str]:
    """Take a text apart at its blanks; what else may separate words, folding knows."""
    return [each for each in q.split(" ") if each]


def sentence(q: str, folded: Sequence[str]) -> list[Term]:
    """Return a term for every word of a text, of which `folded` are its folded chunks."""
    found = [
        begins(chunk.lower()[:TAG_CHARACTERS_MAX]) if "@" in chunk[1:] else _chunk(chunk, words)
        for chunk, words in zip(chunks(q), folded, strict=False)
    ]
    terms = [each for each in found if each is not None]
    number = _written_apart(q) if terms else None
    if number is None:
        return terms
    if _PHONE.fullmatch(q) and q.lstrip("( ").startswith(("0", "+")):  # nothing else is written so
        return [number]
    together = " & ".join(f"({each.query})" for each in terms)
    return [
        Term(query=f"({together}) | {number.query}",
             beginnings=(terms[-1].beginnings[0], *number.beginnings))
    ]  # fmt: skip


def _written_apart(q: str) -> Term | None:
    """Take a whole text as one number, a telephone's or a parcel's, if it may be one."""
    digits = "".join(filter(str.isdecimal, q))
    if _PHONE.fullmatch(q) and PHONE_DIGITS_MIN <= len(digits) < len(q):
        return _any_of(_ways(digits))
    return begins("".join(q.lower().split())) if _LABEL.fullmatch(q) else None


def begins(word: str) -> Term:
    """Return the term that is met by any word with such a beginning."""
    return Term(query=_prefix(word), beginnings=(word,))


def begins_any(words: Sequence[str]) -> Term:
    """Return the term that is met by any word with one of some beginnings."""
    return _any_of(
        [(_prefix(each), each) for each in (each[:WORD_CHARACTERS_MAX] for each in words)]
    )


def all_of(terms: Iterable[Term]) -> str | None:
    """Return the tsquery that is met by meeting every term; None where there are none."""
    return " & ".join(f"({each.query})" for each in terms) or None


def _chunk(given: str, folded: str) -> Term | None:
    """Take what has no space in it: joined, its parts, of which the last may go on, or an address.

    Of those only the letters are kept in parts: jan.vries71 is how the whole one begins.
    """
    parts = [each[:WORD_CHARACTERS_MAX] for each in folded.replace(" ", "-").split("-") if each]
    if len(parts) <= 1:
        return _any_of(_ways(parts[0])) if parts else None
    joined = "".join(parts)[:WORD_CHARACTERS_MAX]
    last = _quoted if len(parts[-1]) == 1 else _prefix
    apart = " & ".join([*map(_quoted, parts[:-1]), last(parts[-1])])
    ways = [(f"{_prefix(joined)} | ({apart})", joined)]
    if _LOCAL_PART.fullmatch(given):
        ways.append((_prefix(given.lower()), given.lower()))
    return _any_of(ways)


def _any_of(ways: Sequence[tuple[str, str]]) -> Term:
    queries, words = zip(*ways, strict=True)
    return Term(query=" | ".join(queries), beginnings=words)


def _ways(word: str) -> list[tuple[str, str]]:
    """Take a word as it begins; a number also without its zeros, or as the end of a phone's."""
    found = [(_prefix(word), word)]
    zeroless = word.lstrip("0")
    if zeroless and zeroless != word:
        how = _prefix if len(zeroless) >= ZEROLESS_MIN else _quoted
        found.append((how(zeroless), zeroless))
    if word.isdecimal() and len(word) > PHONE_DIGITS:
        ending = word[-PHONE_DIGITS:]
        found.append((_quoted(ending), ending))
    return found


def _prefix(word: str) -> str:
    return f"{_quoted(word)}:*"


def _quoted(word: str) -> str:
    """Quote a word so that no character of it is an operator of a tsquery."""
    escaped = word.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"
