"""Quarantine: documents that could not be used, looked at, tried again, or dismissed."""

import streamlit as st

from dashboards.api_client import Client
from dashboards.panels import frame, lists, quarantine_parts, show
from dashboards.widgets import choice

_STATES = {"open": "Open", "resolved": "Resolved", "dismissed": "Dismissed"}


@frame.console("Quarantine", "What could not be taken in, why, and what to do about it.")
def render(client: Client) -> None:
    """Draw the page."""
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        state = choice.segments("State", "document_state", _STATES, "open")
        channels = {"any": "Every channel"} | {each: each for each in show.channel_codes(client)}
        channel = choice.select("Channel", "document_channel", channels, "any")
        code = show.text("What is wrong", "document_code", placeholder="UNKNOWN_SKU", width=220)
        ref = show.text("Channel's reference", "document_ref", width=220)
    listing = quarantine_parts.listing(state, "" if channel == "any" else channel, code, ref)
    found = lists.page(client, listing)
    if not found["items"]:
        st.info("No document is here. What cannot be used on its way in waits on this page.")
        return
    lists.shown(client, listing, found)
    quarantine_parts.opened(client, found["items"])
