"""Holds: listed, an order is put on them, and released."""

from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Response

from api.dependencies import IfMatch, Now, Snapshot, Tx
from api.idempotency import OncePerKey
from api.paging import Page
from api.routers.orders import noting, visible
from api.routes import LedgerRoute, noting_refusals
from api.schemas.holds import HeldOrderOut, HoldOut, HoldPost, HoldQuery, ReleasePost
from api.security import OrdersHold, OrdersRead
from oms.holds import operations, queries
from oms.workflows import fulfillment

router: Final = APIRouter(prefix="/v1", tags=["orders"], route_class=LedgerRoute)
HoldNo = Annotated[int, Path(ge=1, le=(1 << 15) - 1)]


@router.get("/holds")
def list_holds(
    query: Annotated[HoldQuery, Query()], caller: OrdersRead, tx: Snapshot
) -> Page[HeldOrderOut]:
    """List holds that keep commands from orders, those of the oldest orders first."""
    found, cursor = queries.page(
        tx, is_active=query.is_active, types=query.type, channel_codes=caller.visible(None),
        after=query.begins_after(), limit=query.limit,
    )  # fmt: skip
    return Page(
        items=[HeldOrderOut.of_order(each, caller.scopes) for each in found],
        next_after=None if cursor is None else "-".join(map(str, cursor)),
    )


@router.post("/orders/{number}/holds", status_code=201)
@noting_refusals(noting("hold"))
def place_hold(
    number: str, body: HoldPost, caller: OrdersHold, tx: Tx, now: Now, *, response: Response,
    _once: OncePerKey,
) -> HoldOut:  # fmt: skip
    """Put an order on hold: what its type blocks is refused until somebody releases it.

    What its channel says of it is still taken in.
    """
    visible(tx, number, caller)
    hold, version = operations.place(tx, number, body.type, body.comment, by=caller.name, at=now)
    response.headers["ETag"] = f'"{version}"'
    return HoldOut.of(hold)


@router.post("/orders/{number}/holds/{hold_no}/release")
@noting_refusals(noting("release"))
def release_hold(
    number: str, hold_no: HoldNo, body: ReleasePost, caller: OrdersHold, tx: Tx, *, now: Now,
    seen: IfMatch, response: Response, _once: OncePerKey,
) -> HoldOut:  # fmt: skip
    """Release a hold; what it kept from being routed is given to locations at once."""
    visible(tx, number, caller)
    hold, version = fulfillment.release_hold(
        tx, number, hold_no, body.comment, version=seen, scopes=caller.scopes, by=caller.name,
        at=now,
    )  # fmt: skip
    response.headers["ETag"] = f'"{version}"'
    return HoldOut.of(hold)
