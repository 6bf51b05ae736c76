"""What each channel is told it may sell: switched off, held, released, told anew."""

from functools import partial
from typing import Final

import streamlit as st

from dashboards import format as written
from dashboards.api_client import Client, Json
from dashboards.panels import frame, show

_REFUSALS: Final = {
    "sku": "SKU", "status_code": "Answer", "attempts_count": "Attempts", "refused": "Since (UTC)",
}  # fmt: skip


def feeds(client: Client) -> None:
    """Show each channel's feed, and what may be done with it."""
    codes = show.channel_codes(client)
    if not codes:
        st.info("There is no channel you may know of.")
    for code in codes:
        with st.container(border=True, key=f"feed_{code}"):
            _feed(client, client.get(f"/v1/channels/{show.in_path(code)}/feed"))


def _feed(client: Client, feed: Json) -> None:
    code = feed["channel_code"]
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.markdown(f"**{written.plain(code)}**", width="content")
        held = feed["held_at"] is not None
        st.badge("Told" if feed["is_enabled"] else "Switched off",
                 color="green" if feed["is_enabled"] else "red")  # fmt: skip
        if held:
            st.badge("Held", color="orange")
        st.caption(f"{feed['products_count']:,} products, version {feed['version']}",
                   width="content")  # fmt: skip
        _switches(client, feed, held=held)
    if held:
        st.warning(written.plain(f"Held since {show.instant(feed['held_at'])}: "
                                 f"{feed['held_reason']}"))  # fmt: skip
    if feed["refusals"]:
        rows = [{**each, "refused": show.instant(each["refused_at"])} for each in feed["refusals"]]
        show.table(rows, _REFUSALS, f"refusals_{code}")


def _switches(client: Client, feed: Json, *, held: bool) -> None:
    code = feed["channel_code"]
    path = f"/v1/channels/{show.in_path(code)}/feed"
    form = f"feed of {code}"
    turn = frame.turn(form)
    label = "Switch off" if feed["is_enabled"] else "Switch on"
    if st.button(label, key=f"switch_{code}"):
        work = partial(client.post, path, {"is_enabled": not feed["is_enabled"]}, turn=turn)
        frame.do(work, f"{code}: done.", form=form)
    if held and st.button("Release", key=f"release_{code}", type="primary"):
        work = partial(client.post, f"{path}:release", turn=turn)
        frame.do(work, f"{code} is told again.", form=form)
    if st.button("Tell everything anew", key=f"reconcile_{code}", type="tertiary"):
        work = partial(client.post, f"{path}:reconcile", turn=turn)
        frame.do(work, f"{code} is told everything anew.", form=form)
