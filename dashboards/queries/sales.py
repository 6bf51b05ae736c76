"""Questions about sales as the pages ask them."""

from typing import Any, Final

import polars as pl

from dashboards import warehouse
from oms.reports import pivot as crossing
from oms.reports import sales, sales_tables
from oms.reports.model import Filters, Grain, Level
from oms.reports.pivot import Pivot
from oms.reports.published import Publication
from oms.reports.sheet import Sheet

ORDERS_SHOWN_MAX: Final = 1_000
Totals = dict[str, Any]


def totals(publication: Publication, filters: Filters) -> tuple[Totals, Totals | None]:
    """Return the sums of the period, and of the one it is compared with."""
    compared = filters.compared()
    before = None if compared is None else warehouse.answer(sales.totals, publication, compared)
    return warehouse.answer(sales.totals, publication, filters), before


def by_time(
    publication: Publication, filters: Filters, grain: Grain
) -> tuple[pl.DataFrame, pl.DataFrame | None]:
    """Return sums by step of time, and those of the compared period on the same steps."""
    frame = warehouse.answer(sales.by_time, publication, filters, grain)
    if filters.compared() is None:
        return frame, None
    return frame, warehouse.answer(sales.compared_by_time, publication, filters, grain)


def by_channel_and_time(publication: Publication, filters: Filters, grain: Grain) -> pl.DataFrame:
    """Return sums by channel and step of time."""
    return warehouse.answer(sales.by_channel_and_time, publication, filters, grain)


def time_table(publication: Publication, filters: Filters, grain: Grain) -> Sheet:
    """Return the table of sales by step of time."""
    return warehouse.answer(sales_tables.sales_by_time, publication, filters, grain)


def channel_table(publication: Publication, filters: Filters) -> Sheet:
    """Return the table of sales by channel."""
    return warehouse.answer(sales_tables.sales_by_channel, publication, filters)


def product_table(publication: Publication, filters: Filters, level: Level) -> Sheet:
    """Return the table of sales by what products are grouped by."""
    return warehouse.answer(sales_tables.sales_by_product, publication, filters, level)


def pivot(
    publication: Publication, filters: Filters, levels: tuple[Level, Level | None], measure: str
) -> tuple[Pivot, Sheet]:
    """Return products crossed with channels, and the table of it."""
    crossed = warehouse.answer(crossing.pivot, publication, filters, levels, measure)
    return crossed, sales_tables.pivot_sheet(publication, filters, crossed, levels, measure)


def orders(publication: Publication, filters: Filters, measure: str) -> tuple[sales.Found, Sheet]:
    """Return the newest orders a number is the sum of, and the table of all of them."""
    found = warehouse.answer(
        sales.orders, publication, filters, measure, orders_max=ORDERS_SHOWN_MAX
    )
    return found, sales_tables.orders_sheet(publication, filters, measure, found)
