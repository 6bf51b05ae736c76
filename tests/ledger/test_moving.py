"""Work that moves: given to another location or split, in one moment and with all its units."""

import pytest

from oms.fulfillment.model import (
    Action,
    FulfillmentOrder,
    FulfillmentOrderNotFound,
    FulfillmentOrderState,
    NothingSplit,
    NotMergeable,
    NotMovable,
    QuantityNotOpen,
    Reason,
    TargetNeeded,
    WrongState,
)
from oms.holds import operations as holding
from oms.holds.model import HoldType, OrderOnHold
from oms.kernel.errors import VersionConflict
from oms.stock.model import UnknownLocation
from tests.builders import NOW, a_change, a_group, a_line, a_movement, a_partial, an_order
from tests.ledger.routing import activate, do, route, settle_places, stocked, work
from tests.ledger.shop import Shelf, Shop
from tests.ledger.threads import together

A, S = Action, FulfillmentOrderState
TO_AMS = {"to_location_code": "AMS"}
Found = list[tuple[str, FulfillmentOrderState, list[int]]]


def ordered(shop: Shop, *quantities: int) -> FulfillmentOrder:
    """Order pens, and so much ink, of which the center has enough; return the only work for it."""
    skus = ("PEN", "INK")
    lines = [a_line(sku, n) for sku, n in zip(skus, quantities, strict=False)]
    shop.take(*(a_movement(5, sku=sku) for sku in skus), an_order(lines=lines))
    route(shop)
    (made,) = work(shop)
    return made


def at_work(shop: Shop) -> Found:
    return [(f.location_code, f.state, [line.open for line in f.lines]) for f in work(shop)]


def reasons(refused: pytest.ExceptionInfo[NotMovable]) -> list[str]:
    return [each["code"] for each in refused.value.facts["reasons"]]


class TestMove:
    @pytest.mark.parametrize(
        "before", [[], [A.ACCEPT], [A.ACCEPT, A.START_PICK], [A.ACCEPT, A.START_PICK, A.PICK],
                   [A.ACCEPT, A.START_PICK, A.PICK, A.PACK]],
    )  # fmt: skip
    def test_gives_all_of_it_to_another_location(self, routed: Shop, before: list[Action]) -> None:
        made = ordered(routed, 2)
        stocked(routed, AMS=2)
        moved = do(routed, do(routed, made, *before), A.MOVE, **TO_AMS)
        assert (moved.state, moved.reason) == (S.CANCELED, "moved")
        assert at_work(routed) == [("DC", S.CANCELED, [0]), ("AMS", S.ASSIGNED, [2])]
        assert (routed.shelf("DC"), routed.shelf("AMS")) == (Shelf(5, 0), Shelf(2, 2))
        assert routed.violations() == {}
        assert routed.story("W-1")[-2:] == ["fulfillment.canceled", "fulfillment.assigned"]
        do(routed, work(routed)[-1], A.ACCEPT, A.START_PICK, A.PICK, A.PACK, A.SHIP)
        assert routed.states() == ("completed", "shipped")
        assert routed.shelf("AMS") == Shelf(0, 0)

    def test_what_it_leaves_is_given_to_who_waits_there(self, routed: Shop) -> None:
        made = ordered(routed, 3)
        routed.take(an_order("M-1", lines=[a_line(quantity=5)]), channel="market")
        assert routed.line("M-1").backordered == 3
        stocked(routed, AMS=3)  # which does not supply the marketplace
        do(routed, made, A.MOVE, **TO_AMS)
        assert (routed.line("M-1").backordered, routed.shelf("DC")) == (0, Shelf(5, 5))
        assert routed.violations() == {}

    def test_not_to_a_place_that_does_not_supply_the_channel(self, routed: Shop) -> None:
        made = ordered(routed, 1)
        stocked(routed, AMS=1)
        with routed.ledger.transaction() as tx:
            tx.exec_driver_sql(
                "delete from channel_locations n using channels c, locations x"
                " where c.channel_id = n.channel_id and x.location_id = n.location_id"
                " and c.channel_code = 'web' and x.location_code = 'AMS'"
            )
        with pytest.raises(NotMovable) as refused:
            do(routed, made, A.MOVE, **TO_AMS)
        assert reasons(refused) == ["NOT_IN_NETWORK"]

    def test_says_everything_that_is_in_the_way(self, routed: Shop) -> None:
        made = ordered(routed, 3, 1)
        stocked(routed, AMS=2)
        settle_places(routed, AMS={"is_enabled": False, "capacity_per_day": 0})
        with pytest.raises(NotMovable) as refused:
            do(routed, made, A.MOVE, **TO_AMS)
        assert reasons(refused) == [
            "LOCATION_DISABLED", "NO_CAPACITY", "INSUFFICIENT_STOCK", "INSUFFICIENT_STOCK",
        ]  # fmt: skip
        assert refused.value.facts["reasons"][2:] == [
            {"code": "INSUFFICIENT_STOCK", "sku": "INK", "requested": 1, "available": 0},
            {"code": "INSUFFICIENT_STOCK", "sku": "PEN", "requested": 3, "available": 2},
        ]
        assert work(routed) == [made]

    def test_needs_another_location_that_is_there(self, routed: Shop) -> None:
        made = ordered(routed, 1)
        for code, error in ((None, TargetNeeded), ("DC", TargetNeeded), ("X", UnknownLocation)):
            with pytest.raises(error):
                do(routed, made, A.MOVE, to_location_code=code)
        assert work(routed) == [made]

    def test_of_two_for_the_same_last_unit_one_wins(self, routed: Shop) -> None:
        made = ordered(routed, 1)
        stocked(routed, AMS=1)
        routed.take(an_order("W-2"))
        route(routed)
        (other,) = work(routed, "W-2")
        found = together(
            [lambda each=each: do(routed, each, A.MOVE, **TO_AMS) for each in (made, other)]
        )
        assert sorted(type(each).__name__ for each in found) == ["FulfillmentOrder", "NotMovable"]
        assert routed.shelf("AMS") == Shelf(1, 1)
        assert routed.violations() == {}

    def test_who_accepts_at_the_same_moment_is_not_robbed(self, routed: Shop) -> None:
        made = ordered(routed, 1)
        stocked(routed, AMS=1)
        found = together(
            [lambda: do(routed, made, A.ACCEPT), lambda: do(routed, made, A.MOVE, **TO_AMS)]
        )
        assert sum(isinstance(each, VersionConflict) for each in found) == 1
        assert routed.violations() == {}

    def test_rules_do_not_give_it_back(self, routed: Shop) -> None:
        settle_places(routed)
        made = ordered(routed, 1)
        stocked(routed, AMS=1, UTR=1)
        activate(routed, {"name": "best", "sort": ["priority"]})
        do(routed, made, A.MOVE, **TO_AMS)
        do(routed, work(routed)[-1], A.REJECT, reason=Reason.NO_CAPACITY)
        assert at_work(routed)[-1] == ("UTR", S.ASSIGNED, [1])

    def test_not_while_the_order_is_on_hold(self, routed: Shop) -> None:
        made = ordered(routed, 2)
        stocked(routed, AMS=2)
        number = routed.order().summary.order_number
        with routed.ledger.transaction() as tx:
            holding.place(tx, number, HoldType.FRAUD, "Ask first.", by="ann", at=NOW)
        (held,) = work(routed)
        assert not {A.MOVE, A.SPLIT} & set(held.allowed())
        with pytest.raises(OrderOnHold):
            do(routed, made, A.MOVE, **TO_AMS)

    def test_what_is_collected_stays_where_its_customer_comes(self, routed: Shop) -> None:
        routed.take(a_movement(5, location="AMS"))
        groups = [a_group("collect_store", "PEN", location="AMS")]
        lines = [a_line(quantity=2)]
        routed.take(an_order(lines=lines, groups=groups, fulfillment_method="collect_store"))
        route(routed)
        (made,) = work(routed)
        for action in (A.MOVE, A.SPLIT):
            with pytest.raises(WrongState):
                do(routed, made, action, to_location_code="DC", split_off={1: 1})


class TestSplit:
    def test_some_becomes_a_work_of_its_own_where_it_is(self, routed: Shop) -> None:
        accepted = do(routed, ordered(routed, 3, 2), A.ACCEPT)
        left = do(routed, accepted, A.SPLIT, split_off={1: 1, 2: 2})
        assert (left.state, left.version) == (S.ACCEPTED, accepted.version + 1)
        assert at_work(routed) == [("DC", S.ACCEPTED, [2, 0]), ("DC", S.ASSIGNED, [1, 2])]
        assert (routed.shelf("DC"), routed.shelf("DC", "INK")) == (Shelf(5, 3), Shelf(5, 2))
        assert routed.violations() == {}
        assert routed.story("W-1")[-2:] == ["fulfillment.split", "fulfillment.assigned"]
        for each in work(routed):
            steps = [A.START_PICK, A.PICK, A.PACK, A.SHIP]
            do(routed, each, *([A.ACCEPT] if each.state is S.ASSIGNED else []), *steps)
        assert routed.states() == ("completed", "shipped")

    def test_or_elsewhere(self, routed: Shop) -> None:
        made = ordered(routed, 3)
        stocked(routed, AMS=1)
        do(routed, made, A.SPLIT, split_off={1: 1}, **TO_AMS)
        assert at_work(routed) == [("DC", S.ASSIGNED, [2]), ("AMS", S.ASSIGNED, [1])]
        assert (routed.shelf("DC"), routed.shelf("AMS")) == (Shelf(5, 2), Shelf(1, 1))
        assert routed.violations() == {}

    @pytest.mark.parametrize(
        ("quantities", "error"),
        [
            # What is one unit is not offered to be split at all.
            ({}, NothingSplit), ({1: 0}, NothingSplit), ({1: 3}, NothingSplit),
            ({1: 4}, QuantityNotOpen), ({1: -1}, QuantityNotOpen), ({7: 1}, QuantityNotOpen),
        ],
    )  # fmt: skip
    def test_neither_nothing_nor_all_nor_more(
        self, routed: Shop, quantities: dict[int, int], error: type[Exception]
    ) -> None:
        made = ordered(routed, 3)
        with pytest.raises(error):
            do(routed, made, A.SPLIT, split_off=quantities)
        assert work(routed) == [made]

    def test_not_to_where_it_cannot_be(self, routed: Shop) -> None:
        made = ordered(routed, 3)
        with pytest.raises(NotMovable) as refused:
            do(routed, made, A.SPLIT, split_off={1: 1}, **TO_AMS)
        assert reasons(refused) == ["INSUFFICIENT_STOCK"]

    def test_what_is_canceled_of_both_is_fitted(self, routed: Shop) -> None:
        do(routed, ordered(routed, 3), A.SPLIT, split_off={1: 1})
        routed.take(a_partial("W-1", a_change("cancel", 2)))
        assert sum(sum(lines) for _, _, lines in at_work(routed)) == 1
        assert routed.violations() == {}


def halves(shop: Shop) -> tuple[FulfillmentOrder, FulfillmentOrder]:
    """Order pens and ink that two works of the center are asked for; return the older first."""
    do(shop, ordered(shop, 3, 2), A.SPLIT, split_off={1: 1, 2: 2})
    older, younger = work(shop)
    return older, younger


class TestMerge:
    def test_two_works_become_one_with_all_their_units(self, routed: Shop) -> None:
        older, younger = halves(routed)
        assert (older.merges_with, younger.merges_with) == (
            (younger.fulfillment_number,), (older.fulfillment_number,),
        )  # fmt: skip
        one = do(routed, older, A.MERGE, merge_number=younger.fulfillment_number)
        assert (one.state, one.merges_with) == (S.ASSIGNED, ())
        assert A.MERGE not in one.allowed()
        assert at_work(routed) == [("DC", S.ASSIGNED, [3, 2]), ("DC", S.CANCELED, [0, 0])]
        assert work(routed)[1].reason == "merged"
        assert (routed.shelf("DC"), routed.violations()) == (Shelf(5, 3), {})
        done = do(routed, one, A.ACCEPT, A.START_PICK, A.PICK, A.PACK, A.SHIP)
        assert done.state is S.SHIPPED
        assert [line.shipped for line in routed.order().lines] == [3, 2]

    def test_it_is_told_of_both(self, routed: Shop) -> None:
        older, younger = halves(routed)
        do(routed, older, A.MERGE)
        assert routed.story("W-1")[-2:] == ["fulfillment.canceled", "fulfillment.extended"]
        found = routed.rows("select data from order_events order by seq desc limit 2")
        extended, canceled = (row[0] for row in found)
        assert (extended["fulfillment"], extended["merged"]) == (
            older.fulfillment_number, [younger.fulfillment_number],
        )  # fmt: skip
        assert (canceled["reason"], canceled["merged_into"]) == (
            "merged", older.fulfillment_number,
        )  # fmt: skip

    def test_without_a_number_all_are_taken_in_and_the_first_time_that_runs_counts(
        self, routed: Shop
    ) -> None:
        settle_places(routed, DC={"accept_minutes": 30})
        first = ordered(routed, 3)
        second = do(routed, first, A.SPLIT, split_off={1: 1})
        do(routed, second, A.SPLIT, split_off={1: 1})
        *_, last = work(routed)
        assert last.accept_by is not None
        assert first.accept_by is not None
        assert first.accept_by < last.accept_by
        one = do(routed, last, A.MERGE)
        assert [f.state for f in work(routed)] == [S.CANCELED, S.CANCELED, S.ASSIGNED]
        assert (one.lines[0].open, one.accept_by) == (3, first.accept_by)
        assert routed.violations() == {}

    def test_what_is_no_match_is_refused_with_every_reason(self, routed: Shop) -> None:
        older, younger = halves(routed)
        stocked(routed, AMS=2)
        do(routed, younger, A.SPLIT, split_off={2: 1})
        accepted = do(routed, do(routed, older, A.SPLIT, split_off={1: 1}, **TO_AMS), A.ACCEPT)
        _, younger, third, elsewhere = work(routed)
        assert younger.merges_with == (third.fulfillment_number,)
        for number, codes in (
            (accepted.fulfillment_number, ["WRONG_STATE"]),
            (elsewhere.fulfillment_number, ["OTHER_LOCATION"]),
            (younger.fulfillment_number, ["ITSELF"]),
        ):  # fmt: skip
            with pytest.raises(NotMergeable) as refused:
                do(routed, younger, A.MERGE, merge_number=number)
            assert [each["code"] for each in refused.value.facts["reasons"]] == codes
        for alone in (accepted, elsewhere):
            assert A.MERGE not in alone.allowed()
            with pytest.raises(WrongState):
                do(routed, alone, A.MERGE)

    def test_another_orders_work_is_as_if_it_were_not_there(self, routed: Shop) -> None:
        older, _ = halves(routed)
        routed.take(an_order("W-2"))
        route(routed)
        (other,) = work(routed, "W-2")
        for number in (other.fulfillment_number, "F1"):
            with pytest.raises(FulfillmentOrderNotFound):
                do(routed, older, A.MERGE, merge_number=number)

    def test_of_an_order_on_hold_nothing_is_merged(self, routed: Shop) -> None:
        older, _ = halves(routed)
        number = routed.order().summary.order_number
        with routed.ledger.transaction() as tx:
            holding.place(tx, number, HoldType.FRAUD, "Ask first.", by="ann", at=NOW)
        with pytest.raises(OrderOnHold):
            do(routed, older, A.MERGE)

    def test_rules_do_not_take_it_for_a_rejection(self, routed: Shop) -> None:
        activate(routed, {"name": "any"})
        older, _ = halves(routed)
        one = do(routed, older, A.MERGE)
        stocked(routed, AMS=9)
        routed.take(an_order(version=2, lines=[a_line(quantity=4), a_line("INK", quantity=2)]))
        route(routed)
        assert [f.location_code for f in work(routed) if f.is_open] == ["DC", "DC"]
        assert one.state is S.ASSIGNED

    def test_one_of_two_who_merge_or_accept_at_once_is_refused(self, routed: Shop) -> None:
        older, younger = halves(routed)

        def attempt(of: FulfillmentOrder, action: Action) -> object:
            try:
                return do(routed, of, action)
            except (VersionConflict, WrongState) as refused:
                return refused

        ends = together([lambda: attempt(older, A.MERGE), lambda: attempt(younger, A.ACCEPT)])
        assert sum(isinstance(each, Exception) for each in ends) == 1
        assert routed.violations() == {}
        assert sum(sum(line.open for line in f.lines) for f in work(routed)) == 5
