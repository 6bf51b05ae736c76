"""Why a stock number is what it is: its movements, its reservations, and who has been told."""

from typing import Annotated, Final

from fastapi import APIRouter, Query

from api.dependencies import Now, Snapshot
from api.paging import number_of
from api.routes import LedgerRoute
from api.schemas.common import Words
from api.schemas.why_stock import (
    FedOut,
    KeptSumOut,
    MovedSumOut,
    MovementOut,
    MovementQuery,
    MovementsOut,
    ReservationOut,
    ReservationQuery,
    ReservationsOut,
)
from api.security import StockRead
from oms.access.model import Caller
from oms.feeds import queries as feeds
from oms.ledger.database import Tx
from oms.stock import analysis, queries
from oms.stock.model import UnknownSku

router: Final = APIRouter(prefix="/v1", tags=["stock"], route_class=LedgerRoute)


@router.get("/stock/movements")
def list_movements(
    query: Annotated[MovementQuery, Query()], caller: StockRead, tx: Snapshot, now: Now
) -> MovementsOut:
    """List what changed the stock of a SKU, the newest first, with what was there after it.

    What a location has on hand is the sum of its movements. Orders a key may not know of are
    not named; what they moved is.
    """
    _known(tx, query.sku)
    found, cursor = analysis.movements(
        tx, query.sku, query.sought(), after=number_of(query.after), limit=query.limit
    )
    items = [
        MovementOut.of(each, is_told=_is_told(caller, each.channel_code, each.location_code))
        for each in found
    ]
    sums = [MovedSumOut.of(each) for each in analysis.moved(tx, query.sku)]
    return MovementsOut(
        as_of=now, sums=sums, items=items, next_after=None if cursor is None else str(cursor)
    )


@router.get("/stock/reservations")
def list_stock_reservations(
    query: Annotated[ReservationQuery, Query()], caller: StockRead, tx: Snapshot, now: Now
) -> ReservationsOut:
    """List what is kept of a SKU for orders, holds and transfers, or wanted of it, oldest first.

    Whose they are is told of orders the key may know of; how many they are always is.
    """
    _known(tx, query.sku)
    found, cursor = analysis.reservations(
        tx, query.sku, query.wanted(), after=number_of(query.after) or 0, limit=query.limit, at=now
    )
    items = [
        ReservationOut.of(each, is_told=_is_told(caller, each.channel_code, each.location_code))
        for each in found
    ]
    sums = [KeptSumOut.of(each) for each in analysis.reserved(tx, query.sku, at=now)]
    return ReservationsOut(
        as_of=now, sums=sums, items=items, next_after=None if cursor is None else str(cursor)
    )


@router.get("/stock/feeds")
def list_told_channels(
    sku: Annotated[Words, Query(description="whose number is asked about")],
    caller: StockRead, tx: Snapshot,
) -> list[FedOut]:  # fmt: skip
    """List what each channel is told it may sell of a SKU, since which version, and who has it.

    It follows the stock by a second or so; `GET /v1/stock/{sku}` is how it is now.
    """
    _known(tx, sku)
    return FedOut.of_all(feeds.told(tx, sku, channel_codes=caller.visible(None)))


def _known(tx: Tx, sku: str) -> None:
    if not queries.known(tx, [sku]):
        raise UnknownSku


def _is_told(caller: Caller, channel_code: str | None, location_code: str | None) -> bool:
    """Tell whether a caller may know of an order: as a reader of orders, or because it is theirs.

    Without a channel it is nobody's order, but goods for shelves.
    """
    is_seen = caller.channels is None if channel_code is None else caller.may_see(channel_code)
    if not is_seen or "orders:read" in caller.scopes:
        return is_seen
    is_theirs = location_code is not None and caller.may_work_at(location_code)
    return is_theirs and "fulfillment:read" in caller.scopes
