"""Refunds in bulk: put together, looked at, let go by somebody else, followed, taken away."""

import io
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Response

from api.dependencies import IfMatch, Now, Snapshot, Tx
from api.idempotency import OncePerKey
from api.paging import Page, number_of
from api.routes import LedgerRoute, limited_to
from api.schemas.refund_batches import (
    BatchActionPost,
    BatchOut,
    BatchPost,
    BatchQuery,
    BatchRowQuery,
    BatchSummaryOut,
    RowOut,
    RowsPost,
)
from api.security import RefundsRead, RefundsWrite
from oms.access.model import Caller, ScopeMissing
from oms.ledger.database import Tx as Connection
from oms.orders.analysis import TooWide
from oms.orders.filters import Filters
from oms.orders.search import pages
from oms.refunds import queries
from oms.refunds.batches import DECIDING, ROWS_MAX, Batch, BatchNotFound, RowDraft
from oms.refunds.model import RefundKind
from oms.reports.files import Form, write_csv
from oms.reports.refund_list import batch_sheet
from oms.workflows import refund_batches

BODY_BYTES_MAX: Final = 4 * 1024 * 1024
CSV: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"text/csv": {"schema": {"type": "string"}}},
          "description": "Facts in lines that begin with #, a head, a line per row or payment."}
}  # fmt: skip

router: Final = APIRouter(prefix="/v1", tags=["refunds"], route_class=LedgerRoute)


@router.post("/refund-batches", status_code=201)
@limited_to(BODY_BYTES_MAX)
def make_refund_batch(
    body: BatchPost, caller: RefundsWrite, tx: Tx, now: Now, *, response: Response,
    _once: OncePerKey,
) -> BatchOut:  # fmt: skip
    """Make a draft of refunds; none is made before it was looked at and somebody else approved it.

    Of a search it takes what is owed for each of its orders as they are now.
    """
    rows = body.drafts()
    if rows is None:
        assert body.orders is not None, "its rows are those of a search"
        rows = _owed(tx, body.orders.filters(caller), body.reason.strip())
    made = refund_batches.make(
        tx, body.name, rows, channel_codes=caller.channels, by=caller.name, at=now
    )
    response.headers["Location"] = f"/v1/refund-batches/{made.batch_number}"
    return _out(tx, made, response)


@router.get("/refund-batches")
def list_refund_batches(
    query: Annotated[BatchQuery, Query()], caller: RefundsRead, tx: Snapshot
) -> Page[BatchSummaryOut]:
    """List batches of refunds, newest first."""
    found, cursor = queries.batches(
        tx, channel_codes=caller.channels, states=query.state or None,
        after=number_of(query.after), limit=query.limit,
    )  # fmt: skip
    items = [BatchSummaryOut.of_batch(each) for each in found]
    return Page(items=items, next_after=None if cursor is None else str(cursor))


@router.get("/refund-batches/{number}")
def get_refund_batch(
    number: str, caller: RefundsRead, tx: Snapshot, response: Response
) -> BatchOut:
    """Return a batch with its totals by kind, currency and fate: how far it is."""
    return _out(tx, _visible(tx, number, caller), response)


@router.get("/refund-batches/{number}/rows")
def list_refund_batch_rows(
    number: str, query: Annotated[BatchRowQuery, Query()], caller: RefundsRead, tx: Snapshot
) -> Page[RowOut]:
    """List the rows of a batch: what the dry run found, or why not, and what became of each."""
    batch = _visible(tx, number, caller)
    found, cursor = queries.rows(
        tx, batch.batch_id, states=query.state or None, after=number_of(query.after) or 0,
        limit=query.limit,
    )  # fmt: skip
    items = [RowOut.of(each) for each in found]
    return Page(items=items, next_after=None if cursor is None else str(cursor))


@router.post("/refund-batches/{number}/rows")
@limited_to(BODY_BYTES_MAX)
def edit_refund_batch(
    number: str, body: RowsPost, caller: RefundsWrite, tx: Tx, now: Now, *, seen: IfMatch,
    response: Response, _once: OncePerKey,
) -> BatchOut:  # fmt: skip
    """Change, add and remove rows of a batch: what was found and agreed on is void."""
    _visible(tx, number, caller)
    edited = refund_batches.edit(
        tx, number, put=body.drafts(), remove=body.remove, version=seen, by=caller.name, at=now
    )
    return _out(tx, edited, response)


@router.post("/refund-batches/{number}/actions")
def act_on_refund_batch(
    number: str, body: BatchActionPost, caller: RefundsWrite, tx: Tx, now: Now, *,
    seen: IfMatch, response: Response, _once: OncePerKey,
) -> BatchOut:  # fmt: skip
    """Have a batch looked at, submitted, approved, paused and so on; the worker does the rest.

    Who changed or submitted it does not approve it.
    """
    _visible(tx, number, caller)
    if body.action in DECIDING and "refunds:approve" not in caller.scopes:
        raise ScopeMissing(scope="refunds:approve")
    moved = refund_batches.act(
        tx, number, body.action, digest=body.digest, version=seen, by=caller.name, at=now,
        role=caller.role,
    )  # fmt: skip
    return _out(tx, moved, response)


@router.get("/refund-batches/{number}/export", response_class=Response, responses=CSV)
def export_refund_batch(number: str, caller: RefundsRead, tx: Snapshot, now: Now) -> Response:
    """Return what became of a batch as a CSV file: each refund, payment and service reference."""
    batch = _visible(tx, number, caller)
    file = io.BytesIO()
    write_csv(batch_sheet(tx, batch, at=now), file)
    name = f'attachment; filename="refunds-{batch.batch_number}.csv"'
    return Response(
        file.getvalue(), media_type=Form.CSV.media_type, headers={"Content-Disposition": name}
    )


def _owed(tx: Connection, filters: Filters, reason: str) -> list[RowDraft]:
    """Return a row for each order of a search. Raises TooWide."""
    rows: list[RowDraft] = []
    for found in pages(tx, filters):
        rows += [
            RowDraft(order_number=each.order_number, kind=RefundKind.OWED, reason=reason)
            for each in found
        ]
        if len(rows) > ROWS_MAX:
            raise TooWide
    return rows


def _visible(tx: Connection, number: str, caller: Caller) -> Batch:
    found = queries.batch(tx, number)
    if caller.channels is not None and not (
        found.channel_codes is not None and caller.channels >= set(found.channel_codes)
    ):
        raise BatchNotFound
    return found


def _out(tx: Connection, batch: Batch, response: Response) -> BatchOut:
    response.headers["ETag"] = f'"{batch.version}"'
    return BatchOut.of(batch, queries.totals(tx, batch.batch_id))
