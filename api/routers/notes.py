"""Notes: added to orders, their parts, work and customers, edited, pinned, redacted."""

from typing import Annotated, Final

from fastapi import APIRouter, Path, Response

from api.dependencies import IfMatch, Now, Snapshot, Tx
from api.idempotency import OncePerKey
from api.routers.fulfillments import visible as visible_work
from api.routers.orders import visible
from api.routes import LedgerRoute, keeping
from api.schemas.notes import (
    CustomerNotePost,
    NoteEditPost,
    NoteOut,
    NotePost,
    PinPost,
    RedactPost,
    WorkNotePost,
    without_texts,
)
from api.security import (
    CustomersManage,
    CustomersRead,
    CustomersWrite,
    FulfillmentWrite,
    OrdersRead,
)
from oms.access.model import Caller
from oms.customers import operations as customers
from oms.customers import queries as customer_queries
from oms.ledger.database import Tx as Connection
from oms.locations import queries as locations
from oms.notes import operations, queries
from oms.notes.model import Draft, NoteNotFound, Part, Visibility, visibility_at

router: Final = APIRouter(prefix="/v1", tags=["notes"], route_class=LedgerRoute)
NoteId = Annotated[int, Path(ge=1, lt=1 << 63)]
CustomerId = Annotated[int, Path(ge=1, le=2**62)]


@router.post("/orders/{number}/notes", status_code=201)
@keeping(without_texts)
def add_note(
    number: str, body: NotePost, caller: OrdersRead, tx: Tx, now: Now, *, response: Response,
    _once: OncePerKey,
) -> NoteOut:  # fmt: skip
    """Add a remark to an order or a part of it, and to its story.

    A text with what may be the number of a payment card is refused.
    """
    order = visible(tx, number, caller).summary
    note = operations.add(
        tx, order.order_number, body.draft(), scopes=caller.scopes, by=caller.name, at=now
    )
    response.headers["ETag"] = f'"{note.version}"'
    return NoteOut.of(note, caller.scopes)


@router.post("/fulfillments/{number}/notes", status_code=201)
@keeping(without_texts)
def add_work_note(
    number: str, body: WorkNotePost, caller: FulfillmentWrite, tx: Tx, now: Now, _once: OncePerKey
) -> NoteOut:
    """Add a remark to a fulfillment order, for whoever does the work at its location."""
    work = visible_work(tx, number, caller)
    draft = Draft(
        body=body.body, kind=body.kind, part=Part(fulfillment_number=work.fulfillment_number),
        visibility=visibility_at(locations.kind_of(tx, work.location_code)),
    )  # fmt: skip
    note = operations.add(
        tx, work.order_number, draft, scopes=caller.scopes, by=caller.name, at=now
    )  # fmt: skip
    return NoteOut.of(note, caller.scopes)


@router.get("/customers/{customer_id}/notes")
def list_customer_notes(
    customer_id: CustomerId, caller: CustomersRead, tx: Snapshot
) -> list[NoteOut]:
    """List what was remarked on a customer; to a key bound to channels what is for them alone."""
    family = customer_queries.family(tx, customer_id, channel_codes=_codes(caller))
    found = queries.of_customers(tx, family.customer_ids)
    if caller.channels is not None:
        found = tuple(each for each in found if each.visibility is Visibility.CUSTOMER)
    return NoteOut.of_all(found, caller.scopes)


@router.post("/customers/{customer_id}/notes", status_code=201)
@keeping(without_texts)
def add_customer_note(
    customer_id: CustomerId, body: CustomerNotePost, caller: CustomersWrite, tx: Tx, now: Now,
    _once: OncePerKey,
) -> NoteOut:  # fmt: skip
    """Add a remark to a customer, internal or for them to read."""
    customer_queries.family(tx, customer_id, channel_codes=_codes(caller))
    note = customers.remark(
        tx, customer_id, body.draft(), scopes=caller.scopes, by=caller.name, at=now
    )
    return NoteOut.of(note, caller.scopes)


@router.post("/notes/{note_id}/edit")
@keeping(without_texts)
def edit_note(
    note_id: NoteId, body: NoteEditPost, caller: OrdersRead, tx: Tx, now: Now, *, seen: IfMatch,
    response: Response, _once: OncePerKey,
) -> NoteOut:  # fmt: skip
    """Let a note say something else; what it said before stays beside it."""
    visible_note(tx, note_id, caller)
    note = operations.edit(
        tx, note_id, body.change(), version=seen, scopes=caller.scopes, by=caller.name, at=now
    )
    response.headers["ETag"] = f'"{note.version}"'
    return NoteOut.of(note, caller.scopes)


@router.post("/notes/{note_id}/pin")
@keeping(without_texts)
def pin_note(
    note_id: NoteId, body: PinPost, caller: OrdersRead, tx: Tx, now: Now, _once: OncePerKey
) -> NoteOut:
    """Put a note above the others, or among them again."""
    visible_note(tx, note_id, caller)
    note = operations.pin(
        tx, note_id, is_pinned=body.is_pinned, scopes=caller.scopes, by=caller.name, at=now
    )
    return NoteOut.of(note, caller.scopes)


@router.post("/notes/{note_id}/redact")
def redact_note(
    note_id: NoteId, body: RedactPost, caller: CustomersManage, tx: Tx, now: Now, _once: OncePerKey
) -> NoteOut:
    """Take away what a note says and ever said, for good; a tombstone stays."""
    visible_note(tx, note_id, caller)
    note = operations.redact(
        tx, note_id, body.reason, scopes=caller.scopes, by=caller.name, at=now
    )  # fmt: skip
    return NoteOut.of(note, caller.scopes)


def visible_note(tx: Connection, note_id: int, caller: Caller) -> None:
    """Refuse a note on what its caller may not know of. Raises NoteNotFound."""
    found = queries.note(tx, note_id)
    is_seen = (
        caller.channels is None
        if found.channel_code is None
        else caller.may_see(found.channel_code)
    )
    if not is_seen:
        raise NoteNotFound


def _codes(caller: Caller) -> tuple[str, ...] | None:
    return None if caller.channels is None else tuple(sorted(caller.channels))
