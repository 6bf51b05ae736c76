"""Questions to the list of orders as a whole: what is in it, added up, taken away as a file."""

import tempfile
from collections.abc import Iterator
from typing import Annotated, Any, BinaryIO, Final

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from api.dependencies import Now, Snapshot
from api.routes import LedgerRoute
from api.schemas.order_search import (
    AnalysisOut,
    AnalysisQuery,
    FacetsOut,
    GroupOut,
    OrderFilters,
    SortedQuery,
)
from api.security import OrdersRead
from oms.orders import analysis, facets
from oms.reports.files import Form, write_csv
from oms.reports.order_list import order_sheet
from oms.reports.sheet import Sheet

router: Final = APIRouter(prefix="/v1", tags=["orders"], route_class=LedgerRoute)

CHUNK_BYTES: Final = 1 << 16
CSV: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"text/csv": {"schema": {"type": "string"}}},
          "description": "Facts in lines that begin with #, a head, a row per order."}
}  # fmt: skip


@router.get("/orders/facets")
def get_order_facets(
    query: Annotated[OrderFilters, Query()], caller: OrdersRead, tx: Snapshot
) -> FacetsOut:
    """Count the orders of a search, and those of each channel, state, country and the like."""
    return FacetsOut.of(facets.facets(tx, query.filters(caller)))


@router.get("/orders/analysis")
def get_order_analysis(
    query: Annotated[AnalysisQuery, Query()], caller: OrdersRead, tx: Snapshot
) -> AnalysisOut:
    """Add up the orders of a search by one to three dimensions; refused when it is too wide."""
    by = list(dict.fromkeys(query.by))
    groups = analysis.analyze(tx, query.filters(caller), by)
    return AnalysisOut(items=[GroupOut.of(group, by) for group in groups])


@router.get("/orders/export", response_class=StreamingResponse, responses=CSV)
def export_orders(
    query: Annotated[SortedQuery, Query()], caller: OrdersRead, tx: Snapshot, now: Now
) -> StreamingResponse:
    """Return the orders of a search as a CSV file; refused when it is too wide.

    It is written while the ledger is read and sent when it is whole: who gets a file has all.
    """
    facts = (*query.facts(), ("As of", f"{now:%Y-%m-%d %H:%M:%S} UTC"))
    sheet = order_sheet(tx, query.filters(caller), query.sort, facts)
    return StreamingResponse(
        _sent(_written(sheet)), media_type=Form.CSV.media_type,
        headers={"Content-Disposition": 'attachment; filename="orders.csv"'},
    )  # fmt: skip


def _written(sheet: Sheet) -> BinaryIO:
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed when it is sent
    try:
        write_csv(sheet, file)
    except BaseException:
        file.close()
        raise
    return file


def _sent(file: BinaryIO) -> Iterator[bytes]:
    with file:
        file.seek(0)
        while chunk := file.read(CHUNK_BYTES):
            yield chunk
