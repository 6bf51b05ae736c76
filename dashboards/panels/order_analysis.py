"""A result of the order list added up: by channel, state, method, type of product, day."""

from typing import Final

import streamlit as st

from dashboards.api_client import ApiRefusal, Client, Json
from dashboards.panels import show

PATH: Final = "/v1/orders/analysis"
DIMENSIONS_MAX: Final = 3
_DIMENSIONS: Final = (
    "channel", "location", "method", "order_state", "fulfillment_state", "country",
    "product_type", "tag", "day", "week", "month",
)  # fmt: skip
_CODED: Final = frozenset({"method", "order_state", "fulfillment_state"})
_SUMS: Final = {
    "orders_count": "Orders", "units": "Units", "net": "Net", "gross": "With tax",
}  # fmt: skip


def offered(client: Client, asked: Json) -> None:
    """Offer to add up what is listed."""
    with st.expander("Add up this result", icon=":material/table_chart:"):
        by = st.multiselect(
            "By", _DIMENSIONS, key="analysis_by", format_func=show.words,
            max_selections=DIMENSIONS_MAX, placeholder="channel, day, product type …",
        )  # fmt: skip
        if not by:
            st.caption("Choose up to three; amounts are as ordered, without shipping.")
            return
        wanted = {name: value for name, value in asked.items() if name != "sort"}
        try:
            found = client.get(PATH, **wanted, by=by)
        except ApiRefusal as refused:
            if refused.is_of_the_key:
                raise
            st.warning(refused.sentence)
            return
        rows = [{**_values(each["values"]), **each} for each in found["items"]]
        columns = {each: show.words(each) for each in by} | _SUMS
        show.table(rows, columns, "analysis_table", file="orders_added_up")


def _values(values: Json) -> Json:
    return {
        name: show.words(value) if name in _CODED else value or "none"
        for name, value in values.items()
    }
