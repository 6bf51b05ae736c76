"""Documents: invoices, credit notes and receipts, listed and taken away."""

import streamlit as st

from dashboards.api_client import Client
from dashboards.panels import document_parts, frame, lists


@frame.console("Documents", "Invoices, credit notes and receipts, as they were issued.")
def render(client: Client) -> None:
    """Draw the page."""
    listing = document_parts.listing(client)
    answer = lists.page(client, listing)
    if not answer["items"]:
        st.info("No such document was issued in these days. A channel that belongs to a legal "
                "entity has them by itself; one of an order is issued on its page, under "
                "*Documents*.")  # fmt: skip
        return
    lists.shown(client, listing, answer, opens="order")
    document_parts.bundle(client, listing.asked)
    document_parts.one(client, answer["items"])
