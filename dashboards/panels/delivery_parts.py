"""Subscriptions and their deliveries: how they go, and what may be done about them."""

from collections.abc import Sequence
from functools import partial
from typing import Final

import streamlit as st

from dashboards import format as written
from dashboards.api_client import Client, Json
from dashboards.panels import frame, lists, session, show
from dashboards.widgets import choice

_COLUMNS: Final = {
    "name": "Endpoint", "state": "State", "pending_count": "Waiting", "parked_count": "Given up",
    "failures_count": "Failed in a row", "channel_code": "Channel", "topics": "Topics",
    "succeeded_at": "Last success (UTC)", "state_reason": "Why", "where": "Goes to",
}  # fmt: skip
_STATES: Final = {
    "parked": "Given up", "pending": "Waiting", "delivered": "Delivered", "all": "All",
}  # fmt: skip
_SWITCHES: Final = {
    "enabled": (("pause", "Pause"), ("disable", "Disable")),
    "paused": (("enable", "Enable"), ("disable", "Disable")),
    "disabled": (("enable", "Enable"),),
}  # fmt: skip
_NOTHING: Final = {
    "parked": "Nothing was given up. *All* shows what was sent.",
    "pending": "Nothing waits to be sent.", "delivered": "Nothing has arrived there yet.",
}  # fmt: skip
_FILE: Final = {
    "delivery_id": "Delivery", "topic": "Topic", "order_number": "Order", "state": "State",
    "attempts_count": "Attempts", "created_at": "Since (UTC)",
}  # fmt: skip
_SUBSCRIBING: Final = """\
curl -X POST {address}/v1/webhooks \\
  -H "Authorization: Bearer $KEY" -H "Idempotency-Key: first" \\
  --json '{{"transport": "file", "topics": ["order.*"], "description": "ERP"}}'"""
PAGE_ROWS: Final = 25


def nobody() -> None:
    """Say that nobody is told anything, and how to subscribe."""
    st.info("Nobody is subscribed: what happens is told to nobody. `POST /v1/webhooks` subscribes "
            "an endpoint or a folder; it is told what happens from then on.")  # fmt: skip
    st.markdown("To have each event of an order written to a folder of its own:")
    st.code(_SUBSCRIBING.format(address=session.address()), language="shell")
    st.caption('With `"url": "https://…"` instead of the transport it is sent there, signed.')


def overview(subscriptions: Sequence[Json]) -> None:
    """Show who is told what, and how it goes."""
    rows = [{**each, "name": _named(each), "where": _where(each)} for each in subscriptions]
    show.table(rows, _COLUMNS, "subscriptions_table", file="endpoints")


def chosen(subscriptions: Sequence[Json]) -> Json:
    """Let a subscription be chosen."""
    names = {str(each["subscription_id"]): _named(each) for each in subscriptions}
    number = choice.select("Endpoint", "subscription", names, next(iter(names)))
    return next(each for each in subscriptions if str(each["subscription_id"]) == number)


def _named(subscription: Json) -> str:
    return str(subscription["description"] or _where(subscription))


def _where(subscription: Json) -> str:
    """Say where its messages go: a URL, a folder, a platform."""
    if subscription["transport"] == "webhook":
        return str(subscription["url"])
    if subscription["transport"] == "file":
        return f"files in outbox/{subscription['folder']}"
    return f"the platform of {subscription['channel_code']}"


def switches(client: Client, subscription: Json) -> None:
    """Offer to serve a subscription, or not."""
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        show.state(subscription["state"])
        for action, label in _SWITCHES[subscription["state"]]:
            path = f"/v1/webhooks/{subscription['subscription_id']}:{action}"
            form = f"{action} {path}"
            turn = frame.turn(form)
            if st.button(label, key=f"{action}_subscription"):
                work = partial(client.post, path, turn=turn)
                frame.do(work, f"The endpoint is {action.removesuffix('e')}ed.", form=form)


def deliveries(client: Client, subscription: Json) -> None:
    """Show what was sent, and offer to send again what did not arrive."""
    usual = "parked" if subscription["parked_count"] else "all"
    state = choice.segments("Deliveries", "delivery_state", _STATES, usual)
    path = f"/v1/webhooks/{subscription['subscription_id']}/deliveries"
    asked = None if state == "all" else state
    found = client.get(path, state=asked, limit=PAGE_ROWS)["items"]
    if not found:
        st.info(_NOTHING.get(state, "Nothing was sent yet: what happens from now on is."))
        return
    listing = lists.Listing(
        name="deliveries", path=path, columns=_FILE, asked={"state": asked} if asked else {}
    )
    show.download(partial(lists.whole, client, listing), _FILE, listing.name)
    for each in found:
        _delivery(client, path, each)
    if len(found) == PAGE_ROWS:
        st.caption("These are the newest.")


def _delivery(client: Client, path: str, each: Json) -> None:
    number = each["delivery_id"]
    with st.container(border=True, horizontal=True, gap="small", vertical_alignment="center"):
        show.state(each["state"])
        st.markdown(f"**{show.words(each['topic'])}** {each['order_number'] or ''}",
                    width="content")  # fmt: skip
        st.caption(
            f"{_attempts(each['attempts_count'])} · {show.ago(each['created_at'])} old",
            width="content",
        )
        with st.popover("What was sent", type="tertiary"):
            if st.checkbox("Show it", key=f"show_{number}"):
                _in_full(client.get(f"{path}/{number}"))
        if each["state"] in {"parked", "delivered"} and st.button(
            "Send again", key=f"again_{number}"
        ):
            work = partial(client.post, f"{path}/{number}:redeliver", turn=each["attempts_count"])
            frame.do(work, f"Delivery {number} is sent again.")


def _attempts(count: int) -> str:
    return f"{count} attempt" if count == 1 else f"{count} attempts"


def _in_full(delivery: Json) -> None:
    for attempt in delivery["attempts"]:
        answer = attempt["status_code"] or attempt["error_kind"] or "no answer yet"
        st.markdown(written.plain(
            f"Attempt {attempt['number']}, {show.instant(attempt['started_at'])}: {answer}"
        ))  # fmt: skip
    st.json(delivery["body"])
