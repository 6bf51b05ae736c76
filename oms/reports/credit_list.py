"""The entries of a store credit as a table."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Final

import polars as pl

from oms.credits import queries
from oms.credits.model import Account, Entry
from oms.kernel.money import exponent_of
from oms.ledger.database import Tx
from oms.reports.sheet import TYPES, Column, Held, Sheet, Unit

PAGE_ROWS: Final = 10_000
COLUMNS: Final = (
    Column(name="entry_no", title="Entry", unit=Unit.COUNT),
    Column(name="recorded_at", title="Recorded at", unit=Unit.INSTANT),
    Column(name="kind", title="Kind", unit=Unit.TEXT),
    Column(name="amount", title="Amount", unit=Unit.MONEY, definition="Negative: less since."),
    Column(name="balance", title="Balance", unit=Unit.MONEY, definition="After it."),
    Column(name="currency", title="Currency", unit=Unit.TEXT),
    Column(name="order_number", title="Order", unit=Unit.TEXT),
    Column(name="cause", title="Cause", unit=Unit.TEXT),
    Column(name="reason", title="Reason", unit=Unit.TEXT),
    Column(name="recorded_by", title="By", unit=Unit.TEXT),
)


def credit_sheet(tx: Tx, account: Account, *, at: datetime) -> Sheet:
    """Return the entries of an account as a table."""
    lines = [_line(each, account.currency) for each in _entries(tx, account.account_id)]
    frame = pl.DataFrame({
        column.name: pl.Series([line[column.name] for line in lines], dtype=TYPES[column.unit])
        for column in COLUMNS
    })  # fmt: skip
    facts = (
        ("Given for", account.order_number), ("As of", f"{at:%Y-%m-%d %H:%M:%S} UTC"),
    )  # fmt: skip
    return Sheet(
        name="store credit", title=f"Store credit {account.account_number}", columns=COLUMNS,
        facts=facts, frames=Held(frame),
    )  # fmt: skip


def _entries(tx: Tx, account_id: int) -> Iterator[Entry]:
    after: int | None = 0
    while after is not None:
        found, after = queries.entries(tx, account_id, after=after, limit=PAGE_ROWS)
        yield from found


def _line(entry: Entry, currency: str) -> dict[str, object]:
    scale = -exponent_of(currency)
    return {
        **{name: getattr(entry, name) for name in Entry.__slots__},
        "kind": entry.kind.value, "currency": currency,
        "amount": Decimal(entry.amount_minor).scaleb(scale),
        "balance": Decimal(entry.balance_minor).scaleb(scale),
    }  # fmt: skip
