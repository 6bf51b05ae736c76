"""The rules of sourcing: their versions, a draft of them, and what it would have done."""

from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any, Final

import streamlit as st
import yaml

from dashboards import format as written
from dashboards.api_client import ApiRefusal, Client, Json
from dashboards.panels import frame, navigation, session, show
from dashboards.widgets import choice
from oms.kernel.clock import now

_PATH: Final = "/v1/sourcing/rules"
_SCOPE: Final = "sourcing:write"
_VERSIONS: Final = {
    "version": "Version", "name": "Name", "state": "State", "created_by": "By",
    "created_at": "Drafted (UTC)", "activated_at": "Activated (UTC)",
    "archived_at": "Archived (UTC)",
}  # fmt: skip
_TOTALS: Final = {
    "what": "Over these decisions", "recorded": "As decided", "drafted": "Under the draft",
    "difference": "Difference", "happened": "What happened",
}  # fmt: skip
_WHAT: Final = {
    "parts": "Parts sent to customers", "splits": "Orders sent in parts",
    "cost_minor": "Cost, in cents", "distance_km": "Way to customers, km",
    "late_parts": "Parts later than promised", "transfers": "Transfers to hubs",
    "stock_outs": "Orders short of something",
    "left_units": "Units given to nobody",
}  # fmt: skip
DAYS: Final = 30
EXAMPLE: Final = """name: stores near by, else the distribution center
promise_hours: 48
groups:
  - name: everything
    rules:
      - {name: stores near by, kinds: [store], distance_km_max: 25, stock_buffer: 1,
         sort: [distance]}
      - {name: the center, kinds: [dc]}
    split: {parts_max: 2}
"""


def versions(client: Client) -> None:
    """Show every version of the rules, and one of them as it is written."""
    found = client.get(_PATH)["items"]
    if not found:
        st.info("There are no rules: what is ordered is picked where it was reserved. Write a "
                "draft, try it, and activate it here.")  # fmt: skip
        return
    rows = [{**each, "name": each["rules"]["name"]} for each in found]
    show.table(rows, _VERSIONS, "versions_table", file="rules")
    names = {
        str(each["version"]): f"{each['version']}: {each['rules']['name']}, "
        f"{show.words(each['state']).lower()}"
        for each in found
    }
    number = choice.select("Version", "rules_version", names, next(iter(names)))
    chosen = next(each for each in found if str(each["version"]) == number)
    with st.container(horizontal=True, gap="small"):
        if chosen["state"] == "draft" and session.may(client, _SCOPE):
            with st.popover("Activate", icon=":material/play_arrow:", type="primary"):
                st.markdown(f"From now on version {number} decides; what is active is archived.")
                if st.button("Activate it", key=f"activate_{number}", type="primary"):
                    work = partial(client.post, f"{_PATH}/{number}/activate")
                    frame.do(work, f"Version {number} decides from now on.")
        if st.button("Write another version of it", key=f"edit_{number}"):
            st.session_state["draft_text"] = _yaml(chosen["rules"])
            navigation.go("sourcing", sourcing_shown="draft")
    st.code(_yaml(chosen["rules"]), language="yaml")


def draft(client: Client) -> None:
    """Take rules as they are typed, try them on what was decided, and keep them as a draft."""
    st.session_state.setdefault("draft_text", EXAMPLE)
    text = st.text_area("Rules, as docs/sourcing.md has them", key="draft_text", height=320)
    form = "draft rules"
    turn, today = frame.turn(form), now().date()
    period = st.date_input(
        "Tried on what was decided from and to", (today - timedelta(days=DAYS), today),
        key="draft_period", width=320,
    )  # fmt: skip
    with st.container(horizontal=True, gap="small"):
        is_tried = st.button("Try it", key="draft_try", icon=":material/science:")
        is_kept = session.may(client, _SCOPE) and st.button(
            "Keep it as a draft", key="draft_keep", icon=":material/save:"
        )
    if not (is_tried or is_kept):
        st.caption("Nothing is changed by trying. A draft decides nothing until it is activated.")
        return
    rules = _read(text)
    if rules is None:
        return
    if is_kept:
        work = partial(client.post, _PATH, {"rules": rules}, turn=turn)
        frame.do(work, "The draft is kept: it stands under *Rules*.", form=form)
    _try(client, rules, period)


def _try(client: Client, rules: Json, period: Any) -> None:
    first, *rest = period if isinstance(period, tuple) else (period,)
    last = rest[0] if rest else first
    body = {"rules": rules, "from_at": _begin(first), "to_at": _begin(last + timedelta(days=1))}
    with st.spinner("Planning what was decided once more, by these rules …"):
        try:
            found = client.post(f"{_PATH}:replay", body)
        except ApiRefusal as refused:
            if refused.is_of_the_key:
                raise
            st.error(refused.sentence)
            return
    _compared(found)


def _compared(found: Json) -> None:
    if not found["count"]:
        st.info("The rules can be used. Nothing was decided in this time to try them on: choose "
                "another, or activate rules first.")  # fmt: skip
        return
    more = "" if found["is_complete"] else (
        f" They are the oldest of the time, {found['left_count']:,} more come after them: choose"
        " another time to see those."
    )  # fmt: skip
    st.markdown(
        f"**{found['count']:,} decisions, {found['changed_count']:,} of them would be others.** "
        f"{found['unmatched_count']:,} match none of its groups.{more} What happened is of their "
        f"{found['group_count']:,} delivery groups by now; locations let "
        f"{found['rejection_count']:,} works go."
    )
    rows = [
        {"what": label, "recorded": found["recorded"][name], "drafted": found["drafted"][name],
         "difference": round(found["drafted"][name] - found["recorded"][name], 1),
         "happened": found["happened"][name]}
        for name, label in _WHAT.items()
    ]  # fmt: skip
    show.table(rows, _TOTALS, "compared_table", file="draft_compared")


def _read(text: str) -> Json | None:
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError as error:
        st.error(written.plain(f"This is no YAML: {error}"))
        return None
    if not isinstance(found, dict):
        st.error("Rules begin with their name and their groups, as in the example.")
        return None
    return found


def _yaml(rules: Json) -> str:
    """Write rules as people write them: what is not said is left out, but a no is said."""
    written_out: str = yaml.safe_dump(_said(rules), sort_keys=False, allow_unicode=True)
    return written_out


def _said(value: Any) -> Any:
    if isinstance(value, dict):
        found = {name: _said(each) for name, each in value.items()}
        return {
            name: each for name, each in found.items() if each is not None and each not in ([], {})
        }
    return [_said(each) for each in value] if isinstance(value, list) else value


def _begin(day: date) -> str:
    return datetime.combine(day, time(), UTC).isoformat()
