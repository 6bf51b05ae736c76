"""Store credit: what is owed to whoever has a code, and how it came to that."""

import streamlit as st

from dashboards.api_client import Client
from dashboards.panels import credit_parts, frame, lists, show
from dashboards.widgets import choice


@frame.console("Store credit", "What is on a code, what changed it, and the order it was for.")
def render(client: Client) -> None:
    """Draw the page."""
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        code = show.private("Code", "credit_code", placeholder="ABCD-EFGH-JKMN-PQRS")
        order = show.text("Order number", "credit_order", width=260, placeholder="R100000001")
    if code:
        credit_parts.card(client, client.post("/v1/credits/lookup", {"code": code}))
        return
    listing = credit_parts.listing(order)
    answer = lists.page(client, listing)
    if not answer["items"]:
        st.info("There is no store credit here. A refund gives it, and so does a return that is"
                " asked for with it.")  # fmt: skip
        return
    lists.shown(client, listing, answer)
    names = {each["credit_number"]: f"{each['credit_number']}: order {each['order_number']}"
             for each in answer["items"]}  # fmt: skip
    number = choice.select("Store credit", "credit", names, next(iter(names)))
    credit_parts.card(client, client.get(f"/v1/credits/{number}"))
