"""Change orders: fewer units of a line, or another address, seen before they are made."""

from functools import partial
from typing import Any, Final

import streamlit as st

from dashboards import format as written
from dashboards.api_client import ApiRefusal, Client, Json
from dashboards.panels import frame, order_actions, show

_ADDRESS: Final = {
    "name": "Name", "company": "Company", "street": "Street", "house_number": "House number",
    "postcode": "Postcode", "city": "City", "country_code": "Country, e.g. NL",
}  # fmt: skip
_MONEY: Final = {
    "before": "The order came to", "after": "It will come to", "due": "The customer pays",
    "owed": "The customer gets back",
}  # fmt: skip


def edit(client: Client, order: Json) -> None:
    """Offer to change an order, as far as it is in nobody's hands."""
    if order_actions.allowed(order, "edit"):
        with st.popover("Change", icon=":material/edit:"):
            _edit(client, order)


def _edit(client: Client, order: Json) -> None:
    lines = _quantities(order)
    group_no, address = _sent_to(order)
    reason = st.text_input("Why", key="change_reason", placeholder="the customer asked for it")
    body: Json = {"reason": reason.strip() or "customer", "lines": lines}
    if address is not None:
        body |= {"ship_to": address, "group_no": group_no}
    if not lines and address is None:
        st.caption("Change a number or the address; what comes of it is shown before it is done.")
        return
    path = f"/v1/orders/{order['order_number']}/changes"
    try:
        preview = client.post(f"{path}:preview", body)
    except ApiRefusal as refused:
        if refused.is_of_the_key:
            raise
        st.warning(refused.sentence)
        return
    _shown(order, preview, is_moved=address is not None)
    if not reason.strip():
        st.caption("Say why; the order's story keeps it.")
    elif st.button("Change the order", key="change_do", type="primary"):
        work = partial(client.post, path, body, version=order["version"])
        frame.do(work, "The order is changed.")


def _shown(order: Json, preview: Json, *, is_moved: bool) -> None:
    """Show what a change comes to: the lines, and the money between before and after."""
    st.markdown("**This will change:**")
    before = {line["line_no"]: line for line in order["lines"]}
    told = [
        f"{written.plain(line['title'])}: {before[line['line_no']]['quantity']} "
        f"→ {line['quantity']}"
        for line in preview["lines"]
        if line["quantity"] != before[line["line_no"]]["quantity"]
    ]
    told += ["It goes to the address above"] if is_moved else []
    told += [
        f"{label} {show.amount(preview[name])}".replace("$", r"\$")
        for name, label in _MONEY.items()
        if name in {"before", "after"} or float(preview[name]["amount"])
    ]
    st.markdown("\n".join(f"- {each}" for each in told))


def _quantities(order: Json) -> list[Json]:
    """Ask how many units each line shall have; return those that change."""
    changed = []
    for line in order["lines"]:
        no = line["line_no"]
        free = order["cancelable"].get(str(no), 0)
        now = line["quantity"] - line["canceled"]
        if free:
            wanted = int(st.number_input(
                f"{no}. {written.plain(line['title'])}", now - free, now, now, key=f"change_{no}",
                help=f"At least {now - free}: those have left or are in somebody's hands.",
            ))  # fmt: skip
            if wanted != now:
                changed.append({"line_no": no, "quantity": line["canceled"] + wanted})
    return changed


def _sent_to(order: Json) -> tuple[int, Json | None]:
    """Ask where a delivery group goes; return its number, and the address if it is another."""
    sent = [each for each in order["groups"] if each["method"] == "ship_home"]
    if not sent:
        return 1, None
    numbers = [each["group_no"] for each in sent]
    number = numbers[0]
    if len(sent) > 1:
        number = st.selectbox("Delivery group", numbers, key="change_group")
    group = next(each for each in sent if each["group_no"] == number)
    now: dict[str, Any] = group["ship_to"] or order["ship_to"] or {}
    if not st.checkbox("Send it elsewhere", key="change_address"):
        return number, None
    typed = {
        name: st.text_input(label, str(now.get(name) or ""), key=f"to_{name}_{number}").strip()
        for name, label in _ADDRESS.items()
    }
    kept = {name: value for name, value in now.items() if name not in _ADDRESS and value}
    wanted = {**kept, **{name: value for name, value in typed.items() if value}}
    return number, wanted if wanted != {k: v for k, v in now.items() if v} else None
