"""The parts of the page of an order. A part the API learns to tell later is shown as it comes."""

from collections.abc import Mapping
from typing import Any, Final

import streamlit as st

from dashboards import format as written
from dashboards.api_client import Client, Json
from dashboards.panels import show
from oms.kernel.money import text_from_minor
from oms.refunds.model import PaidAs

_LINES: Final = {
    "line_no": "No.", "sku": "SKU", "title": "Title", "quantity": "Ordered", "state": "Where it is",
    "cancelable": "May be canceled", "net": "Net", "tax": "Tax", "discount": "Discount",
    "unit_price": "Unit price", "group_no": "Group", "product_type": "Type",
}  # fmt: skip
_BUCKETS: Final = ("allocated", "backordered", "shipped", "returned", "canceled")
_GROUPS: Final = {
    "group_no": "Group", "method": "Method", "location_code": "Collected at",
    "pickup_point": "Pick-up point", "ship_to": "Goes to",
}  # fmt: skip
_CHANGES: Final = {
    "occurred_at": "When (UTC)", "kind": "What", "line_no": "Line", "quantity": "Units",
    "net": "Net", "tax": "Tax", "location_code": "Location", "reason": "Reason",
    "change_ref": "Reference",
}  # fmt: skip
_ADDRESS: Final = ("name", "company", "street", "house_number", "postcode", "city", "region",
            "country_code")  # fmt: skip
# Facts that say by themselves what they are.
_TELLING: Final = frozenset({
    "lines", "location", "fulfillment", "parcel", "transfer", "return", "reason", "amount",
    "payment", "refund", "transaction",
})  # fmt: skip
# Facts of events that are about lines of the order, and those that say nothing to a person.
_OF_LINES: Final = frozenset({"lines", "backordered"})
_UNSAID: Final = frozenset(
    {"fulfillment_lines", "state", "change_ref", "is_historical", "notes", "note_id"}
)
# Why a service was asked is what was done before it, under names a person cannot read.
_UNSAID_OF_MONEY: Final = frozenset({"cause"})
# What has its place on the page; any other part of an order is shown at the end of it.
_PLACED: Final = frozenset({
    "order_number", "channel_code", "external_ref", "external_number", "order_state",
    "fulfillment_state", "fulfillment_method", "location_code", "placed_at", "placed_on",
    "updated_at", "total", "customer_name", "customer_email", "country_code", "has_exception",
    "is_test", "is_historical", "version", "customer_ref", "customer_phone", "ship_to", "bill_to",
    "prices_include_tax", "items_net", "items_tax", "shipping_net", "shipping_tax", "stated_total",
    "lines", "groups", "fulfillments", "cancelable", "changes", "events", "notes", "exceptions",
    "allowed_actions", "parcels", "transfers", "returns", "holds", "is_on_hold", "tags",
    "state_since", "payments", "cases", "refunds", "documents", "promised_at", "exchange_of",
    "exchanges",
})  # fmt: skip


def head(order: Json) -> None:
    """Show which order it is, how it is, and what somebody should look at."""
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.subheader(order["order_number"], anchor=False, width="content")
        show.state(order["order_state"])
        show.state(order["fulfillment_state"])
        st.badge(show.words(order["fulfillment_method"]), color="gray")
        for flag in ("is_on_hold", "is_test", "is_historical"):
            if order[flag]:
                st.badge(show.words(flag.removeprefix("is_")), color="orange")
        for tag in order["tags"]:
            st.badge(written.plain(tag), color="blue", icon=":material/sell:")
    theirs = order["external_number"] or order["external_ref"]
    st.caption(
        f"{written.plain(theirs)} of {written.plain(order['channel_code'])} · placed "
        f"{show.instant(order['placed_at'])} UTC, {show.ago(order['placed_at'])} ago · changed "
        f"{show.instant(order['updated_at'])} · in these states for "
        f"{show.ago(order['state_since'])} · {show.amount(order['total'])} · version "
        f"{order['version']}".replace("$", r"\$")
    )
    for each in order["exceptions"]:
        if each["resolved_at"] is None:
            detail = written.plain(str(show.cell(each["detail"])))
            st.warning(f"**{show.words(each['code'])}** since {show.instant(each['opened_at'])}. "
                       f"{detail}", icon=":material/report:")  # fmt: skip


def lines(order: Json) -> None:
    """Show what was sold, and how much of each line is where."""
    st.subheader("Lines", anchor=False)
    rows = [
        {**line, "state": _buckets(line),
         "cancelable": order["cancelable"].get(str(line["line_no"]), 0)}
        for line in order["lines"]
    ]  # fmt: skip
    show.table(rows, _LINES, "lines_table", file=f"lines_of_{order['order_number']}")
    if len(order["groups"]) > 1 or order["fulfillment_method"] not in {"carry_out", "ship_home"}:
        st.subheader("Delivery groups", anchor=False)
        rows = [{**each, "pickup_point": show.point(each["pickup_point"])}
                for each in order["groups"]]  # fmt: skip
        show.table(rows, _GROUPS, "groups_table")
        for each in order["groups"]:
            _point(each)


def _point(group: Json) -> None:
    """Show when a delivery group's pick-up point is open, and whether its carrier was asked."""
    point = group["pickup_point"]
    if point is None:
        return
    said = [f"{written.plain(show.point(point) or '')}."]
    if point.get("opening_hours"):
        said.append(f"Open {show.week(point['opening_hours'])}.")
    if not point.get("checked_at"):
        said.append("Its carrier has not been asked about it.")
    st.caption(" ".join(said))


def timeline(client: Client, order: Json) -> None:
    """Show the story of the order, and what happened to its lines."""
    st.subheader("Timeline", anchor=False)
    show.together([_step(client, event) for event in order["events"]])
    if order["changes"]:
        st.subheader("Changes of lines", anchor=False)
        show.table(order["changes"], _CHANGES, "changes_table")


def customer(order: Json) -> None:
    """Show who bought, and where it goes."""
    st.subheader("Customer", anchor=False)
    names = {
        "Name": "customer_name", "E-mail": "customer_email", "Phone": "customer_phone",
        "Reference": "customer_ref", "Country": "country_code",
    }  # fmt: skip
    show.facts({name: order[column] for name, column in names.items() if order[column]})
    for label, column in (("Goes to", "ship_to"), ("Billed to", "bill_to")):
        if order[column]:
            show.facts({label: _address(order[column])})


def amounts(order: Json) -> None:
    """Show what the order came to when it was placed."""
    st.subheader("As ordered", anchor=False)
    names = {
        "Items, net": "items_net", "Tax on items": "items_tax", "Shipping, net": "shipping_net",
        "Tax on shipping": "shipping_tax", "Total": "total", "The channel says": "stated_total",
    }  # fmt: skip
    amounts = {name: order[column] for name, column in names.items()}
    show.facts({name: show.amount(amount) for name, amount in amounts.items() if amount})


def others(order: Json) -> None:
    """Show every part of an order this page does not know by name."""
    for name, value in order.items():
        if name in _PLACED or not value:
            continue
        st.subheader(show.words(name), anchor=False)
        if isinstance(value, list) and all(isinstance(each, dict) for each in value):
            show.table(value, _titles(value), f"{name}_table")
        else:
            st.markdown(written.plain(str(show.cell(value))))


def _titles(rows: list[Json]) -> Mapping[str, str]:
    return {name: show.words(name) for row in rows for name in row}


def _step(client: Client, event: Json) -> str:
    told = {name: value for name, value in (event["data"] or {}).items() if name not in _UNSAID}
    is_of_money = event["type"].startswith(("payment.", "refund."))
    data = _of_money(told) if is_of_money else show.readable(_with_amounts(told))
    for name in _OF_LINES & data.keys():
        data[name] = ", ".join(_units(line) for line in data[name])
    for name in ("location", "from_location", "to_location"):
        if name in data:
            data[name] = show.place(client, data[name])
    said = f" · {', '.join(_fact(name, value) for name, value in data.items() if value)}"
    return (
        f"{show.instant(event['occurred_at'])} **{show.words(event['type'])}** by "
        f"{written.plain(_actor(event) + (said if data else ''))}"
    )


def _of_money(told: Json) -> Json:
    """Write what an event of a payment or a refund says: its reason is what somebody typed."""
    said = {name: value for name, value in told.items() if name not in _UNSAID_OF_MONEY}
    if said.get("paid_as") == PaidAs.MONEY:
        said.pop("paid_as")
    typed = {"reason": said["reason"]} if said.get("reason") else {}
    return show.readable(_with_amounts(said)) | typed


def _actor(event: Json) -> str:
    is_code = event["actor_type"] == event["actor"] == "psp"
    return "its payment service" if is_code else str(event["actor"])


def _with_amounts(told: Json) -> Json:
    """Write what an event says in minor units as an amount."""
    if not {"amount_minor", "currency"} <= told.keys():
        return told
    minor, currency = int(told["amount_minor"]), told["currency"]
    others = {name: told[name] for name in told if name not in {"amount_minor", "currency"}}
    return {"amount": {"amount": text_from_minor(minor, currency), "currency": currency}, **others}


def _units(line: Json) -> str:
    """Write how many units of a line it is about, or what their number was and is."""
    if "quantity" in line:
        return f"{line['quantity']} of line {line['line_no']}"
    return f"{line['after']} instead of {line['before']} of line {line['line_no']}"


def _fact(name: str, value: Any) -> str:
    """Write a fact of an event; numbers of ours and places say themselves what they are."""
    told = str(show.cell(value))
    return told if name in _TELLING else f"{show.words(name).lower()} {told}"


def _address(address: Json) -> str:
    """Write an address in the order it is read in; what else is in it comes last."""
    names = [*(each for each in _ADDRESS if each in address), *address]
    return ", ".join(str(address[each]) for each in dict.fromkeys(names) if address[each])


def _buckets(line: Json) -> str:
    return ", ".join(f"{line[name]} {name}" for name in _BUCKETS if line[name])
