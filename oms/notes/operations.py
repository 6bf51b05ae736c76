"""Writes on notes: added, edited, pinned, redacted; none is ever deleted."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from oms.access.model import ScopeMissing
from oms.kernel.errors import VersionConflict
from oms.kernel.limits import NOTE_ATTACHMENTS_MAX, NOTE_VERSIONS_MAX, NOTES_MAX
from oms.ledger.database import Tx
from oms.notes import queries, store
from oms.notes.model import (
    OF_CUSTOMERS,
    RULES,
    Attachment,
    Change,
    Draft,
    Note,
    NoteFixed,
    NoteNotFound,
    NoteRedacted,
    NoteUnfit,
    Part,
    TooManyAttachments,
    TooManyNotes,
    Visibility,
    checked_body,
    checked_name,
    media_type_of,
    readable,
)
from oms.orders import indexing
from oms.orders import operations as orders
from oms.orders import queries as order_queries


def add(
    tx: Tx, number: str, draft: Draft, *, scopes: frozenset[str], by: str, at: datetime
) -> Note:
    """Add a note to an order or a part of it, and to its story.

    Raises OrderNotFound, NoteEmpty, CardNumber, NoteUnfit, TooManyNotes, and ScopeMissing for
    one who may not write for whom it is.
    """
    body = checked_body(draft.body)
    _refuse_writing(draft.visibility, scopes)
    order_id = order_queries.order(tx, number).summary.order_id
    orders.hold(tx, order_id)
    if sum(each is not None for each in _columns(draft.part).values()) > 1:
        raise NoteUnfit("a note is on one part of an order")
    if not store.SQL.run(tx, "has_part", order_id=order_id, **_columns(draft.part)).scalar_one():
        raise NoteUnfit("the order has no such line, fulfillment order or parcel")
    made = _added(tx, draft, body, order_id=order_id, customer_id=None, by=by, at=at)
    _tell(tx, made, "added", by=by, at=at, is_pinned=made.is_pinned)
    return made


def add_to_customer(
    tx: Tx, customer_id: int, draft: Draft, *, scopes: frozenset[str], by: str, at: datetime
) -> Note:
    """Add a note to a customer who is held.

    Raises NoteEmpty, CardNumber, NoteUnfit, TooManyNotes, ScopeMissing.
    """
    body = checked_body(draft.body)
    _refuse_writing(draft.visibility, scopes)
    if draft.visibility not in OF_CUSTOMERS or draft.part != Part():
        raise NoteUnfit("a note on a customer is internal or for the customer, and on nothing else")
    return _added(tx, draft, body, order_id=None, customer_id=customer_id, by=by, at=at)


def edit(
    tx: Tx, note_id: int, change: Change, *, version: int, scopes: frozenset[str], by: str,
    at: datetime,
) -> Note:  # fmt: skip
    """Let a note say something else; what it said before is kept with who said it and when.

    Raises NoteNotFound, NoteRedacted, NoteFixed, NoteEmpty, CardNumber, NoteUnfit; ScopeMissing
    unless both what it was and what it is to be are theirs to write; VersionConflict when it is
    no longer what was seen; TooManyNotes for one that was edited too often.
    """
    found = _held(tx, note_id, scopes)
    if found.version != version:
        raise VersionConflict(version=found.version)
    if found.is_captured:
        raise NoteFixed
    kind, visibility = change.kind or found.kind, change.visibility or found.visibility
    _refuse_writing(visibility, scopes)
    if found.customer_id is not None and visibility not in OF_CUSTOMERS:
        raise NoteUnfit("a note on a customer is internal or for the customer")
    body = found.body if change.body is None else checked_body(change.body)
    if (kind, visibility, body) == (found.kind, found.visibility, found.body):
        return found
    if found.version >= NOTE_VERSIONS_MAX:
        raise TooManyNotes(f"a note has at most {NOTE_VERSIONS_MAX} versions")
    store.SQL.run(
        tx, "edit", note_id=note_id, kind=kind.value, visibility=visibility.value, body=body,
        by=by, at=at,
    )  # fmt: skip
    made = queries.note(tx, note_id)
    _tell(tx, made, "edited", by=by, at=at)
    return made


def pin(
    tx: Tx, note_id: int, *, is_pinned: bool, scopes: frozenset[str], by: str, at: datetime
) -> Note:
    """Put a note above the others, or among them again; its version stays.

    Raises NoteNotFound, NoteRedacted, ScopeMissing.
    """
    found = _held(tx, note_id, scopes)
    if found.is_pinned == is_pinned:
        return found
    store.SQL.run(tx, "pin", note_id=note_id, is_pinned=is_pinned)
    _tell(tx, found, "pinned" if is_pinned else "unpinned", by=by, at=at)
    return queries.note(tx, note_id)


def redact(
    tx: Tx, note_id: int, reason: str, *, scopes: frozenset[str], by: str, at: datetime
) -> Note:
    """Take away what a note says and ever said, for good; that it was stays.

    Raises NoteNotFound, NoteRedacted, ScopeMissing.
    """
    found = _held(tx, note_id, scopes)
    store.SQL.run(tx, "redact", note_ids=[note_id], by=by, at=at, reason=reason)
    _tell(tx, found, "redacted", by=by, at=at, reason=reason)
    if found.order_id is not None:
        indexing.index(tx, [found.order_id])  # it is found no more, not even for a second
    return queries.note(tx, note_id)


def attach(
    tx: Tx, note_id: int, name: str, content: bytes, *, scopes: frozenset[str], by: str,
    at: datetime,
) -> Attachment:  # fmt: skip
    """Let a file belong to a note; the same content again is the same file.

    Raises NoteNotFound, NoteRedacted, ScopeMissing, AttachmentUnfit, TooManyAttachments.
    """
    media_type = media_type_of(content)
    kept = checked_name(name, media_type)
    found = _held(tx, note_id, scopes)
    digest = hashlib.sha256(content)
    for each in found.attachments:
        if each.sha256 == digest.hexdigest():
            return each
    if len(found.attachments) >= NOTE_ATTACHMENTS_MAX:
        raise TooManyAttachments(f"a note has at most {NOTE_ATTACHMENTS_MAX} attachments")
    attachment_id = store.SQL.run(
        tx, "attach", note_id=note_id, file_name=kept, media_type=media_type,
        size_bytes=len(content), sha256=digest.digest(), visibility=found.visibility.value,
        content=content, at=at, by=by,
    ).scalar_one()  # fmt: skip
    _tell(tx, found, "attached", by=by, at=at, attachment_id=attachment_id)
    made = queries.note(tx, note_id).attachments
    return next(each for each in made if each.attachment_id == attachment_id)


def erase(
    tx: Tx, order_ids: Sequence[int], customer_ids: Sequence[int], *, by: str | None, at: datetime
) -> None:
    """Redact every note on orders, and on customers who are held, because of an erasure.

    With `by` the erasure is a step of each order's story, which says it of its notes, too;
    without, what came back is kept out, and each note is told of.
    """
    orders.hold_all(tx, order_ids)
    found = list(store.SQL.run(
        tx, "ids", order_ids=list(order_ids), customer_ids=list(customer_ids)
    ).scalars())  # fmt: skip
    if not found:
        return
    gone = store.SQL.run(
        tx, "redact", note_ids=found, by=by or "erasure", at=at, reason="erased"
    ).all()
    if by is None:
        told = [(row.order_id, "note.redacted", {"note_id": row.note_id}) for row in gone]
        orders.tell(tx, told, actor_type="system", actor="erasure", at=at)


def _added(
    tx: Tx, draft: Draft, body: str, *, order_id: int | None, customer_id: int | None, by: str,
    at: datetime,
) -> Note:  # fmt: skip
    ids = {"order_id": order_id, "customer_id": customer_id}
    if store.SQL.run(tx, "count", **ids).scalar_one() >= NOTES_MAX:
        raise TooManyNotes(f"there are at most {NOTES_MAX} notes on an order or a customer")
    note_id: int = store.SQL.run(
        tx, "add", **ids, **_columns(draft.part), kind=draft.kind.value,
        visibility=draft.visibility.value, body=body, is_pinned=draft.is_pinned, by=by, at=at,
    ).scalar_one()  # fmt: skip
    return queries.note(tx, note_id)


def _held(tx: Tx, note_id: int, scopes: frozenset[str]) -> Note:
    """Hold what a note is on, and return it. A note one may not read is not there."""
    found = queries.note(tx, note_id)
    if found.order_id is not None:
        orders.hold(tx, found.order_id)
    else:
        store.SQL.run(tx, "hold_customer", customer_id=found.customer_id)
    found = queries.note(tx, note_id)
    if found.visibility not in readable(scopes):
        raise NoteNotFound
    _refuse_writing(found.visibility, scopes)
    if found.is_redacted:
        raise NoteRedacted
    return found


def _refuse_writing(visibility: Visibility, scopes: frozenset[str]) -> None:
    needed = RULES[visibility].write_scope
    if needed not in scopes:
        raise ScopeMissing(scope=needed)


def _columns(part: Part) -> dict[str, Any]:
    number, parcel = part.fulfillment_number, part.parcel_number
    return {
        "line_no": part.line_no, "fulfillment_number": number and number.upper(),
        "parcel_number": parcel and parcel.upper(),
    }  # fmt: skip


def _tell(tx: Tx, note: Note, event: str, *, by: str, at: datetime, **facts: Any) -> None:
    """Tell it in the order's story, without what the note says: a story is never redacted."""
    if note.order_id is None:
        return
    data = {"note_id": note.note_id, "kind": note.kind, "visibility": note.visibility, **facts}
    orders.tell(
        tx, [(note.order_id, f"note.{event}", data)], actor_type="user", actor=by, at=at
    )  # fmt: skip
