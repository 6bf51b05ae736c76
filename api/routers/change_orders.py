"""Change orders: what an order shall be instead, tried, made at once, or kept and decided later."""

from typing import Annotated, Final

from fastapi import APIRouter, Path, Response

from api.dependencies import IfMatch, Now, Snapshot, System, Tx
from api.idempotency import OncePerKey
from api.paging import Page
from api.routers.orders import noting, visible
from api.routes import LedgerRoute, noting_refusals
from api.schemas.changes import ChangedOut, ChangeOrderOut, ChangesPost, DeclinePost
from api.security import OrdersRead, OrdersWrite
from oms.change_orders import queries
from oms.workflows import editing

router: Final = APIRouter(prefix="/v1", tags=["orders"], route_class=LedgerRoute)
ChangeNo = Annotated[int, Path(ge=1, le=(1 << 31) - 1)]


@router.post("/orders/{number}/changes:preview")
def preview_changes(
    number: str, body: ChangesPost, caller: OrdersWrite, tx: Tx, now: Now, *, system: System
) -> ChangedOut:
    """Tell what a change of an order would come to; nothing is changed."""
    visible(tx, number, caller)
    return ChangedOut.of(
        editing.preview(tx, number, body.edit(), system.carriers, by=caller.name, at=now)
    )


@router.post("/orders/{number}/changes")
@noting_refusals(noting("edit"))
def change_order(
    number: str, body: ChangesPost, caller: OrdersWrite, tx: Tx, now: Now, *,
    seen: IfMatch, system: System, response: Response, _once: OncePerKey,
) -> ChangedOut:  # fmt: skip
    """Change an order at once: units, prices, articles, address, way; none of it in a hand."""
    visible(tx, number, caller)
    edited = editing.change(
        tx, number, body.edit(), system.carriers, version=seen, by=caller.name, at=now
    )
    response.headers["ETag"] = f'"{edited.order.summary.version}"'
    return ChangedOut.of(edited)


@router.get("/orders/{number}/change-orders")
def list_change_orders(
    number: str, caller: OrdersRead, tx: Snapshot, now: Now
) -> Page[ChangeOrderOut]:
    """List the change orders of an order, as they were made, those made at once among them."""
    order_id = visible(tx, number, caller).summary.order_id
    found = queries.of_order(tx, order_id)
    return Page(items=[ChangeOrderOut.of(each, at=now) for each in found], next_after=None)


@router.post("/orders/{number}/change-orders", status_code=201)
@noting_refusals(noting("edit"))
def draft_change_order(
    number: str, body: ChangesPost, caller: OrdersWrite, tx: Tx, now: Now, *, seen: IfMatch,
    _once: OncePerKey,
) -> ChangeOrderOut:  # fmt: skip
    """Write down what an order of this version shall be instead; it is good for a day."""
    visible(tx, number, caller)
    made = editing.draft(tx, number, body.edit(), version=seen, by=caller.name, at=now)
    return ChangeOrderOut.of(made, at=now)


@router.post("/orders/{number}/change-orders/{change_no}/preview")
@noting_refusals(noting("edit"))
def preview_change_order(
    number: str, change_no: ChangeNo, caller: OrdersWrite, tx: Tx, now: Now, *, system: System,
    _once: OncePerKey,
) -> ChangeOrderOut:  # fmt: skip
    """Find out what a change order comes to, and keep that: it is what applying it will write."""
    visible(tx, number, caller)
    seen = editing.look(tx, number, change_no, system.carriers, by=caller.name, at=now)
    return ChangeOrderOut.of(seen, at=now)


@router.post("/orders/{number}/change-orders/{change_no}/apply")
@noting_refusals(noting("edit"))
def apply_change_order(
    number: str, change_no: ChangeNo, caller: OrdersWrite, tx: Tx, now: Now, *, seen: IfMatch,
    system: System, response: Response, _once: OncePerKey,
) -> ChangedOut:  # fmt: skip
    """Make a change order true exactly as it was previewed, or not at all."""
    visible(tx, number, caller)
    edited = editing.apply(
        tx, number, change_no, system.carriers, version=seen, by=caller.name, at=now
    )
    response.headers["ETag"] = f'"{edited.order.summary.version}"'
    return ChangedOut.of(edited)


@router.post("/orders/{number}/change-orders/{change_no}/decline")
def decline_change_order(
    number: str, change_no: ChangeNo, body: DeclinePost, caller: OrdersWrite, tx: Tx, *, now: Now,
    _once: OncePerKey,
) -> ChangeOrderOut:  # fmt: skip
    """End a change order without making it true."""
    visible(tx, number, caller)
    ended = editing.decline(tx, number, change_no, body.reason, by=caller.name, at=now)
    return ChangeOrderOut.of(ended, at=now)
