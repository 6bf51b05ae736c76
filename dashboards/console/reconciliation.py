"""Reconciliation: what payment services settled beside what we have, and where they differ."""

import streamlit as st

from dashboards.api_client import Client
from dashboards.panels import frame, lists, session, settlement_parts, settlement_upload
from dashboards.widgets import choice


@frame.console("Reconciliation", "What payment services settled, beside what we know of.")
def render(client: Client) -> None:
    """Draw the page."""
    if session.may(client, "settlements:write"):
        settlement_upload.take(client)
    shown = choice.segments("Show", "settlements_shown", settlement_parts.SHOWN, "differences")
    if shown == "reports":
        settlement_parts.reports(client)
        return
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        state = choice.select("State", "difference_state", settlement_parts.STATES, "open")
        every = {settlement_parts.ANY: "Everything", **settlement_parts.FINDINGS}
        finding = choice.select("What differs", "difference_finding", every, settlement_parts.ANY)
    listing = settlement_parts.listing(state, finding)
    answer = lists.page(client, listing)
    if not answer["items"]:
        settlement_parts.nothing(state)
        return
    lists.shown(client, listing, answer, opens="order")
    settlement_parts.one(client, answer["items"])
