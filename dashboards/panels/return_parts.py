"""Returns: listed, and one of them with what may be done next."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

import streamlit as st

from dashboards import format as written
from dashboards.api_client import Client, Json
from dashboards.panels import frame, lists, navigation, return_form, session, show
from dashboards.widgets import choice
from oms.returns.model import AWAITED, OPEN, Condition, Disposition, ReturnState

STAGES: Final = {
    "open": "Open", "asked": "To be approved", "awaited": "To come", "here": "Here, undecided",
    "resolved": "To be refunded", "over": "Over",
}  # fmt: skip
AGES: Final = {"any": "At any time", "3": "3 days ago or earlier", "14": "14 days ago or earlier"}
_S: Final = ReturnState
_STATES: Final[Mapping[str, Sequence[str]]] = {
    "open": sorted(OPEN), "asked": [_S.REQUESTED], "awaited": sorted(AWAITED - {_S.REQUESTED}),
    "here": [_S.RECEIVED, _S.INSPECTED], "resolved": [_S.RESOLVED],
    "over": [_S.COMPLETED, _S.DECLINED, _S.CANCELED, _S.EXPIRED],
}  # fmt: skip
_COLUMNS: Final = {
    "return_number": "Return", "state": "State", "order_number": "Order",
    "location_code": "Location", "units": "Units", "what": "Articles", "why": "Why",
    "odd": "Look at", "created_at": "Asked (UTC)", "expires_at": "Until (UTC)",
}  # fmt: skip
_LINES: Final = {
    "sku": "SKU", "title": "Title", "reason": "Reason", "what_for": "For", "expected": "Expected",
    "received": "Received", "missing": "Missing", "inspected": "Looked at", "accepted": "Accepted",
    "rejected": "Rejected",
}  # fmt: skip
_OTHERS: Final = {"state": "What", "sku": "SKU", "quantity": "Units", "receipt_id": "Receipt"}
_STRAYS: Final = {
    "sku": "SKU", "quantity": "Units", "location_code": "Location", "reason": "Why",
    "return_ref": "Said to be of", "order_ref": "Order", "tracking_number": "Tracking number",
    "candidates": "May be of", "received_at": "Came (UTC)",
}  # fmt: skip
_DONE: Final = {
    "approve": "is approved", "decline": "is declined", "ship": "is on its way",
    "receive": "is received", "inspect": "is looked at", "accept": "is accepted",
    "reject": "is rejected", "cancel": "is canceled",
}  # fmt: skip
_TAPS: Final = {"approve": "Approve", "accept": "Accept all of it", "ship": "It is on its way"}
_NAMES: Final = {
    Condition.NEW: "As new", Condition.OPENED: "Opened", Condition.USED: "Used",
    Condition.DAMAGED: "Damaged", Condition.WRONG_ITEM: "Another item",
}  # fmt: skip


def listing(location: str, stage: str, age: str) -> lists.Listing:
    """Return the list of returns of a location."""
    asked: Json = {"state": list(_STATES[stage])}
    asked |= {} if location == "any" else {"location": location}
    asked |= {} if age == "any" else {"older_than": age}
    return lists.Listing(
        name="returns", path="/v1/returns", columns=_COLUMNS, asked=asked, row=_row
    )


def one(client: Client, found: Sequence[Json]) -> None:
    """Let one return be looked at and moved on."""
    names = {
        each["return_number"]: f"{each['return_number']}: order {each['order_number']}, "
        f"{show.words(each['state']).lower()}"
        for each in found
    }
    number = choice.select("Return", "return", names, next(iter(names)))
    card(client, next(one for one in found if one["return_number"] == number))


def unidentified(client: Client, location: str) -> None:
    """Show what came and is nobody's yet."""
    asked: Json = {} if location == "any" else {"location": location}
    strays = lists.Listing(
        name="unidentified", path="/v1/returns/unidentified", columns=_STRAYS, asked=asked
    )
    answer = lists.page(client, strays)
    if answer["items"]:
        st.subheader("Came, and nobody knows whose it is", anchor=False)
        lists.shown(client, strays, answer)


def card(client: Client, each: Json) -> None:
    """Show a return with its lines and what is owed, and what may be done next."""
    number = each["return_number"]
    with st.container(border=True, key=f"card_{number}"):
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            st.markdown(f"**{number}**", width="content")
            show.state(each["state"])
            st.caption(_told(each), width="content")
        lines = [{**line, "what_for": return_form.RESOLUTIONS[line["resolution"]]}
                 for line in each["lines"]]  # fmt: skip
        show.table(lines, _LINES, f"lines_{number}", file=f"lines_of_{number}")
        if each["note"]:
            st.caption(written.plain(f"The customer says: {each['note']}"))
        others = [row for row in each["receipts"] if row["state"] != "taken"]
        if others or each["is_after_expiry"]:
            st.warning("It came late." if each["is_after_expiry"] else "Something else came, too.")
            show.table(others, _OTHERS, f"others_{number}")
        _ways(client, each)
        version = frame.seen(number, each["version"])
        act = partial(_act, client, {**each, "version": version})
        offers = {"decline": _reason, "reject": _reason, "receive": _receive, "inspect": _inspect}
        with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
            for action in sorted(each["allowed_actions"], key=_rank):
                if action in offers:
                    offers[action](each, action, act)
                elif st.button(
                    _TAPS.get(action, show.words(action)), key=f"{action}_{number}",
                    type="tertiary" if action == "cancel" else "primary",
                ):  # fmt: skip
                    act(action)
        if not each["allowed_actions"]:
            st.caption("Nothing is left to be done with its goods.")


def _ways(client: Client, each: Json) -> None:
    """Lead to what goes with a return: its slip, and the order it is of."""
    number = each["return_number"]
    with st.container(horizontal=True, gap="small"):
        st.download_button(
            "Return slip", data=partial(client.file, f"/v1/returns/{show.in_path(number)}/slip"),
            file_name=f"{number}.pdf", mime="application/pdf", on_click="ignore",
            icon=":material/download:", key=f"slip_{number}", type="tertiary",
        )  # fmt: skip
        if session.may(client, "orders:read") and st.button(
            "Its order", key=f"order_of_{number}", type="tertiary", icon=":material/receipt:"
        ):
            navigation.go("order", number=each["order_number"])


def _rank(action: str) -> tuple[bool, str]:
    return action in {"cancel", "decline", "reject"}, action


def _reason(each: Json, action: str, act: Any) -> None:
    number = each["return_number"]
    with (
        st.popover(show.words(action), type="tertiary"),
        st.form(f"{action}_form_{number}", border=False),
    ):
        reason = st.text_input("Why", key=f"{action}_why_{number}")
        if st.form_submit_button(f"{show.words(action)} it"):
            act(action, reason=reason.strip() or None)


def _receive(each: Json, action: str, act: Any) -> None:
    number = each["return_number"]
    # A receipt has a name of its own; this one is of what was there when it was written.
    receipt = f"console-{number}-{each['version']}"
    if st.button("All of it came", key=f"receive_{number}", type="primary"):
        act(action, receipt_id=receipt)
    with st.popover("Some of it came"), st.form(f"receive_form_{number}", border=False):
        came = [
            {"line_no": line["line_no"], "quantity": int(st.number_input(
                written.plain(f"Came of {line['title']}"), 0, None,
                line["expected"] - line["received"] - line["missing"],
                key=f"came_{number}_{line['line_no']}",
            ))}
            for line in each["lines"]
        ]  # fmt: skip
        is_complete = st.checkbox("The rest will not come", key=f"whole_{number}")
        if st.form_submit_button("Received as said", type="primary"):
            some = [line for line in came if line["quantity"]]
            act(action, receipt_id=receipt, received=some, is_complete=is_complete)


def _inspect(each: Json, action: str, act: Any) -> None:
    number = each["return_number"]
    with (
        st.popover("Say what it is like", type="primary"),
        st.form(f"inspect_form_{number}", border=False),
    ):
        units = []
        for line in each["lines"]:
            left = line["received"] - line["inspected"]
            if left:
                key = f"{number}_{line['line_no']}"
                st.caption(written.plain(f"{left} of {line['title']}"))
                units.append({
                    "line_no": line["line_no"], "quantity": left,
                    "condition": st.selectbox(
                        "Condition", list(_NAMES), format_func=_NAMES.__getitem__,
                        key=f"condition_{key}"),
                    "disposition": st.selectbox(
                        "What becomes of it", list(Disposition), format_func=show.words,
                        key=f"disposition_{key}"),
                })  # fmt: skip
        if st.form_submit_button("Put it away", type="primary"):
            act(action, inspected=units)


def _act(client: Client, each: Json, action: str, **said: Any) -> None:
    number = each["return_number"]
    body = {"action": action, **{name: value for name, value in said.items() if value is not None}}
    if action == "receive":
        body["location_code"] = each["location_code"]
    work = partial(client.post, f"/v1/returns/{number}/actions", body, version=each["version"])
    frame.do(work, f"{number} {_DONE[action]}.")


def _row(each: Json) -> Json:
    lines = each["lines"]
    is_odd = each["is_after_expiry"] or any(row["state"] != "taken" for row in each["receipts"])
    return {
        **each, "units": sum(line["expected"] for line in lines),
        "what": ", ".join(f"{line['expected']} {line['sku']}" for line in lines),
        "why": ", ".join(sorted({show.words(line["reason"]) for line in lines})),
        "odd": "look at it" if is_odd else "",
    }  # fmt: skip


def _told(each: Json) -> str:
    parts = [
        f"order {each['order_number']}", each["location_code"],
        f"asked {show.ago(each['created_at'])} ago",
        f"{show.amount(each['owed'])} owed" if each["decisions"] else None,
        f"{each['carrier'] or ''} {each['tracking_number'] or ''}".strip(),
    ]  # fmt: skip
    return written.plain(" · ".join(part for part in parts if part))
