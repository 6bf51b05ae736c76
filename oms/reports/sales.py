"""Questions about sales: by time, channel, product and both, and the orders behind a number."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import polars as pl

from oms.reports import sales_sql as sql
from oms.reports.measures import AMOUNTS, SALES, type_of, with_ratios
from oms.reports.model import Filters, Grain, Level
from oms.reports.published import Publication

AMOUNT: Final = pl.Decimal(38, 3)
_AMOUNTS: Final = pl.col(AMOUNTS).cast(AMOUNT)
_NO_SALES: Final = {name: (Decimal(0) if name in AMOUNTS else 0) for name in SALES}


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Orders behind a number: the newest ones, and what all of them add up to."""

    orders: pl.DataFrame
    orders_count: int
    units: int
    amount: Decimal | int


def totals(publication: Publication, filters: Filters) -> dict[str, Any]:
    """Add everything up: one value for each measure."""
    frame = _cut(publication, filters)
    if frame.is_empty():
        frame = with_ratios(pl.DataFrame([_NO_SALES]).with_columns(_AMOUNTS))
    return frame.row(0, named=True)


def by_time(publication: Publication, filters: Filters, grain: Grain) -> pl.DataFrame:
    """Add up by day, week or month."""
    return _cut(publication, filters, grain=grain).drop("channel_code", "channel_name")


def compared_by_time(publication: Publication, filters: Filters, grain: Grain) -> pl.DataFrame:
    """Add up the period it is compared with, moved onto the days of the period itself."""
    compared = filters.compared()
    assert compared is not None, "there is something to compare with"
    shift = filters.shift_days
    return _cut(publication, compared, grain=grain, shift_days=shift).drop(
        "channel_code", "channel_name"
    )


def by_channel_and_time(publication: Publication, filters: Filters, grain: Grain) -> pl.DataFrame:
    """Add up by channel and day, week or month."""
    return _cut(publication, filters, grain=grain, by_channel=True)


def by_channel(publication: Publication, filters: Filters) -> pl.DataFrame:
    """Add up by channel, largest first, beside the period it is compared with."""
    frame = _cut(publication, filters, by_channel=True).drop("sold_on")
    compared = filters.compared()
    before = None if compared is None else _cut(publication, compared, by_channel=True)
    shares = frame.with_columns(share_ratio=_share(frame))
    return _beside(shares, before, ["channel_code", "channel_name"]).sort(
        "net_amount", "channel_code", descending=[True, False]
    )


def by_product(publication: Publication, filters: Filters, level: Level) -> pl.DataFrame:
    """Add up by what products are grouped by, largest first, beside the compared period."""
    frame = _products(publication, filters, level)
    compared = filters.compared()
    before = None if compared is None else _products(publication, compared, level)
    shares = frame.with_columns(share_ratio=_share(frame))
    return _beside(shares, before, ["product", "title"]).sort(
        "net_amount", "product", descending=[True, False]
    )


def orders(publication: Publication, filters: Filters, measure: str, *, orders_max: int) -> Found:
    """List the newest orders a number is the sum of, with the sums over all of them."""
    asked = filters.parameters(measure=measure, orders_max=orders_max)
    frame = publication.ask(sql.PRODUCTS + sql.ORDERS, asked)
    first = frame.head(1).with_columns(pl.col("amount_found").cast(type_of(measure))).to_dicts()
    whole = first[0] if first else {"orders_found": 0, "units_found": 0, "amount_found": 0}
    return Found(
        orders=_orders(frame, measure),
        orders_count=whole["orders_found"],
        units=int(whole["units_found"]),
        amount=whole["amount_found"],
    )


def order_batches(
    publication: Publication, filters: Filters, measure: str
) -> Iterator[pl.DataFrame]:
    """List all orders a number is the sum of, slice by slice."""
    asked = filters.parameters(measure=measure, orders_max=2**62)
    for batch in publication.batches(sql.PRODUCTS + sql.ORDERS, asked):
        yield _orders(batch, measure)


def line_batches(publication: Publication, filters: Filters) -> Iterator[pl.DataFrame]:
    """List every sales event of every line, slice by slice."""
    yield from publication.batches(sql.PRODUCTS + sql.LINES, filters.parameters())


def line_totals(publication: Publication, filters: Filters) -> dict[str, Any]:
    """Add up what `line_batches` lists."""
    asked = publication.ask(sql.PRODUCTS + sql.LINE_TOTALS, filters.parameters())
    return asked.row(0, named=True)


def _orders(frame: pl.DataFrame, measure: str) -> pl.DataFrame:
    found = frame.drop("orders_found", "units_found", "amount_found")
    return found.with_columns(pl.col("amount").cast(type_of(measure)))


def _cut(
    publication: Publication,
    filters: Filters,
    *,
    grain: Grain | None = None,
    by_channel: bool = False,
    shift_days: int = 0,
) -> pl.DataFrame:
    scope = sql.SOME_PRODUCTS if filters.has_products else sql.ALL_PRODUCTS
    asked = filters.parameters(
        by_time=grain is not None,
        grain=(grain or Grain.DAY).value,
        by_channel=by_channel,
        shift_days=shift_days,
    )
    return with_ratios(publication.ask(scope + sql.CUT, asked).with_columns(_AMOUNTS))


def _products(publication: Publication, filters: Filters, level: Level) -> pl.DataFrame:
    asked = filters.parameters(level=level.value)
    frame = publication.ask(sql.PRODUCTS + sql.BY_PRODUCT, asked)
    titled = pl.col("title") if level is Level.SKU else pl.col("product")
    return with_ratios(frame.with_columns(_AMOUNTS, title=titled))


def _share(frame: pl.DataFrame) -> pl.Expr:
    total = frame.get_column("net_amount").cast(pl.Float64).sum()
    return (pl.col("net_amount").cast(pl.Float64) / total) if total else pl.lit(None, pl.Float64)


def _beside(frame: pl.DataFrame, before: pl.DataFrame | None, keys: list[str]) -> pl.DataFrame:
    """Put the compared period's net sales beside each row; what sold only then gets a row too."""
    if before is None:
        return frame
    earlier = before.select(*keys, compared_net_amount="net_amount")
    joined = frame.join(earlier, on=keys, how="full", coalesce=True, nulls_equal=True)
    filled = joined.with_columns(
        pl.col("orders_count", "units").fill_null(0),
        pl.col(*AMOUNTS, "compared_net_amount").fill_null(0).cast(AMOUNT),
    )
    before_amount = pl.col("compared_net_amount").cast(pl.Float64)
    change = (pl.col("net_amount") - pl.col("compared_net_amount")).cast(pl.Float64)
    # Growth from nothing, or from a period of returns alone, is not a percentage.
    return filled.with_columns(change_ratio=pl.when(before_amount > 0).then(change / before_amount))
