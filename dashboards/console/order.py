"""One order: everything the ledger knows of it on one screen, and what may be done with it."""

import streamlit as st

from dashboards.api_client import Client
from dashboards.panels import (
    case_parts,
    decision_parts,
    document_parts,
    frame,
    money_parts,
    note_parts,
    order_actions,
    order_changes,
    order_parts,
    order_work,
    show,
    tag_parts,
)


@frame.console("Order", "Everything about one order, and what may be done with it.")
def render(client: Client) -> None:
    """Draw the page."""
    number = show.text("Order number", "number", width=260, placeholder="R100000001")
    if not number:
        st.info("Type an order's number, or find it under *Orders* and choose it there.")
        return
    order = client.get(f"/v1/orders/{show.in_path(number)}")
    order_parts.head(order)
    order = {**order, "version": frame.seen(order["order_number"], order["version"])}
    with st.container(horizontal=True, gap="small"):
        order_actions.cancel(client, order)
        order_changes.edit(client, order)
        order_actions.hold(client, order)
        tag_parts.change(client, order)
        order_actions.link(client, order)
        order_actions.refused(order)
    order_actions.holds(client, order)
    left, right = st.columns([2, 1])
    with left:
        order_parts.lines(order)
        money_parts.of_order(client, order)
        document_parts.of_order(client, order)
        order_work.fulfillments(client, order)
        order_work.parcels(client, order)
        order_work.transfers(client, order)
        order_work.returns(client, order)
        order_parts.timeline(client, order)
        decision_parts.of_order(client, order["order_number"])
        order_parts.others(order)
    with right:
        order_parts.customer(order)
        order_parts.amounts(order)
        case_parts.cases(client, order)
        note_parts.notes(client, order)
