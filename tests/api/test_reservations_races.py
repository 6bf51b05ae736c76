"""Races over what is reserved: expiry against pay, till against till, a customer with himself."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from oms.kernel.errors import VersionConflict
from oms.workflows import fulfillment
from tests.api.conftest import House
from tests.api.test_races import THREADS, at_once, post
from tests.api.test_reservations import a_reserve, code, convert, counter, reserved
from tests.builders import a_movement
from tests.conftest import Clock
from tests.ledger.shop import Shelf

__all__ = ["counter"]  # the fixture

CLOSES = datetime(2026, 1, 8, 17, tzinfo=UTC)


def expire(house: House) -> bool | None:
    """Let go of one thing nobody came for in time, as the worker does."""
    try:
        return house.system.ledger.run(partial(fulfillment.let_go_uncollected, at=CLOSES))
    except VersionConflict:
        return None


class TestExpiryAgainstPay:
    def test_each_is_sold_or_let_go_and_never_both(self, counter: House, clock: Clock) -> None:
        counter.shop.take(a_movement(15, location="AMS", ref="more"))
        kept = [
            reserved(counter, 2, f"W-{number}", customer_email=f"{number}@example.org")
            for number in range(10)
        ]
        clock.at = CLOSES - timedelta(seconds=1)
        pays: list[Callable[[], Any]] = [
            partial(convert, counter, each, f"T-{number}") for number, each in enumerate(kept)
        ]
        lets_go: list[Callable[[], Any]] = [partial(expire, counter)] * len(kept)
        # Each thread pays and lets go in turn.
        told = at_once([call for pair in zip(pays, lets_go, strict=True) for call in pair])
        answers = [each for each in told if not isinstance(each, bool | None)]
        while expire(counter) is not False:
            pass
        sold = [each for each in answers if each.status_code == 200]
        assert {code(each) for each in answers if each not in sold} <= {
            (409, "RESERVATION_EXPIRED")
        }
        states = Counter(
            counter.get(f"/v1/reservations/{each['order_number']}", "store").json()["state"]
            for each in kept
        )
        assert states == Counter(
            {"converted": len(sold), "expired": len(kept) - len(sold)}
        )  # fmt: skip
        assert counter.shop.shelf("AMS") == Shelf(20 - 2 * len(sold), 0)
        assert counter.count("orders") == len(kept) + len(sold)


class TestTills:
    def test_two_receipts_for_one_reservation_are_one_sale(self, counter: House) -> None:
        found = reserved(counter)
        calls = [partial(convert, counter, found, f"T-{number}") for number in range(THREADS)]
        told = at_once(list(calls))
        assert Counter(each.status_code for each in told) == {200: 1, 409: THREADS - 1}
        assert {code(each)[1] for each in told if each.status_code == 409} == {"ALREADY_CONVERTED"}
        assert counter.shop.shelf("AMS") == Shelf(3, 0)
        assert counter.count("orders") == 2

    def test_one_receipt_sent_by_many_is_one_sale_told_to_all(self, counter: House) -> None:
        found = reserved(counter)
        told = at_once([partial(convert, counter, found)] * THREADS)
        assert {each.status_code for each in told} == {200}
        assert len({each.content for each in told}) == 1
        assert counter.shop.shelf("AMS") == Shelf(3, 0)

    def test_one_receipt_for_two_reservations_is_one_of_them(self, counter: House) -> None:
        kept = [reserved(counter, 1, f"W-{number}") for number in range(2)]
        told = at_once([partial(convert, counter, each, quantity=1) for each in kept])
        assert sorted(each.status_code for each in told) == [200, 409]
        assert {code(each)[1] for each in told if each.status_code == 409} == {"RECEIPT_USED"}
        assert counter.shop.shelf("AMS") == Shelf(4, 1)


class TestLimit:
    def test_holds_for_a_customer_who_reserves_everywhere_at_once(self, counter: House) -> None:
        calls = [post(counter, a_reserve(f"W-{n}"), f"k{n}") for n in range(THREADS)]
        told = at_once(calls)
        assert Counter(each.status_code for each in told) == {201: 2, 409: THREADS - 2}
        assert {code(each)[1] for each in told if each.status_code == 409} == {"LIMIT_EXCEEDED"}
