"""The filters of the order list: what the API can be asked, kept in the URL."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import streamlit as st

from dashboards import format as written
from dashboards.api_client import ApiRefusal, Client, Json
from dashboards.panels import show
from dashboards.widgets import address, choice
from oms.holds.model import HoldType
from oms.orders.model import FulfillmentMethod, FulfillmentState, OrderState
from oms.payments.model import OrderPaymentState, Tender

ORDERS: Final = "/v1/orders"
FACETS: Final = "/v1/orders/facets"
EXPORT: Final = "/v1/orders/export"
FACET_VALUES_MAX: Final = 6
_ANY: Final = "any"
_SORTS: Final = {
    "-placed_at": "Newest first", "placed_at": "Oldest first", "-updated_at": "Changed last",
    "-total": "Largest first", "total": "Smallest first", "customer_name": "Customer",
    "channel": "Channel", "state": "State", "state_since": "Longest in its states first",
    "promised_at": "Promised first",
}  # fmt: skip
# What a parameter is called in the URL, where the sales pages have another meaning for its name.
# Of these several may be chosen, which is any of them.
_CODES: Final[Mapping[str, tuple[str, str, Sequence[str]]]] = {
    "order_state": ("order_state", "State", list(OrderState)),
    "fulfillment_state": ("fulfillment_state", "Goods", list(FulfillmentState)),
    "method": ("method", "Method", list(FulfillmentMethod)),
    "order_hold": ("hold", "On hold for", list(HoldType)),
    "order_tender": ("payment_method", "Paid with", list(Tender)),
    "order_paid": ("payment_state", "Payment", list(OrderPaymentState)),
}
_PLACES: Final = {
    "order_location": ("location", "Sold at"),
    "order_fulfilled": ("fulfillment_location", "Fulfilled at"),
}
_LISTS: Final = {
    "order_sku": ("sku", "SKUs in the order"),
    "order_type": ("product_type", "Product types"),
    "order_category": ("category", "Categories"),
    "order_brand": ("brand", "Brands"),
    "order_country": ("country", "Countries, e.g. NL"),
    "order_exception": ("exception", "Exceptions, e.g. BACKORDERED"),
    "order_tag": ("tag", "Tags"),
}
_FLAGS: Final[Mapping[str, tuple[str, str, Mapping[str, str]]]] = {
    "exceptions": ("has_exception", "Exceptions", {"true": "With an open one", "false": "Without"}),
    "on_hold": ("is_on_hold", "Holds", {"true": "On hold", "false": "Not on hold"}),
    "tests": ("is_test", "Tests", {"true": "Tests only", "false": "No tests"}),
}  # fmt: skip
_TEXTS: Final = {
    "order_customer": ("customer", "Customer's name"),
    "order_note": ("note", "Words of a note"),
    "placed_from": ("placed_from", "Placed from, e.g. 2026-01-31"),
    "placed_to": ("placed_to", "Placed before"),
    "order_state_to": ("state_to", "In its states since before, e.g. 2026-01-31"),
    "promised_from": ("promised_from", "Promised from, e.g. 2026-01-31"),
    "promised_to": ("promised_to", "Promised before"),
    "order_currency": ("currency", "Currency, e.g. EUR"),
    "order_total_from": ("total_from", "At least"),
    "order_total_to": ("total_to", "At most"),
}
_SEVERAL: Final = {
    "order_channel": "channel",
    **{name: parameter for name, (parameter, _, _) in _CODES.items()},
    **{name: parameter for name, (parameter, _) in (_PLACES | _LISTS).items()},
}
# A view keeps these as lists.
SEVERAL: Final = frozenset(_SEVERAL.values())
NAMES: Final = ("words", "order_sort", *_SEVERAL, *_FLAGS, *_TEXTS)


def bar(client: Client) -> Json:
    """Draw the filters, and return what to ask the API for."""
    said = show.text(
        "Search", "words", icon=":material/search:", width=420,
        placeholder="number, name, e-mail, postcode, SKU …",
    )  # fmt: skip
    asked: Json = {"q": said}
    with st.container(width=200):
        asked["sort"] = choice.select("Sorted by", "order_sort", _SORTS, "-placed_at")
    with st.popover("Filters", icon=":material/filter_list:"):
        with st.grid(2, min_column_width=200, gap="small"):
            asked |= _chosen(client) | _typed()
        st.button("Reset", key="reset_orders", on_click=address.forget, args=(NAMES,))
    return {name: value for name, value in asked.items() if value}


def names() -> dict[str, str]:
    """Return under which name each parameter of the API stands in the URL."""
    return {
        "q": "words", "sort": "order_sort",
        **{parameter: name for name, parameter in _SEVERAL.items()},
        **{parameter: name for name, (parameter, _, _) in _FLAGS.items()},
        **{parameter: name for name, (parameter, _) in _TEXTS.items()},
    }  # fmt: skip


def text_of(value: object) -> str:
    """Write a value of a view as the URL has it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def counting(client: Client, asked: Json) -> Callable[[], Any]:
    """Begin to count how many orders there are, and of what: it takes as long as their list."""
    return client.begin(FACETS, **{each: asked[each] for each in asked if each != "sort"})


def count(counted: Callable[[], Any]) -> None:
    """Say how many orders there are, and of what."""
    try:
        found = counted()
    except ApiRefusal as refused:
        if refused.is_of_the_key:
            raise
        st.caption(refused.sentence)
        return
    about = "" if found["is_complete"] else "more than "
    st.caption(f"{about}{found['orders_count']:,} orders fit.".capitalize())
    with st.expander("What is in this result", icon=":material/donut_small:"):
        show.facts({
            show.words(name): _most(name, each) for name, each in found["facets"].items() if each
        })  # fmt: skip


def download(client: Client, asked: Json) -> None:
    """Offer all that fits as a CSV file."""
    st.download_button(
        "CSV", data=partial(client.file, EXPORT, **asked), file_name="orders.csv",
        mime="text/csv", icon=":material/csv:", on_click="ignore", key="orders_csv",
    )  # fmt: skip


def nothing_found(asked: Json) -> None:
    """Say what to do when no order fits."""
    if set(asked) - {"sort"}:
        st.info("No order fits. Take a word or a filter away, or reset the filters.")
        return
    st.info("There are no orders yet. They come from channels, files, or the API; to see some:")
    st.code("oms simulate", language="shell")


def tell(asked: Json) -> None:
    """Say which filters are set: they are not in sight."""
    told = [
        f"{show.words(name)}: {_listed(value)}"
        for name, value in asked.items() if name not in {"q", "sort"}
    ]  # fmt: skip
    if told:
        st.caption(written.plain(f"Only {' · '.join(told)}".replace("_", " ")))


def _listed(value: object) -> str:
    return " or ".join(map(str, value)) if isinstance(value, list) else str(value)


def _most(name: str, counts: Sequence[Json]) -> str:
    """Write the most frequent values with their counts."""
    told = [
        f"{_worded(name, each['value'])} {each['orders_count']:,}"
        for each in counts[:FACET_VALUES_MAX]
    ]
    more = len(counts) - len(told)
    return ", ".join([*told, f"and {more} others"] if more > 0 else told)


def _worded(name: str, value: str) -> str:
    return show.words(value).lower() if name in _CODES or name.startswith("is_") else value


def _chosen(client: Client) -> Json:
    """Draw what is chosen from a list, of most any number; return it by its parameters."""
    codes = {code: code for code in show.channel_codes(client)}
    asked: Json = {"channel": _any_of("Channel", "order_channel", codes)}
    places = show.place_options(client)
    for name, (parameter, label) in _PLACES.items():
        asked[parameter] = _any_of(label, name, places)
    for name, (parameter, label, values) in _CODES.items():
        asked[parameter] = _any_of(label, name, {each: show.words(each) for each in values})
    for name, (parameter, label, named) in _FLAGS.items():
        flag = choice.select(label, name, {_ANY: "Any", **named}, _ANY)
        asked[parameter] = None if flag == _ANY else flag
    return asked


def _any_of(label: str, name: str, options: Mapping[str, str]) -> list[str]:
    chosen = choice.chosen_many(name, list(options))
    choice.several(label, name, options, "Any")
    return list(chosen)


def _typed() -> Json:
    listed = {
        parameter: choice.typed_many(label, name, "Any; type one")
        for name, (parameter, label) in _LISTS.items()
    }
    return listed | {
        parameter: show.text(label, name) for name, (parameter, label) in _TEXTS.items()
    }
