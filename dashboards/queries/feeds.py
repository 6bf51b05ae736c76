"""Questions about what comes in as the pages ask them."""

from typing import Any

import polars as pl

from dashboards import warehouse
from oms.reports import feeds, stock_tables
from oms.reports.model import Filters
from oms.reports.published import Publication
from oms.reports.sheet import Sheet


def totals(publication: Publication, filters: Filters) -> dict[str, Any]:
    """Return how much came in."""
    return warehouse.answer(feeds.totals, publication, filters)


def lag_seconds(publication: Publication, filters: Filters) -> int | None:
    """Return how long before the publication the newest payload came."""
    return warehouse.answer(feeds.lag_seconds, publication, filters)


def by_day(publication: Publication, filters: Filters) -> pl.DataFrame:
    """Return documents by day and by what became of them."""
    return warehouse.answer(feeds.by_day, publication, filters)


def feed_table(publication: Publication, filters: Filters) -> Sheet:
    """Return the table of feeds."""
    return warehouse.answer(stock_tables.feeds_by_channel, publication, filters)


def quarantine_codes(publication: Publication, filters: Filters) -> pl.DataFrame:
    """Return how many documents are in quarantine, by what is wrong with them."""
    return warehouse.answer(feeds.quarantine_by_code, publication, filters)


def quarantine(
    publication: Publication, filters: Filters, state: str, codes: tuple[str, ...]
) -> tuple[pl.DataFrame, Sheet]:
    """Return the newest quarantined documents, and the table of all of them."""
    newest = warehouse.answer(feeds.quarantine, publication, filters, state=state, codes=codes)
    return newest, stock_tables.quarantined(publication, filters, state, codes)
