"""What tests of returns do: orders that have been sent, returns asked for and moved on."""

import itertools
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from oms.channels import operations as channels
from oms.workflows import returns
from tests.api.conftest import House
from tests.api.wire import a_line, an_order
from tests.builders import NOW
from tests.ledger.shop import CHANNELS

Json = dict[str, Any]
_once = itertools.count(1)

# How a return gets into each of its states, deed by deed.
WAYS: Final[dict[str, tuple[str, ...]]] = {
    "requested": (),
    "approved": ("approve",),
    "declined": ("decline",),
    "in_transit": ("approve", "ship"),
    "partially_received": ("approve", "some"),
    "received": ("approve", "receive"),
    "inspected": ("approve", "receive", "inspect"),
    "resolved": ("approve", "receive", "inspect", "accept"),
    "completed": ("approve", "receive", "inspect", "reject"),
    "canceled": ("cancel",),
    "expired": ("approve", "wait"),
}
UNITS: Final = [{"line_no": 1, "quantity": 2, "condition": "A", "disposition": "restock"}]
SAID: Final[dict[str, Json]] = {
    "approve": {}, "accept": {}, "cancel": {}, "decline": {"reason": "worn"},
    "reject": {"reason": "worn"}, "complete": {"reason": "paid by the shop"},
    "ship": {"carrier": "dpd", "tracking_number": "T1"},
    "receive": {"receipt_id": "r-all"}, "inspect": {"inspected": UNITS},
}  # fmt: skip


def policy(house: House, **written: Any) -> None:
    """Have the web shop take goods back in this way."""
    with house.system.ledger.transaction() as tx:
        channels.register(tx, replace(CHANNELS[0], return_policy=written), at=NOW)


def a_ship(quantity: int, at: str = "2026-01-05T12:00:00Z", line: str = "PEN") -> Json:
    return {"kind": "ship", "change_ref": f"s-{line}", "line_ref": line, "quantity": quantity,
            "occurred_at": at}  # fmt: skip


def sent(
    house: House, ref: str = "W-1", quantity: int = 3, at: str = "2026-01-05T12:00:00Z", **said: Any
) -> str:
    """Post an order all of which has left; return its number."""
    body = an_order(ref, lines=[a_line(quantity=quantity)], changes=[a_ship(quantity, at)], **said)
    number: str = house.order(body).json()["order_number"]
    return number


def ask(house: House, number: str, quantity: int = 2, key: str = "agent", **said: Any) -> Any:
    """Ask for pens to be taken back."""
    line = {"line_no": 1, "quantity": quantity, "reason": "too_small"} | said.pop("line", {})
    body = {"lines": [line], **said}
    return house.post(f"/v1/orders/{number}/returns", body, key, once=f"ask-{next(_once)}")


def act(house: House, of: Json, action: str, key: str = "agent", **said: Any) -> Any:
    """Do something with a return, in the version it was seen in."""
    headers = {"If-Match": f'"{of["version"]}"'}
    path = f"/v1/returns/{of['return_number']}/actions"
    return house.post(
        path, {"action": action, **said}, key, once=f"act-{next(_once)}", headers=headers
    )


def reach(house: House, state: str, ref: str = "W-1", **asked: Any) -> Json:
    """Bring a return of two of three pens into a state, by what people do."""
    made: Json = ask(house, sent(house, ref), **asked).json()
    for deed in WAYS[state]:
        if deed == "wait":
            with house.system.ledger.transaction() as tx:
                assert returns.expire_due(tx, at=NOW + timedelta(days=99))
            made = house.get(f"/v1/returns/{made['return_number']}").json()
        elif deed == "some":
            some = [{"line_no": 1, "quantity": 1}]
            made = act(house, made, "receive", receipt_id=f"some-{ref}", received=some).json()
        else:
            said = {"receipt_id": f"r-{ref}"} if deed == "receive" else SAID[deed]
            answer = act(house, made, deed, **said)
            assert answer.status_code == 200, answer.text
            made = answer.json()
    assert made["state"] == state
    return made


def notice(house: House, *receipts: Json, key: str = "DC") -> list[Json]:
    """Have a WMS tell what came."""
    body = {"receipts": list(receipts)}
    answer = house.post("/v1/return-receipts", body, key, once=f"wms-{next(_once)}")
    assert answer.status_code == 200, answer.text
    found: list[Json] = answer.json()["receipts"]
    return found


def a_receipt(receipt_id: str = "w-1", quantity: int = 2, **said: Any) -> Json:
    """Return what a WMS tells of pens that came as new."""
    line = {"sku": "PEN", "quantity": quantity, "condition": "A"} | said.pop("line", {})
    return {"receipt_id": receipt_id, "location_code": "DC", "lines": [line], **said}


def hand_over(house: House, *baskets: Json, at: str = "AMS", key: str = "store") -> Any:
    """Bring goods to a store."""
    body = {"returns": list(baskets)}
    return house.post(f"/v1/stores/{at}/returns", body, key, once=f"visit-{next(_once)}")


def a_basket(number: str, quantity: int = 1, **said: Any) -> Json:
    """Return what of an order somebody brings to a store."""
    line = {"line_no": 1, "quantity": quantity, "reason": "too_large", "condition": "A"}
    return {"order_number": number, "lines": [line | said.pop("line", {})], **said}
