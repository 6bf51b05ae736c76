"""A location's work: its queue, and a card for each piece with what may be done next."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import streamlit as st

from dashboards import format as written
from dashboards.api_client import Client, Json
from dashboards.panels import attachment_parts, frame, moving_parts, session, show
from dashboards.widgets import address, choice
from oms.kernel.clock import now

STAGES: Final = {
    "all": "All", "new": "New", "pick": "To pick", "pack": "To pack", "hand": "To hand over",
}  # fmt: skip
_STATES: Final[Mapping[str, tuple[str, ...]]] = {
    "all": (), "new": ("assigned", "waiting_for_transfer"), "pick": ("accepted", "picking"),
    "pack": ("picked",), "hand": ("packed", "ready_for_collection"),
}  # fmt: skip
_REASONS: Final = ("not_found", "damaged", "no_capacity", "closed", "other")
_TAPS: Final = {
    "accept": "Accept", "start_pick": "Start picking", "unpick": "Put back", "pack": "Packed",
    "unpack": "Unpack", "ready": "Ready to collect", "deliver": "Delivered",
    "fail_delivery": "Not delivered", "reship": "Send again", "no_show": "Not collected",
    "refuse": "Not wanted", "return_to_sender": "Came back", "take_back": "All is on the shelf",
}  # fmt: skip
# Steps back are there, but not where a thumb rests.
_QUIET: Final = frozenset({
    "unpick", "unpack", "no_show", "refuse", "fail_delivery", "return_to_sender",
})  # fmt: skip
# What an agent decides is offered to agents only, by forms of its own.
_OF_AGENTS: Final = frozenset({"move", "split", "merge"})
_BOXED: Final = frozenset({"picked", "packed"})
_DONE: Final = {
    "accept": "is accepted", "reject": "is rejected and sought elsewhere", "pick": "is picked",
    "start_pick": "is being picked", "pack": "is packed", "ready": "is ready to be collected",
    "ship": "is on its way", "collect": "is collected", "no_show": "was not collected",
}  # fmt: skip
PAGE_ROWS: Final = 200
CARDS_MAX: Final = 40
_QUEUE: Final = {
    "fulfillment_number": "Work", "order_number": "Order", "state": "State", "method": "Method",
    "articles": "Articles", "created_at": "Since (UTC)", "collect_by": "Collect by (UTC)",
}  # fmt: skip


def location(client: Client) -> str | None:
    """Let a location be chosen, of those whose work is one's own; it stays in the address."""
    named = show.place_options(client)
    codes: list[str] = session.me(client)["location_codes"] or list(named)
    known = next(iter(address.recall("location")), None)
    if "work_location" not in st.session_state:
        st.session_state["work_location"] = known or (codes[0] if codes else None)
    value: str | None = st.session_state["work_location"]
    address.keep("location", [value] if value else [])
    if value not in codes:
        value = st.session_state["work_location"] = codes[0] if codes else None
    st.selectbox(
        "Location", codes, key="work_location", width=320,
        format_func=lambda code: named.get(code, code),
    )  # fmt: skip
    return value


def stage(found: Sequence[Json]) -> list[Json]:
    """Let a stage of the work be chosen, each with how much there is; return what is in it."""
    counts = Counter(each["state"] for each in found)
    named = {
        name: f"{label} {sum(counts[state] for state in _STATES[name] or counts)}"
        for name, label in STAGES.items()
    }
    chosen = choice.segments("Work", "work_state", named, "all")
    states = _STATES[chosen]
    return [each for each in found if not states or each["state"] in states][:CARDS_MAX]


def papers(client: Client, location: str, found: Sequence[Json]) -> None:
    """Offer the list of what to take from the shelves, and the queue as a file."""
    if not found:
        return
    with st.container(horizontal=True, gap="small"):
        path = f"/v1/locations/{show.in_path(location)}/pick-list"
        st.download_button(
            "Pick list", data=partial(client.file, path), file_name=f"pick_list_{location}.pdf",
            mime="application/pdf", icon=":material/print:", on_click="ignore", key="pick_list",
        )  # fmt: skip
        rows = [show.readable({**each, "articles": _articles(each)}) for each in found]
        show.download(rows, _QUEUE, f"work_{location}")


def as_of() -> str:
    """Return the instant the page is drawn at."""
    return now().isoformat()


def card(client: Client, each: Json) -> None:
    """Show one piece of work, and what may be done with it next."""
    number = each["fulfillment_number"]
    with st.container(border=True, key=f"card_{number}"):
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            st.markdown(f"**{number}**", width="content")
            show.state(each["state"])
            st.badge(show.words(each["method"]), color="gray")
            if each["holds"]:
                st.badge(f"On hold: {show.words(each['holds'][0])}", color="red")
            st.caption(f"{show.ago(each['created_at'])} old · {each['order_number']}",
                       width="content")  # fmt: skip
        for line in each["lines"]:
            picked = f" · {line['picked']} picked" if line["picked"] else ""
            st.markdown(f"**{line['open']}** of {written.plain(line['title'])} "
                        f"`{line['sku'].replace('`', '')}`{picked}")  # fmt: skip
        for note in each["notes"]:
            icon = "keep" if note["is_pinned"] else "sticky_note_2"
            line = f"line {note['line_no']}: " if note["line_no"] else ""
            st.markdown(f":material/{icon}: {line}{written.plain(note['body'])}")
            path = f"/v1/fulfillments/{number}/notes/{note['note_id']}"
            attachment_parts.files(client, path, note["attachments"])
        version = frame.seen(number, each["version"])
        act = partial(_act, client, {**each, "version": version})
        with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
            for action in _in_order(each["allowed_actions"]):
                _offer(action, each, act)
            moving_parts.offer(client, {**each, "version": version})
            if each["state"] in _BOXED:
                _slip(client, number)
        if not each["allowed_actions"]:
            st.caption(_why_waits(each))


def _slip(client: Client, number: str) -> None:
    st.download_button(
        "Packing slip", data=partial(client.file, f"/v1/fulfillments/{number}/packing-slip"),
        file_name=f"packing_slip_{number}.pdf", mime="application/pdf", key=f"slip_{number}",
        icon=":material/print:", on_click="ignore", type="tertiary",
    )  # fmt: skip


def _why_waits(each: Json) -> str:
    if each["state"] == "waiting_for_transfer":
        return "Its goods are on their way here: *Transfers* receives them."
    return "The order is on hold: nothing may be done until the hold is released."


def _articles(each: Json) -> str:
    return ", ".join(f"{line['open']} {line['sku']}" for line in each["lines"])


def _offer(action: str, each: Json, act: Callable[..., None]) -> None:
    asks: Mapping[str, Callable[[Json, Callable[..., None]], None]] = {
        "pick": _pick, "reject": _reject, "ship": _ship, "collect": _collect,
    }  # fmt: skip
    if action in asks:
        asks[action](each, act)
        return
    label = _TAPS.get(action, show.words(action))
    kind: Any = "tertiary" if action in _QUIET else "primary"
    if st.button(label, key=f"{action}_{each['fulfillment_number']}", type=kind):
        act(action)


def _pick(each: Json, act: Callable[..., None]) -> None:
    number = each["fulfillment_number"]
    if st.button("All picked", key=f"pick_{number}", type="primary"):
        act("pick")
    with st.popover("Something is short"), st.form(f"short_{number}", border=False):
        picked = [
            {"line_no": line["line_no"], "quantity": int(st.number_input(
                f"Picked of {written.plain(line['title'])}", 0, line["open"], line["open"],
                key=f"picked_{number}_{line['line_no']}",
            ))}
            for line in each["lines"] if line["open"]
        ]  # fmt: skip
        reason = st.selectbox("Why", _REASONS, format_func=show.words, key=f"why_{number}")
        if st.form_submit_button("Picked as said", type="primary"):
            act("pick", picked=picked, reason=reason)


def _reject(each: Json, act: Callable[..., None]) -> None:
    number = each["fulfillment_number"]
    with st.popover("Reject", type="tertiary"):
        reason = st.selectbox("Why", _REASONS, format_func=show.words, key=f"because_{number}")
        if st.button("Reject it", key=f"reject_{number}"):
            act("reject", reason=reason)


def _ship(each: Json, act: Callable[..., None]) -> None:
    number = each["fulfillment_number"]
    with st.popover("Hand to carrier", type="primary"), st.form(f"ship_{number}", border=False):
        carrier = st.text_input("Carrier", key=f"carrier_{number}")
        tracking = st.text_input("Tracking number", key=f"tracking_{number}")
        if st.form_submit_button("It has left", type="primary"):
            act("ship", carrier=carrier.strip() or None, tracking_number=tracking.strip() or None)


def _collect(each: Json, act: Callable[..., None]) -> None:
    number = each["fulfillment_number"]
    with (
        st.form(f"collect_{number}", border=False),
        st.container(horizontal=True, gap="small", vertical_alignment="bottom"),
    ):
        code = st.text_input("Collection code", key=f"code_{number}", width=180)
        if st.form_submit_button("Hand over", type="primary"):
            act("collect", collect_code=code.strip() or None)


def _act(client: Client, each: Json, action: str, **said: Any) -> None:
    number = each["fulfillment_number"]
    body = {"action": action, **{name: value for name, value in said.items() if value is not None}}
    work = partial(client.post, f"/v1/fulfillments/{number}/actions", body, version=each["version"])
    frame.do(work, f"{number} {_DONE.get(action, 'is changed')}.")


def _in_order(actions: list[str]) -> list[str]:
    """Put what is done next before the steps back and the ways out."""
    offered = [each for each in actions if each not in _OF_AGENTS]
    return sorted(offered, key=lambda each: (each in _QUIET, each == "reject", each))
