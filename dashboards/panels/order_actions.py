"""What may be done with an order: canceled with a look at it first, remarked on."""

from collections.abc import Mapping
from functools import partial
from typing import Final

import streamlit as st

from dashboards import format as written
from dashboards.api_client import Client, Json
from dashboards.panels import frame, show

_REASONS: Final = {
    "customer": "The customer asked for it", "fraud": "It looks like fraud",
    "no_stock": "It cannot be supplied", "mistake": "It was a mistake",
}  # fmt: skip
_VISIBLE: Final = ("internal", "customer", "store", "warehouse")


def offered(client: Client, order: Json) -> None:
    """Show what may be done, and why not what may not."""
    for each in order.get("allowed_actions") or []:
        if isinstance(each, dict) and each.get("reason"):
            name = show.words(each.get("action"))
            st.caption(written.plain(f"{name}: {each['reason']}"))
    version = frame.seen(order["order_number"], order["version"])
    possible = {int(no): units for no, units in order["cancelable"].items() if units}
    if not possible:
        st.caption(f"Nothing can be canceled: {_why_not(order)}.")
        return
    with st.expander("Cancel", icon=":material/cancel:"):
        _cancel(client, {**order, "version": version}, possible)


def notes(client: Client, order: Json) -> None:
    """Show the remarks, and take one more."""
    st.subheader("Notes", anchor=False)
    for note in order["notes"]:
        st.markdown(written.plain(note["body"]))
        st.caption(
            f"{written.plain(note['author'])}, {show.instant(note['created_at'])}, "
            f"{show.words(note['visibility']).lower()}"
        )
    with st.form("add_note", clear_on_submit=True):
        body = st.text_area("Note", key="note_body", height=80)
        visibility = st.selectbox("For", _VISIBLE, key="note_for", format_func=show.words)
        if st.form_submit_button("Add note", icon=":material/add_comment:") and body.strip():
            path = f"/v1/orders/{order['order_number']}/notes"
            said = {"body": body.strip(), "visibility": visibility}
            # The same words again are another note once the first one stands there.
            turn = len(order["notes"])
            frame.do(partial(client.post, path, said, turn=turn), "The note is added.")


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


def _why_not(order: Json) -> str:
    if order["order_state"] == "canceled":
        return "it is canceled already"
    if order["is_historical"]:
        return "it is history, taken over from another system"
    return "everything has left or is in somebody's hands"
