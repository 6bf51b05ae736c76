"""Stock by SKU: what there is, and why a channel may sell just that much of it."""

import streamlit as st

from dashboards.api_client import Client
from dashboards.panels import frame, show, stock_parts, stock_reasons
from dashboards.widgets import choice

_SHOWN = {"now": "Now", "movements": "Movements", "reservations": "Promised and held"}


@frame.console("Stock by SKU", "Why this number: each place, each channel, and who waits for it.")
def render(client: Client) -> None:
    """Draw the page."""
    sku = show.text("SKU", "stock_sku", width=320, placeholder="as the catalog has it")
    if not sku:
        st.info("Type a SKU. The *Stock* page lists those there are.")
        return
    stock = client.get(f"/v1/stock/{show.in_path(sku)}")
    stock_parts.head(stock)
    shown = choice.segments("Shown", "stock_shown", _SHOWN, "now")
    if shown == "movements":
        stock_reasons.movements(client, stock)
    elif shown == "reservations":
        stock_reasons.reservations(client, stock)
    else:
        stock_parts.channels(client, stock)
        stock_parts.levels(client, stock)
        stock_parts.orders(client, stock)
