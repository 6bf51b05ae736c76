"""Holds: listed by type, placed with a reason, released by whoever may."""

from collections.abc import Sequence
from functools import partial
from typing import Final

import streamlit as st

from dashboards import format as written
from dashboards.api_client import Client, Json
from dashboards.panels import frame, lists, session, show
from dashboards.widgets import choice
from oms.holds.model import HoldType

ANY: Final = "any"
TYPES: Final = {ANY: "Every type"} | {each.value: show.words(each.value) for each in HoldType}
SCOPE: Final = "orders:hold"
# What a hold keeps from being done, as it is said of an order: nobody may … it.
_KEPT: Final = {
    "route": "give out", "pick": "pick", "ship": "send", "cancel": "cancel", "edit": "change",
}  # fmt: skip
_COLUMNS: Final = {
    "order_number": "Order", "type": "Held for", "comment": "Why", "placed_by": "By",
    "placed_at": "Since (UTC)", "customer_name": "Customer", "channel_code": "Channel",
    "kept": "What may not be done", "release_comment": "Released because",
}  # fmt: skip


def listing(is_active: str, hold_type: str) -> lists.Listing:
    """Return the list of holds of a type."""
    asked: Json = {"is_active": is_active}
    if hold_type != ANY:
        asked["type"] = hold_type
    return lists.Listing(
        name="holds", path="/v1/holds", columns=_COLUMNS, asked=asked,
        row=lambda each: {**each, "kept": kept(each)},
    )  # fmt: skip


def kept(hold: Json) -> str:
    """Say what may not be done with an order that is held."""
    return ", ".join(_KEPT.get(each, show.words(each).lower()) for each in hold["blocks"])


def release_one(client: Client, held: Sequence[Json]) -> None:
    """Let one of these holds be released."""
    st.subheader("Release one", anchor=False)
    free = [each for each in held if each["may_release"]]
    if len(free) < len(held):
        st.caption(f"{len(held) - len(free)} of these need somebody who may review orders.")
    if not free:
        return
    names = {
        f"{each['order_number']}-{each['hold_no']}":
            f"{each['order_number']}: {show.words(each['type'])}"
        for each in free
    }  # fmt: skip
    key = choice.select("Hold", "hold_chosen", names, next(iter(names)))
    each = next(one for one in free if f"{one['order_number']}-{one['hold_no']}" == key)
    release(client, each, each["order_number"], each["version"])


def release(client: Client, hold: Json, number: str, version: int) -> None:
    """Offer to release a hold of an order in the version that is shown."""
    with st.form(f"release_{number}_{hold['hold_no']}", border=False, width=520):
        said = st.text_input("Why it is released", key=f"released_{number}_{hold['hold_no']}")
        if st.form_submit_button("Release the hold", type="primary"):
            if not said.strip():
                st.error("Say why it is released: the order's story keeps it.")
                return
            path = f"/v1/orders/{number}/holds/{hold['hold_no']}/release"
            body = {"comment": said.strip()}
            work = partial(client.post, path, body, version=version)
            frame.do(work, f"The hold on {number} is released.")


def place_one(client: Client) -> None:
    """Let any order be put on hold."""
    if not session.may(client, SCOPE):
        return
    with st.popover("Hold an order", icon=":material/pan_tool:"):
        number = st.text_input("Order number", key="hold_number", placeholder="R100000001")
        place(client, number.strip())


def place(client: Client, number: str) -> None:
    """Offer to put an order on hold."""
    form = f"hold {number}"
    turn = frame.turn(form)
    types = [each for each in TYPES if each != ANY]
    with st.form(f"hold_{number}", border=False):
        hold_type = st.selectbox("Held for", types, key=f"hold_for_{number}",
                                 format_func=TYPES.__getitem__)  # fmt: skip
        said = st.text_input("Why", key=f"hold_why_{number}")
        if st.form_submit_button("Put it on hold", type="primary"):
            if not number or not said.strip():
                st.error("An order and a reason are needed.")
                return
            path = f"/v1/orders/{show.in_path(number)}/holds"
            body = {"type": hold_type, "comment": said.strip()}
            work = partial(client.post, path, body, turn=turn)
            frame.do(work, f"{written.plain(number)} is on hold.", form=form)
