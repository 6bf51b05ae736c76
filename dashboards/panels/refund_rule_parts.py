"""How money goes back: what counts for a channel, taken away as a file, and said anew."""

from collections.abc import Mapping
from functools import partial
from typing import Final

import streamlit as st

from dashboards import format as written
from dashboards.api_client import Client, Json
from dashboards.panels import frame, refund_form, session, show
from dashboards.widgets import choice
from oms.access.model import ROLES
from oms.refunds.model import Mode, RefundKind, TenderOrder

_EVERY: Final = "every"
_SUBJECTS: Final[Mapping[str, str]] = {
    **refund_form.OCCASIONS,
    RefundKind.OWED: "All that is owed", RefundKind.SHIPPING: "Shipping",
    RefundKind.GOODWILL: "Goodwill",
}  # fmt: skip
_MODES: Final[Mapping[str, str]] = {
    Mode.AUTO: "By itself, up to its limit", Mode.APPROVE: "After somebody's leave",
    Mode.MANUAL: "Begun by a person only",
}  # fmt: skip
_ORDERS: Final[Mapping[str, str]] = {
    "": "Nothing said here", TenderOrder.AS_PAID: "The first payment first",
    TenderOrder.LAST_FIRST: "The last payment first",
    TenderOrder.PROPORTIONAL: "Each its share", TenderOrder.CARD_FIRST: "Cards first",
    TenderOrder.GIFT_CARD_FIRST: "Gift cards and store credit first",
}  # fmt: skip
_LIMITS: Final[Mapping[str, str]] = {
    "refund": "Of one refund", "order": "Of one order", "day": "Within 24 hours",
}  # fmt: skip
_COLUMNS: Final = {"for": "For", "how": "How", "limits": "Up to", "others": "Other currencies"}
_PATH: Final = "/v1/refund-rules"


def shown(client: Client) -> None:
    """Show how a channel gives money back, and let who may say it anew."""
    with st.expander("How money goes back", icon=":material/rule:"):
        codes = {code: code for code in show.channel_codes(client)}
        names = {_EVERY: "Every channel that says nothing"} | codes
        channel = choice.select("Rules of", "rules_channel", names, _EVERY)
        asked: Json = {} if channel == _EVERY else {"channel": channel}
        rules = client.get(_PATH, **asked)
        rows = [_row(each) for each in rules["in_force"]]
        show.table(rows, _COLUMNS, "refund_rules", file=f"refund_rules_{channel}")
        said = rules["said"]
        st.caption(
            f"Money goes back to payments in this order: {_ORDERS[rules['tender_order']].lower()}."
        )
        _limits(said)
        st.caption(written.plain(
            "Nobody has said anything of it yet." if said is None else
            f"Version {said['version']} by {said['set_by']}, {show.ago(said['set_at'])} ago: "
            f"{said['reason']}"
        ))  # fmt: skip
        if session.may(client, "refunds:rules"):
            _say(client, asked, said)


def _limits(said: Json | None) -> None:
    """Show what is said of cash and of roles, where anything is."""
    if said is None:
        return
    if said["cash_limits"]:
        most = ", ".join(show.amount(each) for each in said["cash_limits"])
        st.caption(written.plain(f"In cash of what was not paid in cash: up to {most}."))
    rows = [
        {"role": show.words(each["role"])}
        | {name: show.amount(each[name]) if each[name] else "" for name in _LIMITS}
        for each in said["roles"]
    ]
    if rows:
        show.table(rows, {"role": "Role", **_LIMITS}, "refund_roles", file="refund_roles")


def _say(client: Client, asked: Json, said: Json | None) -> None:
    """Let one thing be said anew; what was said of others stays."""
    name = f"refund rules {asked.get('channel', _EVERY)}"
    version = frame.seen(name, 0 if said is None else said["version"])
    kept = asked | _kept(said)
    subject, payments, roles = st.tabs(["One thing", "Payments and cash", "Roles"])
    with subject:
        _say_policy(client, kept, version)
    with payments:
        _say_payments(client, kept, version)
    with roles:
        _say_role(client, kept, version)


def _kept(said: Json | None) -> Json:
    """Return what was said last, as it is said again."""
    if said is None:
        return {"policies": [], "roles": [], "cash_limits": None, "tender_order": None}
    return {
        "policies": said["policies"], "roles": [_role(each) for each in said["roles"]],
        "cash_limits": said["cash_limits"], "tender_order": said["tender_order"],
    }  # fmt: skip


def _say_policy(client: Client, kept: Json, version: int) -> None:
    """Ask how one thing shall go back from now on."""
    with st.form("refund_rules_form", border=False, clear_on_submit=True):
        subject = st.selectbox("What", list(_SUBJECTS), format_func=_SUBJECTS.__getitem__)
        mode = st.selectbox("How it goes back", list(_MODES), format_func=_MODES.__getitem__)
        limit = st.text_input("Up to", placeholder="500.00; empty: however much").strip()
        currency = st.text_input("Currency", value="EUR").strip().upper()
        reason = st.text_input("Why it changes").strip()
        is_sent = st.form_submit_button("Say it", type="primary")
    limits = [{"amount": limit, "currency": currency}] if limit else []
    policy = {"subject": subject, "mode": mode, "limits": limits,
              "otherwise_minor": 0 if limits else None}  # fmt: skip
    others = [each for each in kept["policies"] if each["subject"] != subject]
    if is_sent:
        _send(client, kept | {"policies": [*others, policy]}, version, reason,
              f"{_SUBJECTS[subject]} goes back like this from now on.")  # fmt: skip


def _say_payments(client: Client, kept: Json, version: int) -> None:
    """Ask of which payments money is taken first, and how much of others goes back in cash."""
    orders = list(_ORDERS)
    with st.form("refund_payments_form", border=False, clear_on_submit=True):
        order = st.selectbox(
            "Which payments first", orders, index=orders.index(kept["tender_order"] or ""),
            format_func=_ORDERS.__getitem__,
        )  # fmt: skip
        limit = st.text_input(
            "In cash of what was not paid in cash, up to", placeholder="empty: as it is"
        ).strip()
        currency = st.text_input("Currency of the cash", value="EUR").strip().upper()
        reason = st.text_input("Why they change").strip()
        is_sent = st.form_submit_button("Say it for payments", type="primary")
    cash = kept["cash_limits"]
    if limit:
        others = [each for each in cash or () if each["currency"] != currency]
        cash = [*others, {"amount": limit, "currency": currency}]
    if is_sent:
        _send(client, kept | {"tender_order": order or None, "cash_limits": cash}, version, reason,
              "Payments give back like this from now on.")  # fmt: skip


def _say_role(client: Client, kept: Json, version: int) -> None:
    """Ask how much who has a role may let go."""
    with st.form("refund_roles_form", border=False, clear_on_submit=True):
        role = st.selectbox("Role", list(ROLES))
        currency = st.text_input("Currency of the limits", value="EUR").strip().upper()
        most = {
            name: st.text_input(label, placeholder="empty: however much").strip()
            for name, label in _LIMITS.items()
        }
        reason = st.text_input("Why the role changes").strip()
        is_sent = st.form_submit_button("Say it for the role", type="primary")
    limits = {name: {"amount": each, "currency": currency} for name, each in most.items() if each}
    others = [
        each for each in kept["roles"]
        if each["role"] != role or currency not in {each[name]["currency"] for name in _LIMITS
                                                    if name in each}
    ]  # fmt: skip
    if is_sent:
        roles = [*others, {"role": role, **limits}] if limits else others
        _send(client, kept | {"roles": roles}, version, reason,
              f"{show.words(role)} may let so much go from now on.")  # fmt: skip


def _send(client: Client, body: Json, version: int, reason: str, told: str) -> None:
    if not reason:
        st.warning("Say why: who looks later wants to know.")
        return
    frame.do(partial(client.post, _PATH, body | {"reason": reason}, version=version), told)


def _role(of: Json) -> Json:
    names = ("role", "refund", "order", "day")
    return {name: of[name] for name in names if of[name] is not None}


def _row(policy: Json) -> Json:
    others = policy["otherwise_minor"]
    return {
        "for": _SUBJECTS[policy["subject"]], "how": _MODES[policy["mode"]],
        "limits": ", ".join(show.amount(each) for each in policy["limits"]),
        "others": "however much" if others is None else
        "nothing" if not others else f"{others} of their smallest unit",
    }  # fmt: skip
