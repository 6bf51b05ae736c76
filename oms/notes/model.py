"""Notes as values: their kinds, whom each is for, who may read and write it, what no note holds."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from oms.kernel.cards import has_card
from oms.kernel.errors import Conflict, NotFound, Rejected
from oms.kernel.limits import ATTACHMENT_NAME_CHARACTERS_MAX, NOTE_CHARACTERS_MAX


class Kind(StrEnum):
    """What a note is."""

    FREE = "free"
    CALL = "call"
    MAIL = "mail"
    INSTRUCTION = "instruction"
    GIFT = "gift"


class Visibility(StrEnum):
    """Whom a note is for."""

    INTERNAL = "internal"
    CUSTOMER = "customer"
    STORE = "store"
    WAREHOUSE = "warehouse"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Which scope reads notes for somebody beside who may read the order, and which writes them."""

    read_scope: str | None
    write_scope: str


# A shop's own key shows its customers what is for them, and knows of nothing else.
RULES: Final[dict[Visibility, Rule]] = {
    Visibility.INTERNAL: Rule(read_scope="notes:internal", write_scope="notes:internal"),
    Visibility.CUSTOMER: Rule(read_scope=None, write_scope="notes:customer"),
    Visibility.STORE: Rule(read_scope="notes:work", write_scope="notes:work"),
    Visibility.WAREHOUSE: Rule(read_scope="notes:work", write_scope="notes:work"),
}
assert set(RULES) == set(Visibility)
# Nobody works on a customer.
OF_CUSTOMERS: Final = frozenset({Visibility.INTERNAL, Visibility.CUSTOMER})


# What may be attached: how its content begins, what comes eight bytes on, how its name ends.
TYPES: Final[dict[str, tuple[bytes, bytes, tuple[str, ...]]]] = {
    "image/png": (b"\x89PNG\r\n\x1a\n", b"", (".png",)),
    "image/jpeg": (b"\xff\xd8\xff", b"", (".jpg", ".jpeg")),
    "image/webp": (b"RIFF", b"WEBP", (".webp",)),
    "application/pdf": (b"%PDF-", b"", (".pdf",)),
}


class NoteNotFound(NotFound):
    """There is no such note."""

    code = "NOTE_NOT_FOUND"


class NoteEmpty(Rejected):
    """A note needs a text."""

    code = "NOTE_EMPTY"


class CardNumber(Rejected):
    """The text holds what may be the number of a payment card; leave all but its last four out."""

    code = "CARD_NUMBER"


class NoteUnfit(Rejected):
    """There is no such part to remark on, or nobody of those a note is for sees notes on it."""

    code = "NOTE_UNFIT"


class NoteFixed(Conflict):
    """What came with the order stays as its customer wrote it."""

    code = "NOTE_FIXED"


class NoteRedacted(Conflict):
    """The note was redacted: nothing is left of it."""

    code = "NOTE_REDACTED"


class AttachmentNotFound(NotFound):
    """The note has no such attachment."""

    code = "ATTACHMENT_NOT_FOUND"


class AttachmentUnfit(Rejected):
    """An attachment is a picture (PNG, JPEG, WebP) or a PDF by its content, and has a name."""

    code = "ATTACHMENT_UNFIT"


class TooManyAttachments(Conflict):
    """The note has as many attachments as it may have."""

    code = "TOO_MANY_ATTACHMENTS"


class TooManyNotes(Conflict):
    """There are as many notes as something may have, or as many versions as a note may have."""

    code = "TOO_MANY_NOTES"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What of an order a note is on; of nothing set, the order itself."""

    line_no: int | None = None
    fulfillment_number: str | None = None
    parcel_number: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A note to add."""

    body: str
    kind: Kind = Kind.FREE
    visibility: Visibility = Visibility.INTERNAL
    part: Part = Part()
    is_pinned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a note is to say from now on; None leaves it."""

    body: str | None = None
    kind: Kind | None = None
    visibility: Visibility | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """What a note said before it was edited; no body where it was redacted."""

    version: int
    kind: Kind
    visibility: Visibility
    body: str | None
    written_at: datetime
    written_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that belongs to a note; its type is what its content says."""

    attachment_id: int
    name: str
    media_type: str
    size_bytes: int
    sha256: str
    visibility: Visibility  # whom the note was for when it was attached
    added_at: datetime
    added_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A remark on an order, a part of it, or a customer; what is redacted has no body."""

    note_id: int
    order_id: int | None
    order_number: str | None
    channel_code: str | None
    customer_id: int | None
    line_no: int | None
    fulfillment_number: str | None
    parcel_number: str | None
    kind: Kind
    visibility: Visibility
    body: str | None
    author: str
    created_at: datetime
    is_pinned: bool
    is_captured: bool
    version: int
    edited_at: datetime | None
    edited_by: str | None
    redacted_at: datetime | None
    redacted_by: str | None
    redact_reason: str | None
    previous: tuple[Version, ...] = ()
    attachments: tuple[Attachment, ...] = ()

    @property
    def is_redacted(self) -> bool:
        """Whether nothing is left of it but that it was."""
        return self.redacted_at is not None


def visibility_at(kind: str) -> Visibility:
    """Return whom notes are for that are about work at a kind of location."""
    return Visibility.WAREHOUSE if kind == "dc" else Visibility.STORE


def readable(scopes: frozenset[str]) -> tuple[Visibility, ...]:
    """Return whose notes somebody with these scopes reads, on what they may see at all."""
    return tuple(
        each for each, rule in RULES.items()
        if rule.read_scope is None or rule.read_scope in scopes
    )  # fmt: skip


def seen_by(notes: Iterable[Note], scopes: frozenset[str]) -> tuple[Note, ...]:
    """Return the notes somebody with these scopes reads.

    What was for others once is not shown to whom it is for now.
    """
    seen = readable(scopes)
    return tuple(_without(each, seen) for each in notes if each.visibility in seen)


def checked_body(body: str) -> str:
    """Return a text as it is kept. Raises NoteEmpty for a blank or overlong one, CardNumber."""
    kept = body.replace("\r\n", "\n").strip()
    if len(kept) > NOTE_CHARACTERS_MAX or not any(map(_is_visible, kept)):
        raise NoteEmpty(f"a note has 1 to {NOTE_CHARACTERS_MAX:,} characters that can be seen")
    if has_card(kept):
        raise CardNumber
    return kept


def media_type_of(content: bytes) -> str:
    """Return what a file is by its first bytes, whatever it is called. Raises AttachmentUnfit."""
    for media_type, (beginning, within, _) in TYPES.items():
        if content.startswith(beginning) and content[8:].startswith(within):
            return media_type
    raise AttachmentUnfit


def checked_name(name: str, media_type: str) -> str:
    """Return a file's name as it is kept: in one line, no path, with the ending of what it is.

    Raises AttachmentUnfit.
    """
    kept = " ".join(unicodedata.normalize("NFC", name).split())
    if not kept.strip(".") or any(map(_is_odd, kept)) or has_card(kept):
        raise AttachmentUnfit("a name is of letters and digits, without a path or a card's number")
    endings = TYPES[media_type][2]
    if not kept.lower().endswith(endings):
        kept += endings[0]
    if len(kept) > ATTACHMENT_NAME_CHARACTERS_MAX:
        raise AttachmentUnfit(f"a name has at most {ATTACHMENT_NAME_CHARACTERS_MAX} characters")
    return kept


def _is_odd(character: str) -> bool:
    is_blank = character != " " and not _is_visible(character)
    return is_blank or character in '/\\:*?"<>|%;'


def _is_visible(character: str) -> bool:
    """Tell whether something is seen of a character: it is no blank, control or joiner."""
    return unicodedata.category(character)[0] not in "CZ"


def _without(note: Note, seen: tuple[Visibility, ...]) -> Note:
    return replace(
        note,
        previous=tuple(each for each in note.previous if each.visibility in seen),
        attachments=tuple(each for each in note.attachments if each.visibility in seen),
    )
