"""A crowd: many buyers over several processes, who cross each other, get exactly what there is."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any, Final

import httpx
import pytest

from tests.api.conftest import House
from tests.api.test_fulfillments import act as do
from tests.api.test_process import SECONDS_MAX, running
from tests.api.wire import a_line, a_movement, an_order

BUYERS: Final = 300
UNITS: Final = 100
THREADS: Final = 16
Call = Callable[[httpx.Client], httpx.Response]
Crowd = Callable[[list[Call]], list[httpx.Response]]

_once = count(1)


@pytest.fixture(scope="module")
def port(rooms: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Run four processes on the tests' ledger."""
    settings = {"OMS_REQUESTS_PER_MINUTE": '{"admin": 100000}'}
    with running(
        rooms.system.ledger, tmp_path_factory.mktemp("crowd"), "--workers", "4", **settings
    ) as (at, _):
        yield at


@pytest.fixture
def crowd(routed: House, port: int) -> Crowd:
    """Give what lets calls go to the processes from many threads, which begin together."""

    def run(calls: list[Call]) -> list[httpx.Response]:
        gate = threading.Barrier(THREADS)

        def share(number: int) -> list[tuple[int, httpx.Response]]:
            with httpx.Client(
                base_url=f"http://127.0.0.1:{port}", timeout=SECONDS_MAX,
                headers=routed.keys.header(),
            ) as client:  # fmt: skip
                gate.wait(SECONDS_MAX)
                return [(at, calls[at](client)) for at in range(number, len(calls), THREADS)]

        with ThreadPoolExecutor(THREADS) as pool:
            parts = list(pool.map(share, range(THREADS)))
        found = sorted((each for part in parts for each in part), key=lambda each: each[0])
        return [answer for _, answer in found]

    return run


def post(path: str, body: Any, version: int | None = None) -> Call:
    """Return the call that posts a body, once."""
    headers = {"Idempotency-Key": f"crowd-{next(_once)}"}
    if version is not None:
        headers["If-Match"] = str(version)
    return lambda client: client.post(path, json=body, headers=headers)


def act(work: dict[str, Any], action: str, **said: Any) -> Call:
    """Return the call that does something with a fulfillment order as it was seen."""
    path = f"/v1/fulfillments/{work['fulfillment_number']}/actions"
    return post(path, {"action": action, **said}, work["version"])


class TestBuyers:
    def test_of_what_is_scarce_get_all_of_it_and_no_more(self, routed: House, crowd: Crowd) -> None:
        """Three hundred want a hundred, each two SKUs, which they name in opposite order."""
        movements = [
            a_movement("more", UNITS - 10), a_movement("ink", UNITS, sku="INK"),
        ]  # fmt: skip
        assert routed.post("/v1/stock/movements", {"movements": movements}).is_success
        pairs = [("PEN", "INK"), ("INK", "PEN")]
        orders = [
            an_order(f"B-{n}", lines=[a_line(sku) for sku in pairs[n % 2]],
                     channel_code=("web", "market")[n % 3 // 2])
            for n in range(BUYERS)
        ]  # fmt: skip
        answers = crowd([post("/v1/orders", body) for body in orders])
        told = Counter(each.status_code for each in answers)
        assert told == {201: UNITS, 409: BUYERS - UNITS}
        codes = {each.json()["code"] for each in answers if each.status_code == 409}
        assert codes == {"INSUFFICIENT_STOCK"}
        assert [routed.shop.shelf(sku=sku).allocated for sku in ("PEN", "INK")] == [UNITS, UNITS]


class TestWork:
    def test_is_canceled_or_shipped_and_never_both(self, routed: House, crowd: Crowd) -> None:
        """Of each order somebody cancels it, a location ships it, and the shop edits it."""
        kept = 10
        orders = [routed.routed_order(an_order(f"C-{n}")) for n in range(kept)]
        calls: list[Call] = []
        for n, order in enumerate(orders):
            (work,) = order["fulfillments"]
            path = f"/v1/orders/{order['order_number']}/cancel"
            edited = an_order(f"C-{n}", version=2, lines=[a_line(quantity=2)])
            calls += [
                post(path, {"reason": "customer"}, order["version"]), act(work, "accept"),
                post("/v1/orders", edited | {"allow_backorder": True}),
            ]  # fmt: skip
        answers = crowd(calls)
        assert {each.status_code for each in answers} <= {200, 201, 409, 412}
        for n, order in enumerate(orders):
            canceled, accepted, edited = answers[3 * n : 3 * n + 3]
            now = routed.get(f"/v1/orders/{order['order_number']}").json()
            (line,) = now["lines"]
            assert edited.is_success
            assert line["quantity"] == 2
            # Who was second has seen an older version, or what is canceled.
            assert line["canceled"] == (1 if canceled.is_success else 0)
            states = {each["state"] for each in now["fulfillments"]}
            assert ("accepted" in states) <= accepted.is_success
            assert line["allocated"] + line["backordered"] + line["canceled"] == 2


class TestCancelAgainstHandOver:
    def test_of_two_parts_the_packed_one_leaves_and_the_other_is_canceled_or_kept(
        self, routed: House, crowd: Crowd
    ) -> None:
        """A location ships its part while somebody cancels all that can be: never that part."""
        ink = [a_movement("ink", UNITS, sku="INK", location_code="AMS")]
        assert routed.post("/v1/stock/movements", {"movements": ink}).is_success
        lines, calls, orders = [a_line(), a_line("INK")], list[Call](), []
        for n in range(8):
            order = routed.routed_order(an_order(f"S-{n}", lines=lines))
            number = order["order_number"]
            (packed,) = (e for e in order["fulfillments"] if e["location_code"] == "DC")
            for action in ("accept", "start_pick", "pick", "pack"):
                packed = do(routed, packed, action).json()
            seen = routed.get(f"/v1/orders/{number}").json()["version"]
            calls += [
                act(packed, "ship"), post(f"/v1/orders/{number}/cancel", {"reason": "x"}, seen)
            ]  # fmt: skip
            orders.append(number)
        answers = crowd(calls)
        for number, shipped, canceled in zip(orders, answers[::2], answers[1::2], strict=True):
            assert shipped.status_code == 200, shipped.text
            assert canceled.status_code in {200, 412}, canceled.text
            now = routed.get(f"/v1/orders/{number}").json()
            pen, other = now["lines"]
            is_canceled = canceled.is_success
            assert (pen["shipped"], pen["canceled"]) == (1, 0)
            assert (other["canceled"], other["allocated"]) == (is_canceled, not is_canceled)
            states = {each["location_code"]: each["state"] for each in now["fulfillments"]}
            assert states == {"DC": "shipped", "AMS": "canceled" if is_canceled else "assigned"}
        assert (routed.shop.shelf().on_hand, routed.shop.shelf().allocated) == (2, 0)

    def test_of_what_is_being_picked_exactly_one_wins(self, routed: House, crowd: Crowd) -> None:
        """What is picked is in hand and cannot be canceled; what is canceled cannot be picked."""
        calls, orders = list[Call](), []
        for n in range(10):
            order = routed.routed_order(an_order(f"P-{n}"))
            (work,) = order["fulfillments"]
            for action in ("accept", "start_pick"):
                work = do(routed, work, action).json()
            number = order["order_number"]
            seen = routed.get(f"/v1/orders/{number}").json()["version"]
            calls += [
                act(work, "pick"), post(f"/v1/orders/{number}/cancel", {"reason": "x"}, seen)
            ]  # fmt: skip
            orders.append(number)
        answers = crowd(calls)
        for number, picked, canceled in zip(orders, answers[::2], answers[1::2], strict=True):
            assert {picked.status_code, canceled.status_code} in ({200, 409}, {200, 412})
            now = routed.get(f"/v1/orders/{number}").json()
            (work,) = now["fulfillments"]
            assert work["state"] == ("picked" if picked.is_success else "canceled")
            assert now["lines"][0]["canceled"] == (1 if canceled.is_success else 0)
        kept = sum(picked.is_success for picked in answers[::2])
        assert routed.shop.shelf().allocated == kept


class TestEditAgainstPick:
    def test_of_what_is_being_picked_exactly_one_wins(self, routed: House, crowd: Crowd) -> None:
        """What is picked is not taken away any more, what was taken away is not picked; and what
        is added meanwhile is added, or the one who asked has seen an older version.
        """  # fmt: skip
        more = [a_movement("more", UNITS), a_movement("ink", UNITS, sku="INK")]
        assert routed.post("/v1/stock/movements", {"movements": more}).is_success
        calls, orders = list[Call](), []
        fewer = {"reason": "x", "lines": [{"line_no": 1, "quantity": 1}]}
        swap = {
            "reason": "x",
            "replace": [
                {"line_no": 1, "sku": "INK", "quantity": 1, "unit_price": "12.00", "tax": "2.08"}
            ],
        }
        for n in range(12):
            order = routed.routed_order(an_order(f"E-{n}", lines=[a_line(quantity=2)]))
            (work,) = order["fulfillments"]
            for action in ("accept", "start_pick"):
                work = do(routed, work, action).json()
            number = order["order_number"]
            seen = routed.get(f"/v1/orders/{number}").json()["version"]
            path = f"/v1/orders/{number}/changes"
            calls += [act(work, "pick"), post(path, fewer, seen), post(path, swap, seen)]
            orders.append(number)
        answers = crowd(calls)
        assert {each.status_code for each in answers} <= {200, 409, 412}
        kept = inks = 0
        for n, number in enumerate(orders):
            picked, lowered, swapped = (each.is_success for each in answers[3 * n : 3 * n + 3])
            assert picked + lowered + swapped == 1, [a.text for a in answers[3 * n : 3 * n + 3]]
            now = routed.get(f"/v1/orders/{number}").json()
            pen, *ours = now["lines"]
            assert pen["quantity"] - pen["canceled"] == (2 if picked else 1)
            assert [line["sku"] for line in ours] == ["INK"] * swapped
            work = now["fulfillments"][0]
            assert (work["state"] == "picked") == picked
            assert sum(line["open"] for line in work["lines"]) == (2 if picked else 1)
            kept, inks = kept + pen["allocated"], inks + swapped
            changes = routed.get(f"/v1/orders/{number}/change-orders").json()["items"]
            assert [each["state"] for each in changes] == ["applied"] * (not picked)
        assert [routed.shop.shelf(sku=sku).allocated for sku in ("PEN", "INK")] == [kept, inks]
