"""What may be done with an order: canceled after a look, held, linked to."""

from collections.abc import Mapping
from functools import partial
from typing import Final

import streamlit as st

from dashboards import format as written
from dashboards.api_client import Client, Json
from dashboards.panels import frame, hold_parts, session, show

_REASONS: Final = {
    "customer": "The customer asked for it", "fraud": "It looks like fraud",
    "no_stock": "It cannot be supplied", "mistake": "It was a mistake",
}  # fmt: skip
_COMMANDS: Final = {
    "cancel": "Cancel", "edit": "Change", "hold": "Hold", "release": "Release a hold",
    "note": "Add a note", "route": "Give it to locations",
}  # fmt: skip


def allowed(order: Json, action: str) -> bool:
    """Tell whether a command may be given on an order now."""
    return any(
        each["action"] == action and each["is_allowed"] and each["fulfillment_number"] is None
        for each in order["allowed_actions"]
    )


def refused(order: Json) -> None:
    """Say what may not be done now, and why."""
    whys = [
        f"**{_COMMANDS.get(each['action'], show.words(each['action']))}:** "
        f"{written.plain(_sentence(each['reason']))}"
        for each in order["allowed_actions"]
        if not each["is_allowed"] and each["fulfillment_number"] is None
    ]
    if whys:
        with st.popover("What may not be done", icon=":material/block:", type="tertiary"):
            show.together(whys)


def cancel(client: Client, order: Json) -> None:
    """Offer to cancel units that are in nobody's hands, after a look at what that means."""
    possible = {int(no): units for no, units in order["cancelable"].items() if units}
    if possible and allowed(order, "cancel"):
        with st.popover("Cancel", icon=":material/cancel:"):
            _cancel(client, order, possible)


def hold(client: Client, order: Json) -> None:
    """Offer to put an order on hold."""
    if allowed(order, "hold"):
        with st.popover("Hold", icon=":material/pan_tool:"):
            hold_parts.place(client, order["order_number"])


def link(client: Client, order: Json) -> None:
    """Offer a link under which the customer sees how the order is."""
    if not session.may(client, "orders:write"):
        return
    number = order["order_number"]
    turn = frame.turn(f"link {number}")
    with st.popover("Tracking link", icon=":material/link:"):
        st.caption(
            "Whoever has the link sees how the order is: states, dates, notes for the customer."
        )
        if st.button("Make a link", key=f"link_{number}"):
            made = client.post(f"/v1/orders/{number}/tracking-links", turn=turn)
            st.code(made["path"], language=None)
            st.caption(f"It holds until {show.instant(made['holds_until'])} UTC.")


def holds(client: Client, order: Json) -> None:
    """Show what holds an order, and offer to release it."""
    may = {
        each["hold_no"]: each
        for each in order["allowed_actions"] if each["action"] == "release"
    }  # fmt: skip
    for each in order["holds"]:
        if each["released_at"] is not None:
            continue
        with st.container(border=True, key=f"hold_card_{each['hold_no']}"):
            st.markdown(
                f":material/pan_tool: **On hold: {show.words(each['type']).lower()}** since "
                f"{show.instant(each['placed_at'])} by {written.plain(each['placed_by'])}. "
                f"{written.plain(each['comment'])}"
            )
            st.caption(f"Until it is released nobody may {hold_parts.kept(each)} it.")
            verdict = may.get(each["hold_no"])
            if verdict and verdict["is_allowed"]:
                hold_parts.release(client, each, order["order_number"], order["version"])
            elif verdict:
                st.caption(written.plain(_sentence(verdict["reason"])))


def _cancel(client: Client, order: Json, possible: Mapping[int, int]) -> None:
    titles = {line["line_no"]: line["title"] for line in order["lines"]}
    units = {
        no: st.number_input(
            f"{no}. {written.plain(titles[no])}", 0, most, most, key=f"cancel_{no}",
            help=f"At most {most}: the rest has left or is in somebody's hands.",
        )
        for no, most in possible.items()
    }  # fmt: skip
    reason = st.selectbox(
        "Reason", list(_REASONS), key="cancel_reason", format_func=_REASONS.__getitem__
    )
    taken = {no: count for no, count in units.items() if count}
    if not taken:
        st.caption("Choose how many units to cancel.")
        return
    st.markdown("**This will be canceled:**")
    for no, count in taken.items():
        line = next(each for each in order["lines"] if each["line_no"] == no)
        left = line["quantity"] - line["canceled"] - count
        st.markdown(f"- {count} of {written.plain(line['sku'])}; {left} stay")
    if st.button("Cancel these units", key="cancel_do", type="primary"):
        body = {
            "reason": reason,
            "lines": [{"line_no": no, "quantity": count} for no, count in taken.items()],
        }
        path = f"/v1/orders/{order['order_number']}/cancel"
        work = partial(client.post, path, body, version=order["version"])
        frame.do(work, f"{sum(taken.values())} units are canceled.")


def _sentence(reason: str) -> str:
    text = reason[:1].upper() + reason[1:]
    return text if text.endswith(".") else f"{text}."
