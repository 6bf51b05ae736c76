"""Holds of stock over HTTP: placed whole or not at all, extended, let go, and ordered."""

from datetime import datetime, timedelta
from typing import Any

import httpx

from tests.api.conftest import House
from tests.api.wire import a_line, an_order
from tests.builders import a_movement


def hold(house: House, quantity: int = 2, key: str = "web", once: str = "h-1", **said: Any) -> Any:
    """Post a hold of pens."""
    body = {"channel_code": "web", "lines": [a_basket_line(quantity)], **said}
    return house.post("/v1/stock/holds", body, key, once=once)


def a_basket_line(quantity: int, sku: str = "PEN") -> dict[str, Any]:
    """Return a line of a basket."""
    return {"sku": sku, "quantity": quantity}


def sellable(house: House) -> int:
    """Return how many pens the web shop may sell."""
    (found,) = house.get("/v1/stock/PEN", "web").json()["channels"]
    return int(found["available_to_sell"])


def code(answer: httpx.Response) -> tuple[int, str]:
    """Return the status and the code of a refusal."""
    return answer.status_code, answer.json()["code"]


class TestPlace:
    def test_keeps_the_units_until_it_ends(self, stocked: House) -> None:
        answer = hold(stocked, minutes=20)
        assert answer.status_code == 201, answer.text
        held = answer.json()
        path = f"/v1/stock/holds/{held['hold_ref']}"
        assert answer.headers["location"] == path
        assert stocked.get(path, "web").json() == held
        assert (held["state"], held["order_number"]) == ("active", None)
        assert held["units"] == [{"sku": "PEN", "location_code": "DC", "quantity": 2}]
        lasts = datetime.fromisoformat(held["expires_at"]) - datetime.fromisoformat(
            held["created_at"]
        )
        assert (lasts, sellable(stocked)) == (timedelta(minutes=20), 8)

    def test_the_same_request_again_holds_once(self, stocked: House) -> None:
        assert hold(stocked).json() == hold(stocked).json()
        assert sellable(stocked) == 8

    def test_lines_of_one_sku_count_together_and_what_is_left_is_said(self, stocked: House) -> None:
        refused = hold(stocked, lines=[a_basket_line(6), a_basket_line(6), a_basket_line(1, "INK")])
        assert code(refused) == (409, "INSUFFICIENT_STOCK")
        assert refused.json()["items"] == [
            {"sku": "INK", "requested": 1, "available": 0},
            {"sku": "PEN", "requested": 12, "available": 10},
        ]
        assert (sellable(stocked), stocked.count("stock_holds")) == (10, 0)

    def test_refuses_what_it_does_not_know(self, stocked: House) -> None:
        assert code(hold(stocked, lines=[a_basket_line(1, "NONE")])) == (404, "UNKNOWN_SKU")
        assert code(hold(stocked, once="h-2", location_code="X")) == (404, "UNKNOWN_LOCATION")
        assert code(hold(stocked, once="h-3", channel_code="market")) == (404, "UNKNOWN_CHANNEL")
        assert code(hold(stocked, once="h-4", minutes=121)) == (422, "VALIDATION")


class TestOrder:
    def test_has_the_units_of_the_hold(self, stocked: House) -> None:
        held = hold(stocked, 10).json()
        body = an_order(lines=[a_line(quantity=10)])
        assert code(stocked.order(body)) == (409, "INSUFFICIENT_STOCK")
        answer = stocked.order(body | {"hold_ref": held["hold_ref"]})
        assert answer.status_code == 201, answer.text
        now = stocked.get(f"/v1/stock/holds/{held['hold_ref']}").json()
        assert (now["state"], now["order_number"]) == ("converted", answer.json()["order_number"])
        second = stocked.order(an_order("W-2", hold_ref=held["hold_ref"]))
        assert code(second) == (409, "STOCK_HOLD_ENDED")


class TestEnd:
    def test_lets_go_once_and_says_so_again(self, stocked: House) -> None:
        path = f"/v1/stock/holds/{hold(stocked).json()['hold_ref']}"
        for _ in range(2):
            assert stocked.delete(path, "web").json()["state"] == "released"
        assert sellable(stocked) == 10
        assert code(stocked.post(f"{path}/extend", {"minutes": 5}, "web")) == (
            409,
            "STOCK_HOLD_ENDED",
        )

    def test_extended_it_lasts_longer(self, stocked: House) -> None:
        held = hold(stocked, minutes=1).json()
        path = f"/v1/stock/holds/{held['hold_ref']}"
        longer = stocked.post(f"{path}/extend", {"minutes": 30}, "web").json()
        assert longer["expires_at"] > held["expires_at"]

    def test_another_channel_finds_no_such_hold(self, stocked: House) -> None:
        path = f"/v1/stock/holds/{hold(stocked).json()['hold_ref']}"
        assert code(stocked.get(path, "market")) == (404, "STOCK_HOLD_NOT_FOUND")
        assert code(stocked.delete(path, "market")) == (404, "STOCK_HOLD_NOT_FOUND")
        assert sellable(stocked) == 8

    def test_a_store_holds_at_its_counter(self, stocked: House) -> None:
        stocked.shop.take(a_movement(1, location="AMS"))
        held = hold(stocked, 1, "store", location_code="AMS").json()
        assert held["units"] == [{"sku": "PEN", "location_code": "AMS", "quantity": 1}]
