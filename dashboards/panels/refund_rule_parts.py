"""How money goes back: what counts for a channel, taken away as a file, and said anew."""

from collections.abc import Mapping
from functools import partial
from typing import Final

import streamlit as st

from dashboards import format as written
from dashboards.api_client import Client, Json
from dashboards.panels import frame, refund_form, session, show
from dashboards.widgets import choice
from oms.refunds.model import Mode, RefundKind

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
        st.caption(written.plain(
            "Nobody has said anything of it yet." if said is None else
            f"Version {said['version']} by {said['set_by']}, {show.ago(said['set_at'])} ago: "
            f"{said['reason']}"
        ))  # fmt: skip
        if session.may(client, "refunds:rules"):
            _say(client, asked, said)


def _say(client: Client, asked: Json, said: Json | None) -> None:
    """Ask how one thing shall go back from now on; what was said of others stays."""
    name = f"refund rules {asked.get('channel', _EVERY)}"
    version = frame.seen(name, 0 if said is None else said["version"])
    with st.form("refund_rules_form", border=False, clear_on_submit=True):
        subject = st.selectbox("What", list(_SUBJECTS), format_func=_SUBJECTS.__getitem__)
        mode = st.selectbox("How it goes back", list(_MODES), format_func=_MODES.__getitem__)
        limit = st.text_input("Up to", placeholder="500.00; empty: however much").strip()
        currency = st.text_input("Currency", value="EUR").strip().upper()
        reason = st.text_input("Why it changes").strip()
        is_sent = st.form_submit_button("Say it", type="primary")
    if not is_sent:
        return
    if not reason:
        st.warning("Say why: who looks later wants to know.")
        return
    limits = [{"amount": limit, "currency": currency}] if limit else []
    before = {} if said is None else {each["subject"]: each for each in said["policies"]}
    policy = {"subject": subject, "mode": mode, "limits": limits,
              "otherwise_minor": 0 if limits else None}  # fmt: skip
    body: Json = {
        **asked, "reason": reason, "policies": list({**before, subject: policy}.values()),
        "roles": [] if said is None else [_role(each) for each in said["roles"]],
        "cash_limits": None if said is None else said["cash_limits"],
    }  # fmt: skip
    frame.do(partial(client.post, _PATH, body, version=version),
             f"{_SUBJECTS[subject]} goes back like this from now on.")  # fmt: skip


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
