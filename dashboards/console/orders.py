"""Orders: found by words and filters, listed, opened, taken away as a file."""

import streamlit as st

from dashboards.api_client import Client
from dashboards.panels import frame, navigation, order_filters, show

_COLUMNS = {
    "order_number": "Order", "customer_name": "Customer", "total": "Total",
    "order_state": "State", "fulfillment_state": "Goods", "placed": "Placed (UTC)",
    "channel_code": "Channel", "external_number": "Channel's number",
    "fulfillment_method": "Method", "country_code": "Country", "has_exception": "Exception",
}  # fmt: skip


@frame.console("Orders", "Every order of every channel; words and filters stand in the address.")
def render(client: Client) -> None:
    """Draw the page."""
    asked = order_filters.bar(client)
    page = client.get("/v1/orders", **asked, after=order_filters.cursor(asked), limit=50)
    items = [_row(item) for item in page["items"]]
    if not items:
        order_filters.nothing_found(asked)
        return
    order_filters.count(client, asked, len(items), has_more=page["next_after"] is not None)
    if len(items) == 1:
        number = str(items[0]["order_number"])
        if st.button(f"Open {number}", key="open_only", type="primary"):
            navigation.go("order", number=number)
    show.table(items, _COLUMNS, "orders_table", opens="order")
    with st.container(horizontal=True, gap="small"):
        order_filters.pages(page["next_after"])
        order_filters.download(client, asked, items, _COLUMNS)


def _row(item: dict[str, object]) -> dict[str, object]:
    coded = {
        name: show.words(item[name])
        for name in ("order_state", "fulfillment_state", "fulfillment_method")
    }
    exception = "look at it" if item["has_exception"] else ""
    placed = show.instant(str(item["placed_at"]))
    return {**item, **coded, "placed": placed, "has_exception": exception}
