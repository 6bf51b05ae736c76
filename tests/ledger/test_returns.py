"""Returns in the ledger: whoever comes at the same moment, no unit comes back twice."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from oms.access.model import SCOPES, Caller
from oms.attention import queries as attention
from oms.channels import operations as channels
from oms.customers import operations as customers
from oms.kernel.errors import OmsError
from oms.orders import operations as orders
from oms.returns import operations
from oms.returns.model import (
    Asked,
    Condition,
    Disposition,
    Inspected,
    Resolution,
    Return,
    ReturnAction,
    ReturnReason,
    ReturnState,
    Told,
)
from oms.returns.rules import AlreadyReturned, QuantityExceedsReturnable
from oms.workflows import return_receipts, returns
from oms.workflows.return_receipts import Basket, Handed, Notice, Taken
from oms.workflows.returned import Doing, Receipt
from oms.workflows.returns import Request
from tests.builders import (
    NOW,
    a_change,
    a_count,
    a_line,
    a_movement,
    a_partial,
    an_order,
    minutes,
)
from tests.ledger.people import caught_up, owners
from tests.ledger.shop import CHANNELS, Shelf, Shop
from tests.ledger.threads import together, until_all_wait, waiting_for_a_lock

WMS = Caller(
    key_id="k", name="wms", role="store", scopes=frozenset(), channels=None, locations=None
)
UNIT = Inspected(
    line_no=1, quantity=1, condition=Condition.NEW, disposition=Disposition.RESTOCK
)  # fmt: skip


@pytest.fixture
def selling(shop: Shop) -> Shop:
    """Give the retailer whose web shop takes back what is as new without asking."""
    policy = {"approval": "auto", "inspection": [{"then": "accept", "conditions": ["A"]}]}
    with shop.ledger.transaction() as tx:
        channels.register(tx, replace(CHANNELS[0], return_policy=policy), at=NOW)
    shop.take(a_movement(10))
    return shop


def sent(shop: Shop, quantity: int = 3, **columns: object) -> str:
    """Let three pens leave the center; return the order's number."""
    ship = a_change("ship", quantity, location_code="DC")
    shop.take(an_order(lines=[a_line(quantity=quantity)], changes=[ship], **columns))
    return shop.order().summary.order_number


def asking(shop: Shop, number: str, quantity: int = 1, **said: str) -> Callable[[], Return]:
    line = Asked(line_no=1, quantity=quantity, reason=ReturnReason.TOO_SMALL)
    asked = Request(lines=(line,), **said)
    return lambda: shop.ledger.run(lambda tx: returns.request(tx, number, asked, by="ada", at=NOW))


def telling(shop: Shop, *notices: Notice, at: datetime = NOW) -> Callable[[], list[Taken]]:
    return lambda: shop.ledger.run(lambda tx: return_receipts.take_in(tx, notices, WMS, at=at))


def a_notice(number: str, quantity: int = 1, ref: str = "w-1", **said: object) -> Notice:
    told = Told(sku="PEN", quantity=quantity, condition=Condition.NEW)
    return Notice(receipt_id=ref, location_code="DC", lines=(told,), return_ref=number, **said)


class TestNeverCame:
    def test_all_of_it_is_shown_to_a_person(self, selling: Shop) -> None:
        """What came of it waits for the rest, and what is on its way for ever is lost."""

        def shown(days: int) -> list[tuple[str, int]]:
            at = NOW + timedelta(days=days, seconds=1)
            with selling.ledger.snapshot() as tx:
                found = attention.matters(tx, scopes=SCOPES, channel_codes=None, at=at)
            return [(each.code, each.count) for each in found]

        number = sent(selling)
        some, lost = asking(selling, number, 2)(), asking(selling, number)()
        telling(selling, a_notice(some.return_number, 1))()
        doing = Doing(by="ann", at=NOW)
        selling.ledger.run(
            lambda tx: returns.act(
                tx, lost.return_number, ReturnAction.SHIP, doing, version=lost.version
            )
        )
        assert shown(0) == []
        assert shown(2) == [("RETURN_UNDECIDED", 1)]
        assert shown(30) == [("RETURN_UNDECIDED", 2)]


class TestTogether:
    def test_no_more_is_asked_for_than_left(self, selling: Shop) -> None:
        number = sent(selling)
        found = together([asking(selling, number) for _ in range(6)])
        assert sum(isinstance(each, Return) for each in found) == 3
        assert {type(each) for each in found if isinstance(each, Exception)} == {AlreadyReturned}

    def test_a_receipt_is_taken_in_once(self, selling: Shop) -> None:
        made = asking(selling, sent(selling), 3)()
        works = [telling(selling, a_notice(made.return_number, 3)) for _ in range(4)]
        outcomes = sorted(taken[0].outcome for taken in together(works))  # type: ignore[index]  # none raised
        assert outcomes == ["duplicate"] * 3 + ["received"]
        assert selling.shelf() == Shelf(10, 0)
        assert selling.line().returned == 3

    def test_what_is_nobodys_is_kept_once(self, selling: Shop) -> None:
        found = together([telling(selling, a_notice("RMA1")) for _ in range(4)])
        outcomes = sorted(taken[0].outcome for taken in found)  # type: ignore[index]  # none raised
        assert outcomes == ["duplicate"] * 3 + ["unidentified"]
        assert selling.value("select count(*) from return_receipt_lines") == 1

    def test_two_receipts_of_one_return_never_count_a_unit_twice(self, selling: Shop) -> None:
        made = asking(selling, sent(selling), 3)()
        works = [telling(selling, a_notice(made.return_number, 2, f"w-{n}")) for n in range(2)]
        assert {taken[0].outcome for taken in together(works)} == {"received"}  # type: ignore[index]  # none raised
        with selling.ledger.snapshot() as tx:
            (now,) = returns.queries.of_order(tx, made.order_id)
        assert (now.state, now.lines[0].received) == (ReturnState.RECEIVED, 3)
        assert sorted(row.quantity for row in now.rows) == [1, 1, 2]

    def test_the_channel_tells_the_moment_we_accept(self, selling: Shop) -> None:
        made = asking(selling, sent(selling), 3)()
        change = a_change("return", 3, ref="c-1", restock=False)
        found = together([
            telling(selling, a_notice(made.return_number, 3), at=minutes(1)),
            lambda: selling.take(a_partial("W-1", change), at=minutes(1)),
        ])  # fmt: skip
        assert [each for each in found if isinstance(each, Exception)] == []
        assert selling.line().returned == 3
        assert selling.kept() == (0, 0)
        assert selling.shelf() == Shelf(10, 0)


class TestLocks:
    def test_of_a_batch_are_taken_in_the_order_everybody_takes_them(self, selling: Shop) -> None:
        """Two batches of pens and ink, the one the other way round: neither waits for who waits."""
        selling.take(a_movement(9, sku="INK", ref="ink"))
        numbers = []
        for ref, sku in (("A-1", "PEN"), ("A-2", "INK"), ("B-1", "INK"), ("B-2", "PEN")):
            gone = a_change("ship", ref=f"s-{ref}", line=sku, location_code="DC")
            selling.take(an_order(ref, lines=[a_line(sku)], changes=[gone]))
            number = selling.order(ref).summary.order_number
            numbers.append((asking(selling, number)().return_number, sku, ref.lower()))
        told = [
            replace(a_notice(number, ref=ref), lines=(
                Told(sku=sku, quantity=1, condition=Condition.NEW),))
            for number, sku, ref in numbers
        ]  # fmt: skip

        def take_in(*notices: Notice) -> list[str]:
            with selling.ledger.transaction() as tx:  # whoever is given up is not tried again
                found = return_receipts.take_in(tx, notices, WMS, at=NOW)
            return [each.outcome for each in found]

        with ThreadPoolExecutor(2) as pool:
            with selling.ledger.transaction() as tx:  # both stop before their second receipt
                operations.lock_receipts(tx, [("DC", "a-2"), ("DC", "b-2")])
                works = [pool.submit(take_in, *told[:2]), pool.submit(take_in, *told[2:])]
                until_all_wait(selling.ledger, 2)
            assert [work.result() for work in works] == [["received"] * 2] * 2

    def test_of_who_finds_out_whose_it_is_begin_with_its_order(self, selling: Shop) -> None:
        made = asking(selling, sent(selling))()
        telling(selling, a_notice("RMA1"))()
        row_id = selling.value("select row_id from return_receipt_lines")

        def assign() -> Return:
            with selling.ledger.transaction() as tx:  # whoever is given up is not tried again
                return return_receipts.assign(
                    tx, row_id, return_number=made.return_number, order_number=None, by="ann",
                    at=NOW,
                )  # fmt: skip

        with ExitStack() as stack:
            tx = stack.enter_context(selling.ledger.transaction())
            orders.hold(tx, made.order_id)
            found = stack.enter_context(waiting_for_a_lock(selling.ledger, assign))
            assert operations.take_unidentified(tx, row_id).row_id == row_id
            tx.rollback()
            assert found.result().state is ReturnState.RESOLVED


class TestTime:
    def test_is_over_by_itself(self, selling: Shop) -> None:
        made = asking(selling, sent(selling))()

        def expire(days: int) -> bool:
            at = NOW + timedelta(days=days)
            return selling.ledger.run(lambda tx: returns.expire_due(tx, at=at))

        assert not expire(29)
        assert expire(30)
        assert not expire(31)
        assert selling.story()[-1] == "return.expired"
        with selling.ledger.snapshot() as tx:
            (now,) = returns.queries.of_order(tx, made.order_id)
        assert now.state is ReturnState.EXPIRED

    def test_what_came_before_a_count_is_in_it(self, selling: Shop) -> None:
        made = asking(selling, sent(selling))()
        selling.take(a_count(8, at=minutes(10)))
        late = a_notice(made.return_number, received_at=minutes(5))
        telling(selling, late, at=minutes(20))()
        assert selling.shelf() == Shelf(8, 0)


class TestChannel:
    def test_an_echo_is_heard_in_parts_in_any_order_and_again(self, selling: Shop) -> None:
        made = asking(selling, sent(selling), 2)()
        telling(selling, a_notice(made.return_number, 2), at=minutes(1))()
        one = a_partial("W-1", a_change("return", 1, ref="c-1", restock=True))
        both = a_partial(
            "W-1", a_change("return", 1, ref="c-2", total_minor=900),
            a_change("return", 1, ref="c-3", restock=True, location_code="DC"),
        )  # fmt: skip
        for document in (one, one, both, both, one):
            selling.take(document, at=minutes(2))
        assert selling.line().returned == 3, "the third was never taken in by us"
        assert selling.kept() == (0, 0)
        assert selling.shelf() == Shelf(10, 0)
        echoes = selling.rows("select change_ref, quantity from line_echoes order by 1")
        assert echoes == [("c-1", 1), ("c-2", 1)]

    def test_a_whole_document_that_repeats_all_changes_nothing(self, selling: Shop) -> None:
        made = asking(selling, sent(selling, 2), 2)()
        telling(selling, a_notice(made.return_number, 2), at=minutes(1))()
        kept = selling.kept()
        changes = [
            a_change("ship", 2, location_code="DC"), a_change("return", 2, ref="c-1", restock=True),
        ]  # fmt: skip
        again = an_order(lines=[a_line(quantity=2)], changes=changes, version=2)
        selling.take(again, at=minutes(2))
        assert (selling.line().returned, selling.kept()) == (2, kept)
        assert selling.shelf() == Shelf(10, 0)


class TestStore:
    def test_a_customer_and_a_parcel_at_once(self, selling: Shop) -> None:
        """One of them gets it: never more comes back than has left."""
        number = sent(selling)
        handed = Handed(
            line_no=1, quantity=2, reason=ReturnReason.TOO_SMALL, condition=Condition.NEW,
            resolution=Resolution.REFUND, disposition=None,
        )  # fmt: skip
        basket = Basket(order_number=number, lines=(handed,))

        def visit() -> list[Return]:
            return selling.ledger.run(
                lambda tx: return_receipts.take_at_store(tx, "AMS", [basket], by="amy", at=NOW)
            )

        found = together([visit, visit, visit])
        assert sum(isinstance(each, list) for each in found) == 1
        assert all(isinstance(each, list | OmsError) for each in found)
        assert selling.line().returned == 2
        assert selling.shelf("AMS") == Shelf(2, 0)


class TestOrders:
    def test_of_a_test_order_no_stock_comes_back(self, selling: Shop) -> None:
        made = asking(selling, sent(selling, is_test=True))()
        telling(selling, a_notice(made.return_number))()
        assert selling.line().returned == 1
        assert selling.shelf() == Shelf(10, 0)

    def test_of_history_it_does(self, selling: Shop) -> None:
        selling.take(an_order(is_historical=True))
        made = asking(selling, selling.order().summary.order_number)()
        telling(selling, a_notice(made.return_number))()
        assert selling.states() == ("completed", "returned")
        assert selling.shelf() == Shelf(11, 0)

    def test_more_than_the_order_has_left_is_not_accepted(self, selling: Shop) -> None:
        """What a channel told before the return was opened is no word on this return."""
        made = asking(selling, sent(selling), 3)()
        told = a_partial("W-1", a_change("return", 1, ref="c-1"))
        selling.take(told, at=NOW - timedelta(hours=1))
        (taken,) = telling(selling, a_notice(made.return_number, 3))()
        assert (taken.outcome, taken.code) == ("unidentified", "QTY_EXCEEDS_RETURNABLE")
        assert selling.shelf() == Shelf(7, 0)

    def test_never_more_comes_back_than_has_left(self, selling: Shop) -> None:
        ship = a_change("ship", 1, location_code="DC")
        selling.take(an_order(lines=[a_line(quantity=3)], changes=[ship]))
        number = selling.order().summary.order_number
        first = asking(selling, number)()
        later = NOW + timedelta(days=31)
        selling.ledger.run(lambda tx: returns.expire_due(tx, at=later))
        second = asking(selling, number)()
        telling(selling, a_notice(second.return_number))()
        (late,) = telling(selling, a_notice(first.return_number, ref="w-2"))()
        assert (late.outcome, late.state) == ("received", ReturnState.RECEIVED)

        def do(action: ReturnAction, **said: Any) -> Return:
            return selling.ledger.run(
                lambda tx: returns.do(
                    tx, returns.hold(tx, first.return_number), action,
                    Doing(by="amy", at=NOW, **said),
                )
            )  # fmt: skip

        do(ReturnAction.INSPECT, inspected=(UNIT,))
        with pytest.raises(QuantityExceedsReturnable) as raised:
            do(ReturnAction.ACCEPT)
        assert raised.value.facts["max"] == 0
        done = do(ReturnAction.REJECT, reason="it was given back before")
        assert (done.state, selling.line().returned) == (ReturnState.COMPLETED, 1)

    def test_who_is_erased_has_remarked_nothing(self, selling: Shop) -> None:
        sent(selling)
        asking(selling, selling.order().summary.order_number, note="Ring Ada at home.")()
        caught_up(selling.ledger)
        ada = owners(selling)["W-1"][0]
        with selling.ledger.transaction() as tx:
            customers.erase(tx, ada, reason="asked", include_open=False, by="agent", at=NOW)
        assert selling.value("select note from returns") == "[erased]"


class TestByHand:
    def test_a_receipt_elsewhere_is_put_away_elsewhere(self, selling: Shop) -> None:
        made = asking(selling, sent(selling), 2)()

        def do(action: ReturnAction, **said: object) -> Return:
            nonlocal made
            doing = Doing(by="amy", at=NOW, **said)
            made = selling.ledger.run(
                lambda tx: returns.act(tx, made.return_number, action, doing, version=made.version)
            )
            return made

        one = (Told(line_no=1, quantity=1),)
        for ref, place in (("a", "AMS"), ("b", "UTR")):
            do(ReturnAction.RECEIVE,
               receipt=Receipt(receipt_id=ref, lines=one, location_code=place))  # fmt: skip
        do(ReturnAction.INSPECT, inspected=(replace(UNIT, quantity=2),))
        assert (selling.shelf("AMS"), selling.shelf("UTR")) == (Shelf(1, 0), Shelf(1, 0))
        assert selling.shelf() == Shelf(7, 0)
