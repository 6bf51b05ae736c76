"""The filters of a page: chips that say what is chosen, each opening to change it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from enum import Flag, auto
from typing import Final

import streamlit as st

from dashboards import format as written
from dashboards.widgets import address, choice, periods, skus
from oms.reports.choices import Choices
from oms.reports.model import NO_CURRENCY, Basis, Comparison, Filters, Period

NAMES: Final = (
    *("period", "days", "compare", "channel", "type", "category", "brand", "sku"),
    *("location", "currency", "basis"),
)
_COMPARISONS: Final = {comparison.value: comparison.label for comparison in Comparison}
_BASES: Final = {basis.value: basis.label for basis in Basis}


class Part(Flag):
    """What a page can be filtered by."""

    PERIOD = auto()
    COMPARISON = auto()
    CHANNELS = auto()
    PRODUCTS = auto()
    LOCATIONS = auto()
    AMOUNTS = auto()
    CURRENCY = auto()


SALES: Final = Part.PERIOD | Part.COMPARISON | Part.CHANNELS | Part.PRODUCTS | Part.AMOUNTS


def bar(
    choices: Choices, parts: Part, *, counted_from: str = "the newest day with sales"
) -> Filters:
    """Draw the chips of a page and return what is chosen.

    Where nothing was sold yet in the period to compare with, there is no comparison.
    """
    filters = _comparable(_chosen(choices), choices)
    with st.container(horizontal=True, gap="xsmall", key="filters"):
        if Part.PERIOD in parts:
            _period_chip(filters, counted_from, compares=Part.COMPARISON in parts)
        if Part.CHANNELS in parts:
            _list_chip("Channels", "channel", choices.channels, ":material/storefront:")
        if Part.LOCATIONS in parts:
            _list_chip("Locations", "location", choices.locations, ":material/location_on:")
        if Part.PRODUCTS in parts:
            _product_chip(choices, filters)
        if Part.AMOUNTS in parts:
            _amounts_chip(choices, filters)
        if Part.CURRENCY in parts and len(choices.currencies) > 1:
            with st.popover(filters.currency, icon=":material/payments:", key="currency_chip"):
                _currencies(choices)
        if any(address.recall(name) for name in NAMES):
            st.button(
                "Reset",
                key="reset",
                icon=":material/close:",
                type="tertiary",
                on_click=address.forget,
                args=(NAMES,),
            )
    return filters


def _chosen(choices: Choices) -> Filters:
    """Read every filter, also one this page does not show: it waits for the next page."""
    preset = choice.chosen_one("period", list(periods.PRESETS), periods.DEFAULT)
    compare = choice.chosen_one("compare", list(_COMPARISONS), Comparison.PREVIOUS.value)
    basis = choice.chosen_one("basis", list(_BASES), Basis.EVENT.value)
    currencies = choices.currencies or (NO_CURRENCY,)
    return Filters(
        period=periods.period_of(preset, choices.last_on, choices.first_on, _days()),
        currency=choice.chosen_one("currency", currencies, currencies[0]),
        basis=Basis(basis),
        comparison=Comparison(compare),
        channels=choice.chosen_many("channel", list(choices.channels)),
        product_types=choice.chosen_many("type", choices.product_types),
        categories=choice.chosen_many("category", choices.categories),
        brands=choice.chosen_many("brand", choices.brands),
        skus=_skus(),
        locations=choice.chosen_many("location", list(choices.locations)),
    )


def _comparable(filters: Filters, choices: Choices) -> Filters:
    compared = filters.compared()
    first_on, _ = choices.spans.get(filters.currency, (choices.first_on, choices.last_on))
    if compared is None or compared.period.last_on >= first_on:
        return filters
    return replace(filters, comparison=Comparison.NONE)


def _days() -> tuple[date, ...]:
    """Read the days chosen by hand; without any, a custom period is the usual one."""
    if "days" not in st.session_state:
        st.session_state["days"] = periods.days_from_text("".join(address.recall("days")))
    chosen: tuple[date, ...] = tuple(st.session_state["days"])
    custom = st.session_state["period"] == periods.CUSTOM
    address.keep("days", [periods.text_from_days(chosen)] if custom and chosen else [])
    return chosen


def _begin_custom(period: Period) -> None:
    """Let days chosen by hand begin with those in sight."""
    if st.session_state["period"] == periods.CUSTOM:
        st.session_state["days"] = (period.from_on, period.last_on)


def _skus() -> tuple[str, ...]:
    if "sku" not in st.session_state:
        st.session_state["sku"] = "\n".join(skus.unpacked(address.recall("sku")))
    chosen = skus.skus_from_text(st.session_state["sku"])
    address.keep("sku", skus.packed(chosen))
    return chosen


def _period_chip(filters: Filters, counted_from: str, *, compares: bool) -> None:
    compared = filters.compared() if compares else None
    is_first = compares and not compared and st.session_state["compare"] != Comparison.NONE.value
    against = f"  vs  {filters.comparison.against}" if compared else ""
    against = ", nothing before to compare with" if is_first else against
    label = f"{written.days(filters.period)}{against}"
    with st.popover(label, icon=":material/calendar_month:", key="period_chip"):
        choice.pills(
            "Period",
            "period",
            periods.PRESETS,
            help=f"Counted back from {counted_from}.",
            on_change=_begin_custom,
            args=(filters.period,),
        )
        if st.session_state["period"] == periods.CUSTOM:
            st.date_input(
                "First and last day",
                st.session_state["days"] or (filters.period.from_on, filters.period.last_on),
                key="days",
                min_value=periods.FIRST_ON_MIN,
                max_value=periods.LAST_ON_MAX,
                format="YYYY-MM-DD",
            )
        if compares:
            choice.radio("Compare with", "compare", _COMPARISONS)
            if compared:
                st.caption(written.days(compared.period))


def _list_chip(label: str, name: str, options: Mapping[str, str], icon: str) -> None:
    chosen = st.session_state[name]
    with st.popover(
        _counted(label, [options[code] for code in chosen]), icon=icon, key=f"{name}_chip"
    ):
        choice.several(label, name, options, f"All {label.lower()}")


def _product_chip(choices: Choices, filters: Filters) -> None:
    chosen = [*filters.product_types, *filters.categories, *filters.brands, *filters.skus]
    with st.popover(_counted("Products", chosen), icon=":material/sell:", key="product_chip"):
        for label, name, values in (
            ("Product types", "type", choices.product_types),
            ("Categories", "category", choices.categories),
            ("Brands", "brand", choices.brands),
        ):
            choice.several(label, name, dict(zip(values, values, strict=True)), "All")
        st.text_area(
            "SKUs",
            st.session_state["sku"],
            key="sku",
            height=110,
            placeholder="All; or one on each line",
            help="Paste a list: one on each line, or between commas.",
        )


def _amounts_chip(choices: Choices, filters: Filters) -> None:
    label = f"{filters.currency}, {filters.basis.label.lower()}"
    with st.popover(label, icon=":material/payments:", key="amounts_chip"):
        _currencies(choices)
        choice.radio("Count amounts", "basis", _BASES, [basis.definition for basis in Basis])


def _currencies(choices: Choices) -> None:
    if choices.currencies:
        choice.pills(
            "Currency",
            "currency",
            dict(zip(choices.currencies, choices.currencies, strict=True)),
            help="Amounts of two currencies are never added up.",
        )


def _counted(label: str, values: list[str]) -> str:
    if not values:
        return f"All {label.lower()}"
    first = written.plain(values[0])
    return first if len(values) == 1 else f"{first} + {len(values) - 1:,}"
