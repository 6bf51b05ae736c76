"""Work given to another location, whole or a part of it, made two or one: agents decide it."""

from collections.abc import Mapping
from functools import partial
from typing import Final

import streamlit as st

from dashboards import format as written
from dashboards.api_client import Client, Json
from dashboards.panels import frame, session, show

# Who picks does not decide who picks.
_PICKERS: Final = frozenset({"store"})
_HERE: Final = ""
_ALL: Final = ""


def offer(client: Client, each: Json) -> None:
    """Offer to give a fulfillment order elsewhere, to split it and to make it one with others.

    As far as its state allows.
    """
    me = session.me(client)
    if me["role"] in _PICKERS or not session.may(client, "fulfillment:write"):
        return
    allowed = each["allowed_actions"]
    others = {
        code: name for code, name in show.place_options(client).items()
        if code != each["location_code"]
    }  # fmt: skip
    if "move" in allowed and others:
        _move(client, each, others)
    if "split" in allowed and sum(line["open"] for line in each["lines"]) > 1:
        _split(client, each, others)
    if "merge" in allowed and each["merges_with"]:
        _merge(client, each)


def _move(client: Client, each: Json, others: Mapping[str, str]) -> None:
    number = each["fulfillment_number"]
    with st.popover("Give elsewhere", type="tertiary"), st.form(f"move_{number}", border=False):
        st.caption("All of it is asked of the other location, which must have it.")
        to = st.selectbox(
            "To", list(others), key=f"move_to_{number}", format_func=others.__getitem__
        )
        if st.form_submit_button("Give it", type="primary"):
            done = f"{number} is given to {others[to]}."
            _act(client, each, {"action": "move", "to_location_code": to}, done)


def _split(client: Client, each: Json, others: Mapping[str, str]) -> None:
    number = each["fulfillment_number"]
    places = {_HERE: "It stays here, as work of its own"} | dict(others)
    with st.popover("Split", type="tertiary"), st.form(f"split_{number}", border=False):
        st.caption("What is split off becomes a piece of work of its own; some must stay.")
        taken = [
            {"line_no": line["line_no"], "quantity": int(st.number_input(
                f"Split off of {written.plain(line['title'])}", 0, line["open"], 0,
                key=f"split_{number}_{line['line_no']}",
            ))}
            for line in each["lines"] if line["open"]
        ]  # fmt: skip
        to = st.selectbox(
            "Where", list(places), key=f"split_to_{number}", format_func=places.__getitem__
        )
        if st.form_submit_button("Split it", type="primary"):
            body: Json = {"action": "split", "split_off": taken}
            body |= {"to_location_code": to} if to else {}
            _act(client, each, body, f"{number} is split.")


def _merge(client: Client, each: Json) -> None:
    number, with_which = each["fulfillment_number"], each["merges_with"]
    options = {each: each for each in with_which}
    if len(with_which) > 1:
        options = {_ALL: f"All {len(with_which)} of them"} | options
    with st.popover("Make one", type="tertiary"), st.form(f"merge_{number}", border=False):
        st.caption(
            "Other work of the order at this location becomes part of this one; nobody has"
            " accepted it yet."
        )
        taken = st.selectbox(
            "Take in", list(options), key=f"merge_with_{number}", format_func=options.__getitem__
        )
        if st.form_submit_button("Make one of them", type="primary"):
            body: Json = {"action": "merge"} | ({"merge_number": taken} if taken else {})
            _act(client, each, body, f"{number} has taken in {options[taken]}.")


def _act(client: Client, each: Json, body: Json, done: str) -> None:
    path = f"/v1/fulfillments/{each['fulfillment_number']}/actions"
    frame.do(partial(client.post, path, body, version=each["version"]), written.plain(done))
