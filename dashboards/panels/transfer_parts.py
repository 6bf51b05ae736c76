"""Transfers: listed, requested, and one of them with what may be done next."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import streamlit as st

from dashboards import format as written
from dashboards.api_client import Client, Json
from dashboards.panels import frame, lists, session, show
from dashboards.widgets import choice
from oms.fulfillment.model import Reason
from oms.transfers.model import OPEN, UNSENT, TransferState

STAGES: Final = {
    "open": "Open", "unsent": "To be sent", "shipped": "On the way",
    "received": "Received", "closed": "Closed", "canceled": "Canceled",
}  # fmt: skip
_STATES: Final[Mapping[str, Sequence[str]]] = {
    "open": sorted(OPEN), "unsent": sorted(UNSENT),
    "shipped": [TransferState.SHIPPED, TransferState.PARTIALLY_RECEIVED],
    "received": [TransferState.RECEIVED], "closed": [TransferState.CLOSED],
    "canceled": [TransferState.CANCELED],
}  # fmt: skip
_COLUMNS: Final = {
    "transfer_number": "Transfer", "state": "State", "from": "From", "to": "To",
    "units": "Units", "what": "Articles", "order_number": "For order", "differs": "Differs",
    "shipped_at": "Sent (UTC)", "tracking_number": "Tracking number", "created_at": "Asked (UTC)",
}  # fmt: skip
_LINES: Final = {
    "sku": "SKU", "title": "Title", "quantity": "Asked", "removed": "Not sent", "picked": "Picked",
    "shipped": "Sent", "received": "Received", "damaged": "Damaged", "missing": "Missing",
    "in_transit": "On the way",
}  # fmt: skip
_DIFFERENCES: Final = {
    "kind": "What", "sku": "SKU", "quantity": "Units", "found_at": "Found (UTC)",
    "receipt_id": "Receipt",
}  # fmt: skip
_TAPS: Final = {
    "allocate": "Keep the goods for it", "unpick": "Put back", "return": "Call it back",
    "close": "Close: what is not here is missing",
}  # fmt: skip
# Ways out are there, but not where a thumb rests.
_QUIET: Final = frozenset({"cancel", "redirect", "return", "unpick"})
_DONE: Final = {
    "allocate": "has its goods", "pick": "is picked", "ship": "is on its way",
    "receive": "is received", "close": "is closed", "cancel": "is canceled",
}  # fmt: skip


def listing(client: Client, location: str, way: str, stage: str) -> lists.Listing:
    """Return the list of transfers of a location."""
    asked: Json = {"state": list(_STATES[stage])}
    asked |= {} if location == "any" else {"location": location}
    asked |= {} if way == "any" else {"direction": way}
    return lists.Listing(
        name="transfers", path="/v1/transfers", columns=_COLUMNS, asked=asked,
        row=lambda each: _row(client, each),
    )  # fmt: skip


def request(client: Client) -> None:
    """Let a location be asked to fill the shelves of another."""
    if not session.may(client, "fulfillment:write"):
        return
    where, form = show.place_options(client), "request a transfer"
    turn = frame.turn(form)
    mine: list[str] = session.me(client)["location_codes"] or list(where)
    with (
        st.popover("Fill shelves", icon=":material/move_up:"),
        st.form("request_transfer", border=False),
    ):
        named = where.__getitem__
        source = st.selectbox("From", list(where), format_func=named, key="transfer_from")
        target = st.selectbox("To", mine, index=None, format_func=named, key="transfer_to")
        wanted = st.text_area(
            "What: a SKU and how many, one in a line", key="transfer_lines", height=100,
            placeholder="MUG-BLUE 4",
        )  # fmt: skip
        if st.form_submit_button("Ask for it", type="primary"):
            lines = _wanted(wanted)
            if lines is None or target is None:
                st.error("A location, and in each line a SKU and how many, are needed.")
                return
            body = {"from_location_code": source, "to_location_code": target, "lines": lines}
            work = partial(client.post, "/v1/transfers", body, turn=turn)
            frame.do(work, "It is asked for. Keep the goods for it next.", form=form)


def one(client: Client, found: Sequence[Json]) -> None:
    """Let one transfer be looked at and moved on."""
    names = {
        each["transfer_number"]: f"{each['transfer_number']}: "
        f"{each['from_location_code']} to {each['to_location_code']}, "
        f"{show.words(each['state']).lower()}"
        for each in found
    }
    number = choice.select("Transfer", "transfer", names, next(iter(names)))
    each = next(one for one in found if one["transfer_number"] == number)
    card(client, each)


def card(client: Client, each: Json) -> None:
    """Show a transfer with its lines and differences, and what may be done next."""
    number = each["transfer_number"]
    with st.container(border=True, key=f"card_{number}"):
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            st.markdown(f"**{number}**", width="content")
            show.state(each["state"])
            st.caption(_told(client, each), width="content")
        show.table(each["lines"], _LINES, f"lines_{number}", file=f"lines_of_{number}")
        if each["discrepancies"]:
            st.warning("What came is not what left.")
            show.table(each["discrepancies"], _DIFFERENCES, f"differences_{number}")
        version = frame.seen(number, each["version"])
        act = partial(_act, client, {**each, "version": version})
        redirect = partial(_redirect, show.place_options(client))
        offers: Mapping[str, Callable[[Json, Any], None]] = {
            "redirect": redirect, "pick": _pick, "ship": _ship, "receive": _receive,
            "cancel": _cancel,
        }  # fmt: skip
        with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
            for action in sorted(each["allowed_actions"], key=lambda name: name in _QUIET):
                if action in offers:
                    offers[action](each, act)
                elif st.button(_TAPS.get(action, show.words(action)), key=f"{action}_{number}",
                               type="tertiary" if action in _QUIET else "primary"):  # fmt: skip
                    act(action)
        if not each["allowed_actions"]:
            st.caption("Nothing is left to be done with it.")


def _pick(each: Json, act: Any) -> None:
    number = each["transfer_number"]
    if st.button("All picked", key=f"pick_{number}", type="primary"):
        act("pick")
    with st.popover("Something is short"), st.form(f"short_{number}", border=False):
        picked = [
            {"line_no": line["line_no"], "quantity": _count(
                f"Picked of {line['title']}", line["quantity"] - line["removed"],
                f"picked_{number}_{line['line_no']}",
            )}
            for line in each["lines"]
        ]  # fmt: skip
        reason = st.selectbox("Why", list(Reason), format_func=show.words, key=f"why_{number}")
        if st.form_submit_button("Picked as said", type="primary"):
            act("pick", picked=picked, reason=reason)


def _ship(each: Json, act: Any) -> None:
    number = each["transfer_number"]
    with st.popover("Send it", type="primary"), st.form(f"send_{number}", border=False):
        carrier = st.text_input("Carrier", key=f"carrier_{number}")
        tracking = st.text_input("Tracking number", key=f"tracking_{number}")
        if st.form_submit_button("It has left", type="primary"):
            act("ship", carrier=carrier.strip() or None, tracking_number=tracking.strip() or None)


def _receive(each: Json, act: Any) -> None:
    number = each["transfer_number"]
    # A receipt has a name of its own; this one is of what was there when it was written.
    receipt = f"console-{each['version']}"
    expected = [line for line in each["lines"] if line["in_transit"]]
    if st.button("All came well", key=f"receive_{number}", type="primary"):
        act("receive", receipt_id=receipt)
    with st.popover("Something differs"), st.form(f"receive_form_{number}", border=False):
        came = [
            {"line_no": line["line_no"],
             "received": _count(f"Came well: {line['title']}", None,
                                f"came_{number}_{line['line_no']}", line["in_transit"]),
             "damaged": _count("of it damaged, beside those", None,
                               f"broken_{number}_{line['line_no']}", 0)}
            for line in expected
        ]  # fmt: skip
        wrong = st.text_area(
            "What nobody sent for: a SKU and how many, one in a line", key=f"wrong_{number}",
            height=70,
        )  # fmt: skip
        is_complete = st.checkbox(
            "That was all: what did not come is missing", value=True, key=f"whole_{number}"
        )
        if st.form_submit_button("Received as said", type="primary"):
            others = _wanted(wrong) if wrong.strip() else []
            if others is None:
                st.error("In each line a SKU and how many are needed.")
                return
            act("receive", receipt_id=receipt, came=came, wrong_items=others or None,
                is_complete=is_complete)  # fmt: skip


def _redirect(named: Mapping[str, str], each: Json, act: Any) -> None:
    number = each["transfer_number"]
    codes = [code for code in named if code != each["to_location_code"]]
    with st.popover("Send it elsewhere", type="tertiary"):
        to = st.selectbox(
            "To", codes, key=f"elsewhere_{number}", format_func=lambda code: named.get(code, code)
        )
        if st.button("It goes there", key=f"redirect_{number}"):
            act("redirect", to_location_code=to)


def _cancel(each: Json, act: Any) -> None:
    number = each["transfer_number"]
    with st.popover("Cancel it", type="tertiary"):
        reason = st.selectbox("Why", list(Reason), format_func=show.words, key=f"no_{number}")
        if st.button("Cancel the transfer", key=f"cancel_{number}"):
            act("cancel", reason=reason if each["order_number"] else None)


def _act(client: Client, each: Json, action: str, **said: Any) -> None:
    number = each["transfer_number"]
    body = {"action": action, **{name: value for name, value in said.items() if value is not None}}
    work = partial(client.post, f"/v1/transfers/{number}/actions", body, version=each["version"])
    frame.do(work, f"{number} {_DONE[action]}.")


def _count(label: str, most: int | None, key: str, value: int | None = None) -> int:
    asked = (most or 0) if value is None else value
    return int(st.number_input(written.plain(label), 0, most, asked, key=key))


def _wanted(text: str) -> list[Json] | None:
    """Read a SKU and how many from each line; None where that is not what stands there."""
    lines = []
    for line in text.splitlines():
        if not line.strip():
            continue
        sku, _, quantity = line.strip().rpartition(" ")
        if not sku.strip() or not quantity.isdecimal() or not int(quantity):
            return None
        lines.append({"sku": sku.strip(), "quantity": int(quantity)})
    return lines or None


def _row(client: Client, each: Json) -> Json:
    lines = each["lines"]
    return {
        **each, "from": show.place(client, each["from_location_code"]),
        "to": show.place(client, each["to_location_code"]),
        "units": sum(line["quantity"] - line["removed"] for line in lines),
        "what": ", ".join(f"{line['quantity']} {line['sku']}" for line in lines),
        "differs": "look at it" if each["discrepancies"] else "",
    }  # fmt: skip


def _told(client: Client, each: Json) -> str:
    parts = [
        f"{show.place(client, each['from_location_code'])} to "
        f"{show.place(client, each['to_location_code'])}",
        f"for {each['order_number']}" if each["order_number"] else "to fill shelves",
        f"for {show.ago(each['changed_at'])}",
        f"{each['carrier'] or ''} {each['tracking_number'] or ''}".strip(),
    ]
    return written.plain(" · ".join(part for part in parts if part))
