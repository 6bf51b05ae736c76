"""The list of orders as a table people take away: the same rows a search lists."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

import polars as pl

from oms.kernel.limits import EXPORT_ORDERS_MAX
from oms.kernel.money import exponent_of
from oms.ledger.database import Tx
from oms.orders.analysis import TooWide
from oms.orders.cursors import Sort
from oms.orders.filters import Filters
from oms.orders.model import Summary
from oms.orders.search import pages
from oms.reports.sheet import TYPES, Column, Sheet, Unit

COLUMNS: Final = (
    Column(name="order_number", title="Order", unit=Unit.TEXT),
    Column(name="channel_code", title="Channel", unit=Unit.TEXT),
    Column(name="external_ref", title="External ref", unit=Unit.TEXT),
    Column(name="external_number", title="External number", unit=Unit.TEXT),
    Column(name="placed_at", title="Placed at", unit=Unit.INSTANT),
    Column(name="updated_at", title="Updated at", unit=Unit.INSTANT),
    Column(name="order_state", title="Order state", unit=Unit.TEXT),
    Column(name="fulfillment_state", title="Fulfillment state", unit=Unit.TEXT),
    Column(name="fulfillment_method", title="Method", unit=Unit.TEXT),
    Column(name="location_code", title="Location", unit=Unit.TEXT),
    Column(name="customer_name", title="Customer", unit=Unit.TEXT),
    Column(name="customer_email", title="E-mail", unit=Unit.TEXT),
    Column(name="country_code", title="Country", unit=Unit.TEXT),
    Column(name="currency", title="Currency", unit=Unit.TEXT),
    Column(name="tags", title="Tags", unit=Unit.TEXT),
    Column(name="state_since", title="In its states since", unit=Unit.INSTANT),
    Column(name="promised_at", title="Promised for", unit=Unit.INSTANT),
    Column(name="total", title="Total", unit=Unit.MONEY, definition="With tax and shipping."),
)


def order_sheet(tx: Tx, filters: Filters, sort: Sort, facts: tuple[tuple[str, str], ...]) -> Sheet:
    """Return the orders of a search as a table, read from the ledger as it is written.

    Its frames raise TooWide when there are more than EXPORT_ORDERS_MAX.
    """
    return Sheet(
        name="orders", title="Orders", columns=COLUMNS, facts=facts,
        frames=lambda: _frames(tx, filters, sort),
    )  # fmt: skip


def _frames(tx: Tx, filters: Filters, sort: Sort) -> Iterator[pl.DataFrame]:
    count = 0
    for found in pages(tx, filters, sort=sort):
        count += len(found)
        if count > EXPORT_ORDERS_MAX:
            raise TooWide
        yield pl.DataFrame(
            {
                column.name: pl.Series(
                    [_value(summary, column) for summary in found], dtype=TYPES[column.unit]
                )
                for column in COLUMNS
            }
        )


def _value(summary: Summary, column: Column) -> object:
    if column.unit is Unit.MONEY:
        return Decimal(summary.total_minor).scaleb(-exponent_of(summary.currency))
    value = getattr(summary, column.name)
    return ", ".join(value) if isinstance(value, list) else value
