"""Locations: where stock is, when they are open, and by which settings they supply."""

import streamlit as st

from dashboards.api_client import Client
from dashboards.panels import frame, show

_COLUMNS = {
    "name": "Location", "sort": "Kind", "is_open": "Open now", "capacity_per_day": "Orders a day",
    "cut_off": "Cut-off", "lead_time_hours": "Hours to get ready",
    "shipping_buffer": "Units kept back", "channel_codes": "Supplies", "hours": "Hours",
    "location_code": "Code", "city": "City", "time_zone": "Time zone",
    "node_cost_minor": "Cost of a part, in cents",
}  # fmt: skip
_KINDS = {"dc": "Distribution center", "store": "Store", "pickup_point": "Pick-up point"}


@frame.console("Locations", "Where stock is, when they are open, and by what they supply.")
def render(client: Client) -> None:
    """Draw the page."""
    found = client.get("/v1/locations")
    if not found:
        st.info("There is no location. `oms channels add` registers locations with channels.")
        return
    open_count = sum(each["is_open"] for each in found)
    st.caption(f"{len(found)} locations, {open_count} of them open now.")
    rows = [
        {**each, "hours": show.week(each["opening_hours"]), "sort": _KINDS[each["kind"]]}
        for each in found
    ]
    show.table(rows, _COLUMNS, "locations_table", file="locations")
    st.caption("Without a number of orders a day there is no limit. The file of `oms channels "
               "add` sets all of this; run it again to change it.")  # fmt: skip
