"""The numbers at the top of a page: each with what it means and how it changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

import polars as pl
import streamlit as st

from dashboards import format as written
from oms.kernel.clock import now
from oms.reports.measures import COLUMNS
from oms.reports.model import Filters
from oms.reports.published import Stamp
from oms.reports.sheet import Unit

CARD_PX_MIN: Final = 165

Direction = Literal["normal", "inverse", "off"]
# More of these is worse.
_WORSE: Final = frozenset({"return_ratio", "quarantined_count", "failed_count"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A number that no measure defines."""

    label: str
    value: str
    help: str
    delta: str | None = None
    note: str | None = None
    direction: Direction = "off"


def cards(shown: Sequence[Card]) -> None:
    """Draw numbers side by side, as many in a row as fit."""
    with st.grid(len(shown), min_column_width=CARD_PX_MIN, gap="xsmall", key="numbers"):
        for card in shown:
            st.metric(
                card.label,
                card.value,
                card.delta,
                delta_color=card.direction,
                delta_description=card.note,
                help=card.help,
                border=True,
                height="stretch",
            )


def measured(
    names: Sequence[str],
    totals: Mapping[str, Any],
    before: Mapping[str, Any] | None = None,
    filters: Filters | None = None,
) -> list[Card]:
    """Make a card for each measure, with its definition and its change."""
    note = f"vs {filters.comparison.against}" if before and filters else None
    currency = filters.currency if filters else ""
    return [_card(name, totals[name], before, currency, note) for name in names]


def out_of_stock(totals: Mapping[str, Any]) -> Card:
    """Make the card of products nothing of which can be shipped."""
    products, without = totals["products_count"], totals["out_of_stock_count"]
    return Card(
        label="Out of stock",
        value=f"{without:,}",
        help="Products of which nothing can be shipped now.",
        note=f"of {products:,} products",
    )


def age(stamp: Stamp) -> Card:
    """Make the card of the publication's age."""
    return Card(
        label="Age of the numbers",
        value=written.age((now() - stamp.published_at).total_seconds()),
        help=f"Since this publication was made: {written.instant(stamp.published_at)}.",
    )


def lag(seconds: int | None) -> Card:
    """Make the card of how long nothing had come in."""
    return Card(
        label="Newest payload",
        value=written.NOTHING if seconds is None else written.age(seconds),
        help="From the newest payload of these channels to the publication.",
        note=None if seconds is None else "before it",
    )


def waiting(codes: pl.DataFrame) -> Card:
    """Make the card of documents that wait in quarantine."""
    oldest = codes["oldest_at"].min()
    return Card(
        label="In quarantine",
        value=f"{codes['open_count'].sum():,}",
        help="Documents that could not be taken and wait for a correction.",
        note=f"oldest of {written.day(oldest)}" if isinstance(oldest, datetime) else None,
    )


def _card(
    name: str, value: Any, before: Mapping[str, Any] | None, currency: str, note: str | None
) -> Card:
    column = COLUMNS[name]
    was = before.get(name) if before else None
    delta = _delta(value, was, column.unit)
    exact = f" Exactly {written.money(value, currency)}." if column.unit is Unit.MONEY else ""
    earlier = f" Before: {written.quantity(was, column.unit, currency)}." if before else ""
    return Card(
        label=column.title,
        value=written.plain(written.quantity(value, column.unit, currency)),
        help=written.plain(f"{column.definition}{exact}{earlier}"),
        delta=delta,
        note=note if delta is not None else None,
        direction="inverse" if name in _WORSE else "normal",
    )


def _delta(value: Any, was: Any, unit: Unit) -> str | None:
    """Write a change in percent, that of a percentage in points; from nothing there is none."""
    if value is None or was is None:
        return None
    if unit is Unit.RATIO:
        return f"{(float(value) - float(was)) * 100:+.1f} pp"
    return f"{float(value - was) / float(was):+.1%}" if was > 0 else None
