"""Reservations over HTTP: kept for opening days, found at the till, sold once, let go in time."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from oms.channels import operations as channels
from oms.locations import operations as locations
from oms.locations.model import Location
from oms.workflows import fulfillment
from tests.api.conftest import House
from tests.api.test_fulfillments import act
from tests.api.wire import a_line, a_receipt, an_order
from tests.builders import NOW, a_movement
from tests.conftest import Clock
from tests.ledger.shop import CHANNELS, Shelf

HOURS = {day: [["09:00", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
_once = itertools.count(1)


@pytest.fixture
def counter(house: House) -> House:
    """Give a test a store with hours and five pens, for a web shop that reserves there."""
    with house.system.ledger.transaction() as tx:
        store = Location(
            code="AMS", name="AMS", kind="store", country_code="NL", time_zone="Europe/Amsterdam",
            opening_hours={**HOURS, "2026-01-07": []},
        )  # fmt: skip
        locations.register(tx, [store], at=NOW)
        channels.register(tx, replace(CHANNELS[0], is_routed=True, reserve_max=2), at=NOW)
    house.shop.take(a_movement(5, location="AMS"))
    return house


def a_reserve(ref: str = "W-1", quantity: int = 1, **fields: Any) -> dict[str, Any]:
    """Return an order of pens to be paid at the store."""
    groups = [{"method": "reserve", "line_refs": ["PEN"], "location_code": "AMS"}]
    return an_order(ref, lines=[a_line(quantity=quantity)], groups=groups, **fields)


def reserved(house: House, quantity: int = 2, ref: str = "W-1", **fields: Any) -> dict[str, Any]:
    """Reserve pens at the store, have it asked for them, and return the reservation."""
    order = house.routed_order(a_reserve(ref, quantity, **fields))
    found: dict[str, Any] = house.get(f"/v1/reservations/{order['order_number']}", "store").json()
    return found


def convert(
    house: House, of: dict[str, Any], ref: str = "T-1", quantity: int = 2, key: str = "store",
    receipt: dict[str, Any] | None = None, **said: Any,
) -> httpx.Response:  # fmt: skip
    """Send a till's receipt for a reservation."""
    sold = a_receipt(ref, lines=[a_line(quantity=quantity)], **(receipt or {}))
    return house.post(
        f"/v1/reservations/{of['order_number']}/convert", {"receipt": sold, **said}, key,
        once=f"once-{next(_once)}",
    )  # fmt: skip


def code(answer: httpx.Response) -> tuple[int, str]:
    """Return the status and the code of a refusal."""
    return answer.status_code, answer.json()["code"]


class TestKept:
    def test_until_the_store_closes_on_its_second_opening_day(self, counter: House) -> None:
        # Reserved on a Monday; the Wednesday is a holiday.
        found = reserved(counter)
        assert (found["state"], found["expires_at"]) == ("reserved", "2026-01-08T17:00:00Z")
        assert found["lines"] == [{"line_no": 1, "sku": "PEN", "title": "Pen", "open": 2}]
        assert counter.shop.shelf("AMS") == Shelf(5, 2)

    def test_longer_when_asked_and_no_longer_than_anything_is(self, counter: House) -> None:
        found = reserved(counter)
        path = f"/v1/reservations/{found['order_number']}/extend"
        assert counter.post(path, {"days": 4}, "store").json()["expires_at"] == (
            "2026-01-12T17:00:00Z"
        )
        # Never shorter than it was.
        assert counter.post(path, {"days": 1}, "store").json()["expires_at"] == (
            "2026-01-12T17:00:00Z"
        )
        assert code(counter.post(path, {"days": 15}, "store")) == (422, "VALIDATION")

    def test_not_beyond_fourteen_opening_days_in_all(self, counter: House, clock: Clock) -> None:
        found = reserved(counter)
        clock.forward(days=3)
        path = f"/v1/reservations/{found['order_number']}/extend"
        refused = counter.post(path, {"days": 13}, "store")
        assert code(refused) == (409, "EXTENSION_TOO_LONG")
        assert refused.json()["expires_at_max"].startswith("2026-01-26 17:00")
        assert counter.post(path, {"days": 12}, "store").json()["expires_at"] == (
            "2026-01-26T17:00:00Z"
        )

    def test_a_customer_has_only_so_many_open(self, counter: House) -> None:
        for ref in ("W-1", "W-2"):
            reserved(counter, 1, ref)
        assert code(counter.order(a_reserve("W-3"))) == (409, "LIMIT_EXCEEDED")
        nobody = a_reserve("W-3", customer_email=None)
        assert code(counter.order(nobody)) == (422, "CUSTOMER_NEEDED")
        # What is here already is no further one, and another customer is another one.
        assert counter.order(a_reserve("W-2")).status_code == 200
        assert counter.order(a_reserve("W-4", customer_email="bob@example.org")).status_code == 201


class TestFound:
    def test_by_what_is_known_of_it_and_shows_nobody(self, counter: House) -> None:
        reserved(counter)
        path = "/v1/reservations?location=AMS"
        for asked in ("", "&number=%23W-1", "&email=ADA@example.org"):
            (found,) = counter.get(f"{path}{asked}", "store").json()
            assert found["customer"] == {"initial": "A", "city": None}
            assert "ada@" not in str(found)
        for asked in ("&number=W-2", "&email=bob@example.org", "&code=000000"):
            assert counter.get(f"{path}{asked}", "store").json() == []
        assert counter.get("/v1/reservations?location=UTR", "store").json() == []

    def test_by_the_code_its_customer_shows(self, counter: House) -> None:
        reserved(counter)
        (work,) = counter.get("/v1/fulfillments?location=AMS", "store").json()["items"]
        for action in ("accept", "start_pick", "pick", "pack", "ready"):
            work = act(counter, work, action).json()
        shown = counter.shop.value("select collect_code from fulfillment_orders")
        (found,) = counter.get(f"/v1/reservations?location=AMS&code={shown}", "store").json()
        assert (found["state"], found["expires_at"]) == ("ready", "2026-01-08T17:00:00Z")
        assert code(convert(counter, found, code="nothing")) == (409, "WRONG_COLLECTION_CODE")
        assert convert(counter, found, code=shown).json()["state"] == "converted"


class TestConverted:
    def test_is_a_sale_of_the_store_and_no_order_of_the_shop_any_more(self, counter: House) -> None:
        sold = convert(counter, reserved(counter)).json()
        assert sold["state"] == "converted"
        (sale,) = sold["sales"]
        assert (sale["receipt"], sale["quantities"]) == ("T-1", {"PEN": 2})
        assert counter.shop.shelf("AMS") == Shelf(3, 0)
        assert counter.shop.states("T-1") == ("completed", "shipped")
        assert counter.shop.states("W-1") == ("canceled", "canceled")
        assert counter.shop.story("W-1")[-1] == counter.shop.story("T-1")[-1]
        assert counter.shop.story("T-1")[-1] == "reservation.converted"
        now = counter.get(f"/v1/orders/{sold['order_number']}").json()
        assert [each["state"] for each in now["fulfillments"]] == ["collected"]

    def test_the_same_receipt_again_is_the_same_answer(self, counter: House) -> None:
        found = reserved(counter)
        assert convert(counter, found).json() == convert(counter, found).json()
        assert counter.shop.shelf("AMS") == Shelf(3, 0)
        refused = convert(counter, found, "T-2")
        assert code(refused) == (409, "ALREADY_CONVERTED")
        assert refused.json()["receipts"] == ["T-1"]
        assert counter.count("orders") == 2

    def test_a_receipt_that_came_before_takes_nothing_twice(self, counter: House) -> None:
        found = reserved(counter, 5)
        counter.order(a_receipt(lines=[a_line(quantity=5)]))
        assert counter.shop.shelf("AMS") == Shelf(0, 5, is_oversold=True)
        assert convert(counter, found, quantity=5).json()["state"] == "converted"
        assert counter.shop.shelf("AMS") == Shelf(0, 0)

    def test_some_and_the_rest_is_free_for_who_waits(self, counter: House) -> None:
        found = reserved(counter, 5)
        groups = [{"method": "collect_store", "line_refs": ["PEN"], "location_code": "AMS"}]
        waits = an_order("W-9", groups=groups, customer_email=None, allow_backorder=True)
        counter.order(waits)
        assert convert(counter, found, quantity=3).json()["state"] == "converted"
        assert counter.shop.shelf("AMS") == Shelf(2, 1)
        assert counter.shop.states("W-9") == ("placed", "allocated")

    def test_some_and_the_rest_is_kept_for_another_receipt(self, counter: House) -> None:
        found = reserved(counter, 3)
        partly = convert(counter, found, quantity=1, rest="keep").json()
        assert (partly["state"], partly["lines"][0]["open"]) == ("partially_converted", 2)
        assert counter.shop.shelf("AMS") == Shelf(4, 2)
        whole = convert(counter, found, "T-2", quantity=4, rest="keep").json()
        assert (whole["state"], [each["receipt"] for each in whole["sales"]]) == (
            "converted", ["T-1", "T-2"],
        )  # fmt: skip
        assert counter.shop.shelf("AMS") == Shelf(0, 0)

    def test_only_by_a_receipt_of_these_goods_in_this_store(self, counter: House) -> None:
        counter.shop.take(a_movement(5, sku="INK", location="AMS"))
        found = reserved(counter)
        unfit = [
            {"location_code": "UTR"}, {"fulfillment_method": "ship_home"}, {"is_test": True},
            {"lines": [a_line("INK")]}, {"lines": [a_line("NONE")]},
        ]  # fmt: skip
        path = f"/v1/reservations/{found['order_number']}/convert"
        told = [
            code(counter.post(path, {"receipt": a_receipt(**each)}, "store", once=f"u-{number}"))
            for number, each in enumerate(unfit)
        ]
        assert told == [(404, "RESERVATION_NOT_FOUND"), *[(422, "RECEIPT_UNFIT")] * 4]
        strange = [a_line(), a_line("NONE")]
        refused = counter.post(path, {"receipt": a_receipt(lines=strange)}, "store", once="u")
        assert code(refused) == (422, "UNKNOWN_SKU")
        assert refused.json()["errors"][0]["pointer"] == "/receipt/lines/1/sku"
        assert counter.count("orders") == 1
        assert counter.shop.shelf("AMS") == Shelf(5, 2)

    def test_one_receipt_has_one_reservation(self, counter: House) -> None:
        first, second = reserved(counter, 1), reserved(counter, 1, "W-2")
        assert convert(counter, first, quantity=1).status_code == 200
        assert code(convert(counter, second, quantity=1)) == (409, "RECEIPT_USED")
        assert counter.shop.shelf("AMS") == Shelf(4, 1)


class TestExpired:
    def test_is_refused_at_once_and_free_when_the_worker_comes(
        self, counter: House, clock: Clock
    ) -> None:
        found = reserved(counter)
        closed = datetime(2026, 1, 8, 17, tzinfo=UTC)
        clock.at = closed
        path = f"/v1/reservations/{found['order_number']}"
        assert counter.get(path, "store").json()["state"] == "expired"
        assert code(convert(counter, found)) == (409, "RESERVATION_EXPIRED")
        assert code(counter.post(f"{path}/extend", {"days": 1}, "store")) == (
            409, "RESERVATION_EXPIRED",
        )  # fmt: skip
        run = counter.system.ledger.run
        assert run(lambda tx: fulfillment.let_go_uncollected(tx, at=closed))
        assert not run(lambda tx: fulfillment.let_go_uncollected(tx, at=closed))
        assert counter.get(path, "store").json()["state"] == "expired"
        assert code(convert(counter, found)) == (409, "RESERVATION_EXPIRED")
        assert (counter.shop.shelf("AMS"), counter.shop.states("W-1")[0]) == (
            Shelf(5, 0), "canceled",
        )  # fmt: skip

    def test_canceled_is_not_expired(self, counter: House) -> None:
        found = reserved(counter)
        headers = {**counter.keys.header("agent"), "If-Match": "1", "Idempotency-Key": "c"}
        path = f"/v1/orders/{found['order_number']}"
        headers["If-Match"] = counter.get(path).headers["etag"]
        answer = counter.client.post(f"{path}/cancel", json={"reason": "x"}, headers=headers)
        assert answer.status_code == 200, answer.text
        assert code(convert(counter, found)) == (409, "RESERVATION_ENDED")


class TestScope:
    def test_another_channel_finds_no_such_reservation(self, counter: House) -> None:
        found = reserved(counter)
        path = f"/v1/reservations/{found['order_number']}"
        assert counter.get(path, "web admin").status_code == 200
        assert code(counter.get("/v1/reservations/R1", "store")) == (404, "RESERVATION_NOT_FOUND")
        assert counter.get(path, "web").status_code == 403
