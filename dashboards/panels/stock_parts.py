"""The parts of the page of a SKU: the sums as the API gives them, in words."""

from typing import Final

import streamlit as st

from dashboards import format as written
from dashboards.api_client import ApiRefusal, Client, Json
from dashboards.panels import show

_LEVELS: Final = {
    "location_code": "Location", "available_to_fulfill": "Available", "on_hand": "On hand",
    "unavailable": "Not for sale", "allocated": "Promised", "reserved_soft": "Held",
    "safety_stock": "Safety stock", "updated": "Changed (UTC)", "is_oversold": "Oversold",
}  # fmt: skip
_ORDERS: Final = {
    "order_number": "Order", "order_state": "State", "fulfillment_state": "Goods",
    "channel_code": "Channel", "placed": "Placed (UTC)", "customer_name": "Customer",
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


def channels(stock: Json) -> None:
    """Say for each channel how its number comes about."""
    st.subheader("What each channel may sell", anchor=False)
    if not stock["channels"]:
        st.info("No channel sells from a location that has it.")
    for each in stock["channels"]:
        st.markdown(
            f"**{written.plain(each['channel_code'])}: {each['available_to_sell']}** \\= "
            f"{each['available_to_fulfill']} available at its locations less "
            f"{each['queued']} ordered and waiting less {each['threshold']} withheld from it"
        )
    st.caption("It is never below none.")


def levels(stock: Json) -> None:
    """Say for each location how its number comes about."""
    st.subheader("What each location has", anchor=False)
    if not stock["levels"]:
        st.info("No location has ever had it. Receive it or count it, and it shows up here.")
        return
    for each in stock["levels"]:
        st.markdown(
            f"**{written.plain(each['location_code'])}: {each['available_to_fulfill']}** \\= "
            f"{each['on_hand']} on hand less {each['unavailable']} not for sale less "
            f"{each['allocated']} promised to orders less {each['reserved_soft']} held for a"
            f" moment less {each['safety_stock']} never offered"
        )
    rows = [{**each, "updated": show.instant(each["updated_at"])} for each in stock["levels"]]
    show.table(rows, _LEVELS, "levels_table")


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
    rows = [
        {**each, "placed": show.instant(each["placed_at"]),
         "order_state": show.words(each["order_state"]),
         "fulfillment_state": show.words(each["fulfillment_state"])}
        for each in found["items"]
    ]  # fmt: skip
    show.table(rows, _ORDERS, "stock_orders", opens="order")
    if found["next_after"]:
        st.caption(f"The newest {len(rows)}; *Orders* finds all of them by the SKU.")
