"""Parcels: where each of them is, as its carrier tells."""

import streamlit as st

from dashboards.api_client import Client
from dashboards.panels import frame, lists, parcel_parts


@frame.console("Parcels", "Where each parcel is, as its carrier tells, and which went silent.")
def render(client: Client) -> None:
    """Draw the page."""
    listing = parcel_parts.listing(client)
    answer = lists.page(client, listing)
    if not answer["items"]:
        st.info("No parcel fits. Parcels come to be when a location packs or sends an order; "
                "take a filter away to see the others.")  # fmt: skip
        return
    lists.shown(client, listing, answer, opens="order")
    parcel_parts.one(client, answer["items"])
