"""Reads of settlements: reports, their rows and totals, the queue of differences."""

from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import text

from oms.ledger.database import Tx
from oms.ledger.rows import asked, by_name
from oms.settlements.model import (
    Difference,
    DifferenceNotFound,
    DifferenceState,
    Finding,
    Payout,
    Report,
    ReportNotFound,
    Row,
    RowType,
    Total,
)
from oms.settlements.store import SQL

_REPORTS: Final = """
    select r.report_id, r.report_number, r.psp, r.layout, r.name, r.digest, r.size_bytes,
        r.rows_count, r.first_at, r.last_at, r.received_by, r.received_at,
        (select count(*) from settlement_differences d
         where d.report_id = r.report_id and d.state = 'open') as open_count
    from settlement_reports r
"""
_ROWS: Final = """
    select r.row_no, r.entry_ref, r.payout_ref, r.type, r.psp_reference, r.payment_reference,
        r.reference, r.currency, r.amount_minor, r.net_currency, r.fee_minor, r.net_minor,
        r.occurred_at, r.finding, t.transaction_number, p.payment_number, o.order_number
    from settlement_rows r
    left join payment_transactions t using (transaction_id)
    left join payments p using (payment_id)
    left join orders o on o.order_id = t.order_id
"""
_DIFFERENCES: Final = """
    select d.difference_id, d.difference_number, d.psp, d.finding, s.report_number, d.row_no,
        r.entry_ref, t.transaction_number, p.payment_number, o.order_number, d.ours_minor,
        d.ours_currency, d.theirs_minor, d.theirs_currency, d.state, d.found_at, d.resolved_by,
        d.resolved_at, d.reason, d.version
    from settlement_differences d
    left join settlement_reports s using (report_id)
    left join settlement_rows r on r.report_id = d.report_id and r.row_no = d.row_no
    left join payment_transactions t on t.transaction_id = d.transaction_id
    left join payments p using (payment_id)
    left join orders o on o.order_id = t.order_id
"""


def report(tx: Tx, number: str) -> Report:
    """Return a report by its number. Raises ReportNotFound."""
    query = text(f"{_REPORTS} where r.report_number = :number")
    row = tx.execute(query, {"number": number.upper()}).one_or_none()
    if row is None:
        raise ReportNotFound
    return Report(**by_name(row))


def report_by_id(tx: Tx, report_id: int) -> Report:
    """Return a report that is there."""
    query = text(f"{_REPORTS} where r.report_id = :report_id")
    return Report(**by_name(tx.execute(query, {"report_id": report_id}).one()))


def reports(
    tx: Tx, *, psp: str | None, before: int | None, limit: int
) -> tuple[list[Report], int | None]:
    """Return reports, the last ones first, and where the next page begins."""
    query = text(
        f"{_REPORTS} where (cast(:psp as text) is null or r.psp = :psp)"
        " and (cast(:before as bigint) is null or r.report_id < :before)"
        " order by r.report_id desc limit :limit"
    )
    named = {"psp": psp, "before": before, "limit": limit + 1}
    found = [Report(**by_name(row)) for row in tx.execute(query, named)]
    return found[:limit], found[limit - 1].report_id if len(found) > limit else None


def totals(tx: Tx, report_id: int) -> list[Total]:
    """Return the rows of a report added up by type, finding and currency."""
    return [
        Total(**{**by_name(row), "type": RowType(row.type), "finding": Finding(row.finding)})
        for row in SQL.run(tx, "totals", report_id=report_id)
    ]


def payouts(tx: Tx, report_id: int) -> list[Payout]:
    """Return what a report says was paid out, beside the sums of its rows."""
    return [Payout(**by_name(row)) for row in SQL.run(tx, "payouts", report_id=report_id)]


def file(tx: Tx, report_id: int) -> bytes:
    """Return a report as it came."""
    return bytes(SQL.run(tx, "file", report_id=report_id).scalar_one())


def rows(
    tx: Tx, report_id: int, *, findings: Collection[Finding] = (), after: int, limit: int
) -> tuple[list[Row], int | None]:
    """Return rows of a report in their order, and where the next page begins."""
    named: dict[str, Any] = {"report_id": report_id, "after": after, "limit": limit + 1}
    condition = ""
    if findings:
        condition, named["findings"] = "and r.finding = any (:findings)", sorted(findings)
    query = text(
        f"{_ROWS} where r.report_id = :report_id and r.row_no > :after {condition}"
        " order by r.row_no limit :limit"
    )
    found = [
        Row(**{**by_name(row), "type": RowType(row.type), "finding": Finding(row.finding)})
        for row in tx.execute(query, named)
    ]
    return found[:limit], found[limit - 1].row_no if len(found) > limit else None


def difference(tx: Tx, number: str) -> Difference:
    """Return a difference by its number. Raises DifferenceNotFound."""
    query = text(f"{_DIFFERENCES} where d.difference_number = :number")
    row = tx.execute(query, {"number": number.upper()}).one_or_none()
    if row is None:
        raise DifferenceNotFound
    return _difference(row)


def differences(
    tx: Tx, *, states: Collection[DifferenceState], findings: Collection[Finding],
    psp: str | None, report: str | None, after: int, limit: int,
) -> tuple[list[Difference], int | None]:  # fmt: skip
    """Return differences, oldest first, and where the next page begins."""
    conditions, named = asked(
        ("after", after, "d.difference_id > :after"),
        ("states", states or None, "d.state = any (:states)"),
        ("findings", findings or None, "d.finding = any (:findings)"),
        ("psp", psp, "d.psp = :psp"),
        ("report", report, "s.report_number = :report"),
    )
    named["limit"] = limit + 1
    where = " and ".join(conditions)
    query = text(f"{_DIFFERENCES} where {where} order by d.difference_id limit :limit")
    found = [_difference(row) for row in tx.execute(query, named)]
    return found[:limit], found[limit - 1].difference_id if len(found) > limit else None


def _difference(row: Any) -> Difference:
    return Difference(**{
        **by_name(row), "finding": Finding(row.finding), "state": DifferenceState(row.state),
    })  # fmt: skip
