"""Refunds in bulk: put together, looked at, agreed on by somebody else, followed to the end."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

import streamlit as st

from dashboards import format as written
from dashboards.api_client import Client, Json
from dashboards.panels import frame, lists, navigation, refund_form, session, show
from dashboards.widgets import choice
from oms.refunds.batches import (
    DECIDING,
    EDITABLE,
    ROWS_MAX,
    BatchAction,
    BatchState,
    RowState,
)

ANY: Final = "any"
QUEUES: Final = {
    "working": "In the making", "awaiting_approval": "To approve", "paying": "Being paid",
    "ended": "Over", ANY: "All",
}  # fmt: skip
_STATES: Final[Mapping[str, Sequence[str]]] = {
    "working": [BatchState.DRAFT, BatchState.VALIDATING, BatchState.VALIDATED],
    "awaiting_approval": [BatchState.AWAITING_APPROVAL],
    "paying": [BatchState.APPROVED, BatchState.EXECUTING, BatchState.PAUSED],
    "ended": [
        BatchState.COMPLETED, BatchState.PARTIALLY_FAILED, BatchState.STOPPED, BatchState.CANCELED,
    ],
    ANY: [],
}  # fmt: skip
# The worker is at it: the page looks again by itself.
RUNNING: Final = frozenset({BatchState.VALIDATING, BatchState.APPROVED, BatchState.EXECUTING})
LOOK_AGAIN_SECONDS: Final = 2.0
_COLUMNS: Final = {
    "batch_number": "Batch", "name": "Name", "how": "State", "created_by": "Made by",
    "submitted_by": "Submitted by", "approved_by": "Approved by", "created_at": "Made (UTC)",
    "changed_at": "Changed (UTC)",
}  # fmt: skip
_TOTALS: Final = {
    "for": "For", "row": "State", "refund": "Its refund", "count": "Rows", "amount": "Amount",
}  # fmt: skip
_ROWS: Final = {
    "row_no": "Row", "order_number": "Order", "for": "For", "asked": "Asked",
    "amount": "Comes to", "maximum": "At most", "row": "State", "why_not": "Why not",
    "refund_number": "Refund", "refund": "Its refund", "why": "Why",
}  # fmt: skip
_ROW_STATES: Final[Mapping[str, str]] = {
    RowState.OPEN: "To be looked at", RowState.ELIGIBLE: "Can be paid",
    RowState.REFUSED: "Cannot be paid", RowState.DONE: "Refund made", RowState.FAILED: "Failed",
    RowState.STALE: "Changed since the dry run",
}  # fmt: skip
_SAID: Final[Mapping[str, str]] = {
    BatchState.VALIDATING: "Dry run going on", BatchState.VALIDATED: "Dry run done",
}  # fmt: skip
_WHY_NOT: Final[Mapping[str, str]] = {
    "REFUND_EXCEEDED": "More than may go back", "ORDER_NOT_FOUND": "No such order",
    "ORDER_TWICE": "Another row is of this order", "CURRENCY_MISMATCH": "Not the order's currency",
    "REFUND_LIMIT": "Beyond the limits of who approved it", "REASON_NEEDED": "No reason is given",
    "INTERNAL": "Something unforeseen: see the log", "STALE_PREVIEW": "It comes to something else",
}  # fmt: skip
_TAPS: Final[Mapping[str, str]] = {
    BatchAction.VALIDATE: "Dry run", BatchAction.SUBMIT: "Submit for approval",
    BatchAction.APPROVE: "Approve", BatchAction.RESUME: "Go on", BatchAction.PAUSE: "Pause",
    BatchAction.RETRY: "Try what failed again", BatchAction.REJECT: "Reject",
    BatchAction.WITHDRAW: "Withdraw", BatchAction.STOP: "Stop for good",
    BatchAction.CANCEL: "Cancel it",
}  # fmt: skip
_FORWARD: Final = frozenset({
    BatchAction.VALIDATE, BatchAction.SUBMIT, BatchAction.APPROVE, BatchAction.RESUME,
    BatchAction.RETRY,
})  # fmt: skip
_DONE: Final[Mapping[str, str]] = {
    BatchAction.VALIDATE: "is being looked at", BatchAction.SUBMIT: "waits for approval",
    BatchAction.APPROVE: "is approved and being paid", BatchAction.RESUME: "goes on",
    BatchAction.PAUSE: "pauses", BatchAction.RETRY: "is a draft of what failed",
    BatchAction.REJECT: "is rejected, and a draft again",
    BatchAction.WITHDRAW: "is withdrawn, and a draft again",
    BatchAction.STOP: "is stopped: what is not paid by now is not paid",
    BatchAction.CANCEL: "is canceled",
}  # fmt: skip
_PLACEHOLDER: Final = "order_number,kind,amount,currency,reason\nR100000001,goodwill,5.00,EUR,late"
_FROM_CSV: Final = "csv"
_SOURCES: Final = {_FROM_CSV: "A CSV", "orders": "What is owed of orders found"}


def listing(queue: str) -> lists.Listing:
    """Return the list of batches in a state."""
    asked: Json = {"state": list(_STATES[queue])} if _STATES[queue] else {}
    return lists.Listing(
        name="refund_batches", path="/v1/refund-batches", columns=_COLUMNS, asked=asked,
        row=lambda each: {**each, "how": _state(each)},
    )  # fmt: skip


def make(client: Client) -> None:
    """Offer to put a batch together; nothing goes back before somebody else approved it."""
    if not session.may(client, "refunds:write"):
        return
    with st.popover("New batch", icon=":material/add:"):
        form = "refund batch"
        turn = frame.turn(form)
        name = st.text_input("Name", key=f"batch_name_{turn}", placeholder="Storm week 47").strip()
        source = st.radio(
            "Of", list(_SOURCES), format_func=_SOURCES.__getitem__, key=f"batch_source_{turn}",
            horizontal=True,
        )  # fmt: skip
        rows = _csv(turn) if source == _FROM_CSV else _search(client, turn)
        st.caption(f"At most {ROWS_MAX:,} rows. A dry run says of each what it comes to.")
        if st.button("Make a draft", key=f"batch_do_{turn}", type="primary",
                     disabled=not name or rows is None):  # fmt: skip
            frame.do(partial(_make, client, {"name": name, **(rows or {})}, form),
                     "The draft is made: have it looked at next.")  # fmt: skip


def _make(client: Client, body: Json, form: str) -> None:
    client.post("/v1/refund-batches", body, turn=frame.turn(form))
    frame.end(form)


def _csv(turn: int) -> Json | None:
    file = st.file_uploader("File", type="csv", key=f"batch_file_{turn}")
    typed = st.text_area("… or its lines", key=f"batch_lines_{turn}", placeholder=_PLACEHOLDER)
    kinds = ", ".join(f"`{kind}` ({name.lower()})" for kind, name in refund_form.KINDS.items())
    st.caption(f"The kinds are {kinds}. What is owed needs no amount.")
    if file is not None:
        try:
            return {"csv": file.getvalue().decode("utf-8-sig")}
        except UnicodeDecodeError:
            st.warning("The file is not text in UTF-8: save it as CSV UTF-8 and choose it again.")
            return None
    return {"csv": typed} if typed.strip() else None


def _search(client: Client, turn: int) -> Json | None:
    codes = show.channel_codes(client)
    channels = st.multiselect("Channel", codes, key=f"batch_channels_{turn}", placeholder="Any")
    words = st.text_input(
        "Orders with these words", key=f"batch_words_{turn}", placeholder="a name, a SKU, a tag"
    ).strip()
    first = st.date_input("Placed from", value=None, key=f"batch_from_{turn}", format="YYYY-MM-DD")
    reason = st.text_input("Why", key=f"batch_why_{turn}", placeholder="recalled").strip()
    orders: Json = {"channel": channels} if channels else {}
    orders |= {"q": words} if words else {}
    orders |= {"placed_from": f"{first.isoformat()}T00:00:00Z"} if first is not None else {}
    if not orders:
        st.caption("Choose at least one thing the orders have.")
        return None
    return {"orders": orders, "reason": reason}


def nothing(queue: str) -> None:
    """Say that there is no such batch, and how one is made."""
    st.info(f"No batch is {'there yet' if queue == ANY else QUEUES[queue].lower()}. *New batch* "
            "takes a CSV, or what is owed of the orders of a search.")  # fmt: skip


def one(client: Client, found: Sequence[Json]) -> None:
    """Let one batch be looked at, agreed on and followed."""
    names = {
        each["batch_number"]: f"{each['batch_number']}: {each['name']}, {_state(each).lower()}"
        for each in found
    }
    number = choice.select("Batch", "batch", names, next(iter(names)))
    path = f"/v1/refund-batches/{number}"
    batch = client.get(path)
    version = frame.seen(number, batch["version"])
    with st.container(border=True, key=f"batch_{number}"):
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            st.markdown(f"**{written.plain(batch['name'])}** {number}", width="content")
            show.state(batch["state"], said=_state(batch))
            st.caption(written.plain(_about(batch)), width="content")
        progress(client, batch)
        _totals(batch)
        with st.container(horizontal=True, gap="small"):
            _actions(client, batch, version)
            st.download_button(
                "Finance file", data=partial(client.file, f"{path}/export"), mime="text/csv",
                file_name=f"refunds_{number}.csv", icon=":material/csv:", on_click="ignore",
                key=f"export_{number}", type="tertiary",
            )  # fmt: skip
        _why_not(client, batch)
    rows(client, batch, version)


def progress(client: Client, batch: Json) -> None:
    """Show how far the worker is with a batch, and look again by itself until it is done."""
    if batch["state"] not in RUNNING:
        return

    @st.fragment(run_every=LOOK_AGAIN_SECONDS)
    def looked() -> None:
        now = client.get(f"/v1/refund-batches/{batch['batch_number']}")
        if now["state"] != batch["state"]:
            st.rerun()
        left = RowState.OPEN if now["state"] == BatchState.VALIDATING else RowState.ELIGIBLE
        waiting = sum(each["count"] for each in now["totals"] if each["state"] == left)
        done = now["rows_count"] - waiting
        st.progress(done / max(now["rows_count"], 1), f"{done:,} of {now['rows_count']:,} rows")

    looked()


def rows(client: Client, batch: Json, version: int) -> None:
    """Show the rows of a batch by what became of them; let them be changed while they may be."""
    number = batch["batch_number"]
    counts = dict.fromkeys(_ROW_STATES, 0)
    for each in batch["totals"]:
        counts[each["state"]] += each["count"]
    options = {ANY: f"All {batch['rows_count']:,}"} | {
        state: f"{label} {counts[state]:,}" for state, label in _ROW_STATES.items() if counts[state]
    }
    state = choice.segments("Rows", "batch_rows", options, ANY)
    asked: Json = {} if state == ANY else {"state": state}
    listed = lists.Listing(
        name=f"rows_{number}", path=f"/v1/refund-batches/{number}/rows", columns=_ROWS,
        asked=asked, row=_row,
    )  # fmt: skip
    lists.shown(client, listed, lists.page(client, listed), opens="order")
    if batch["state"] in EDITABLE and session.may(client, "refunds:write"):
        _edit(client, batch, version)


def _edit(client: Client, batch: Json, version: int) -> None:
    """Let a row be said anew or taken out: what was found and agreed on is void then."""
    number = batch["batch_number"]
    with st.popover("Change rows", icon=":material/edit:"):
        row_no = int(st.number_input("Row", min_value=1, key=f"row_no_{number}"))
        amount = st.text_input("Amount", key=f"row_amount_{number}", placeholder="5.00").strip()
        reason = st.text_input("Why", key=f"row_why_{number}").strip()
        path = f"/v1/refund-batches/{number}/rows"
        with st.container(horizontal=True, gap="small"):
            if st.button("Change it", key=f"row_change_{number}", disabled=not amount):
                work = partial(
                    _change, client, path, row_no, amount=amount, reason=reason, version=version
                )
                frame.do(work, f"Row {row_no} is changed: have the batch looked at again.")
            if st.button("Take it out", key=f"row_remove_{number}", type="tertiary"):
                work = partial(client.post, path, {"remove": [row_no]}, version=version)
                frame.do(work, f"Row {row_no} is taken out: have the batch looked at again.")


def _change(
    client: Client, path: str, row_no: int, *, amount: str, reason: str, version: int
) -> None:
    """Say a row anew with another amount; all else of it stays."""
    found = client.get(path, after=row_no - 1, limit=1)["items"]
    if not found or found[0]["row_no"] != row_no:
        client.post(path, {"remove": [row_no]}, version=version)  # which says that it is none
        return
    row = found[0]
    money = row["amount"] or (row["eligible"] or {}).get("amount")
    currency = money["currency"] if money else _currency(client, row["order_number"])
    body = {
        "row_no": row_no, "order_number": row["order_number"], "kind": row["kind"],
        "amount": {"amount": amount, "currency": currency}, "reason": reason or row["reason"],
    }  # fmt: skip
    client.post(path, {"rows": [body]}, version=version)


def _currency(client: Client, number: str) -> str:
    order: Json = client.get(f"/v1/orders/{show.in_path(number)}")
    return str(order["total"]["currency"])


def _actions(client: Client, batch: Json, version: int) -> None:
    """Offer what the caller may do with a batch."""
    number = batch["batch_number"]
    for action, label in _TAPS.items():
        if action not in batch["allowed_actions"] or not _may(client, batch, action):
            continue
        is_again = action == BatchAction.VALIDATE and batch["state"] == BatchState.VALIDATED
        kind: Any = "primary" if action in _FORWARD and not is_again else "tertiary"
        if st.button(f"{label} again" if is_again else label, key=f"{action}_{number}", type=kind):
            body = {"action": action}
            body |= {"digest": batch["digest"]} if action == BatchAction.APPROVE else {}
            path = f"/v1/refund-batches/{number}/actions"
            work = partial(client.post, path, body, version=version)
            frame.do(work, f"{number} {_DONE[action]}.")


def _may(client: Client, batch: Json, action: str) -> bool:
    if action not in DECIDING:
        return session.may(client, "refunds:write")
    return session.may(client, "refunds:approve") and not _is_own(client, batch)


def _is_own(client: Client, batch: Json) -> bool:
    return session.me(client)["name"] in {batch["submitted_by"], batch["edited_by"]}


def _why_not(client: Client, batch: Json) -> None:
    if batch["state"] != BatchState.AWAITING_APPROVAL:
        return
    if _is_own(client, batch):
        st.caption("You changed or submitted it: somebody else approves it.")
    elif not session.may(client, "refunds:approve"):
        st.caption("Somebody who may approve refunds decides on it.")


def _totals(batch: Json) -> None:
    told = [
        {
            **each, "for": refund_form.KINDS[each["kind"]], "row": _ROW_STATES[each["state"]],
            "refund": show.words(each["refund_state"]) if each["refund_state"] else "",
        }
        for each in batch["totals"]
    ]  # fmt: skip
    show.table(told, _TOTALS, f"totals_{batch['batch_number']}")


def _state(batch: Json) -> str:
    return _SAID.get(batch["state"]) or show.words(batch["state"])


def _about(batch: Json) -> str:
    parts = [
        f"{batch['rows_count']:,} rows", f"made by {batch['created_by']}",
        f"submitted by {batch['submitted_by']}" if batch["submitted_by"] else "",
        f"approved by {batch['approved_by']}" if batch["approved_by"] else "",
        f"changed {show.ago(batch['changed_at'])} ago",
    ]  # fmt: skip
    return " · ".join(part for part in parts if part)


def _row(row: Json) -> Json:
    seen = row["eligible"] or {}
    return {
        **row, "for": refund_form.KINDS[row["kind"]], "asked": row["amount"] or "all that is owed",
        "amount": seen.get("amount"), "maximum": seen.get("maximum"),
        "row": _ROW_STATES[row["state"]], "why": row["reason"],
        "why_not": row["code"] and (_WHY_NOT.get(row["code"]) or show.words(row["code"])),
        "refund": show.words(row["refund_state"]) if row["refund_state"] else "",
    }  # fmt: skip


def link() -> None:
    """Lead from single refunds to those in bulk."""
    if st.button("Refunds in bulk", icon=":material/playlist_add_check:", type="tertiary"):
        navigation.go("refund_batches")
