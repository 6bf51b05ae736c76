"""A batch of refunds as a table for finance: each row with its refund and payments."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import polars as pl

from oms.kernel.money import exponent_of
from oms.ledger.database import Tx
from oms.refunds import queries
from oms.refunds.batches import Batch
from oms.reports.sheet import TYPES, Column, Held, Sheet, Unit

COLUMNS: Final = (
    Column(name="batch_number", title="Batch", unit=Unit.TEXT),
    Column(name="row_no", title="Row", unit=Unit.COUNT),
    Column(name="order_number", title="Order", unit=Unit.TEXT),
    Column(name="kind", title="Kind", unit=Unit.TEXT),
    Column(name="row_state", title="Row state", unit=Unit.TEXT),
    Column(name="code", title="Why not", unit=Unit.TEXT),
    Column(name="refund_number", title="Refund", unit=Unit.TEXT),
    Column(name="refund_state", title="Refund state", unit=Unit.TEXT),
    Column(name="payment_number", title="Payment", unit=Unit.TEXT),
    Column(name="psp", title="Payment service", unit=Unit.TEXT),
    Column(name="payment_reference", title="Its payment reference", unit=Unit.TEXT),
    Column(name="refund_reference", title="Its refund reference", unit=Unit.TEXT),
    Column(name="amount", title="Amount", unit=Unit.MONEY, definition="Back to this payment."),
    Column(name="currency", title="Currency", unit=Unit.TEXT),
    Column(name="payment_state", title="State", unit=Unit.TEXT),
    Column(name="failure", title="Failure", unit=Unit.TEXT),
    Column(name="finished_at", title="Finished at", unit=Unit.INSTANT),
    Column(name="submitted_by", title="Submitted by", unit=Unit.TEXT),
    Column(name="approved_by", title="Approved by", unit=Unit.TEXT),
)


def batch_sheet(tx: Tx, batch: Batch, *, at: datetime) -> Sheet:
    """Return a batch as a table."""
    lines = queries.told(tx, batch.batch_id)
    frame = pl.DataFrame({
        column.name: pl.Series([_value(line, column) for line in lines], dtype=TYPES[column.unit])
        for column in COLUMNS
    })  # fmt: skip
    facts = (
        ("Name", batch.name), ("State", batch.state.value),
        ("As of", f"{at:%Y-%m-%d %H:%M:%S} UTC"),
    )  # fmt: skip
    return Sheet(
        name="refunds", title=f"Refunds of batch {batch.batch_number}", columns=COLUMNS,
        facts=facts, frames=Held(frame),
    )  # fmt: skip


def _value(line: Mapping[str, Any], column: Column) -> object:
    if column.unit is not Unit.MONEY:
        return line[column.name]
    if line["amount_minor"] is None:
        return None
    return Decimal(line["amount_minor"]).scaleb(-exponent_of(line["currency"]))
