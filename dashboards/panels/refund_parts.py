"""Refunds: listed, looked at one by one, approved, rejected, canceled or tried again."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

import streamlit as st

from dashboards import format as written
from dashboards.api_client import Client, Json
from dashboards.panels import frame, lists, refund_form, session, show
from dashboards.widgets import choice
from oms.refunds.model import PaidAs, RefundAction, RefundState

ANY: Final = "any"
DECIDING: Final = frozenset({RefundAction.APPROVE, RefundAction.REJECT})
QUEUES: Final = {
    "awaiting_approval": "To approve", "failed": "Failed", "requested": "On the way",
    "succeeded": "Gone back", "ended": "Not made", ANY: "All",
}  # fmt: skip
_STATES: Final[Mapping[str, Sequence[str]]] = {
    "awaiting_approval": [RefundState.AWAITING_APPROVAL],
    "failed": [RefundState.FAILED, RefundState.PARTIALLY_SUCCEEDED, RefundState.REVERSED],
    "requested": [RefundState.REQUESTED], "succeeded": [RefundState.SUCCEEDED],
    "ended": [RefundState.REJECTED, RefundState.CANCELED], ANY: [],
}  # fmt: skip
_NOTHING: Final = {
    "awaiting_approval": "No refund waits for approval.", "failed": "No refund has failed.",
    "requested": "No refund is on its way.", "succeeded": "No refund has gone back yet.",
    "ended": "No refund was rejected or canceled.", ANY: "There is no refund yet.",
}  # fmt: skip
_COLUMNS: Final = {
    "refund_number": "Refund", "order_number": "Order", "state": "State", "amount": "Amount",
    "age": "Age", "asked_by": "Asked by", "for": "For", "credit": "As", "why": "Why",
    "channel_code": "Channel", "failed": "What failed", "decided_by": "Decided by",
    "created_at": "Since (UTC)",
}  # fmt: skip
_TAPS: Final = {
    "approve": "Approve", "retry": "Try again", "other_tender": "Pay another way",
    "reject": "Reject", "cancel": "Cancel it",
}  # fmt: skip
_DONE: Final = {
    "approve": "is approved and on its way", "retry": "is tried again", "reject": "is rejected",
    "cancel": "is canceled", "other_tender": "goes to other payments of its order",
}  # fmt: skip
# Some of it went back: what is canceled is only the rest.
_GONE: Final = frozenset({RefundState.PARTIALLY_SUCCEEDED, RefundState.REVERSED})
_ON_ORDER_MAX: Final = 50


def listing(queue: str, kind: str, channel: str) -> lists.Listing:
    """Return the list of refunds in a state, of a kind and a channel."""
    asked: Json = {"state": list(_STATES[queue])} if _STATES[queue] else {}
    asked |= {} if kind == ANY else {"kind": kind}
    asked |= {} if channel == ANY else {"channel": channel}
    return lists.Listing(
        name="refunds", path="/v1/refunds", columns=_COLUMNS, asked=asked, row=_row
    )


def nothing(queue: str) -> None:
    """Say that there is no such refund, and where one is made."""
    st.info(f"{_NOTHING[queue]} What is owed goes back by itself; anything else is refunded on its "
            "order's page, under *Money*.")  # fmt: skip


def one(client: Client, found: Sequence[Json]) -> None:
    """Let one refund be looked at and decided on."""
    names = {
        each["refund_number"]: f"{each['refund_number']}: {show.amount(each['amount'])} for "
        f"{each['order_number']}, {show.words(each['state']).lower()}"
        for each in found
    }
    number = choice.select("Refund", "refund", names, next(iter(names)))
    card(client, next(each for each in found if each["refund_number"] == number))


def of_order(client: Client, order: Json) -> None:
    """Show the refunds of an order, the last ones first."""
    found = order["refunds"]
    if not found:
        return
    st.subheader("Refunds", anchor=False)
    for each in list(reversed(found))[:_ON_ORDER_MAX]:
        card(client, each)
    if len(found) > _ON_ORDER_MAX:
        st.caption("Older ones are listed under *Refunds*.")


def card(client: Client, refund: Json) -> None:
    """Show a refund with what goes back where, and what may be done with it."""
    number = refund["refund_number"]
    version = frame.seen(number, refund["version"])
    with st.container(border=True, key=f"refund_card_{number}"):
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            amount = written.plain(show.amount(refund["amount"]))
            st.markdown(f"**{amount}** {number}", width="content")
            show.state(refund["state"])
            st.caption(written.plain(_told(refund)), width="content")
        show.together([*map(_share, refund["tenders"]), *map(_cheaper, refund["cheaper"])])
        _actions(client, refund, version)


def _actions(client: Client, refund: Json, version: int) -> None:
    """Offer what the caller may do with a refund; say who must do the rest."""
    number = refund["refund_number"]
    is_own = refund["requested_by"] == session.me(client)["name"]
    may_decide = session.may(client, "refunds:approve") and not is_own
    offered = [
        action for action in _TAPS if action in refund["allowed_actions"]
        and session.may(client, "refunds:write") and (may_decide or action not in DECIDING)
    ]  # fmt: skip
    with st.container(horizontal=True, gap="small"):
        for action in offered:
            is_forward = action in {RefundAction.APPROVE, RefundAction.RETRY}
            if action == RefundAction.CANCEL and refund["state"] in _GONE:
                _give_up(client, number, version)
            elif st.button(_TAPS[action], key=f"{action}_{number}",
                         type="primary" if is_forward else "tertiary"):  # fmt: skip
                path = f"/v1/refunds/{number}/actions"
                work = partial(client.post, path, {"action": action}, version=version)
                frame.do(work, f"{number} {_DONE[action]}.")
    if not may_decide and DECIDING & set(refund["allowed_actions"]):
        st.caption("You asked for it: somebody else approves it." if is_own
                   else "Somebody who may approve refunds decides on it.")  # fmt: skip


def _give_up(client: Client, number: str, version: int) -> None:
    """Offer to leave it at what went back, with a reason."""
    with st.popover("Give up the rest"):
        reason = st.text_input("Why", key=f"give_up_why_{number}").strip()
        if st.button("Give up", key=f"cancel_{number}", disabled=not reason):
            work = partial(
                client.post, f"/v1/refunds/{number}/actions",
                {"action": "cancel", "reason": reason}, version=version,
            )  # fmt: skip
            frame.do(work, f"{number} is left at what went back.")


def _share(share: Json) -> str:
    """Say what goes back to a payment, and how far that is."""
    said = f"{show.amount(share['amount'])} to {share['payment_number']}: "
    said += "not asked for" if share["state"] is None else show.words(share["state"]).lower()
    said += f" ({share['failure']})" if share["failure"] else ""
    said += ", and was returned" if share["is_reversed"] else ""
    said += "; given up" if share["is_given_up"] else ""
    if share["state"] == "unknown":
        said += "; it may have gone back, so nobody may pay it another way"
    return written.plain(said)


def _cheaper(less: Json) -> str:
    """Say what is off the price of a line."""
    what = f"line {less['line_no']}" if less["line_no"] else "shipping"
    return written.plain(f"{show.amount(show.added(less['net'], less['tax']))} off {what}")


def _told(refund: Json) -> str:
    parts = [
        f"{refund_form.KINDS[refund['kind']].lower()} of {refund['order_number']}",
        f"asked by {refund['requested_by']} {show.ago(refund['created_at'])} ago",
        f"decided by {refund['decided_by']}" if refund["decided_by"] else "", _credit(refund),
        refund["reason"],
    ]  # fmt: skip
    return " · ".join(part for part in parts if part)


def _credit(refund: Json) -> str:
    """Say of a refund that is no money what it is."""
    is_credit = refund["paid_as"] == PaidAs.STORE_CREDIT
    return f"store credit {refund['credit_number'] or ''}".strip() if is_credit else ""


def _row(refund: Json) -> Json:
    return {
        **refund, "for": refund_form.KINDS[refund["kind"]], "why": refund["reason"],
        "age": show.ago(refund["created_at"]), "asked_by": refund["requested_by"],
        "credit": _credit(refund),
        "failed": ", ".join(
            each["failure"] for each in refund["tenders"] if each["failure"]
        ),
    }  # fmt: skip
