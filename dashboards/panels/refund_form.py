"""A refund is composed: what it would come to is seen before it is made, and made once."""

from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from typing import Final

import streamlit as st

from dashboards import format as written
from dashboards.api_client import ApiRefusal, Client, Json
from dashboards.panels import frame, session, show
from oms.refunds.model import Occasion, PaidAs, RefundKind, StalePreview

KINDS: Final[Mapping[str, str]] = {
    RefundKind.OWED: "What is owed back", RefundKind.SHIPPING: "Shipping",
    RefundKind.GOODWILL: "Goodwill",
}  # fmt: skip
OCCASIONS: Final[Mapping[str, str]] = {
    Occasion.RETURN_ACCEPTED: "A return that was accepted", Occasion.CANCELLATION: "A cancellation",
    Occasion.SHORT_SHIPPED: "What a location did not have",
    Occasion.NOT_COLLECTED: "What was not collected", Occasion.PRICE_ADJUSTED: "A lower price",
    Occasion.DELIVERY_FAILED: "What could not be delivered",
    Occasion.OVERPAYMENT: "What was paid too much",
}  # fmt: skip
PAID_AS: Final[Mapping[str, str]] = {
    PaidAs.MONEY: "Money, as it was paid", PaidAs.STORE_CREDIT: "Store credit",
}  # fmt: skip
_SHOWN: Final = "refunded_on_screen"
_SENT: Final = "refunded_as_sent"


def offer(client: Client, order: Json) -> None:
    """Offer to pay something of an order back, where there is something to pay back from."""
    if not session.may(client, "refunds:write"):
        return
    payments = order["payments"]["payments"]
    if any(each["managed_by"] == "oms" and _of(each, "refundable") for each in payments):
        with st.popover("Refund", icon=":material/undo:"):
            _compose(client, order)
    elif any(_of(each, "refundable") for each in payments):
        st.caption("Its channel pays this back by itself, and tells.")


def instrument(payment: Json) -> str:
    """Name what somebody paid with."""
    ending = f" ending {payment['last4']}" if payment["last4"] else ""
    brand = f" {payment['brand']}" if payment["brand"] else ""
    return f"{show.words(payment['tender'])}{brand}{ending}"


def _compose(client: Client, order: Json) -> None:
    """Ask what is to go back, show what comes of it, and do it.

    The fields are named by their turn: what was sent leaves an empty form, where the second
    click of a double click finds nothing to press.
    """
    number, paid = order["order_number"], order["payments"]
    form = f"refund {number}"
    turn = frame.turn(form)
    is_owed = _of(paid, "balance") < 0
    kind = st.selectbox(
        "What for", list(KINDS), index=0 if is_owed else list(KINDS).index(RefundKind.GOODWILL),
        format_func=KINDS.__getitem__, key=f"refund_kind_{turn}",
    )  # fmt: skip
    line_no = _off(order, turn) if kind == RefundKind.GOODWILL else 0
    may_be_all = kind == RefundKind.OWED and is_owed
    typed = st.text_input(
        f"How much, in {paid['balance']['currency']}", key=f"refund_amount_{turn}",
        placeholder="all that is owed" if may_be_all else "3.00",
    ).strip()  # fmt: skip
    reason = st.text_input("Why", key=f"refund_why_{turn}", placeholder="it came late").strip()
    paid_as = st.selectbox(
        "Paid as", list(PAID_AS), format_func=PAID_AS.__getitem__, key=f"refund_as_{turn}"
    )
    currency = paid["balance"]["currency"]
    seen = {"amount": _gone_back(number, turn, paid), "currency": currency}
    body: Json = {"kind": kind, "already_refunded": seen, "paid_as": paid_as}
    body |= {"reason": reason} if reason else {}
    amount = {"amount": typed, "currency": currency}
    body |= {"amount": amount} if typed else {}
    body |= {"lines": [{"line_no": line_no, "amount": amount}]} if line_no else {}
    if not typed and not may_be_all:
        st.caption("Say how much; what comes of it is shown before it is done.")
        return
    path = f"/v1/orders/{number}/refunds"
    preview = _preview(client, path, body)
    if preview is None:
        return
    _shown(preview, order)
    if kind != RefundKind.OWED and not reason:
        st.caption("Say why; the order's story keeps it.")
    elif st.button("Refund", key=f"refund_do_{turn}", type="primary"):
        st.session_state.setdefault(_SENT, {})[turn] = seen["amount"]
        is_given = paid_as == PaidAs.STORE_CREDIT
        told = "is given in store credit" if is_given else "is on its way back"
        told = "waits for somebody's leave" if preview["needs_approval"] else told
        work = partial(_send, client, path, body, form)
        frame.do(work, written.plain(f"{show.amount(preview['amount'])} {told}."))


def _off(order: Json, turn: int) -> int:
    """Ask off which line the goodwill is; 0: off all of them."""
    named = {0: "All lines, by what they come to"} | {
        each["line_no"]: f"{each['line_no']}: {each['title']}" for each in order["lines"]
    }
    return int(st.selectbox(
        "Off what", list(named), format_func=named.__getitem__, key=f"refund_off_{turn}"
    ))  # fmt: skip


def _gone_back(number: str, turn: int, paid: Json) -> str:
    """Return what had gone back as the screen had it: of what was sent, as it was sent.

    So whoever sends again what was not answered sends the same, and who sends something else
    after something went back is told to look.
    """
    parts = [_of(each, name) for each in paid["payments"] for name in ("refunded", "refunding")]
    now = str(sum(parts, Decimal(0)))
    shown: dict[str, str] = st.session_state.setdefault(_SHOWN, {})
    before = shown.get(number, now)
    shown[number] = now
    sent: dict[int, str] = st.session_state.get(_SENT, {})
    return sent.get(turn, before)


def _send(client: Client, path: str, body: Json, form: str) -> None:
    turn = frame.turn(form)
    try:
        client.post(path, body, turn=turn)
    except ApiRefusal as refused:
        if refused.facts.get("code") == StalePreview.code:
            st.session_state[_SENT].pop(turn)
        raise
    frame.end(form)


def _preview(client: Client, path: str, body: Json) -> Json | None:
    try:
        found: Json = client.post(f"{path}:preview", body)
    except ApiRefusal as refused:
        if refused.is_of_the_key:
            raise
        st.warning(written.plain(refused.sentence))
        return None
    return found


def _shown(preview: Json, order: Json) -> None:
    """Show what goes back to which payment, what gets cheaper by it, and who must agree."""
    named = {each["payment_number"]: instrument(each) for each in order["payments"]["payments"]}
    told = [f"**{written.plain(show.amount(preview['amount']))} goes back:**"]
    told += [
        f"- {written.plain(show.amount(each['amount']))} to "
        f"{written.plain(named.get(each['payment_number'], ''))} {each['payment_number']}"
        for each in preview["tenders"]
    ]
    if preview["occasion"]:
        occasion = preview["occasion"]
        told.append(f"- for {OCCASIONS.get(occasion, show.words(occasion)).lower()}")
    told += [_less(each, order) for each in preview["cheaper"]]
    st.markdown("\n".join(told))
    limits = (
        f"Owed: {show.amount(preview['owed'])}. At most: {show.amount(preview['maximum'])}. "
        + ("Somebody else must approve it." if preview["needs_approval"] else "It goes at once.")
        + f" After it {show.amount(preview['stays'])} of what was paid stays, and "
        + f"{show.amount(preview['owed_after'])} is owed."
    )
    st.caption(written.plain(limits))


def _less(less: Json, order: Json) -> str:
    """Say what of a refund is off the price of which line, with the tax that is in it."""
    titles = {each["line_no"]: each["title"] for each in order["lines"]} | {0: "shipping"}
    told = f"{show.amount(show.added(less['net'], less['tax']))} off {titles[less['line_no']]}, "
    return f"- {written.plain(told + show.amount(less['tax']))} of it tax"


def _of(record: Json, name: str) -> Decimal:
    return Decimal(record[name]["amount"])
