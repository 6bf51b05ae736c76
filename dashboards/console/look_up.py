"""Customer look-up: any store's and channel's order, for whoever stands at a till."""

import streamlit as st

from dashboards import format as written
from dashboards.api_client import Client, Json
from dashboards.panels import frame, show

_ASKED = {
    "receipt": "Receipt", "lookup_number": "Order number", "lookup_email": "E-mail",
    "phone": "Phone", "lookup_name": "Name, or how it begins",
    "lookup_card_last4": "Card's last four digits",
}  # fmt: skip
_LINES = {
    "sku": "SKU", "title": "Title", "quantity": "Bought", "shipped": "Handed over",
    "returned": "Returned", "returnable": "May come back", "returnable_until": "Until",
    "total": "Total",
}  # fmt: skip


@frame.console("Customer look-up", "An order of any store or channel, by what its customer knows.")
def render(client: Client) -> None:
    """Draw the page."""
    asked = {}
    with st.grid(3, min_column_width=200, gap="small"):
        for name, label in _ASKED.items():
            asked[name.removeprefix("lookup_")] = show.private(label, name)
        day = st.date_input("Bought on", value=None, key="lookup_placed_on", format="YYYY-MM-DD")
    if not any(asked.values()):
        st.info("Type at least one thing the customer knows; all that is typed must fit.")
        return
    if asked["card_last4"] and day is None:
        st.info("Many cards end like this one: choose the day it was paid with, too.")
        return
    asked["placed_on"] = "" if day is None else day.isoformat()
    found = client.get("/v1/lookup", **asked, limit=20)
    if not found:
        st.info("No order fits. Leave something out, or ask for the receipt.")
    for each in found:
        _order(each)


def _order(order: Json) -> None:
    with st.container(border=True):
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            st.markdown(f"**{order['order_number']}**", width="content")
            show.state(order["order_state"])
            show.state(order["fulfillment_state"])
        who = order["customer"]
        parts = (
            show.instant(order["placed_at"]), order["location_name"] or order["channel_code"],
            show.amount(order["total"]), who["initial"] and f"{who['initial']}.", who["city"],
        )  # fmt: skip
        st.caption(written.plain(" · ".join(str(each) for each in parts if each)))
        show.table(order["lines"], _LINES, f"bought_{order['order_number']}")
