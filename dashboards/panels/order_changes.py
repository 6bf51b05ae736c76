"""Change orders: units, prices, articles, address and way, seen before they are made."""

from functools import partial
from typing import Any, Final

import streamlit as st

from dashboards import format as written
from dashboards.api_client import ApiRefusal, Client, Json
from dashboards.panels import frame, order_actions, show

_ADDRESS: Final = {
    "name": "Name", "street": "Street and number", "postcode": "Postcode", "city": "City",
    "region": "Region", "country_code": "Country, e.g. NL",
}  # fmt: skip
_MONEY: Final = {
    "before": "The order came to", "after": "It will come to", "due": "The customer pays",
    "owed": "The customer gets back",
}  # fmt: skip
_WAYS: Final = {"": "As it is", "ship_home": "Sent home", "collect_store": "Collected in a store"}
_UNITS_MAX: Final = 1_000_000


def edit(client: Client, order: Json) -> None:
    """Offer to change an order, as far as it is in nobody's hands."""
    if order_actions.allowed(order, "edit"):
        with st.popover("Change", icon=":material/edit:"):
            _edit(client, order)


def _edit(client: Client, order: Json) -> None:
    asked = _asked(client, order)
    reason = st.text_input("Why", key="change_reason", placeholder="the customer asked for it")
    if not asked:
        st.caption("Change something of it; what comes of it is shown before it is done.")
        return
    waits = st.checkbox("Also when not everything is there", key="change_backorder")
    body: Json = {"reason": reason.strip() or "customer", "allow_backorder": waits, **asked}
    path = f"/v1/orders/{order['order_number']}/changes"
    try:
        preview = client.post(f"{path}:preview", body)
    except ApiRefusal as refused:
        if refused.is_of_the_key:
            raise
        st.warning(refused.sentence)
        return
    _shown(preview, body)
    if not reason.strip():
        st.caption("Say why; the order's story keeps it.")
    elif st.button("Change the order", key="change_do", type="primary"):
        work = partial(client.post, path, body, version=order["version"])
        frame.do(work, "The order is changed.")


def _asked(client: Client, order: Json) -> Json:
    """Ask what the order shall be; return what of it is another thing than now."""
    lines = _lines(order)
    body: Json = {"lines": lines} if lines else {}
    body |= _article(order)
    group_no = _group(order)
    changed = _way(group_no) | _address(order, group_no) | _point(client, order, group_no)
    return body | ({"group_no": group_no, **changed} if changed else {})


def _shown(preview: Json, body: Json) -> None:
    """Show what a change comes to: the lines, and the money between before and after."""
    st.markdown("**This will change:**")
    told = [_difference(each) for each in preview["differences"]]
    told += ["It goes to the address above"] if "ship_to" in body else []
    told += ["It goes to the pick-up point above"] if "pickup_point" in body else []
    told += [f"It is {_WAYS[body['method']].lower()}"] if "method" in body else []
    told += [
        f"{label} {show.amount(preview[name])}".replace("$", r"\$")
        for name, label in _MONEY.items()
        if name in {"before", "after"} or float(preview[name]["amount"])
    ]
    st.markdown("\n".join(f"- {each}" for each in told))


def _difference(made: Json) -> str:
    """Say what becomes of a line."""
    units = f"{made['before_quantity']} → {made['after_quantity']}"
    money = f"{show.amount(made['before'])} → {show.amount(made['after'])}".replace("$", r"\$")
    said = f"{written.plain(made['sku'])}: {units}, {money}"
    return f"{said}; {made['backordered']} wait" if made["backordered"] > 0 else said


def _lines(order: Json) -> list[Json]:
    """Ask how many units each line shall have, and what each costs; return what changes."""
    changed = []
    has_prices = st.checkbox("Change prices", key="change_prices")
    for line in order["lines"]:
        no = line["line_no"]
        free = order["cancelable"].get(str(no), 0)
        now = line["quantity"] - line["canceled"]
        if not free:
            continue
        wanted = int(st.number_input(
            f"{no}. {written.plain(line['title'])}", now - free, _UNITS_MAX, now,
            key=f"change_{no}",
            help=f"At least {now - free}: those have left or are in somebody's hands.",
        ))  # fmt: skip
        asked: Json = {"quantity": wanted} if wanted != now else {}
        if has_prices:
            price = st.text_input(
                f"A unit of line {no} costs", key=f"price_{no}", placeholder="as it is"
            )
            asked |= {"unit_price": price.strip()} if price.strip() else {}
        if asked:
            changed.append({"line_no": no, **asked})
    return changed


def _article(order: Json) -> Json:
    """Ask for an article to add, or to have in place of units of a line."""
    if not st.checkbox("Add or exchange an article", key="change_article"):
        return {}
    lines = {0: "Nothing: it is added"} | {
        line["line_no"]: f"Units of {line['line_no']}. {line['title']}"
        for line in order["lines"]
        if order["cancelable"].get(str(line["line_no"]))
    }
    sku = st.text_input("SKU", key="article_sku").strip()
    count = int(st.number_input("Units", 1, _UNITS_MAX, 1, key="article_units"))
    price = st.text_input(
        "A unit costs", key="article_price", placeholder="what its channel asks"
    ).strip()
    line_no = st.selectbox(
        "In place of", list(lines), key="article_for", format_func=lines.__getitem__
    )
    if not sku:
        return {}
    asked: Json = {"sku": sku, "quantity": count} | ({"unit_price": price} if price else {})
    return {"replace": [{"line_no": line_no, **asked}]} if line_no else {"add": [asked]}


def _group(order: Json) -> int:
    """Ask which delivery group is meant, where there are several."""
    numbers = [each["group_no"] for each in order["groups"]]
    if len(numbers) < 2:  # noqa: PLR2004 - one needs no choice
        return numbers[0] if numbers else 1
    return int(st.selectbox("Delivery group", numbers, key="change_group"))


def _way(group_no: int) -> Json:
    """Ask how a delivery group goes."""
    way = st.selectbox(
        "How it goes", list(_WAYS), key=f"change_way_{group_no}", format_func=_WAYS.__getitem__
    )
    if way != "collect_store":
        return {"method": way} if way else {}
    store = st.text_input("Code of the store", key=f"change_store_{group_no}").strip()
    return {"method": way, "location_code": store} if store else {}


def _address(order: Json, group_no: int) -> Json:
    """Ask where a delivery group goes; return the address if it is another."""
    if not st.checkbox("Send it elsewhere", key="change_address"):
        return {}
    group: Json = next((each for each in order["groups"] if each["group_no"] == group_no), {})
    now: dict[str, Any] = group.get("ship_to") or order["ship_to"] or {}
    typed = {
        name: st.text_input(label, str(now.get(name) or ""), key=f"to_{name}_{group_no}").strip()
        for name, label in _ADDRESS.items()
    }
    wanted = {name: value for name, value in typed.items() if value}
    # Where it is on the map is said of the address that was.
    was = {name: value for name, value in now.items() if name in _ADDRESS and value}
    return {"ship_to": wanted} if wanted != was else {}


def _point(client: Client, order: Json, group_no: int) -> Json:
    """Ask for another pick-up point of the same carrier, of those near a postcode."""
    group: Json = next((each for each in order["groups"] if each["group_no"] == group_no), {})
    now = group.get("pickup_point")
    if group.get("method") != "pickup_point" or now is None:
        return {}
    if not st.checkbox("Another pick-up point", key=f"change_point_{group_no}"):
        return {}
    country = st.text_input(
        "Country, e.g. NL", now.get("country_code") or order["country_code"] or "",
        key=f"point_country_{group_no}",
    ).strip()  # fmt: skip
    postcode = st.text_input(
        "Near the postcode", now.get("postcode") or "", key=f"point_near_{group_no}"
    ).strip()
    near = {
        each["point_id"]: f"{show.point(each)}, {each['distance_km']:.1f} km"
        for each in _points(client, now["provider"], country.upper(), postcode)
        if each["point_id"] != now["point_id"]
    }
    if not near:
        st.caption("No other point of this carrier that takes parcels is near there.")
        return {}
    chosen = st.selectbox(
        "Pick-up point", list(near), index=None, key=f"point_{group_no}",
        format_func=near.__getitem__, placeholder="choose one",
    )  # fmt: skip
    return {"pickup_point": {"provider": now["provider"], "point_id": chosen}} if chosen else {}


def _points(client: Client, carrier: str, country: str, postcode: str) -> list[Json]:
    """Return the points of a carrier near a postcode; none, with the reason, where none can be."""
    if not (country and postcode):
        return []
    try:
        found: Json = client.get(
            "/v1/pickup-points", carrier=carrier, country=country, postcode=postcode, limit=20
        )
    except ApiRefusal as refused:
        if refused.is_of_the_key:
            raise
        st.warning(refused.sentence)
        return []
    if carrier in found["away"]:
        st.warning("The carrier does not answer just now; look again in a moment.")
    items: list[Json] = found["items"]
    return items
