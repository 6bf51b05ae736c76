"""Store credit: found by its code or its order, with everything that changed it."""

import re
from functools import partial
from typing import Final

import streamlit as st

from dashboards import format as written
from dashboards.api_client import Client, Json
from dashboards.panels import frame, lists, navigation, session, show

_COLUMNS: Final = {
    "credit_number": "Store credit", "secret": "Code", "balance": "Balance",
    "order_number": "Given for", "channel_code": "Channel", "of": "Pays for",
    "created_at": "Since (UTC)", "expires_at": "Until (UTC)",
}  # fmt: skip
_ENTRIES: Final = {
    "entry_no": "No.", "recorded_at": "When (UTC)", "kind": "What", "amount": "Amount",
    "balance": "Balance", "order_number": "Order", "why": "Why", "recorded_by": "By",
    "refund": "For",
}  # fmt: skip

_REFUND: Final = re.compile(r"\bU\d+\b")


def listing(order: str) -> lists.Listing:
    """Return the list of store credits, of one order where it is named."""
    asked: Json = {"order": order} if order else {}
    return lists.Listing(
        name="store_credits", path="/v1/credits", columns=_COLUMNS, asked=asked, row=_row
    )


def card(client: Client, each: Json) -> None:
    """Show a store credit with its entries, all of them to be had as a file."""
    number = each["credit_number"]
    with st.container(border=True, key=f"card_{number}"):
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            amount = written.plain(f"{number}: {show.amount(each['balance'])}")
            st.markdown(f"**{amount}**", width="content")
            st.caption(written.plain(_about(each)), width="content")
        entries = lists.Listing(
            name=f"entries_{number}", path=f"/v1/credits/{number}/entries", columns=_ENTRIES,
            row=_entry,
        )  # fmt: skip
        lists.shown(client, entries, lists.page(client, entries))
        with st.container(horizontal=True, gap="small"):
            if st.button("Its order", key=f"order_of_{number}", type="tertiary"):
                navigation.go("order", number=each["order_number"])
            if session.may(client, "credits:write") and float(each["balance"]["amount"]):
                _lower(client, each)


def _lower(client: Client, each: Json) -> None:
    """Offer to say that a balance is less."""
    number, currency = each["credit_number"], each["balance"]["currency"]
    with st.popover("Lower it"), st.form(f"lower_{number}", border=False):
        amount = st.text_input(f"What it shall be, in {currency}", key=f"lower_to_{number}")
        reason = st.text_input("Why", key=f"lower_why_{number}")
        if st.form_submit_button("Lower it"):
            balance = {"amount": amount.strip(), "currency": currency}
            body = {"balance": balance, "reason": reason.strip()}
            path = f"/v1/credits/{number}/corrections"
            version = frame.seen(number, each["version"])
            frame.do(
                partial(client.post, path, body, version=version),
                f"{number} is lowered.",
            )


def _row(each: Json) -> Json:
    of = "its exchange only" if each["is_of_exchange"] else "any order"
    return {**each, "of": of, "secret": each["code"]}


def _entry(each: Json) -> Json:
    """Name the refund an entry is of; what else caused it is told by its kind and its order."""
    refund = _REFUND.search(each["cause"])
    return {**each, "why": each["reason"], "refund": refund and f"refund {refund[0]}"}


def _about(each: Json) -> str:
    until = f"until {show.instant(each['expires_at'])}" if each["expires_at"] else ""
    parts = [f"code {each['code']}", f"given for {each['order_number']}", until]
    return " · ".join(part for part in parts if part)
