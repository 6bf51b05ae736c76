"""Races: many callers at one moment, on threads."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import httpx

from tests.api.conftest import House
from tests.api.test_refunds import PATH, SOME, bought
from tests.api.wire import a_line, a_movement, an_order

__all__ = ["bought"]  # a fixture of theirs

THREADS = 8


def at_once(calls: list[Callable[[], httpx.Response]]) -> list[httpx.Response]:
    """Make calls from threads that begin together; return the answers in order."""
    gate = threading.Barrier(min(THREADS, len(calls)))

    def run(share: list[Callable[[], httpx.Response]]) -> list[httpx.Response]:
        gate.wait()
        return [call() for call in share]

    shares = [calls[number::THREADS] for number in range(min(THREADS, len(calls)))]
    with ThreadPoolExecutor(THREADS) as pool:
        return [answer for share in pool.map(run, shares) for answer in share]


def post(house: House, body: Any, once: str) -> Callable[[], httpx.Response]:
    """Return the call that posts an order."""
    return lambda: house.order(body, once=once)


class TestOneOrder:
    def test_posted_by_many_is_one(self, stocked: House) -> None:
        answers = at_once([post(stocked, an_order(), f"k{n}") for n in range(THREADS)])
        outcomes = Counter((each.status_code, each.json()["outcome"]) for each in answers)
        assert outcomes == {(201, "captured"): 1, (200, "duplicate"): THREADS - 1}
        assert stocked.count("orders") == 1
        assert stocked.shop.shelf().allocated == 1

    def test_posted_by_many_under_one_key_acts_once(self, stocked: House) -> None:
        answers = at_once([post(stocked, an_order(), "k") for _ in range(THREADS)])
        done = [each for each in answers if each.status_code == 201]
        told = [each.json()["code"] for each in answers if each.status_code != 201]
        assert len({each.content for each in done}) == 1
        assert set(told) <= {"IDEMPOTENCY_KEY_IN_FLIGHT"}
        assert stocked.count("orders") == 1


class TestRefund:
    def test_asked_for_by_a_hundred_under_one_key_is_one(self, bought: House) -> None:
        """Each has the answer, or is told that it is being worked on; nobody has another refund."""
        ask = partial(bought.post, PATH, SOME, "agent", once="k")
        answers = at_once([ask] * 100)
        assert {each.status_code for each in answers} <= {201, 409}
        numbers = {each.json()["refund_number"] for each in answers if each.is_success}
        assert numbers == {ask().json()["refund_number"]}
        assert bought.count("refunds") == 1


class TestBuyers:
    def test_get_exactly_what_there_is(self, stocked: House) -> None:
        """Twenty-four buyers of ten pens, in two channels whose networks lie crosswise."""
        calls = [
            post(stocked, an_order(f"B-{n}", channel_code=("web", "market")[n % 2]), f"k{n}")
            for n in range(24)
        ]
        answers = at_once(calls)
        assert Counter(each.status_code for each in answers) == {201: 10, 409: 14}
        refused = [each.json() for each in answers if each.status_code == 409]
        assert {each["code"] for each in refused} == {"INSUFFICIENT_STOCK"}
        assert {each["items"][0]["available"] for each in refused} == {0}
        assert stocked.shop.shelf().allocated == 10
        assert stocked.count("orders") == 10

    def test_of_several_skus_get_whole_orders(self, stocked: House) -> None:
        stocked.post("/v1/stock/movements", {"movements": [a_movement("ink", 10, sku="INK")]})
        pairs = [("PEN", "INK"), ("INK", "PEN")]
        calls = [
            post(stocked, an_order(f"B-{n}", lines=[a_line(sku) for sku in pairs[n % 2]]), f"k{n}")
            for n in range(24)
        ]
        assert Counter(each.status_code for each in at_once(calls)) == {201: 10, 409: 14}
        assert [stocked.shop.shelf(sku=sku).allocated for sku in ("PEN", "INK")] == [10, 10]


class TestMovements:
    def test_all_count(self, house: House) -> None:
        bodies = [{"movements": [a_movement(f"m-{n}", 1)]} for n in range(24)]
        calls = [lambda body=body: house.post("/v1/stock/movements", body) for body in bodies]
        assert {each.status_code for each in at_once(calls)} == {200}
        assert house.shop.shelf().on_hand == 24


class TestEditAgainstPick:
    PAIRS = THREADS // 2  # a thread for each call

    def test_only_one_of_both_is_done(self, routed: House) -> None:
        """An agent takes two of three pens from an order while a store takes them in hand."""
        more = a_movement("more", 3 * self.PAIRS)
        routed.post("/v1/stock/movements", {"movements": [more]})
        orders = [
            routed.routed_order(an_order(f"E-{n}", lines=[a_line(quantity=3)]))
            for n in range(self.PAIRS)
        ]
        works = [self.picking(routed, order) for order in orders]
        calls = [
            call
            for order, work in zip(orders, works, strict=True)
            for call in (self.edit(routed, order), self.act(routed, work, "pick"))
        ]
        answers = at_once(calls)
        for order, edited, picked in zip(orders, answers[::2], answers[1::2], strict=True):
            now = routed.get(f"/v1/orders/{order['order_number']}").json()
            (line,), (work,) = now["lines"], now["fulfillments"]
            found = (
                edited.status_code, picked.status_code, line["canceled"], work["state"],
                work["lines"][0]["open"], work["lines"][0]["picked"],
            )  # fmt: skip
            # Whoever comes second sees what the first has done: the store another version, the
            # agent that all of it is in somebody's hands.
            assert found in {(200, 412, 2, "picking", 1, 0), (409, 200, 0, "picked", 3, 3)}
            if edited.status_code == 409:
                assert edited.json()["code"] == "NOT_EDITABLE"
        edits = sum(answer.status_code == 200 for answer in answers[::2])
        assert routed.shop.shelf().allocated == 3 * self.PAIRS - 2 * edits

    def picking(self, house: House, order: dict[str, Any]) -> dict[str, Any]:
        (work,) = order["fulfillments"]
        for action in ("accept", "start_pick"):
            work = self.act(house, work, action)().json()
        return work

    @staticmethod
    def act(house: House, work: dict[str, Any], action: str) -> Callable[[], httpx.Response]:
        number = work["fulfillment_number"]
        return lambda: house.post(
            f"/v1/fulfillments/{number}/actions", {"action": action}, "store",
            once=f"{action}-{number}", headers={"If-Match": str(work["version"])},
        )  # fmt: skip

    @staticmethod
    def edit(house: House, order: dict[str, Any]) -> Callable[[], httpx.Response]:
        number = order["order_number"]
        return lambda: house.post(
            f"/v1/orders/{number}/changes",
            {"reason": "asked", "lines": [{"line_no": 1, "quantity": 1}]}, "agent",
            once=f"edit-{number}", headers={"If-Match": str(order["version"])},
        )  # fmt: skip
