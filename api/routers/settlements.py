"""Settlement reports of payment services: taken in, looked at, differences resolved.

A service settles for every channel at once, so a key that is bound to channels sees none of it.
"""

import io
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request, Response

from api.dependencies import IfMatch, Now, Snapshot, System, Tx
from api.idempotency import OncePerKey
from api.paging import Page, number_of
from api.routes import LedgerRoute, limited_to
from api.schemas.settlements import (
    DifferenceOut,
    DifferenceQuery,
    ReportDetailOut,
    ReportOut,
    ReportPost,
    ReportQuery,
    ResolvePost,
    RowQuery,
    SettledRowOut,
)
from api.security import SettlementsRead, SettlementsWrite
from oms.access.model import Caller
from oms.kernel.errors import Forbidden
from oms.kernel.limits import INBOX_BODY_BYTES_MAX
from oms.ledger.database import Tx as Connection
from oms.reports.files import Form, write_csv
from oms.reports.settlement_list import settlement_sheet
from oms.settlements import operations, queries
from oms.settlements.model import DifferenceNotFound, Report, ReportNotFound
from oms.workflows.settlements import layout_of

POSTED: Final[dict[str, Any]] = {"requestBody": {"required": True, "content": {"text/csv": {}}}}
CSV: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": "A CSV file."}
}

router: Final = APIRouter(prefix="/v1", tags=["settlements"], route_class=LedgerRoute)


class EveryChannelNeeded(Forbidden):
    """A payment service settles for every channel: a key that is bound to some may not do this."""

    code = "EVERY_CHANNEL_NEEDED"


async def _body(request: Request) -> bytes:
    return await request.body()


Body = Annotated[bytes, Depends(_body)]


@router.post("/settlements", status_code=201, openapi_extra=POSTED)
@limited_to(INBOX_BODY_BYTES_MAX)
def take_settlement(
    query: Annotated[ReportPost, Query()], body: Body, caller: SettlementsWrite, tx: Tx, now: Now,
    *, system: System, response: Response,
) -> ReportOut:  # fmt: skip
    """Take in a settlement report and match it; the same file again is the same report, with 200.

    Nothing of a file is taken that cannot be read to its end.
    """
    _every_channel(caller)
    report, is_new = operations.take_in(
        tx, layout_of(system.layouts, query.layout or query.psp), body, psp=query.psp,
        name=query.name, by=caller.name, at=now,
    )  # fmt: skip
    response.status_code = 201 if is_new else 200
    response.headers["Location"] = f"/v1/settlements/{report.report_number}"
    return ReportOut.of(report)


@router.get("/settlements")
def list_settlements(
    query: Annotated[ReportQuery, Query()], caller: SettlementsRead, tx: Snapshot
) -> Page[ReportOut]:
    """List settlement reports, the last ones first."""
    if caller.channels is not None:
        return Page(items=[])
    found, cursor = queries.reports(
        tx, psp=query.psp, before=number_of(query.after), limit=query.limit
    )
    items = [ReportOut.of(each) for each in found]
    return Page(items=items, next_after=None if cursor is None else str(cursor))


@router.get("/settlements/{number}")
def get_settlement(number: str, caller: SettlementsRead, tx: Snapshot) -> ReportDetailOut:
    """Return a report with its rows by type and finding, and its payouts beside their rows."""
    report = _visible(tx, number, caller)
    return ReportDetailOut.of_all(
        report, queries.totals(tx, report.report_id), queries.payouts(tx, report.report_id)
    )


@router.get("/settlements/{number}/rows")
def list_settlement_rows(
    number: str, query: Annotated[RowQuery, Query()], caller: SettlementsRead, tx: Snapshot
) -> Page[SettledRowOut]:
    """List the rows of a report, each with what was found and the operation of ours it is."""
    report = _visible(tx, number, caller)
    found, cursor = queries.rows(
        tx, report.report_id, findings=query.finding, after=number_of(query.after) or 0,
        limit=query.limit,
    )  # fmt: skip
    items = [SettledRowOut.of(each) for each in found]
    return Page(items=items, next_after=None if cursor is None else str(cursor))


@router.get("/settlements/{number}/export", response_class=Response, responses=CSV)
def export_settlement(number: str, caller: SettlementsRead, tx: Snapshot, now: Now) -> Response:
    """Return the rows of a report with what was found for each, as a CSV file."""
    report = _visible(tx, number, caller)
    file = io.BytesIO()
    write_csv(settlement_sheet(tx, report, at=now), file)
    return _file(file.getvalue(), f"settlement-{report.report_number}.csv")


@router.get("/settlements/{number}/file", response_class=Response, responses=CSV)
def get_settlement_file(number: str, caller: SettlementsRead, tx: Snapshot) -> Response:
    """Return a report as it came."""
    report = _visible(tx, number, caller)
    return _file(queries.file(tx, report.report_id), f"{report.report_number}.csv")


@router.get("/settlement-differences")
def list_differences(
    query: Annotated[DifferenceQuery, Query()], caller: SettlementsRead, tx: Snapshot
) -> Page[DifferenceOut]:
    """List differences, oldest first: what services say beside what we have."""
    if caller.channels is not None:
        return Page(items=[])
    found, cursor = queries.differences(
        tx, states=query.state, findings=query.finding, psp=query.psp, report=query.report,
        after=number_of(query.after) or 0, limit=query.limit,
    )  # fmt: skip
    items = [DifferenceOut.of(each) for each in found]
    return Page(items=items, next_after=None if cursor is None else str(cursor))


@router.post("/settlement-differences/{number}/resolve")
def resolve_difference(
    number: str, body: ResolvePost, caller: SettlementsWrite, tx: Tx, now: Now, *, seen: IfMatch,
    response: Response, _once: OncePerKey,
) -> DifferenceOut:  # fmt: skip
    """Say what explains a difference; it changes no payment."""
    if caller.channels is not None:
        raise DifferenceNotFound
    done = operations.resolve(tx, number, body.reason, version=seen, by=caller.name, at=now)
    response.headers["ETag"] = f'"{done.version}"'
    return DifferenceOut.of(done)


def _every_channel(caller: Caller) -> None:
    if caller.channels is not None:
        raise EveryChannelNeeded


def _visible(tx: Connection, number: str, caller: Caller) -> Report:
    if caller.channels is not None:
        raise ReportNotFound
    return queries.report(tx, number)


def _file(content: bytes, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=Form.CSV.media_type, headers=headers)
