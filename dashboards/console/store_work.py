"""Store work: what a location is to supply, done tap by tap on a tablet or a phone."""

import streamlit as st

from dashboards.api_client import Client
from dashboards.panels import frame, show, work
from dashboards.widgets import choice


@frame.console("Store work", "What your location is to pick, pack, send and hand over.")
def render(client: Client) -> None:
    """Draw the page."""
    location = work.location(client)
    if location is None:
        st.info("No location has open work. Orders that are routed to a location show up here.")
        return
    shown = choice.segments("Work", "work_state", work.STAGES, "all")
    found = client.get("/v1/fulfillments", location=location, state=work.states_of(shown), limit=50)
    if not found["items"]:
        st.info(f"Nothing is waiting here. Everything of {location} in this state is done.")
    for each in found["items"]:
        work.card(client, each)
    if found["next_after"]:
        st.caption("There is more; it moves up as this is done.")
    st.button("Look again", key="work_again", icon=":material/refresh:")
    st.caption(f"As of {show.instant(work.as_of())} UTC.")
