"""Change orders over HTTP: tried, then done, with the same numbers."""

import itertools
from typing import Any

import httpx
import pytest

from tests.api.conftest import House
from tests.api.wire import a_line, an_order

_once = itertools.count(1)
UTRECHT = {"street": "Gracht 2", "postcode": "3511 AA", "city": "Utrecht", "country_code": "NL"}


def preview(house: House, order: dict[str, Any], **said: Any) -> httpx.Response:
    path = f"/v1/orders/{order['order_number']}/changes:preview"
    return house.post(path, {"reason": "asked", **said}, "agent")


def change(house: House, order: dict[str, Any], **said: Any) -> httpx.Response:
    path, headers = f"/v1/orders/{order['order_number']}/changes", {"If-Match": order["version"]}
    return house.post(
        path, {"reason": "asked", **said}, "agent", once=f"change-{next(_once)}",
        headers={name: str(value) for name, value in headers.items()},
    )  # fmt: skip


def now(house: House, order: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = house.get(f"/v1/orders/{order['order_number']}").json()
    return found


@pytest.fixture
def order(routed: House) -> dict[str, Any]:
    """Give an order of three pens, which a location is asked for, and ink that nobody has."""
    lines = [a_line(quantity=3), a_line("INK")]
    return routed.routed_order(an_order(lines=lines, allow_backorder=True))


FEWER = [{"line_no": 1, "quantity": 1}]


class TestQuantity:
    def test_is_lowered_as_the_preview_said(self, house: House, order: dict[str, Any]) -> None:
        told = preview(house, order, lines=FEWER)
        assert told.status_code == 200, told.text
        assert now(house, order) == order
        done = change(house, order, lines=FEWER)
        assert done.json() == told.json()
        # Of net and of tax the last unit has the cents that do not divide, and that one stays.
        assert (done.json()["owed"]["amount"], done.json()["due"]["amount"]) == ("20.00", "0.00")
        after = now(house, order)
        assert done.headers["etag"] == f'"{after["version"]}"'
        assert [line["canceled"] for line in after["lines"]] == [2, 0]
        assert after["lines"][1] == order["lines"][1]
        assert [line["open"] for line in after["fulfillments"][0]["lines"]] == [1]
        assert house.shop.shelf().allocated == 1
        assert after["events"][-1]["data"] == {
            "change_no": 1, "lines": [{"line_no": 1, "before": 3, "after": 1}],
            "ship_to_of_group": None, "reason": "asked",
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("lines", "code"),
        [
            ([{"line_no": 1, "quantity": 3}], "NOTHING_CHANGES"),
            ([{"line_no": 9, "quantity": 1}], "ORDER_NOT_FOUND"),
            ([], "NOTHING_CHANGES"),
        ],
    )
    def test_must_make_sense(
        self, house: House, order: dict[str, Any], lines: list[Any], code: str
    ) -> None:
        for answer in (preview(house, order, lines=lines), change(house, order, lines=lines)):
            assert answer.json()["code"] == code
        assert now(house, order) == order

    def test_is_refused_in_another_version_or_on_hold(
        self, house: House, order: dict[str, Any]
    ) -> None:
        house.post(
            f"/v1/orders/{order['order_number']}/holds",
            {"type": "fraud", "comment": "Look."}, once="hold",
        )  # fmt: skip
        assert change(house, order, lines=FEWER).status_code == 412
        held = now(house, order)
        assert change(house, held, lines=FEWER).json()["code"] == "ORDER_ON_HOLD"
        assert now(house, order)["events"][-1]["data"]["command"] == "edit"


class TestAddress:
    def test_stays_when_the_channel_sends_a_newer_document(
        self, house: House, order: dict[str, Any]
    ) -> None:
        answer = change(house, order, ship_to=UTRECHT)
        assert answer.status_code == 200, answer.text
        assert (answer.json()["owed"]["amount"], answer.json()["due"]["amount"]) == ("0.00",) * 2
        lines = [a_line(quantity=3), a_line("INK")]
        newer = house.order(an_order(version=2, lines=lines, allow_backorder=True))
        assert newer.json()["outcome"] == "updated"
        (group,) = now(house, order)["groups"]
        assert group["ship_to"] == UTRECHT

    def test_is_no_part_of_the_story(self, house: House, order: dict[str, Any]) -> None:
        """It must go when its customer is erased, and the story stays."""
        change(house, order, ship_to=UTRECHT)
        (told,) = house.shop.rows("select data from order_events where type = 'order.changed'")
        assert told[0]["ship_to_of_group"] == 1
        assert "Gracht" not in str(told)
