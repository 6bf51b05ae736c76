"""The tags of an order: put on and taken off."""

from functools import partial

import streamlit as st

from dashboards.api_client import Client, Json
from dashboards.panels import frame, session

SCOPE = "orders:write"


def change(client: Client, order: Json) -> None:
    """Offer to tag an order otherwise."""
    if not session.may(client, SCOPE):
        return
    number, before = order["order_number"], order["tags"]
    form = f"tags {number}"
    with st.popover("Tags", icon=":material/sell:"), st.form(f"tags_{number}", border=False):
        chosen = st.multiselect(
            "Tags", before, default=before, accept_new_options=True,
            key=f"tags_of_{number}_{frame.turn(form)}", placeholder="a word or two, then enter",
        )  # fmt: skip
        if st.form_submit_button("Tag it so", type="primary"):
            said = {
                "add": [each for each in chosen if each not in before],
                "remove": [each for each in before if each not in chosen],
            }
            if said["add"] or said["remove"]:
                path = f"/v1/orders/{number}/tags"
                work = partial(client.post, path, said, turn=frame.turn(form))
                frame.do(work, "The order is tagged so.", form=form)
