"""Refunds: which wait for somebody, which failed, and which are on their way."""

import streamlit as st

from dashboards.api_client import Client
from dashboards.panels import (
    batch_parts,
    frame,
    lists,
    refund_form,
    refund_parts,
    refund_rule_parts,
    show,
)
from dashboards.widgets import choice


@frame.console("Refunds", "Money that goes back: to approve, to see to, on its way.")
def render(client: Client) -> None:
    """Draw the page."""
    queue = choice.segments("State", "refund_state", refund_parts.QUEUES, "awaiting_approval")
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        codes = {code: code for code in show.channel_codes(client)}
        every = {refund_parts.ANY: "Every channel"} | codes
        channel = choice.select("Channel", "refund_channel", every, refund_parts.ANY)
        kinds = {refund_parts.ANY: "Everything", **refund_form.KINDS}
        kind = choice.select("For", "refund_kind", kinds, refund_parts.ANY)
        batch_parts.link()
    listing = refund_parts.listing(queue, kind, channel)
    answer = lists.page(client, listing)
    if answer["items"]:
        lists.shown(client, listing, answer, opens="order")
        refund_parts.one(client, answer["items"])
    else:
        refund_parts.nothing(queue)
    refund_rule_parts.shown(client)
