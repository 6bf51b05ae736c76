"""POST /v1/orders: whole or not at all, once, and never more than there is."""

from typing import Any, ClassVar

import pytest

from tests.api.conftest import House
from tests.api.wire import a_line, a_receipt, an_order


class TestCapture:
    def test_answers_with_the_order(self, stocked: House) -> None:
        answer = stocked.order(an_order(lines=[a_line(quantity=2)]))
        assert answer.status_code == 201
        body = answer.json()
        assert body["outcome"] == "captured"
        assert body["total"] == {"amount": "20.00", "currency": "EUR"}
        assert (body["order_state"], body["fulfillment_state"]) == ("placed", "allocated")
        (line,) = body["lines"]
        assert (line["sku"], line["quantity"], line["allocated"]) == ("PEN", 2, 2)
        assert answer.headers["location"] == f"/v1/orders/{body['order_number']}"
        assert stocked.get(answer.headers["location"]).json()["external_ref"] == "W-1"

    def test_names_nobody(self, stocked: House) -> None:
        """The answer is kept for repetitions: people must not be in it."""
        text = stocked.order(an_order()).text
        assert "Ada" not in text
        assert "example.org" not in text

    def test_says_it_was_here_before(self, stocked: House) -> None:
        first = stocked.order(an_order()).json()
        again = stocked.order(an_order(), once="another")
        assert (again.status_code, again.json()["outcome"]) == (200, "duplicate")
        assert again.json()["order_number"] == first["order_number"]
        assert stocked.count("orders") == 1

    def test_takes_a_newer_version(self, stocked: House) -> None:
        stocked.order(an_order())
        newer = stocked.order(an_order(version=2, lines=[a_line(quantity=3)]))
        assert (newer.status_code, newer.json()["outcome"]) == (200, "updated")
        assert newer.json()["lines"][0]["quantity"] == 3

    def test_refuses_an_older_version(self, stocked: House) -> None:
        number = stocked.order(an_order(version=5)).json()["order_number"]
        answer = stocked.order(an_order(version=4, lines=[a_line(quantity=3)]))
        assert (answer.status_code, answer.json()["code"]) == (409, "STALE_VERSION")
        assert answer.json()["order_number"] == number
        assert stocked.shop.line().quantity == 1

    def test_takes_the_channel_from_a_key_of_one(self, stocked: House) -> None:
        body = an_order()
        del body["channel_code"]
        assert stocked.order(body, "web").json()["channel_code"] == "web"

    @pytest.mark.parametrize("key", ["admin", "both", "nowhere"])
    def test_asks_for_the_channel_else(self, stocked: House, key: str) -> None:
        body = an_order()
        del body["channel_code"]
        answer = stocked.order(body, key)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "/channel_code"

    @pytest.mark.parametrize("code", ["market", "nonesuch"])
    def test_does_not_tell_a_foreign_channel_from_none(self, house: House, code: str) -> None:
        answer = house.order(an_order(channel_code=code), "web")
        assert (answer.status_code, answer.json()["code"]) == (404, "UNKNOWN_CHANNEL")
        assert house.count("orders") == 0

    def test_refuses_a_channel_that_is_switched_off(self, stocked: House) -> None:
        with stocked.system.ledger.transaction() as tx:
            tx.exec_driver_sql("update channels set is_enabled = false where channel_code = 'web'")
        assert stocked.order(an_order()).json()["code"] == "CHANNEL_DISABLED"


class TestShortage:
    def test_is_refused_with_what_is_left(self, stocked: House) -> None:
        answer = stocked.order(an_order(lines=[a_line(quantity=11)]))
        assert (answer.status_code, answer.json()["code"]) == (409, "INSUFFICIENT_STOCK")
        assert answer.json()["items"] == [{"sku": "PEN", "requested": 11, "available": 10}]
        assert stocked.count("orders") == 0
        assert stocked.shop.shelf().allocated == 0

    def test_refuses_the_whole_order(self, stocked: House) -> None:
        answer = stocked.order(an_order(lines=[a_line(), a_line("LAMP")]))
        assert answer.json()["items"] == [{"sku": "LAMP", "requested": 1, "available": 0}]
        assert stocked.shop.shelf().allocated == 0

    def test_waits_when_it_may(self, stocked: House) -> None:
        answer = stocked.order(an_order(lines=[a_line(quantity=11)], allow_backorder=True))
        assert (answer.status_code, answer.json()["fulfillment_state"]) == (201, "backordered")
        assert answer.json()["lines"][0]["backordered"] == 1

    def test_is_a_fact_at_a_till(self, house: House) -> None:
        answer = house.order(a_receipt())
        assert (answer.status_code, answer.json()["order_state"]) == (201, "completed")
        assert house.shop.shelf("AMS").on_hand == -1

    def test_counts_what_the_order_has_already(self, stocked: House) -> None:
        """A newer version of an order that holds everything must not be refused for it."""
        stocked.order(an_order(lines=[a_line(quantity=10)]))
        newer = an_order(version=2, lines=[a_line(quantity=10)], customer_name="Ada Quill")
        assert stocked.order(newer).status_code == 200
        more = an_order(version=3, lines=[a_line(quantity=11)])
        assert stocked.order(more).json()["code"] == "INSUFFICIENT_STOCK"


class TestRefusal:
    @pytest.mark.parametrize(
        ("fields", "pointer", "code"),
        [
            ({"lines": [a_line(), a_line("NIB")]}, "/lines/1/sku", "UNKNOWN_SKU"),
            ({"location_code": "MOON"}, "/location_code", "UNKNOWN_LOCATION"),
            ({"currency": "USD"}, "/currency", "CURRENCY_MISMATCH"),
            ({"currency": "XXX"}, "/currency", "UNKNOWN_CURRENCY"),
            ({"lines": []}, "/lines", "VALIDATION"),
            ({"lines": [a_line(quantity=0)]}, "/lines/0/quantity", "VALIDATION"),
            (
                {"lines": [a_line(quantity=1.5, total="15.00", tax="2.60")]},
                "/lines/0/quantity",
                "VALIDATION",
            ),
            ({"lines": [a_line(total=10.0)]}, "/lines/0/total", "VALIDATION"),
            ({"lines": [a_line(total="1e3")]}, "/lines/0/total", "VALIDATION"),
            ({"lines": [a_line(), a_line()]}, "/lines/1/line_ref", "VALIDATION"),
            ({"placed_at": "2026-01-05T12:00:00"}, "/placed_at", "VALIDATION"),
            ({"customer_name": "Ada\x00"}, "/customer_name", "VALIDATION"),
            ({"surprise": 1}, "/surprise", "VALIDATION"),
            ({"ship_to": {"latitude": 90.1, "longitude": 4}}, "/ship_to/latitude", "VALIDATION"),
            ({"ship_to": {"latitude": "52", "longitude": 4}}, "/ship_to/latitude", "VALIDATION"),
            ({"ship_to": {"latitude": 52}}, "/ship_to/longitude", "VALIDATION"),
            ({"allow_backorder": "yes"}, "/allow_backorder", "VALIDATION"),
        ],
    )
    def test_points_at_the_field(
        self, stocked: House, fields: dict[str, Any], pointer: str, code: str
    ) -> None:
        answer = stocked.order(an_order(**fields))
        assert answer.status_code == 422
        problem = answer.json()
        assert [(each["pointer"], each["code"]) for each in problem["errors"]] == [(pointer, code)]
        assert problem["code"] == code
        assert stocked.count("orders") == 0


class TestGroups:
    """An order whose lines go several ways."""

    BASKET: ClassVar[list[Any]] = [a_line("PEN"), a_line("INK")]

    def test_each_line_goes_its_own_way(self, house: House) -> None:
        groups = [
            {"method": "collect_store", "line_refs": ["PEN"], "location_code": "AMS"},
            {"method": "ship_home", "line_refs": ["INK"]},
        ]
        body = an_order(lines=self.BASKET, groups=groups, allow_backorder=True)
        answer = house.order(body)
        assert answer.status_code == 201, answer.text
        found = house.get(f"/v1/orders/{answer.json()['order_number']}").json()
        assert found["fulfillment_method"] == "mixed"
        assert [(g["method"], g["location_code"]) for g in found["groups"]] == [
            ("collect_store", "AMS"), ("ship_home", None),
        ]  # fmt: skip
        assert [line["group_no"] for line in found["lines"]] == [1, 2]

    @pytest.mark.parametrize(
        ("groups", "pointer"),
        [
            ([{"method": "ship_home", "line_refs": ["PEN"]}], "/groups"),
            ([{"method": "ship_home", "line_refs": ["PEN", "INK", "INK"]}], "/groups/0/line_refs"),
            ([{"method": "ship_home", "line_refs": ["PEN", "NIB"]}], "/groups/0/line_refs"),
            (
                [{"method": "collect_store", "line_refs": ["PEN", "INK"]}],
                "/groups/0/location_code",
            ),
            ([{"method": "pickup_point", "line_refs": ["PEN", "INK"]}], "/groups/0/pickup_point"),
        ],
    )
    def test_a_group_that_cannot_be_is_refused(
        self, house: House, groups: list[Any], pointer: str
    ) -> None:
        body = an_order(lines=self.BASKET, groups=groups)
        answer = house.order(body)
        assert answer.status_code == 422
        assert pointer in {each["pointer"] for each in answer.json()["errors"]}
