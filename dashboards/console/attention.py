"""Attention: what waits for a person, how long it has, what to do, and where."""

import streamlit as st

from dashboards.api_client import Client
from dashboards.panels import attention_parts, frame, show


@frame.console("Attention", "What waits for a person, worst first, and where to see to it.")
def render(client: Client) -> None:
    """Draw the page."""
    found = client.get("/v1/attention")
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.button("Look again", key="attention_again", icon=":material/refresh:")
        st.caption(f"As of {show.instant(found['as_of'])} UTC.", width="content")
    if not found["items"]:
        st.info("**All is well.** Nothing stands still and nobody waits; what does shows up here.",
                icon=":material/check_circle:")  # fmt: skip
        return
    attention_parts.listed(client, found["items"])
