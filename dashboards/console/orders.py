"""Orders: found by words and filters, listed, added up, kept as views, taken away as a file."""

import streamlit as st

from dashboards.api_client import Client
from dashboards.panels import frame, lists, navigation, order_analysis, order_filters, order_views

_COLUMNS = {
    "order_number": "Order", "customer_name": "Customer", "total": "Total",
    "order_state": "State", "fulfillment_state": "Goods", "placed_at": "Placed (UTC)",
    "look": "Look at it", "channel_code": "Channel", "fulfillment_method": "Method",
    "external_number": "Channel's number", "country_code": "Country", "tags": "Tags",
    "promised_at": "Promised for (UTC)",
}  # fmt: skip


@frame.console("Orders", "Every order of every channel; words and filters stand in the address.")
def render(client: Client) -> None:
    """Draw the page."""
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        asked = order_filters.bar(client)
        order_views.offered(client, asked)
    order_filters.tell(asked)
    listing = lists.Listing(
        name="orders", path=order_filters.ORDERS, columns=_COLUMNS, asked=asked, row=_row
    )
    counted = order_filters.counting(client, asked)
    answer = lists.page(client, listing)
    if not answer["items"]:
        order_filters.nothing_found(asked)
        return
    order_filters.count(counted)
    if len(answer["items"]) == 1:
        number = str(answer["items"][0]["order_number"])
        if st.button(f"Open {number}", key="open_only", type="primary"):
            navigation.go("order", number=number)
    lists.table(listing, answer, opens="order")
    with st.container(horizontal=True, gap="small"):
        lists.turner(listing.name, answer["next_after"])
        order_filters.download(client, asked)
    order_analysis.offered(client, asked)


def _row(item: dict[str, object]) -> dict[str, object]:
    seen = {"On hold": item["is_on_hold"], "Exception": item["has_exception"],
            "Test": item["is_test"]}  # fmt: skip
    return {**item, "look": ", ".join(name for name, is_so in seen.items() if is_so)}
