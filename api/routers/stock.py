"""Stock: what there is, what may be sold, what changed, and what was counted or moved."""

from collections import defaultdict
from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query

from api.dependencies import Known, Now, Snapshot, Tx
from api.idempotency import OncePerKeyIfGiven
from api.problems import Refused, field_problem
from api.routes import LedgerRoute
from api.schemas.stock import (
    ChangesQuery,
    CountsIn,
    MovementsIn,
    RecordedOut,
    SkusIn,
    StockBatchOut,
    StockChangesOut,
    StockOut,
)
from api.security import StockRead, StockWrite
from oms.access.model import Caller
from oms.orders import operations as orders
from oms.stock import operations, queries
from oms.stock.model import UnknownSku
from oms.transfers import queries as transfers

router: Final = APIRouter(prefix="/v1", tags=["stock"], route_class=LedgerRoute)


@router.get("/stock/changes")
def list_stock_changes(
    query: Annotated[ChangesQuery, Query()], caller: StockRead, tx: Snapshot, now: Now
) -> StockChangesOut:
    """List SKUs whose stock changed since a position; SKUs of one change stay together."""
    skus, upto, has_more = queries.changes(tx, after=query.after, limit=query.limit)
    items = _stock(tx, skus, caller, at=now)
    return StockChangesOut(as_of=now, items=items, next_after=upto, has_more=has_more)


@router.get("/stock/{sku:path}", responses={304: {"description": "It is as the ETag says."}})
def get_stock(
    sku: str, caller: StockRead, tx: Snapshot, now: Now, known: Annotated[Known, Depends()]
) -> StockOut:
    """Return the stock of a SKU, per location and per channel."""
    found = _stock(tx, [sku], caller, at=now)
    if not found:
        raise UnknownSku
    known.spare(found[0].etag)
    return found[0]


@router.post("/stock:batchGet")
def batch_get_stock(body: SkusIn, caller: StockRead, tx: Snapshot, now: Now) -> StockBatchOut:
    """Return the stock of several SKUs at one instant."""
    found = _stock(tx, body.skus, caller, at=now)
    unknown = sorted(set(body.skus) - {item.sku for item in found})
    return StockBatchOut(as_of=now, items=found, unknown=unknown)


@router.post("/stock/counts")
def record_counts(
    body: CountsIn, caller: StockWrite, tx: Tx, now: Now, _once: OncePerKeyIfGiven
) -> RecordedOut:
    """Apply counts, all or none; each counts what was there when it was taken."""
    _check_places(caller, "counts", [each.location_code for each in body.counts])
    changed = _record(tx, body.drafts(), "counts", at=now)
    return RecordedOut(received_count=len(body.counts), changed_count=changed, as_of=now)


@router.post("/stock/movements")
def record_movements(
    body: MovementsIn, caller: StockWrite, tx: Tx, now: Now, _once: OncePerKeyIfGiven
) -> RecordedOut:
    """Apply movements, all or none, each once by its `movement_ref`."""
    _check_places(caller, "movements", [each.location_code for each in body.movements])
    changed = _record(tx, body.drafts(), "movements", at=now)
    return RecordedOut(received_count=len(body.movements), changed_count=changed, as_of=now)


def _stock(tx: Tx, skus: list[str], caller: Caller, *, at: datetime) -> list[StockOut]:
    codes = None if caller.channels is None else sorted(caller.channels)
    coming: dict[str, dict[str, transfers.Coming]] = defaultdict(dict)
    for each in transfers.coming(tx, skus):
        coming[each.sku][each.location_code] = each
    return [
        StockOut.of(stock, coming[stock.sku], at=at)
        for stock in queries.of_skus(tx, skus, channel_codes=codes, at=at)
    ]


def _check_places(caller: Caller, kind: str, location_codes: list[str]) -> None:
    """Refuse what is not of the caller's locations, as if there were no such location."""
    foreign = [at for at, code in enumerate(location_codes) if not caller.may_work_at(code)]
    if foreign:
        raise Refused(
            field_problem("UNKNOWN_LOCATION", f"/{kind}/{at}/location_code") for at in foreign
        )


def _record(tx: Tx, drafts: dict[str, bytes], kind: str, *, at: datetime) -> int:
    recorded = operations.record(tx, drafts, at=at)
    if recorded.problems:
        raise Refused(
            field_problem(code, f"/{kind}/{position - 1}{field}")
            for position, field, code, _ in recorded.problems
        )
    filled = operations.fill_backorders(tx, recorded.risen, at=at)
    orders.record_backorders(tx, filled, at=at)
    return recorded.changed_count
