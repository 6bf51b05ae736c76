"""A settlement report as a table for finance: each row with what was found for it."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Final

import polars as pl

from oms.kernel.money import exponent_of
from oms.ledger.database import Tx
from oms.reports.sheet import TYPES, Column, Held, Sheet, Unit
from oms.settlements import queries
from oms.settlements.model import Report, Row

PAGE_ROWS: Final = 10_000
COLUMNS: Final = (
    Column(name="row_no", title="Row", unit=Unit.COUNT),
    Column(name="finding", title="Finding", unit=Unit.TEXT),
    Column(name="type", title="Type", unit=Unit.TEXT),
    Column(name="payout_ref", title="Payout", unit=Unit.TEXT),
    Column(name="entry_ref", title="Its row", unit=Unit.TEXT),
    Column(name="psp_reference", title="Its operation", unit=Unit.TEXT),
    Column(name="payment_reference", title="Its payment", unit=Unit.TEXT),
    Column(name="transaction_number", title="Our operation", unit=Unit.TEXT),
    Column(name="payment_number", title="Our payment", unit=Unit.TEXT),
    Column(name="order_number", title="Order", unit=Unit.TEXT),
    Column(name="amount", title="Amount", unit=Unit.MONEY, definition="Before fees."),
    Column(name="currency", title="Currency", unit=Unit.TEXT),
    Column(name="fee", title="Fee", unit=Unit.MONEY),
    Column(name="net", title="Net", unit=Unit.MONEY, definition="What is paid out of it."),
    Column(name="net_currency", title="Net currency", unit=Unit.TEXT),
    Column(name="occurred_at", title="Occurred at", unit=Unit.INSTANT),
)


def settlement_sheet(tx: Tx, report: Report, *, at: datetime) -> Sheet:
    """Return a report as a table."""
    lines = [_line(row) for row in _rows(tx, report.report_id)]
    frame = pl.DataFrame({
        column.name: pl.Series([line[column.name] for line in lines], dtype=TYPES[column.unit])
        for column in COLUMNS
    })  # fmt: skip
    facts = (
        ("Service", report.psp), ("File", report.name), ("Digest", report.digest),
        ("As of", f"{at:%Y-%m-%d %H:%M:%S} UTC"),
    )  # fmt: skip
    return Sheet(
        name="settlement", title=f"Settlement report {report.report_number}", columns=COLUMNS,
        facts=facts, frames=Held(frame),
    )  # fmt: skip


def _rows(tx: Tx, report_id: int) -> Iterator[Row]:
    after: int | None = 0
    while after is not None:
        found, after = queries.rows(tx, report_id, after=after, limit=PAGE_ROWS)
        yield from found


def _line(row: Row) -> dict[str, object]:
    return {
        **{name: getattr(row, name) for name in Row.__slots__},
        "amount": _amount(row.amount_minor, row.currency),
        "fee": _amount(row.fee_minor, row.net_currency),
        "net": _amount(row.net_minor, row.net_currency),
    }


def _amount(minor: int, currency: str) -> Decimal:
    return Decimal(minor).scaleb(-exponent_of(currency))
