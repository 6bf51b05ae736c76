"""Stock by SKU: what there is, and why a channel may sell just that much of it."""

import streamlit as st

from dashboards.api_client import Client
from dashboards.panels import frame, show, stock_parts


@frame.console("Stock by SKU", "Why this number: each place, each channel, and who waits for it.")
def render(client: Client) -> None:
    """Draw the page."""
    sku = show.text("SKU", "stock_sku", width=320, placeholder="as the catalog has it")
    if not sku:
        st.info("Type a SKU. The *Stock* page lists those there are.")
        return
    stock = client.get(f"/v1/stock/{show.in_path(sku)}")
    stock_parts.head(stock)
    stock_parts.channels(stock)
    stock_parts.levels(stock)
    stock_parts.orders(client, stock)
