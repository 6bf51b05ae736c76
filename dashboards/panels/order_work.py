"""What is done for an order: the work of locations, its parcels, and what is sent to a store."""

from collections.abc import Mapping
from typing import Any, Final

import streamlit as st

from dashboards import format as written
from dashboards.api_client import Client, Json
from dashboards.panels import frame, moving_parts, navigation, parcel_parts, return_form, show

_TRANSFERS: Final = {
    "transfer_number": "Transfer", "state": "State", "from": "From", "to": "To",
    "shipped_at": "Sent (UTC)", "tracking_number": "Tracking number",
}  # fmt: skip
_RETURNS: Final = {
    "return_number": "Return", "state": "State", "units": "Units", "location_code": "Location",
    "owed": "Owed", "exchange_order_number": "Sent instead", "created_at": "Asked (UTC)",
}  # fmt: skip


def fulfillments(client: Client, order: Json) -> None:
    """Show the work of locations on the order, each with the way to it."""
    st.subheader("Fulfillment", anchor=False)
    if not order["fulfillments"]:
        st.caption("No location works on it.")
    for group in order["groups"]:
        _milestones(order, group)
    for each in order["fulfillments"]:
        with st.container(border=True, horizontal=True, gap="small", vertical_alignment="center"):
            where = written.plain(show.place(client, each["location_code"]))
            st.markdown(f"**{where}** {each['fulfillment_number']}", width="content")
            show.state(each["state"])
            st.caption(_told(each), width="content")
            if each["allowed_actions"] and st.button(
                "Work on it", key=f"work_{each['fulfillment_number']}", type="tertiary"
            ):
                navigation.go("store_work", location=each["location_code"])
            version = frame.seen(each["fulfillment_number"], each["version"])
            moving_parts.offer(client, {**each, "version": version})


def _milestones(order: Json, group: Json) -> None:
    """Show when the work of a delivery group reached each step, and what was promised."""
    if not group["milestones"]:
        return
    told = [
        f"**{show.words(each['name'])}** " + (show.instant(each["at"]) if each["at"] else "pending")
        for each in group["milestones"]
    ]
    of = f"Group {group['group_no']}: " if len(order["groups"]) > 1 else ""
    promised = order["promised_at"]
    st.markdown(of + " → ".join(told))
    if promised:
        st.caption(f"Promised to be ready to leave by {show.instant(promised)} UTC.")


def parcels(_client: Client, order: Json) -> None:
    """Show the parcels of an order, each with what was told of it."""
    if not order["parcels"]:
        return
    st.subheader("Parcels", anchor=False)
    for each in order["parcels"]:
        parcel_parts.card(_client, each)


def transfers(client: Client, order: Json) -> None:
    """Show what is sent to a store for an order."""
    if not order["transfers"]:
        return
    st.subheader("Transfers", anchor=False)
    rows = [
        {**each, "from": show.place(client, each["from_location_code"]),
         "to": show.place(client, each["to_location_code"])}
        for each in order["transfers"]
    ]  # fmt: skip
    show.table(rows, _TRANSFERS, "transfers_table")
    if st.button("Work on them", key="work_transfers", type="tertiary"):
        navigation.go("transfers", transfer=order["transfers"][0]["transfer_number"])


def returns(client: Client, order: Json) -> None:
    """Show what comes back of an order, and what is owed or sent for it."""
    _linked(order)
    if not order["returns"]:
        return_form.offer(client, order)
        return
    st.subheader("Returns", anchor=False)
    return_form.offer(client, order)
    rows = [
        {**each, "units": sum(line["expected"] for line in each["lines"])}
        for each in order["returns"]
    ]
    show.table(rows, _RETURNS, "returns_of_order")
    if st.button("Work on them", key="work_returns", type="tertiary"):
        navigation.go("returns", **{"return": order["returns"][0]["return_number"]})


def _linked(order: Json) -> None:
    """Show the orders this one was exchanged for, and the one it is sent instead of."""
    known = order["exchange_of"]
    if known is not None:
        st.markdown(f"Sent instead of what comes back under {known['return_number']}.")
        if st.button(f"Order {known['original_number']}", key="original", type="tertiary"):
            navigation.go("order", number=known["original_number"])
    for each in order["exchanges"]:
        number, state = each["order_number"], show.words(each["order_state"]).lower()
        st.markdown(f"{show.words(each['order_type'])} for {each['return_number']}: {state}.")
        if st.button(f"Order {number}", key=f"exchange_{number}", type="tertiary"):
            navigation.go("order", number=number)


def _told(each: Mapping[str, Any]) -> str:
    parts = [f"for {show.ago(each['changed_at'])}"]
    parts += [f"collect by {show.instant(each['collect_by'])}"] if each["collect_by"] else []
    parts += [f"{each['carrier']} {each['tracking_number'] or ''}"] if each["carrier"] else []
    parts += [show.words(each["reason"])] if each["reason"] else []
    return written.plain(" · ".join(parts))
