"""The parts of the page of a SKU: the sums as the API gives them, in words."""

from collections.abc import Mapping
from typing import Final

import streamlit as st

from dashboards import format as written
from dashboards.api_client import ApiRefusal, Client, Json
from dashboards.panels import show

_LEVELS: Final = {
    "location_name": "Location", "available_to_fulfill": "Available", "on_hand": "On hand",
    "unavailable": "Not for sale", "allocated": "Promised", "reserved_soft": "Held",
    "safety_stock": "Never offered", "updated_at": "Changed (UTC)", "location_code": "Code",
}  # fmt: skip
_CHANNELS: Final = {
    "channel_code": "Channel", "available_to_sell": "May sell", "available_to_fulfill": "Available",
    "queued": "Waited for", "threshold": "Withheld", "told": "It is told", "since": "Since (UTC)",
    "who": "Endpoints that have it", "version": "Version",
}  # fmt: skip
_ORDERS: Final = {
    "order_number": "Order", "order_state": "State", "fulfillment_state": "Goods",
    "channel_code": "Channel", "placed_at": "Placed (UTC)", "customer_name": "Customer",
}  # fmt: skip
_WAITING: Final = ("placed", "in_progress")
ORDERS_MAX: Final = 20


def head(stock: Json) -> None:
    """Show what it is, and how much of it there is in all."""
    st.subheader(written.plain(f"{stock['title']} ({stock['sku']})"), anchor=False)
    if not stock["is_sellable"]:
        st.warning("The catalog says it is not sold.")
    for level in stock["levels"]:
        if level["is_oversold"]:
            st.warning(f"More of it is promised at {level['location_code']} than there is.")
    st.caption(f"As of {show.instant(stock['as_of'])} UTC.")


def channels(client: Client, stock: Json) -> None:
    """Say for each channel how its number comes about, and whether it is told."""
    st.subheader("What each channel may sell", anchor=False)
    if not stock["channels"]:
        st.info("No channel sells from a location that has it.")
        return
    show.together([
        _sum(each["channel_code"], each["available_to_sell"],
             f"{each['available_to_fulfill']} available at its locations",
             {"ordered and waiting": each["queued"], "withheld from it": each["threshold"]})
        for each in stock["channels"]
    ])  # fmt: skip
    st.caption("It is never below none. A channel is told within a second or two of a change.")
    fed = {each["channel_code"]: each for each in client.get("/v1/stock/feeds", sku=stock["sku"])}
    rows = [{**each, **_told(fed.get(each["channel_code"]))} for each in stock["channels"]]
    show.table(rows, _CHANNELS, "channels_table", file="channels")


def levels(client: Client, stock: Json) -> None:
    """Say for each location how its number comes about."""
    st.subheader("What each location has", anchor=False)
    if not stock["levels"]:
        st.info("No location has ever had it. Receive it or count it, and it shows up here.")
        return
    show.together([
        _sum(show.place(client, each["location_code"]), each["available_to_fulfill"],
             f"{each['on_hand']} on hand",
             {"not for sale": each["unavailable"], "promised to orders": each["allocated"],
              "held for a moment": each["reserved_soft"], "never offered": each["safety_stock"]})
        for each in stock["levels"]
    ])  # fmt: skip
    rows = [
        {**each, "location_name": show.place(client, each["location_code"])}
        for each in stock["levels"]
    ]
    show.table(rows, _LEVELS, "levels_table", file="stock")
    st.caption("*Movements* adds up what is on hand; *Promised and held* names for whom.")


def orders(client: Client, stock: Json) -> None:
    """Show the open orders it is promised to, or that wait for it."""
    st.subheader("Open orders with it", anchor=False)
    try:
        found = client.get(
            "/v1/orders", sku=stock["sku"], order_state=list(_WAITING), limit=ORDERS_MAX
        )
    except ApiRefusal as refused:
        if refused.is_of_the_key:
            raise
        st.caption(refused.sentence)
        return
    if not found["items"]:
        st.info("No open order has it.")
        return
    show.table(found["items"], _ORDERS, "stock_orders", opens="order")
    if found["next_after"]:
        st.caption(f"The newest {ORDERS_MAX}; *Orders* finds all of them by the SKU.")


def _sum(what: str, comes_to: int, begins_with: str, taken: Mapping[str, int]) -> str:
    """Write how a number comes about; what takes nothing off it is not mentioned."""
    less = "".join(f" less {units} {why}" for why, units in taken.items() if units)
    return f"**{written.plain(what)}: {comes_to}** \\= {begins_with}{less}"


def _told(fed: Json | None) -> Mapping[str, object]:
    """Say what a channel is told, since when, and how many of its endpoints have it."""
    if fed is None:
        return {"told": "not yet worked out", "who": ""}
    if not fed["is_enabled"] or fed["held_at"]:
        return {**fed, "told": "nothing: " + ("held" if fed["held_at"] else "switched off")}
    whole = fed["subscribers"]
    have = sum(each["is_told"] for each in whole)
    return {
        "told": str(fed["available_to_sell"]), "version": fed["version"],
        "since": show.instant(fed["computed_at"]),
        "who": f"{have} of {len(whole)}" if whole else "none follows it",
    }  # fmt: skip
