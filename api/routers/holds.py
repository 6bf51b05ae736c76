"""Holds of stock: placed for a basket, looked at, extended, let go."""

from datetime import datetime, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Path, Response

from api.dependencies import Now, Snapshot, Tx
from api.idempotency import OncePerKey, OncePerKeyIfGiven
from api.routes import LedgerRoute
from api.schemas.holds import HoldExtendPost, HoldOut, HoldPost, quantities
from api.security import StockRead, StockWrite
from oms.access.model import Caller
from oms.channels import queries as channels
from oms.channels.model import UnknownChannel
from oms.ledger.database import Tx as Connection
from oms.stock import holds
from oms.stock.model import HoldNotFound, StockHold
from oms.workflows import holds as ending

router: Final = APIRouter(prefix="/v1", tags=["stock"], route_class=LedgerRoute)

HoldRef = Annotated[str, Path(pattern="^H[0-9A-F]{16}$")]


@router.post("/stock/holds", status_code=201)
def place_hold(
    body: HoldPost, caller: StockWrite, tx: Tx, now: Now, response: Response, _once: OncePerKey
) -> HoldOut:
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
    return HoldOut.of(holds.hold(tx, hold_ref, at=now))


@router.get("/stock/holds/{hold_ref}")
def get_hold(hold_ref: HoldRef, caller: StockRead, tx: Snapshot, now: Now) -> HoldOut:
    """Return a hold, and what became of it."""
    return HoldOut.of(_visible(tx, hold_ref, caller, at=now))


@router.post("/stock/holds/{hold_ref}/extend")
def extend_hold(
    hold_ref: HoldRef, body: HoldExtendPost, caller: StockWrite, tx: Tx, now: Now,
    _once: OncePerKeyIfGiven,
) -> HoldOut:  # fmt: skip
    """Let a hold last so many minutes from now on, never shorter than it would."""
    _visible(tx, hold_ref, caller, at=now)
    holds.extend(tx, hold_ref, expires_at=now + timedelta(minutes=body.minutes), at=now)
    return HoldOut.of(holds.hold(tx, hold_ref, at=now))


@router.delete("/stock/holds/{hold_ref}")
def release_hold(hold_ref: HoldRef, caller: StockWrite, tx: Tx, now: Now) -> HoldOut:
    """Let go of a hold; of one that has ended already nothing changes."""
    _visible(tx, hold_ref, caller, at=now)
    ending.release(tx, hold_ref, at=now)
    return HoldOut.of(holds.hold(tx, hold_ref, at=now))


def _visible(tx: Connection, hold_ref: str, caller: Caller, *, at: datetime) -> StockHold:
    found = holds.hold(tx, hold_ref, at=at)
    if not caller.may_see(found.channel_code):
        raise HoldNotFound
    return found
