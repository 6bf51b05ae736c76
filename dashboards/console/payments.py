"""Payments: operations a payment service has not answered for, each with the way to its order."""

import streamlit as st

from dashboards.api_client import Client
from dashboards.panels import frame, lists, money_parts, show
from dashboards.widgets import choice


@frame.console("Payments", "What payment services were asked for and is not known to be over.")
def render(client: Client) -> None:
    """Draw the page."""
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        queue = choice.segments("State", "payments_shown", money_parts.QUEUES, "doubtful")
        psp = show.text("Payment service", "payments_psp", width=220, placeholder="any")
    listing = money_parts.unfinished(queue, psp)
    answer = lists.page(client, listing)
    if answer["items"]:
        st.caption(money_parts.ADVICE["failed" if queue == "failed" else "open"])
        lists.shown(client, listing, answer, opens="order")
    else:
        st.info(money_parts.NOTHING["failed" if queue == "failed" else "open"])
    money_parts.parked(client)
