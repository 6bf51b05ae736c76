"""How an order is paid: what is due and kept, every payment, and what was done with each."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Final

import streamlit as st

from dashboards import format as written
from dashboards.api_client import Client, Json
from dashboards.panels import frame, lists, refund_form, refund_parts, session, show
from oms.payments.model import OPEN, TransactionState

_ORDER: Final = {
    "due": "Due", "authorized": "Authorized", "captured": "Captured", "refunded": "Refunded",
}  # fmt: skip
# What of a payment is where; what is not known to be over stands apart.
_WHERE: Final = {
    "amount": "in all", "authorized": "authorized", "captured": "captured",
    "capturing": "being captured", "voided": "given up", "refunded": "refunded",
    "refunding": "on its way back", "charged_back": "charged back",
    "capturable": "may still be captured", "refundable": "may still go back",
}  # fmt: skip
_TRANSACTIONS: Final = {
    "type": "Operation", "state": "State", "amount": "Amount", "failure": "Why not",
    "requested_at": "Asked (UTC)", "finished_at": "Over (UTC)", "begun_by": "Begun by",
    "transaction_number": "Number", "psp_reference": "Reference there",
}  # fmt: skip
_DONE: Final[Mapping[str, str]] = {
    "authorize": "authorized", "capture": "captured", "void": "given up", "refund": "paid back",
}  # fmt: skip
_BEGUN: Final = {"oms": "us", "channel": "its channel", "psp": "its service", "till": "a till"}

_STATES: Final = {"none": "No payment", "awaiting": "Awaiting payment"}
QUEUES: Final = {
    "doubtful": "Not answered", "pending": "Pending there", "all": "All open", "failed": "Failed",
}  # fmt: skip
ADVICE: Final = {
    "open": "Each counts as done until its service answers: nobody may do it again or pay it "
    "another way. Look there under its number.",
    "failed": "Nobody has asked for it again. Open its order to do so, under *Money*.",
}  # fmt: skip
NOTHING: Final = {
    "open": "Nothing is open: every payment service has said what it did. What it has not said yet "
    "shows up here.",
    "failed": "No capture has failed, and nothing that was not given up is still held.",
}  # fmt: skip
_QUEUED: Final[Mapping[str, Sequence[str]]] = {
    "doubtful": [TransactionState.REQUESTED, TransactionState.UNKNOWN],
    "pending": [TransactionState.PENDING], "all": sorted(OPEN), "failed": [TransactionState.FAILED],
}  # fmt: skip
_UNFINISHED: Final = {
    "transaction_number": "Number", "order_number": "Order", "type": "Operation",
    "state": "State", "amount": "Amount", "age": "Age", "psp": "Payment service",
    "payment_number": "Payment", "failure": "Why", "channel_code": "Channel",
    "requested_at": "Asked (UTC)",
}  # fmt: skip
_NOTICES: Final = {
    "psp": "Payment service", "type": "Operation", "state": "State", "amount": "Amount",
    "age": "Age", "payment_reference": "Payment there", "psp_reference": "Operation there",
    "received_at": "Told (UTC)",
}  # fmt: skip


def unfinished(queue: str, psp: str) -> lists.Listing:
    """Return the list of operations that are not known to be over."""
    asked: Json = {"state": list(_QUEUED[queue])} | ({"psp": psp} if psp else {})
    return lists.Listing(
        name="operations", path="/v1/transactions", columns=_UNFINISHED, asked=asked,
        row=lambda each: {**each, "age": show.ago(each["requested_at"])},
    )  # fmt: skip


def parked(client: Client) -> None:
    """Show what payment services told of payments nobody knows here, where there is any."""
    listing = lists.Listing(
        name="notices", path="/v1/notices", columns=_NOTICES, asked={},
        row=lambda each: {**each, "age": show.ago(each["received_at"])},
    )  # fmt: skip
    answer = lists.page(client, listing)
    if answer["items"]:
        st.subheader("Notifications of no payment we know", anchor=False)
        st.caption("Applied by themselves once their payment is known here, by whatever comes. "
                   "Find their orders at the payment service.")  # fmt: skip
        lists.shown(client, listing, answer)


def of_order(client: Client, order: Json) -> None:
    """Show how an order is paid, with what may be paid back of it."""
    paid = order["payments"]
    st.subheader("Money", anchor=False)
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        show.state(paid["payment_state"], said=_STATES.get(paid["payment_state"]))
        if paid["payments"]:  # else nobody here knows what is open
            st.markdown(written.plain(_balance(paid)), width="content")
    if not paid["payments"]:
        st.caption("No payment is known: how it is paid is its channel's business.")
    else:
        show.facts({label: show.amount(paid[name]) for name, label in _ORDER.items()})
    for each in paid["payments"]:
        _payment(client, each)
    refund_form.offer(client, order)
    refund_parts.of_order(client, order)


def _balance(paid: Json) -> str:
    """Say who still owes what."""
    left = Decimal(paid["balance"]["amount"])
    currency = paid["balance"]["currency"]
    if not left:
        return "Balance: nothing is open."
    told = written.money(abs(left), currency)
    return f"Balance: {told} {'to be paid' if left > 0 else 'to go back'}."


def _again(client: Client, payment: Json) -> None:
    """Offer to ask its service once more for what failed."""
    number = payment["payment_number"]
    version = frame.seen(number, payment["version"])
    last = {each["type"]: each["state"] for each in payment["transactions"]}
    left = payment["capturable"]
    if not Decimal(left["amount"]) or not session.may(client, "payments:write"):
        return
    for action, said in (("capture", "Capture"), ("void", "Give up")):
        if last.get(action) == "failed" and st.button(
            f"{said} {show.amount(left)} again", key=f"{action}_{number}", type="tertiary"
        ):
            path = f"/v1/payments/{number}/actions"
            frame.do(partial(client.post, path, {"action": action}, version=version),
                     f"{number}: its service is asked again.")  # fmt: skip


def _payment(client: Client, payment: Json) -> None:
    number = payment["payment_number"]
    with st.container(border=True, key=f"payment_{number}"):
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            st.markdown(f"**{written.plain(refund_form.instrument(payment))}** {number}",
                        width="content")  # fmt: skip
            show.state(payment["state"])
            st.caption(written.plain(_about(payment)), width="content")
        sums = {
            label: payment[name] for name, label in _WHERE.items()
            if Decimal(payment[name]["amount"])
        }  # fmt: skip
        st.markdown(written.plain(
            " · ".join(f"{show.amount(amount)} {label}" for label, amount in sums.items())
        ))  # fmt: skip
        for each in payment["transactions"]:
            if each["state"] == "unknown":
                _unknown(payment, each)
        _again(client, payment)
        if payment["transactions"]:
            done = [{**each, "begun_by": _BEGUN.get(each["source"], each["source"])}
                    for each in payment["transactions"]]  # fmt: skip
            show.table(done, _TRANSACTIONS, f"transactions_{number}",
                       file=f"operations_on_{number}")  # fmt: skip


def _unknown(payment: Json, done: Json) -> None:
    """Say of an operation what it is: neither done nor not, and not to be done again."""
    what = f"{show.amount(done['amount'])} was {_DONE.get(done['type'], done['type'])}"
    psp = payment["psp"] or "Its payment service"
    st.warning(
        f"**It is not known whether {written.plain(what)}.** {written.plain(psp)} did not say "
        "what it did. It counts as done: nobody may do it again or pay it another way. Look there "
        f"under {done['transaction_number']}.",
        icon=":material/help:",
    )


def _about(payment: Json) -> str:
    handled = "us" if payment["managed_by"] == "oms" else "its channel"
    parts = [
        f"{payment['psp']} {payment['psp_reference'] or ''}".strip() if payment["psp"] else "",
        f"taken at {payment['location_code']}" if payment["location_code"] else "",
        f"handled by {handled}", f"since {show.instant(payment['created_at'])}",
    ]  # fmt: skip
    if payment["authorized_until_at"]:
        parts.append(f"authorized until {show.instant(payment['authorized_until_at'])}")
    return " · ".join(part for part in parts if part)
