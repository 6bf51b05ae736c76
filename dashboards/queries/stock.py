"""Questions about stock as the pages ask them."""

from typing import Any

import polars as pl

from dashboards import warehouse
from oms.reports import stock, stock_tables
from oms.reports.model import Filters
from oms.reports.published import Publication
from oms.reports.sheet import Sheet


def totals(publication: Publication, filters: Filters) -> dict[str, Any]:
    """Return the sums of what is there now."""
    return warehouse.answer(stock.totals, publication, filters)


def by_cover(publication: Publication, filters: Filters) -> pl.DataFrame:
    """Return products and units by how long they last."""
    return warehouse.answer(stock.by_cover, publication, filters)


def by_day(publication: Publication, filters: Filters) -> pl.DataFrame:
    """Return what was on hand day by day."""
    return warehouse.answer(stock.by_day, publication, filters)


def product_table(publication: Publication, filters: Filters) -> Sheet:
    """Return the table of stock by product."""
    return warehouse.answer(stock_tables.stock_by_product, publication, filters)


def location_table(publication: Publication, filters: Filters) -> Sheet:
    """Return the table of stock by location."""
    return warehouse.answer(stock_tables.stock_by_location, publication, filters)
