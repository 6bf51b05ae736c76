"""Transfers: what one location sends to another, sent here and received there."""

import streamlit as st

from dashboards.api_client import Client
from dashboards.panels import frame, lists, show, transfer_parts
from dashboards.widgets import choice

_WAYS = {"any": "Both ways", "in": "Coming", "out": "Leaving"}


@frame.console("Transfers", "Goods on their way between locations, sent here and received there.")
def render(client: Client) -> None:
    """Draw the page."""
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        where = {"any": "Every location"} | show.place_options(client)
        location = choice.select("Location", "transfer_at", where, "any")
        way = choice.segments("Way", "transfer_way", _WAYS, "any")
        stage = choice.select("State", "transfer_state", transfer_parts.STAGES, "open")
    transfer_parts.request(client)
    listing = transfer_parts.listing(client, location, way, stage)
    answer = lists.page(client, listing)
    if not answer["items"]:
        st.info("No transfer is in this state here. *Fill shelves* asks a location for goods; "
                "orders that are collected in a store ask by themselves.")  # fmt: skip
        return
    lists.shown(client, listing, answer)
    transfer_parts.one(client, answer["items"])
