"""Promises: how a basket can get to the customer, and by when."""

from datetime import datetime, timedelta
from typing import Final

from fastapi import APIRouter

from api.dependencies import Now, System, Tx
from api.idempotency import OncePerKeyIfGiven
from api.routes import LedgerRoute
from api.schemas.promises import PromiseOut, PromisePost
from api.schemas.stock_holds import StockHoldOut, quantities
from api.security import StockRead
from oms.access.model import Caller, ScopeMissing
from oms.channels import queries as channels
from oms.channels.model import Channel, UnknownChannel
from oms.ledger.database import Tx as Connection
from oms.points.model import CarrierAway
from oms.stock import holds
from oms.workflows import points, promising
from oms.workflows.points import Found

router: Final = APIRouter(prefix="/v1", tags=["stock"], route_class=LedgerRoute)

HOLDING: Final = "stock:write"


@router.post("/availability:promise")
def promise_basket(
    body: PromisePost, caller: StockRead, tx: Tx, now: Now, *, system: System,
    _once: OncePerKeyIfGiven,
) -> PromiseOut:  # fmt: skip
    """Return how a basket can get to a destination now, whole: shipped, or collected somewhere.

    Nothing is written, unless `hold` asks to keep what is to be shipped (scope `stock:write`).
    """
    if not caller.may_see(body.channel_code):
        raise UnknownChannel
    channel, wanted = channels.channel(tx, body.channel_code), quantities(body.lines)
    near = _points(body, system)
    promise = promising.promise(
        tx, wanted, channel=channel, to=body.destination.destination(), radius_km=body.radius_km,
        limit=body.stores, at=now, points=near.points,
    )  # fmt: skip
    held = _held(tx, body, caller, channel, at=now) if body.hold and promise.shipments else None
    return PromiseOut.of(promise, wanted, held, currency=channel.currency, away=near.away, at=now)


def _points(body: PromisePost, system: System) -> Found:
    """Return the pick-up points near a destination; whose carriers are away are named."""
    sought = body.destination.sought(radius_km=body.radius_km, limit=body.points)
    if sought is None or not body.points:
        return Found(points=(), away=())
    try:
        return points.near(system.carriers, sought)
    except CarrierAway as error:
        return Found(points=(), away=tuple(error.facts["carriers"]))


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
