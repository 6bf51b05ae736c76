"""Promises: how a basket can get to the customer, and by when."""

from datetime import datetime, timedelta
from typing import Final

from fastapi import APIRouter

from api.dependencies import Now, Tx
from api.idempotency import OncePerKeyIfGiven
from api.routes import LedgerRoute
from api.schemas.promises import PromiseOut, PromisePost
from api.schemas.stock_holds import StockHoldOut, quantities
from api.security import StockRead
from oms.access.model import Caller, ScopeMissing
from oms.channels import queries as channels
from oms.channels.model import Channel, UnknownChannel
from oms.ledger.database import Tx as Connection
from oms.promise import queries
from oms.stock import holds

router: Final = APIRouter(prefix="/v1", tags=["stock"], route_class=LedgerRoute)

HOLDING: Final = "stock:write"


@router.post("/availability:promise")
def promise_basket(
    body: PromisePost, caller: StockRead, tx: Tx, now: Now, _once: OncePerKeyIfGiven
) -> PromiseOut:
    """Return how a basket can get to a destination now, whole: shipped, or collected at a store.

    Nothing is written, unless `hold` asks to keep what is to be shipped (scope `stock:write`).
    """
    if not caller.may_see(body.channel_code):
        raise UnknownChannel
    channel, wanted = channels.channel(tx, body.channel_code), quantities(body.lines)
    promise = queries.promise(
        tx, wanted, channel=channel, to=body.destination.destination(), radius_km=body.radius_km,
        limit=body.stores, at=now,
    )  # fmt: skip
    held = _held(tx, body, caller, channel, at=now) if body.hold and promise.shipments else None
    return PromiseOut.of(promise, wanted, held, currency=channel.currency, at=now)


def _held(
    tx: Connection, body: PromisePost, caller: Caller, channel: Channel, *, at: datetime
) -> StockHoldOut:
    """Hold what is to be shipped; what was taken a moment ago is refused."""
    if HOLDING not in caller.scopes:
        raise ScopeMissing(scope=HOLDING)
    hold_ref = holds.place(
        tx, quantities(body.lines), channel_code=channel.code, channel_id=channel.channel_id,
        location_code=None, expires_at=at + timedelta(minutes=body.hold_minutes), at=at,
    )  # fmt: skip
    return StockHoldOut.of(holds.hold(tx, hold_ref, at=at))
