"""Holds of stock: placed for a basket, looked at, extended, let go."""

from datetime import datetime, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Path, Response

from api.dependencies import Now, Snapshot, Tx
from api.idempotency import OncePerKey, OncePerKeyIfGiven
from api.routes import LedgerRoute
from api.schemas.stock_holds import StockHoldExtendPost, StockHoldOut, StockHoldPost, quantities
from api.security import StockRead, StockWrite
from oms.access.model import Caller
from oms.channels import queries as channels
from oms.channels.model import UnknownChannel
from oms.ledger.database import Tx as Connection
from oms.stock import holds
from oms.stock.model import StockHold, StockHoldNotFound
from oms.workflows import stock_holds as ending

router: Final = APIRouter(prefix="/v1", tags=["stock"], route_class=LedgerRoute)

HoldRef = Annotated[str, Path(pattern="^H[0-9A-F]{16}$")]


@router.post("/stock/holds", status_code=201)
def place_stock_hold(
    body: StockHoldPost, caller: StockWrite, tx: Tx, now: Now, response: Response, _once: OncePerKey
) -> StockHoldOut:
    """Hold stock for a basket, all of it or nothing.

    What is not there is refused with `items` (sku, requested, available). An order posted with
    the `hold_ref` has these units; without one they are free again at `expires_at`.
    """
    if not caller.may_see(body.channel_code):
        raise UnknownChannel
    channel = channels.channel(tx, body.channel_code)
    hold_ref = holds.place(
        tx, quantities(body.lines), channel_code=channel.code, channel_id=channel.channel_id,
        location_code=body.location_code, expires_at=now + timedelta(minutes=body.minutes), at=now,
    )  # fmt: skip
    response.headers["Location"] = f"/v1/stock/holds/{hold_ref}"
    return StockHoldOut.of(holds.hold(tx, hold_ref, at=now))


@router.get("/stock/holds/{hold_ref}")
def get_stock_hold(hold_ref: HoldRef, caller: StockRead, tx: Snapshot, now: Now) -> StockHoldOut:
    """Return a hold, and what became of it."""
    return StockHoldOut.of(_visible(tx, hold_ref, caller, at=now))


@router.post("/stock/holds/{hold_ref}/extend")
def extend_stock_hold(
    hold_ref: HoldRef, body: StockHoldExtendPost, caller: StockWrite, tx: Tx, now: Now,
    _once: OncePerKeyIfGiven,
) -> StockHoldOut:  # fmt: skip
    """Let a hold last so many minutes from now on, never shorter than it would."""
    _visible(tx, hold_ref, caller, at=now)
    holds.extend(tx, hold_ref, expires_at=now + timedelta(minutes=body.minutes), at=now)
    return StockHoldOut.of(holds.hold(tx, hold_ref, at=now))


@router.delete("/stock/holds/{hold_ref}")
def release_stock_hold(hold_ref: HoldRef, caller: StockWrite, tx: Tx, now: Now) -> StockHoldOut:
    """Let go of a hold; of one that has ended already nothing changes."""
    _visible(tx, hold_ref, caller, at=now)
    ending.release(tx, hold_ref, at=now)
    return StockHoldOut.of(holds.hold(tx, hold_ref, at=now))


def _visible(tx: Connection, hold_ref: str, caller: Caller, *, at: datetime) -> StockHold:
    found = holds.hold(tx, hold_ref, at=at)
    if not caller.may_see(found.channel_code):
        raise StockHoldNotFound
    return found
