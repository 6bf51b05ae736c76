"""Notes on the wire: what people remark, for whom, and what it said before."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from api.schemas.common import Out, Wire, Words, values_of
from oms.adapters.channels.canonical.fields import NoteText
from oms.kernel.limits import ORDER_LINES_MAX
from oms.notes.model import Attachment, Change, Draft, Kind, Note, Part, Visibility, seen_by

Body = Annotated[
    NoteText,
    Field(min_length=1, description="a text without the number of a payment card"),
]


class CustomerNotePost(Wire):
    """A remark to add to a customer."""

    body: Body
    kind: Kind = Kind.FREE
    visibility: Annotated[
        Visibility, Field(description="for whom; writing for each takes its own scope")
    ] = Visibility.INTERNAL
    is_pinned: Annotated[bool, Field(strict=True)] = False

    def draft(self) -> Draft:
        """Return the note to add."""
        return Draft(
            body=self.body, kind=self.kind, visibility=self.visibility, is_pinned=self.is_pinned
        )


class NotePost(CustomerNotePost):
    """A remark to add to an order, or to a part of it."""

    line_no: Annotated[int | None, Field(strict=True, ge=1, le=ORDER_LINES_MAX)] = None
    fulfillment_number: Words | None = None
    parcel_number: Words | None = None

    def draft(self) -> Draft:
        """Return the note to add."""
        return Draft(
            body=self.body, kind=self.kind, visibility=self.visibility, is_pinned=self.is_pinned,
            part=Part(
                line_no=self.line_no, fulfillment_number=self.fulfillment_number,
                parcel_number=self.parcel_number,
            ),
        )  # fmt: skip


class WorkNotePost(Wire):
    """A remark of whoever does some work, for all who do it."""

    body: Body
    kind: Kind = Kind.FREE


class NoteEditPost(Wire):
    """What a note is to say from now on; what is left out stays."""

    body: Body | None = None
    kind: Kind | None = None
    visibility: Visibility | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise PydanticCustomError("empty", "nothing is to change")
        return self

    def change(self) -> Change:
        """Return what is to change."""
        return Change(body=self.body, kind=self.kind, visibility=self.visibility)


class PinPost(Wire):
    """Whether a note stands above the others."""

    is_pinned: Annotated[bool, Field(strict=True)]


class RedactPost(Wire):
    """Why nothing of a note is to be left."""

    reason: Annotated[Words, Field(min_length=3, description="it is kept, so it names nobody")]


class NoteVersionOut(Out):
    """What a note said before it was edited."""

    version: int
    kind: Kind
    visibility: Visibility
    body: Annotated[str | None, Field(description="null: redacted with its note")]
    written_at: datetime
    written_by: str


class AttachmentOut(Out):
    """A file that belongs to a note."""

    attachment_id: int
    name: str
    media_type: Annotated[str, Field(description="what it is by its content")]
    size_bytes: int
    sha256: str
    added_at: datetime
    added_by: str

    @classmethod
    def of(cls, attachment: Attachment) -> Self:
        """Write what is known of a file."""
        values = values_of(attachment)
        del values["visibility"]
        return cls(**values)


class NoteOut(Out):
    """A remark on an order, a part of it, or a customer."""

    note_id: int
    order_number: str | None
    customer_id: int | None
    line_no: int | None
    fulfillment_number: str | None
    parcel_number: str | None
    kind: Kind
    visibility: Visibility
    body: Annotated[str | None, Field(description="null: it was redacted")]
    author: str
    created_at: datetime
    is_pinned: bool
    is_captured: Annotated[bool, Field(description="it came with the order, from its customer")]
    version: Annotated[int, Field(description="what `If-Match` is to say")]
    edited_at: datetime | None
    edited_by: str | None
    redacted_at: datetime | None
    redacted_by: str | None
    redact_reason: str | None
    attachments: Annotated[
        list[AttachmentOut], Field(description="those the caller may read; none: it was redacted")
    ]
    previous: Annotated[
        list[NoteVersionOut], Field(description="what it said before, oldest first")
    ]

    @classmethod
    def of(cls, note: Note, scopes: frozenset[str]) -> Self:
        """Write a note somebody with these scopes may read."""
        (seen,) = seen_by([note], scopes)
        values = values_of(seen)
        for name in ("order_id", "channel_code"):
            del values[name]
        values["attachments"] = [AttachmentOut.of(each) for each in seen.attachments]
        values["previous"] = [NoteVersionOut(**values_of(each)) for each in seen.previous]
        return cls(**values)

    @classmethod
    def of_all(cls, notes: Iterable[Note], scopes: frozenset[str]) -> list[Self]:
        """Write those of some notes that somebody with these scopes may read."""
        return [cls.of(each, scopes) for each in seen_by(notes, scopes)]


def without_texts(answer: str) -> str:
    """Return the answer to who wrote a note as it may be kept: a note may be redacted."""
    kept: dict[str, Any] = {"body": None, "previous": [], "attachments": []}
    return json.dumps(json.loads(answer) | kept, separators=(",", ":"))
