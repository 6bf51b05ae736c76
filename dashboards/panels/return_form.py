"""A return is asked for: line by line, for money, store credit or something else instead."""

from collections.abc import Mapping
from functools import partial
from typing import Final

import streamlit as st

from dashboards import format as written
from dashboards.api_client import ApiRefusal, Client, Json
from dashboards.panels import frame, session, show
from oms.exchanges.model import Direction
from oms.returns.model import Method, Resolution, ReturnReason

RESOLUTIONS: Final[Mapping[str, str]] = {
    Resolution.REFUND: "Money back", Resolution.STORE_CREDIT: "Store credit",
    Resolution.EXCHANGE: "Something else instead", Resolution.REPLACE: "The same again",
    Resolution.NONE: "Nothing",
}  # fmt: skip
_METHODS: Final[Mapping[str, str]] = {
    Method.CARRIER: "A carrier brings it", Method.DROP_OFF: "The customer sends it",
    Method.IN_STORE: "To a store's counter",
}  # fmt: skip
_BALANCES: Final[Mapping[str, str]] = {
    Direction.EVEN: "An even exchange: nobody owes anything.",
    Direction.UP: "The customer pays {} before it is sent.",
    Direction.DOWN: "{} goes back to the customer.",
}  # fmt: skip


def offer(client: Client, order: Json) -> None:
    """Offer to take something of an order back, where something of it has left."""
    is_gone = any(line["shipped"] > line["returned"] for line in order["lines"])
    if is_gone and session.may(client, "returns:request"):
        # It grows with every line: where it floated, its end and its button were out of sight.
        with st.expander("Take back", icon=":material/assignment_return:"):
            _compose(client, order["order_number"])


def _compose(client: Client, number: str) -> None:
    """Ask what comes back and what for, show what comes of it, and ask for it."""
    path = f"/v1/orders/{show.in_path(number)}"
    lines = [each for each in client.get(f"{path}/returnable")["lines"] if each["quantity"]]
    if not lines:
        st.caption("Nothing of it can be given back any more.")
        return
    form = f"return {number}"
    turn = frame.turn(form)
    asked = [found for each in lines if (found := _line(each, turn)) is not None]
    method = st.selectbox(
        "How it comes", list(Method), format_func=_METHODS.__getitem__, key=f"back_method_{turn}"
    )
    if not asked:
        st.caption("Say how much of what comes back.")
        return
    body: Json = {"lines": asked, "method": method} | _override(client, turn)
    preview = _preview(client, f"{path}/returns:preview", body)
    if preview is not None:
        _shown(preview)
        if st.button("Ask for it", key=f"back_do_{turn}", type="primary"):
            work = partial(_send, client, f"{path}/returns", body, form)
            frame.do(work, f"A return of {number} is asked for.")


def _override(client: Client, turn: int) -> Json:
    """Let only who may say why the channel's rules do not count."""
    if not session.may(client, "returns:override"):
        return {}
    why = st.text_input(
        "Why its channel's rules do not count", key=f"back_override_{turn}",
        placeholder="left out: they do",
    ).strip()  # fmt: skip
    return {"override_reason": why} if why else {}


def _line(each: Json, turn: int) -> Json | None:
    """Ask about a line; None where nothing of it comes back."""
    key = f"{turn}_{each['line_no']}"
    quantity = st.number_input(
        written.plain(f"{each['title']}: how many of {each['quantity']}"), 0, each["quantity"], 0,
        key=f"back_units_{key}",
    )  # fmt: skip
    if not quantity:
        return None
    reason = st.selectbox("Why", list(ReturnReason), format_func=show.words, key=f"back_why_{key}")
    resolution = st.selectbox(
        "For what", list(RESOLUTIONS), format_func=RESOLUTIONS.__getitem__, key=f"back_for_{key}"
    )
    asked: Json = {
        "line_no": each["line_no"], "quantity": int(quantity), "reason": reason,
        "resolution": resolution,
    }  # fmt: skip
    if resolution == Resolution.EXCHANGE:
        asked["wanted"] = _wanted(each, int(quantity), key)
    return asked


def _wanted(each: Json, quantity: int, key: str) -> Json:
    sku = st.text_input("Wanted instead: SKU", each["sku"], key=f"wanted_sku_{key}").strip()
    units = st.number_input("How many of it", 1, None, quantity, key=f"wanted_units_{key}")
    price = st.text_input(
        f"Unit price in {each['net']['currency']}", key=f"wanted_price_{key}",
        placeholder="as it was paid, or is sold now",
    ).strip()  # fmt: skip
    wanted: Json = {"sku": sku or each["sku"], "quantity": int(units)}
    if price:
        why = st.text_input("Why it costs that", key=f"wanted_why_{key}").strip()
        wanted |= {"unit_price": price} | ({"price_reason": why} if why else {})
    return wanted


def _preview(client: Client, path: str, body: Json) -> Json | None:
    try:
        found: Json = client.post(path, body)
    except ApiRefusal as refused:
        if refused.is_of_the_key:
            raise
        st.warning(written.plain(refused.sentence))
        return None
    return found


def _shown(preview: Json) -> None:
    """Show what each customer gets for it, and who owes whom for what is wanted instead."""
    named = {"refund": "back in money", "store_credit": "in store credit",
             "exchanged": "towards what is wanted instead",
             "wanted": "is what that costs"}  # fmt: skip
    told = [
        f"- {written.plain(show.amount(preview[name]))} {words}"
        for name, words in named.items() if float(preview[name]["amount"])
    ]  # fmt: skip
    if told:
        st.markdown("\n".join(["**If all of it is accepted:**", *told]))
    if float(preview["exchanged"]["amount"]) or float(preview["wanted"]["amount"]):
        balance = preview["balance"]
        much = show.amount({**balance, "amount": balance["amount"].lstrip("-")})
        st.info(written.plain(_BALANCES[preview["direction"]].format(much)))
    st.caption("Fees that are kept and shipping that goes back are not in it.")


def _send(client: Client, path: str, body: Json, form: str) -> None:
    client.post(path, body, turn=frame.turn(form))
    frame.end(form)
