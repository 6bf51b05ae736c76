"""Products down, channels across, with subtotals and totals."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl

from oms.reports import sales_sql as sql
from oms.reports.measures import type_of
from oms.reports.model import Filters, Level
from oms.reports.published import Publication

ALL_CHANNELS: Final = "all_channels"
SUBTOTAL: Final = "Total"
_KEYS: Final = ("outer_value", "inner_value", "is_total", "is_subtotal")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pivot:
    """The crossed table: a column for each channel, a row for each product group.

    Columns of `rows`: outer_value, inner_value, is_subtotal, one for each channel named by
    `column_of`, and ALL_CHANNELS. `channels` are codes and names, the largest first.
    """

    rows: pl.DataFrame
    total: Mapping[str, object]
    channels: tuple[tuple[str, str], ...]


def column_of(channel_code: str) -> str:
    """Name the column of a channel; no code can then be taken for another column."""
    return f"at_{channel_code}"


def pivot(
    publication: Publication, filters: Filters, levels: tuple[Level, Level | None], measure: str
) -> Pivot:
    """Cross products with channels for one measure."""
    outer, inner = levels
    asked = filters.parameters(outer=outer.value, inner=(inner or outer).value, measure=measure)
    cells = publication.ask(sql.PRODUCTS + sql.BY_CHANNEL_AND_PRODUCT, asked)
    kept = cells if inner is not None else cells.filter("is_subtotal")
    return _crossed(kept.with_columns(pl.col("amount").fill_null(0).cast(type_of(measure))))


def _crossed(cells: pl.DataFrame) -> Pivot:
    channels = _channels(cells)
    named = pl.concat_str(pl.lit(column_of("")), "channel_code")
    at = pl.when("is_all_channels").then(pl.lit(ALL_CHANNELS)).otherwise(named)
    wide = cells.with_columns(at=at).pivot("at", index=_KEYS, values="amount")
    amounts = [*(column_of(code) for code, _ in channels), ALL_CHANNELS]
    filled = wide.with_columns(pl.col(amounts).fill_null(0)).select(*_KEYS, *amounts)
    total = filled.filter("is_total").select(amounts)
    return Pivot(
        rows=_sorted(filled.filter(~pl.col("is_total")).drop("is_total")),
        total=total.row(0, named=True),
        channels=channels,
    )


def _channels(cells: pl.DataFrame) -> tuple[tuple[str, str], ...]:
    sold = cells.filter(pl.col("is_total") & ~pl.col("is_all_channels"))
    ranked = sold.sort("amount", "channel_code", descending=[True, False])
    return tuple(ranked.select("channel_code", "channel_name").iter_rows())


def _sorted(rows: pl.DataFrame) -> pl.DataFrame:
    """Put the largest group first and its subtotal above its parts."""
    groups = rows.filter("is_subtotal").select("outer_value", group_amount=ALL_CHANNELS)
    ranked = rows.join(groups, on="outer_value", how="left").sort(
        ["group_amount", "outer_value", "is_subtotal", ALL_CHANNELS, "inner_value"],
        descending=[True, False, True, True, False],
    )
    return ranked.drop("group_amount").with_columns(
        inner_value=pl.when("is_subtotal").then(pl.lit(SUBTOTAL)).otherwise("inner_value")
    )
