"""Store work: what a location is to supply, done tap by tap on a tablet or a phone."""

import streamlit as st

from dashboards.api_client import Client
from dashboards.panels import counter, frame, show, work


@frame.console("Store work", "What your location is to pick, pack, send and hand over.")
def render(client: Client) -> None:
    """Draw the page."""
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        location = work.location(client)
        st.button("Look again", key="work_again", icon=":material/refresh:")
    if location is None:
        st.info("There is no location yet. `oms channels add` registers locations with channels.")
        return
    counter.collect(client, location)
    found = client.get("/v1/fulfillments", location=location, limit=work.PAGE_ROWS)
    shown = work.stage(found["items"])
    work.papers(client, location, found["items"])
    if not shown:
        st.info(f"Nothing is waiting at {show.place(client, location)}. Orders that are routed to "
                "it show up here.")  # fmt: skip
    for each in shown:
        work.card(client, each)
    if found["next_after"]:
        st.caption(f"These are the {work.PAGE_ROWS} oldest; the others move up as they are done.")
    st.caption(f"As of {show.instant(work.as_of())} UTC.")
