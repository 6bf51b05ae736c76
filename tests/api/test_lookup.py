"""Look-up: a store finds any channel's order, and learns no more of a person than it knew."""

from typing import Any, Final

import pytest

from tests.api.conftest import House
from tests.api.wire import a_receipt, an_order
from tests.ledger.finding import indexed
from tests.ledger.people import caught_up

ADDRESS: Final = {
    "name": "Ada Pen", "street": "Laan 1", "postcode": "1011 AB", "city": "Utrecht",
    "country_code": "NL",
}  # fmt: skip
PRIVATE: Final = ("Ada", "example.org", "Laan", "1011", "612345678", "c-1")


def ordered(house: House, **fields: Any) -> None:
    body = an_order(
        customer_ref="c-1", customer_phone="+31612345678", ship_to=ADDRESS, allow_backorder=True,
        **fields,
    )  # fmt: skip
    assert house.order(body).status_code == 201
    caught_up(house.system.ledger)


class TestLookUp:
    @pytest.mark.parametrize(
        "query",
        [
            {"receipt": "W-1"},
            {"receipt": "#W-1"},
            {"number": "r100000001"},
            {"number": "#W-1"},
            {"email": "ADA@example.org"},
            {"phone": "0031 6 12345678"},
            {"name": "pen ad"},
            {"name": "ada", "email": "ada@example.org"},
        ],
    )
    def test_finds_and_shows_initial_and_city(self, house: House, query: dict[str, str]) -> None:
        ordered(house)
        answer = house.get("/v1/lookup", "store", params=query)
        (found,) = answer.json()
        assert (found["order_number"], found["channel_code"]) == ("R100000001", "web")
        assert found["customer"] == {"initial": "A", "city": "Utrecht"}
        assert [text for text in PRIVATE if text in answer.text] == []

    @pytest.mark.parametrize(
        "query",
        [
            {"receipt": "W-"},
            {"number": "R100000002"},
            {"email": "ada@example"},
            {"phone": "612345678"},
            {"name": "eve"},
            {"name": "ada", "email": "b@example.org"},
            {"name": "''"},
            {"phone": "x"},
        ],
    )
    def test_finds_nothing_else(self, house: House, query: dict[str, str]) -> None:
        ordered(house)
        assert house.get("/v1/lookup", "store", params=query).json() == []

    @pytest.mark.parametrize(
        "query", [{}, {"name": "a"}, {"street": "Laan"}, {"limit": 201, "name": "ada"}]
    )
    def test_refuses_what_asks_for_nothing(self, house: House, query: dict[str, Any]) -> None:
        assert house.get("/v1/lookup", "store", params=query).status_code == 422

    def test_finds_by_card_and_day(self, house: House) -> None:
        card = {
            "ref": "1", "tender": "card", "amount": "10.00", "captured": "10.00",
            "managed_by": "channel", "brand": "visa",
        }  # fmt: skip
        for ref, last4, day in (("T-1", "4242", 5), ("T-2", "4242", 6), ("T-3", "1111", 5)):
            paid = [card | {"last4": last4}]
            placed_at = f"2026-01-0{day}T10:00:00Z"
            house.order(a_receipt(ref, payments=paid, placed_at=placed_at))
        asked = {"card_last4": "4242", "placed_on": "2026-01-05"}
        (found,) = house.get("/v1/lookup", "store", params=asked).json()
        assert found["external_number"] == "#T-1"

    @pytest.mark.parametrize(
        "query",
        [
            {"card_last4": "4242"},
            {"placed_on": "2026-01-05"},
            {"card_last4": "42", "placed_on": "2026-01-05"},
            {"card_last4": "4242", "placed_on": "yesterday"},
            {"card_last4": "", "placed_on": "2026-01-05"},
        ],
    )
    def test_asks_for_all_of_a_card_and_its_day(self, house: House, query: dict[str, str]) -> None:
        assert house.get("/v1/lookup", "store", params=query).status_code == 422

    def test_finds_newest_first_in_every_store(self, house: House) -> None:
        for n in range(3):
            house.order(a_receipt(f"T-{n}", placed_at=f"2026-01-05T1{n}:00:00Z"))
        indexed(house.shop.ledger)
        found = house.get("/v1/lookup", "store", params={"name": "ada", "limit": 2}).json()
        assert [each["external_number"] for each in found] == ["#T-2", "#T-1"]

    def test_shows_who_is_bound_to_a_channel_that_one_alone(self, house: House) -> None:
        ordered(house)
        house.order(a_receipt("T-1"))
        found = house.get("/v1/lookup", "web admin", params={"name": "ada"}).json()
        assert [each["channel_code"] for each in found] == ["web"]

    def test_is_all_a_store_sees_of_orders(self, house: House) -> None:
        ordered(house)
        for path in ("/v1/orders", "/v1/orders/R100000001", "/v1/customers?q=ada"):
            assert house.get(path, "store").status_code == 403
