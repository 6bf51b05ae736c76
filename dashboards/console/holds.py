"""Holds: which orders are held and why, released or placed."""

import streamlit as st

from dashboards.api_client import Client
from dashboards.panels import frame, hold_parts, lists
from dashboards.widgets import choice

_STATES = {"true": "Held now", "false": "Released"}


@frame.console("Holds", "Orders nobody goes on with until somebody has looked.")
def render(client: Client) -> None:
    """Draw the page."""
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        is_active = choice.segments("Holds", "holds_active", _STATES, "true")
        hold_type = choice.select("Type", "hold_type", hold_parts.TYPES, hold_parts.ANY)
    hold_parts.place_one(client)
    listing = hold_parts.listing(is_active, hold_type)
    answer = lists.page(client, listing)
    if not answer["items"]:
        st.info("No order is on such a hold. *Hold an order* puts one on hold.")
        return
    lists.shown(client, listing, answer, opens="order")
    if is_active == "true":
        hold_parts.release_one(client, answer["items"])
