"""Decisions of sourcing: what each location was given, and why the others were passed over."""

from collections.abc import Mapping
from typing import Final

import streamlit as st

from dashboards import format as written
from dashboards.api_client import ApiRefusal, Client, Json
from dashboards.panels import lists, show
from dashboards.widgets import choice

_ANY: Final = "any"
_LEFT: Final = {_ANY: "All", "left": "Something went to nobody"}
_COLUMNS: Final = {
    "order_number": "Order", "given": "Given to", "left_units": "Given to nobody",
    "decided_at": "Decided (UTC)", "rule_group": "By the rules", "version": "Version",
    "channel_code": "Channel", "candidates_count": "Looked at", "cost_minor": "Cost, in cents",
}  # fmt: skip
_CANDIDATES: Final = {
    "location_name": "Location", "is_taken": "Taken", "has": "Has of it",
}  # fmt: skip
_SCORES: Final[Mapping[str, str]] = {
    "distance": "Distance, km", "stock_left": "Stock left", "capacity_left": "Capacity left",
    "priority": "Priority", "node_cost": "Cost, in cents",
}  # fmt: skip


def listed(client: Client) -> None:
    """Show the decisions there were, and one of them in full."""
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        where = {_ANY: "Every location"} | show.place_options(client)
        location = choice.select("Given to", "decided_at_location", where, _ANY)
        left = choice.segments("Which", "decided_left", _LEFT, _ANY)
    asked: Json = {"only_left": left != _ANY}
    asked |= {} if location == _ANY else {"location": location}
    listing = lists.Listing(
        name="decisions", path="/v1/sourcing/decisions", columns=_COLUMNS, asked=asked,
        row=lambda each: _row(client, each),
    )  # fmt: skip
    answer = lists.page(client, listing)
    if not answer["items"]:
        st.info("Nothing was decided by rules. Draft some and activate them: from then on each "
                "order that is sent is decided by them, and shows up here.")  # fmt: skip
        return
    lists.shown(client, listing, answer, opens="order")
    names = {
        str(each["decision_id"]): f"{each['order_number']}, {show.instant(each['decided_at'])}"
        for each in answer["items"]
    }
    number = choice.select("Decision", "decision", names, next(iter(names)))
    _decision(client, next(e for e in answer["items"] if str(e["decision_id"]) == number))


def of_order(client: Client, number: str) -> None:
    """Show why an order is supplied from where it is, where rules decided it."""
    try:
        found = client.get(f"/v1/orders/{number}/sourcing")["items"]
    except ApiRefusal as refused:
        if refused.is_of_the_key:
            raise
        st.caption(refused.sentence)
        return
    if not found:
        return
    st.subheader("Why it is supplied from there", anchor=False)
    for each in found[::-1]:
        _decision(client, each)


def _decision(client: Client, each: Json) -> None:
    with st.container(border=True, key=f"decision_{each['decision_id']}"):
        st.markdown(f"**{written.plain(_given(client, each))}**")
        group = f"by the rules *{written.plain(each['rule_group'])}*" if each["rule_group"] else ""
        st.caption(f"{show.instant(each['decided_at'])} UTC {group} of version {each['version']}")
        if each["hub_reason"]:
            st.markdown(written.plain(each["hub_reason"]))
        scores = [
            name for name in _SCORES
            if any(candidate["scores"].get(name) is not None for candidate in each["candidates"])
        ]  # fmt: skip
        rows = [
            {**candidate, **candidate["scores"], "reason_text": candidate["reason"],
             "location_name": show.place(client, candidate["location_code"]),
             "has": ", ".join(f"{n} {sku}" for sku, n in candidate["stock"].items())}
            for candidate in sorted(each["candidates"], key=lambda one: not one["is_taken"])
        ]  # fmt: skip
        columns = _CANDIDATES | {name: _SCORES[name] for name in scores}
        # The reasons are long: behind them nothing would be seen.
        columns |= {"ready_at": "Ready (UTC)", "reason_text": "Why"}
        show.table(rows, columns, f"candidates_{each['decision_id']}",
                   file=f"decision_{each['decision_id']}")  # fmt: skip


def _given(client: Client, each: Json) -> str:
    parts = [
        f"{sum(part['quantities'].values())} from {show.place(client, part['location_code'])}"
        for part in each["parts"]
    ]
    left = sum(each["left"].values())
    parts += [f"{left} from nobody: planned again every few minutes"] if left else []
    return ", ".join(parts) or "Nothing was given out"


def _row(client: Client, each: Json) -> Json:
    return {
        **each, "given": ", ".join(
            show.place(client, part["location_code"]) for part in each["parts"]
        ),
        "left_units": sum(each["left"].values()) or None,
        "cost_minor": each["cost_minor"] or None, "candidates_count": len(each["candidates"]),
    }  # fmt: skip
