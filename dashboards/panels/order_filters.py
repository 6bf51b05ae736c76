"""The filters of the order list: what the API can be asked, kept in the URL."""

import csv
import io
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

import streamlit as st

from dashboards.api_client import Client, Json
from dashboards.panels import show
from dashboards.widgets import address, choice
from oms.orders.model import FulfillmentMethod, FulfillmentState, OrderState

ORDERS: Final = "/v1/orders"
FACETS: Final = "/v1/orders/facets"
EXPORT: Final = "/v1/orders/export"
FACET_VALUES_MAX: Final = 6
_ANY: Final = "any"
_EVERYWHERE: Final = "q"
_PLACES: Final = {
    "customer": "Customer's name", "number": "Our number", "external": "Channel's number",
    "email": "E-mail",
}  # fmt: skip
_SORTS: Final = {
    "-placed_at": "Newest first", "placed_at": "Oldest first", "-total": "Largest first",
    "total": "Smallest first", "customer_name": "Customer",
}  # fmt: skip
_CODES: Final[Mapping[str, tuple[str, Sequence[str]]]] = {
    "order_state": ("State", list(OrderState)),
    "fulfillment_state": ("Goods", list(FulfillmentState)),
    "method": ("Method", list(FulfillmentMethod)),
}
# What a parameter is called in the URL, where the sales pages have another meaning for its name.
_TEXTS: Final = {
    "order_sku": ("sku", "SKU in the order"),
    "order_type": ("product_type", "Product type in the order"),
    "order_country": ("country", "Country, e.g. NL"),
    "placed_from": ("placed_from", "Placed from, e.g. 2026-01-31"),
    "placed_to": ("placed_to", "Placed before"),
}
_NAMES: Final = ("words", "words_in", "order_channel", "exceptions", *_CODES, *_TEXTS)
_CURSORS: Final = "order_cursors"


def bar(client: Client) -> Json:
    """Draw the filters, and return what to ask the API for."""
    known = client.offers()[ORDERS]
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        asked = _words(known)
        with st.popover("Filters", icon=":material/filter_list:"):
            asked |= _chosen(client, known) | _typed(known)
            st.button("Reset", key="reset_orders", on_click=address.forget, args=(_NAMES,))
    return {name: value for name, value in asked.items() if value}


def cursor(asked: Json) -> str | None:
    """Return where the page that is shown begins."""
    kept = st.session_state.get(_CURSORS)
    if kept is None or kept["asked"] != asked:
        st.session_state[_CURSORS] = {"asked": dict(asked), "after": [None]}
    found: str | None = st.session_state[_CURSORS]["after"][-1]
    return found


def pages(next_after: str | None) -> None:
    """Offer the pages before and after this one."""
    after = st.session_state[_CURSORS]["after"]
    if len(after) > 1:
        st.button("Back", key="page_back", icon=":material/chevron_left:", on_click=after.pop)
    if next_after is not None:
        st.button(
            "More", key="page_on", icon=":material/chevron_right:", on_click=after.append,
            args=(next_after,),
        )  # fmt: skip


def count(client: Client, asked: Json, here: int, *, has_more: bool) -> None:
    """Say how many orders there are."""
    if FACETS in client.offers():
        found = client.get(FACETS, **{each: asked[each] for each in asked if each != "sort"})
        about = "" if found["is_complete"] else "more than "
        st.caption(f"{about}{found['orders_count']:,} orders fit.".capitalize())
        with st.expander("What is in this result"):
            show.facts({show.words(name): _most(each) for name, each in found["facets"].items()})
        return
    st.caption(f"{here} orders on this page, and there are more." if has_more else
               f"{here} on this page, the last.")  # fmt: skip


def download(client: Client, asked: Json, rows: Sequence[Json], columns: Mapping[str, str]) -> None:
    """Offer the result as a CSV file: all of it where the API writes it, else this page."""
    whole = EXPORT in client.offers()
    st.download_button(
        "CSV" if whole else "CSV of this page",
        data=partial(client.file, EXPORT, **asked) if whole else partial(_csv, rows, columns),
        file_name="orders.csv", mime="text/csv", icon=":material/csv:", on_click="ignore",
        key="orders_csv",
    )  # fmt: skip


def nothing_found(asked: Json) -> None:
    """Say what to do when no order fits."""
    if asked:
        st.info("No order fits. Take a word or a filter away, or reset the filters.")
        return
    st.info("There are no orders yet. They come from channels, files, or the API; to see some:")
    st.code("oms simulate", language="shell")


def _most(counts: Sequence[Json]) -> str:
    """Write the most frequent values with their counts."""
    told = [f"{each['value']} {each['orders_count']:,}" for each in counts[:FACET_VALUES_MAX]]
    more = len(counts) - len(told)
    return ", ".join([*told, f"and {more} others"] if more > 0 else told) or "none"


def _words(known: frozenset[str]) -> Json:
    everywhere = _EVERYWHERE in known
    said = show.text(
        "Search", "words", icon=":material/search:", width=420,
        placeholder="number, name, e-mail, postcode, SKU …" if everywhere else "as it begins",
    )  # fmt: skip
    place = _EVERYWHERE if everywhere else choice.select("In", "words_in", _PLACES, "customer")
    asked: Json = {place: said}
    if "sort" in known:
        asked["sort"] = choice.select("Sorted by", "order_sort", _SORTS, "-placed_at")
    return asked


def _chosen(client: Client, known: frozenset[str]) -> Json:
    codes = show.channel_codes(client)
    options = {_ANY: "Any", **{code: code for code in codes}}
    asked: Json = {"channel": choice.select("Channel", "order_channel", options, _ANY)}
    for name, (label, values) in _CODES.items():
        if name in known:
            options = {_ANY: "Any", **{each: show.words(each) for each in values}}
            asked[name] = choice.select(label, name, options, _ANY)
    exceptions = {_ANY: "Any", "true": "With an open one", "false": "Without"}
    asked["has_exception"] = choice.select("Exceptions", "exceptions", exceptions, _ANY)
    return {name: value for name, value in asked.items() if value != _ANY}


def _typed(known: frozenset[str]) -> Json:
    asked: Json = {}
    for name, (parameter, label) in _TEXTS.items():
        if parameter in known:
            asked[parameter] = show.text(label, name)
    return asked


def _csv(rows: Sequence[Json], columns: Mapping[str, str]) -> bytes:
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(columns.values())
    for row in rows:
        writer.writerow([_harmless(show.cell(row.get(name))) for name in columns])
    return file.getvalue().encode()


def _harmless(value: Any) -> Any:
    """Keep a spreadsheet from taking a text for a formula."""
    text = str(value)
    return f"'{text}" if text[:1] in "=+-@\t\r" and text[:1] else value
