"""Reads of notes: one, those of orders and customers, what the work of a location is to know."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from oms.ledger.database import Tx
from oms.ledger.rows import by_name
from oms.notes import store
from oms.notes.model import (
    Attachment,
    AttachmentNotFound,
    Kind,
    Note,
    NoteNotFound,
    Version,
    Visibility,
)


def note(tx: Tx, note_id: int) -> Note:
    """Return a note. Raises NoteNotFound."""
    found = _read(tx, note_ids=[note_id])
    if not found:
        raise NoteNotFound
    return found[0]


def of_orders(tx: Tx, order_ids: Sequence[int]) -> Mapping[int, tuple[Note, ...]]:
    """Return the notes of orders, pinned ones first; of an order without any, none."""
    found: dict[int, tuple[Note, ...]] = defaultdict(tuple)
    for each in _read(tx, order_ids=order_ids) if order_ids else ():
        found[each.order_id or 0] += (each,)
    return found


def of_order(tx: Tx, order_id: int) -> tuple[Note, ...]:
    """Return the notes of an order and its parts, pinned ones first."""
    return of_orders(tx, [order_id])[order_id]


def of_customers(tx: Tx, customer_ids: Sequence[int]) -> tuple[Note, ...]:
    """Return the notes on customers who are one person, pinned ones first."""
    return tuple(_read(tx, customer_ids=customer_ids))


def of_work(tx: Tx, numbers: Sequence[str]) -> Mapping[str, tuple[Note, ...]]:
    """Return by fulfillment order what its location is to know, pinned first."""
    rows = store.SQL.run(tx, "of_work", numbers=list(numbers)).all() if numbers else []
    known = {each.note_id: each for each in _read(tx, note_ids=[row.note_id for row in rows])}
    shown: dict[str, set[int]] = defaultdict(set)
    for row in rows:
        shown[row.work_number].add(row.note_id)
    found: dict[str, tuple[Note, ...]] = defaultdict(tuple)
    for number, note_ids in shown.items():
        found[number] = tuple(each for each in known.values() if each.note_id in note_ids)
    return found


def _read(
    tx: Tx, *, note_ids: Sequence[int] = (), order_ids: Sequence[int] = (),
    customer_ids: Sequence[int] = (),
) -> list[Note]:  # fmt: skip
    rows = store.SQL.run(
        tx, "read", note_ids=list(note_ids), order_ids=list(order_ids),
        customer_ids=list(customer_ids),
    ).all()  # fmt: skip
    before = _previous(tx, [row.note_id for row in rows if row.version > 1])
    files = _attachments(tx, [row.note_id for row in rows if row.redacted_at is None])
    return [
        Note(
            **by_name(row) | _coded(row.kind, row.visibility), previous=before[row.note_id],
            attachments=files[row.note_id],
        )
        for row in rows
    ]  # fmt: skip


def _previous(tx: Tx, note_ids: Sequence[int]) -> Mapping[int, tuple[Version, ...]]:
    found: dict[int, tuple[Version, ...]] = defaultdict(tuple)
    for row in store.SQL.run(tx, "previous", note_ids=list(note_ids)) if note_ids else ():
        facts = by_name(row)
        found[facts.pop("note_id")] += (Version(**facts | _coded(row.kind, row.visibility)),)
    return found


def content_of(tx: Tx, note: Note, attachment_id: int) -> tuple[Attachment, bytes]:
    """Return a file of a note as somebody sees it. Raises AttachmentNotFound."""
    for each in note.attachments:
        if each.attachment_id == attachment_id:
            row = store.SQL.run(tx, "content", attachment_id=attachment_id).one_or_none()
            if row is not None:
                return each, bytes(row.content)
    raise AttachmentNotFound


def _attachments(tx: Tx, note_ids: Sequence[int]) -> Mapping[int, tuple[Attachment, ...]]:
    found: dict[int, tuple[Attachment, ...]] = defaultdict(tuple)
    for row in store.SQL.run(tx, "attachments", note_ids=list(note_ids)) if note_ids else ():
        facts = by_name(row) | {"visibility": Visibility(row.visibility)}
        found[facts.pop("note_id")] += (Attachment(**facts),)
    return found


def _coded(kind: str, visibility: str) -> dict[str, Kind | Visibility]:
    return {"kind": Kind(kind), "visibility": Visibility(visibility)}
