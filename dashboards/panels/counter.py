"""The counter of a store: what lies ready is handed over to whoever shows its code."""

from functools import partial
from typing import Final

import streamlit as st

from dashboards import format as written
from dashboards.api_client import ApiRefusal, Client, Json
from dashboards.panels import frame, show

_CODE: Final = "counter_code"


def collect(client: Client, location: str) -> None:
    """Take a customer's code, show what lies ready under it, and hand it over."""
    with st.container(border=True, key="counter"):
        with (
            st.form("counter_form", border=False, enter_to_submit=True),
            st.container(horizontal=True, gap="small", vertical_alignment="bottom"),
        ):
            typed = st.text_input("Customer's code", key=_CODE, width=200, placeholder="6 digits")
            st.form_submit_button("Find it", type="primary", icon=":material/search:")
        code = typed.strip()
        if not code:
            return
        body = {"location_code": location, "collect_code": code}
        try:
            found = client.post("/v1/fulfillments:byCode", body)
        except ApiRefusal as refused:
            if refused.is_of_the_key:
                raise
            st.warning(refused.sentence)
            return
        if not found:
            where = show.place(client, location)
            st.warning(f"Nothing lies ready at {where} under this code. Ask for the order's "
                       "number, and look at what is still to be packed.")  # fmt: skip
        for each in found:
            _hand_over(client, each, code)


def _hand_over(client: Client, each: Json, code: str) -> None:
    number = each["fulfillment_number"]
    for line in each["lines"]:
        st.markdown(f"**{line['open']}** of {written.plain(line['title'])}")
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        if st.button("Hand it over", key=f"hand_{number}", type="primary"):
            body = {"action": "collect", "collect_code": code}
            path = f"/v1/fulfillments/{number}/actions"
            version = frame.seen(f"counter {number}", each["version"])
            frame.do(partial(client.post, path, body, version=version), f"{number} is collected.")
        st.caption(f"{each['order_number']} · {number}", width="content")
