"""Why a stock number is what it is: movements added up, and who it is promised to or held for."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Final

import streamlit as st

from dashboards import format as written
from dashboards.api_client import Client, Json
from dashboards.panels import lists, show
from dashboards.widgets import choice

_MOVEMENTS: Final = {
    "occurred_at": "When (UTC)", "location_name": "Location", "kind": "What",
    "on_hand_delta": "Change", "on_hand_after": "On hand after",
    "unavailable_delta": "Not for sale", "order_number": "Order", "because": "Because of",
    "recorded_at": "Written down (UTC)",
}  # fmt: skip
_RESERVATIONS: Final = {
    "what": "For", "order_number": "Order", "quantity": "Units", "location_name": "Location",
    "state": "State", "channel_code": "Channel", "wanted_at": "Wanted since (UTC)",
    "expires_at": "Until (UTC)", "work": "Work",
}  # fmt: skip
_ADDED: Final[Mapping[str, str]] = {
    "receipt": "received", "pos_sale": "sold at tills", "ship": "shipped",
    "return_restock": "returned", "return_unsellable": "returned damaged",
    "write_off": "written off", "count_adjust": "by counting", "adjust": "corrected",
    "transfer_out": "sent to other locations", "transfer_in": "from other locations",
    "regrade": "regraded",
}  # fmt: skip
_KEPT: Final[Mapping[tuple[str, str], str]] = {
    ("order", "active"): "promised to orders", ("order", "queued"): "waited for by orders",
    ("order", "in_transit"): "on their way for orders", ("hold", "active"): "held for a moment",
    ("transfer", "active"): "kept for other shelves",
}  # fmt: skip
_STATES: Final = {
    "active": "Kept here", "queued": "Waits for stock", "in_transit": "On its way",
}  # fmt: skip
_ANY: Final = "any"


def movements(client: Client, stock: Json) -> None:
    """Show how what is on hand came about, and each movement."""
    listing = _listing(client, stock, "movements", _MOVEMENTS, _moved, kinds=_ADDED)
    answer = lists.page(client, listing)
    if not answer["sums"]:
        st.info("Nothing of it has ever moved. Receive it or count it, and it shows up here.")
        return
    at: dict[str, list[Json]] = defaultdict(list)
    for each in answer["sums"]:
        at[each["location_code"]].append(each)
    show.together([_added(show.place(client, code), sums) for code, sums in at.items()])
    _listed(client, listing, answer)


def reservations(client: Client, stock: Json) -> None:
    """Show for whom units are kept, and who waits for some."""
    kinds = {"order": "orders", "hold": "holds", "transfer": "transfers"}
    listing = _listing(client, stock, "reservations", _RESERVATIONS, _kept, kinds=kinds)
    answer = lists.page(client, listing)
    if not answer["sums"]:
        st.info("Nobody is promised any of it, and nobody waits for it.")
        return
    show.together([_reserved(client, each) for each in answer["sums"]])
    _listed(client, listing, answer)


def _listing(
    client: Client, stock: Json, what: str, columns: Mapping[str, str],
    row: Callable[[Client, Json], Json], *, kinds: Mapping[str, str],
) -> lists.Listing:  # fmt: skip
    """Draw the filters of a list, and return what it is asked."""
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        codes = {each["location_code"] for each in stock["levels"]}
        known = show.place_options(client)
        where = {_ANY: "Every location"} | {code: known.get(code, code) for code in sorted(codes)}
        location = choice.select("Location", f"{what}_at", where, _ANY)
        named = {_ANY: "Everything"} | {each: kinds[each].capitalize() for each in kinds}
        kind = choice.select("What", f"{what}_kind", named, _ANY)
    asked = {"sku": stock["sku"]}
    asked |= {} if location == _ANY else {"location": location}
    asked |= {} if kind == _ANY else {"kind": kind}
    return lists.Listing(
        name=what, path=f"/v1/stock/{what}", columns=columns, asked=asked,
        row=lambda each: row(client, each),
    )  # fmt: skip


def _listed(client: Client, listing: lists.Listing, answer: Json) -> None:
    if answer["items"]:
        lists.shown(client, listing, answer, opens="order")
    else:
        st.caption("None of them fits these filters.")


def _added(where: str, sums: list[Json]) -> str:
    """Write how what is on hand came about: what came before what went."""
    total = sum(each["on_hand"] for each in sums)
    moved = sorted((each for each in sums if each["on_hand"]), key=lambda each: -each["on_hand"])
    if not moved:
        return f"**{written.plain(where)}: {total:,} on hand**"
    told = f"{moved[0]['on_hand']:,} {_ADDED[moved[0]['kind']]}"
    for each in moved[1:]:
        sign = "less" if each["on_hand"] < 0 else "and"
        told += f" {sign} {abs(each['on_hand']):,} {_ADDED[each['kind']]}"
    return f"**{written.plain(where)}: {total:,} on hand** \\= {written.plain(told)}"


def _reserved(client: Client, each: Json) -> str:
    where = show.place(client, each["location_code"]) if each["location_code"] else "Nowhere"
    told = _KEPT.get((each["kind"], each["state"]), f"{each['kind']}, {each['state']}")
    many = f" in {each['reservations_count']:,} parts" if each["reservations_count"] > 1 else ""
    return f"**{written.plain(where)}: {each['quantity']:,}** {told}{many}"


def _moved(client: Client, each: Json) -> Json:
    cause = "" if each["cause_type"] == "order" else f"{each['cause_type']} {each['cause'] or ''}"
    return {**each, "location_name": show.place(client, each["location_code"]), "because": cause}


def _kept(client: Client, each: Json) -> Json:
    where = show.place(client, each["location_code"]) if each["location_code"] else None
    work = each["fulfillment_number"] or each["transfer_number"]
    what = show.words(each["kind"])
    state = _STATES[each["state"]]
    return {**each, "location_name": where, "work": work, "what": what, "state": state}
