"""Reconciling: the ledger beside the raw tables, the inbox beside the clock."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text

from oms.ledger.database import Ledger, Tx
from pipelines.lib.loading import position_of
from pipelines.lib.warehouse import Warehouse

# Rows of the ledger below the watermark, beside raw rows that have not changed since. Sums are
# per currency: two currencies are never added.
LEDGER_ORDERS: Final = """
    select currency, count(*) as rows_count, coalesce(sum(total_minor), 0) as minor
    from orders
    where changed_xid < cast(:watermark as xid8)
    group by currency
"""
LEDGER_EVENTS: Final = """
    select o.currency || ' ' || e.kind as part, count(*) as rows_count,
        coalesce(sum(e.net_minor + e.tax_minor), 0) as minor
    from line_events e
    join orders o using (order_id)
    where e.changed_xid < cast(:watermark as xid8) and o.changed_xid < cast(:watermark as xid8)
    group by 1
"""
CHANGED: Final = "select order_id from orders where changed_xid >= cast(:watermark as xid8)"
RAW_ORDERS: Final = """
    select currency, count(*), coalesce(sum(total_minor), 0)
    from raw.orders
    where order_id not in (select unnest(cast(? as bigint[])))
    group by currency
"""
RAW_EVENTS: Final = """
    select o.currency || ' ' || e.kind, count(*), coalesce(sum(e.net_minor + e.tax_minor), 0)
    from raw.line_events e
    join raw.orders o using (order_id)
    where order_id not in (select unnest(cast(? as bigint[])))
    group by all
"""
LEDGER_PAYMENTS: Final = """
    select currency || ' ' || type || ' ' || state as part, count(*) as rows_count,
        coalesce(sum(amount_minor), 0) as minor
    from payment_transactions
    where changed_xid < cast(:watermark as xid8)
    group by 1
"""
CHANGED_PAYMENTS: Final = """
    select transaction_id from payment_transactions where changed_xid >= cast(:watermark as xid8)
"""
RAW_PAYMENTS: Final = """
    select currency || ' ' || type || ' ' || state, count(*), coalesce(sum(amount_minor), 0)
    from raw.payment_transactions
    where transaction_id not in (select unnest(cast(? as bigint[])))
    group by all
"""
WAITING: Final = """
    select count(*) as waiting_count, min(received_at) as oldest_at
    from inbox where state in ('received', 'processing')
"""
QUARANTINED: Final = """
    select c.channel_code || ' ' || q.code as part, count(*) as documents_count
    from quarantine q
    join channels c using (channel_id)
    where q.state = 'open'
    group by 1 order by 2 desc
"""

Sums = dict[str, tuple[int, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Counts and money of both sides, by currency and kind; equal when nothing is lost."""

    ledger: Sums
    raw: Sums

    @property
    def is_equal(self) -> bool:
        """Tell whether both sides say the same."""
        return self.ledger == self.raw

    @property
    def differences(self) -> dict[str, str]:
        """Say where they do not."""
        parts = sorted(self.ledger.keys() | self.raw.keys())
        return {
            part: f"ledger {self.ledger.get(part, (0, 0))}, raw {self.raw.get(part, (0, 0))}"
            for part in parts
            if self.ledger.get(part) != self.raw.get(part)
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """How much of the inbox is not dealt with, and since when."""

    payloads_count: int
    oldest_at: datetime | None


def orders(ledger: Ledger, warehouse: Warehouse) -> Compared:
    """Compare the orders: counts and totals per currency. Only under the lock."""
    return _compare(ledger, warehouse, LEDGER_ORDERS, RAW_ORDERS)


def events(ledger: Ledger, warehouse: Warehouse) -> Compared:
    """Compare what happened to lines, per currency and kind. Only under the lock."""
    return _compare(ledger, warehouse, LEDGER_EVENTS, RAW_EVENTS)


def payments(ledger: Ledger, warehouse: Warehouse) -> Compared:
    """Compare operations on payments, per currency, type and state. Only under the lock."""
    return _compare(ledger, warehouse, LEDGER_PAYMENTS, RAW_PAYMENTS, CHANGED_PAYMENTS)


def waiting(tx: Tx) -> Waiting:
    """Return what waits in the inbox."""
    row = tx.execute(text(WAITING)).one()
    return Waiting(payloads_count=row.waiting_count, oldest_at=row.oldest_at)


def quarantined(tx: Tx) -> dict[str, int]:
    """Count the documents set aside, by channel and problem."""
    return {row.part: row.documents_count for row in tx.execute(text(QUARANTINED))}


def _compare(
    ledger: Ledger, warehouse: Warehouse, in_ledger: str, in_raw: str, beyond: str = CHANGED
) -> Compared:
    with warehouse.open() as connection:
        watermark = {"watermark": str(position_of(connection).watermark)}
        with ledger.snapshot() as tx:
            sums = tx.execute(text(in_ledger), watermark).all()
            changed: list[int] = list(tx.execute(text(beyond), watermark).scalars())
        raw = connection.execute(in_raw, [changed]).fetchall()
    return Compared(ledger=_sums(sums), raw=_sums(raw))


def _sums(rows: Iterable[Any]) -> Sums:
    return {part: (int(count), int(minor)) for part, count, minor in rows}
