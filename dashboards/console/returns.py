"""Returns: what is to come back, what came, and what is to be decided of it."""

import streamlit as st

from dashboards.api_client import Client
from dashboards.panels import frame, lists, return_parts, show
from dashboards.widgets import choice


@frame.console("Returns", "Goods that come back: approved, received, looked at and decided.")
def render(client: Client) -> None:
    """Draw the page."""
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        where = {"any": "Every location"} | show.place_options(client)
        location = choice.select("Location", "return_at", where, "any")
        stage = choice.select("State", "return_state", return_parts.STAGES, "open")
        age = choice.select("Asked for", "return_age", return_parts.AGES, "any")
    listing = return_parts.listing(location, stage, age)
    answer = lists.page(client, listing)
    if not answer["items"]:
        st.info("No return is in this state here. A store takes one over its counter; others are "
                "asked for by customers, agents and channels.")  # fmt: skip
    else:
        lists.shown(client, listing, answer)
        return_parts.one(client, answer["items"])
    return_parts.unidentified(client, location)
