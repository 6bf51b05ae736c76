"""Parcels: listed by how far they are, and one of them with all its carrier told."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

import streamlit as st

from dashboards import format as written
from dashboards.api_client import Client, Json
from dashboards.panels import frame, lists, show
from dashboards.widgets import choice
from oms.shipments.model import UNDERWAY, ParcelState

_ANY: Final = "any"
_SILENT: Final = "silent"
SILENT_DAYS: Final = 3
_SHOWN: Final = {
    _ANY: "All", "label": "Not handed over", "underway": "Underway", "trouble": "In trouble",
    _SILENT: f"Silent for {SILENT_DAYS} days", "arrived": "Arrived",
}  # fmt: skip
_S: Final = ParcelState
_TROUBLE: Final = (
    _S.DELIVERY_DELAYED, _S.ON_HOLD, _S.DELIVERY_FAILED, _S.DAMAGED, _S.LOST, _S.EXPIRED,
    _S.RETURNED_TO_SENDER,
)  # fmt: skip
_STATES: Final[Mapping[str, Sequence[str]]] = {
    "label": [_S.LABEL_CREATED], "underway": sorted(UNDERWAY), "trouble": _TROUBLE,
    "arrived": [_S.DELIVERED, _S.COLLECTED],
}  # fmt: skip
_COLUMNS: Final = {
    "order_number": "Order", "parcel_number": "Parcel", "state": "State",
    "tracking_number": "Tracking number", "carrier": "Carrier", "last_event_at": "Last told (UTC)",
    "eta_at": "Expected (UTC)", "kept_until": "Kept until (UTC)", "location_name": "From",
    "what": "What is in it", "cost": "Cost",
}  # fmt: skip
_EVENTS: Final = {
    "occurred_at": "When (UTC)", "state": "State", "place": "Where", "reason": "Why",
    "status": "Carrier's code",
}  # fmt: skip


def listing(client: Client) -> lists.Listing:
    """Draw the filters, and return the list of parcels they ask for."""
    shown = choice.segments("Parcels", "parcels_shown", _SHOWN, _ANY)
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        where = {_ANY: "Every location"} | show.place_options(client)
        location = choice.select("Sent from", "parcels_from", where, _ANY)
        carrier = show.text("Carrier", "parcels_carrier", width=180)
        number = show.text("Tracking number", "parcels_number", width=240)
    asked: Json = {"newest_first": shown != _SILENT, "state": list(_STATES.get(shown, ()))}
    asked |= {} if location == _ANY else {"location": location}
    asked |= {"is_silent_days": SILENT_DAYS} if shown == _SILENT else {}
    asked |= {"carrier": carrier} if carrier else {}
    asked |= {"tracking_number": number} if number else {}
    return lists.Listing(
        name="parcels", path="/v1/parcels", columns=_COLUMNS, asked=asked,
        row=lambda each: _row(client, each),
    )  # fmt: skip


def one(client: Client, found: Sequence[Json]) -> None:
    """Let one parcel be looked at."""
    names = {
        each["parcel_number"]: f"{each['parcel_number']}: {each['carrier']} "
        f"{each['tracking_number']}"
        for each in found
    }
    number = choice.select("Parcel", "parcel", names, next(iter(names)))
    card(client, next(each for each in found if each["parcel_number"] == number))


def card(client: Client, each: Json) -> None:
    """Show a parcel with all that was told of it."""
    number = each["parcel_number"]
    with st.container(border=True, key=f"card_{number}"):
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            st.markdown(f"**{number}**", width="content")
            show.state(each["state"])
            st.caption(written.plain(_told(each)), width="content")
            if each["tracking_url"]:
                st.link_button("Carrier's page", each["tracking_url"], type="tertiary")
        if each["events"]:
            # What begins with a star is our own word for it.
            told = [
                {**event, "status": None if event["status"][:1] == "*" else event["status"]}
                for event in each["events"][::-1]
            ]
            show.table(told, _EVENTS, f"events_{number}", file=f"told_of_{number}")
        else:
            st.caption("Its carrier has told nothing yet.")
        if each["state"] == _S.LABEL_CREATED:
            form = f"void {number}"
            turn = frame.turn(form)
            if st.button("Void its label", key=f"void_{number}", type="tertiary"):
                path = f"/v1/parcels/{number}/void"
                work = partial(client.post, path, turn=turn)
                frame.do(work, f"{number} is void; what was in it can be packed again.", form=form)


def _row(client: Client, each: Json) -> Json:
    what = ", ".join(f"{line['quantity']} {line['sku']}" for line in each["lines"])
    kept_until = each["collect_by"] and show.instant(each["collect_by"])
    return {**each, "location_name": show.place(client, each["location_code"]), "what": what,
            "kept_until": kept_until}  # fmt: skip


def _told(each: Json) -> str:
    parts = [
        each["order_number"],
        f"{each['carrier']} {each['tracking_number']}",
        ", ".join(f"{line['quantity']} {line['title']}" for line in each["lines"]),
        each["eta_at"] and f"expected {show.instant(each['eta_at'])}",
        each["pickup_point"] and f"to {show.point(each['pickup_point'])}",
        each["collect_by"] and f"kept until {show.instant(each['collect_by'])}",
    ]
    return " · ".join(str(part) for part in parts if part)
