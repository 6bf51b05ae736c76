"""Fulfillment orders: locations pick what is kept there, and every unit belongs to somebody."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from oms.fulfillment.model import (
    NEXT,
    Action,
    FulfillmentOrder,
    FulfillmentOrderState,
    QuantityNotOpen,
    Reason,
    ReasonNeeded,
    WrongCode,
    WrongState,
)
from oms.kernel.errors import VersionConflict
from oms.workflows import fulfillment
from tests.builders import Draft, a_change, a_group, a_line, a_movement, a_partial, an_order
from tests.ledger.routing import do, route, work
from tests.ledger.shop import Shelf, Shop
from tests.ledger.threads import together

A, S = Action, FulfillmentOrderState


def ordered(shop: Shop, *documents: Draft) -> list[FulfillmentOrder]:
    shop.take(*(documents or (an_order(),)))
    route(shop)
    return work(shop)


def kept(shop: Shop) -> dict[str, int]:
    """Return how many units of order W-1 are kept where."""
    rows = shop.rows(
        "select location_code, sum(quantity) from reservations join locations using (location_id)"
        " where state = 'active' group by location_code order by 1"
    )
    return {code: int(quantity) for code, quantity in rows}


class TestRouting:
    def test_each_location_is_asked_for_what_is_kept_there(self, routed: Shop) -> None:
        routed.take(a_movement(1, location="DC"), a_movement(5, location="AMS"))
        found = ordered(routed, an_order(lines=[a_line(quantity=3)]))
        assert {f.location_code: [line.quantity for line in f.lines] for f in found} == {
            "DC": [1], "AMS": [2],
        }  # fmt: skip
        assert {f.state for f in found} == {S.ASSIGNED}
        assert routed.story("W-1")[-2:] == ["fulfillment.assigned", "fulfillment.assigned"]

    def test_again_nobody_is_asked_twice(self, routed: Shop) -> None:
        routed.take(a_movement(5))
        ordered(routed)
        route(routed)
        assert len(work(routed)) == 1

    def test_what_waited_is_asked_for_when_it_comes(self, routed: Shop) -> None:
        assert ordered(routed) == []
        routed.take(a_movement(1))
        route(routed)
        assert [f.location_code for f in work(routed)] == ["DC"]

    def test_a_channel_that_fulfills_by_itself_is_left_alone(self, shop: Shop) -> None:
        shop.take(a_movement(5))
        assert ordered(shop) == []

    def test_groups_are_picked_apart(self, routed: Shop) -> None:
        routed.take(a_movement(5, location="AMS"), a_movement(5, sku="INK", location="AMS"))
        groups = [a_group("collect_store", "PEN", location="AMS"), a_group("ship_home", "INK")]
        found = ordered(
            routed,
            an_order(
                lines=[a_line("PEN"), a_line("INK")], groups=groups, fulfillment_method="mixed"
            ),
        )
        assert [(f.method, f.location_code, f.group_no) for f in found] == [
            ("collect_store", "AMS", 1), ("ship_home", "AMS", 2),
        ]  # fmt: skip


class TestStates:
    def test_every_pair_is_allowed_or_refused_without_effect(self, routed: Shop) -> None:
        """Guards the table: all states by all actions, on real rows."""
        routed.take(a_movement(99))
        (made,) = ordered(routed)
        for state in S:
            for action in A:
                with routed.ledger.transaction() as tx:
                    tx.execute(text("update fulfillment_orders set state = :s"), {"s": state})
                (now,) = work(routed)
                if action in now.allowed():
                    continue
                with pytest.raises(WrongState) as refused:
                    do(routed, now, action, reason=Reason.OTHER, collect_code="1")
                assert refused.value.facts["allowed_actions"] == sorted(now.allowed())
                assert work(routed) == [now]
        with routed.ledger.transaction() as tx:
            tx.execute(text("update fulfillment_orders set state = 'assigned'"))
        assert made.state is S.ASSIGNED

    def test_every_state_is_reached_by_some_action_or_from_outside(self) -> None:
        reached = {
            after for state, actions in NEXT.items() for after in actions.values() if after != state
        }
        assert set(S) - reached == {S.WAITING_FOR_TRANSFER, S.ASSIGNED}

    def test_of_two_who_saw_the_same_one_wins(self, routed: Shop) -> None:
        routed.take(a_movement(5))
        (made,) = ordered(routed)
        found = together([lambda: do(routed, made, A.ACCEPT)] * 2)
        assert sorted(type(each).__name__ for each in found) == [
            "FulfillmentOrder", "VersionConflict",
        ]  # fmt: skip

    def test_what_was_seen_long_ago_is_refused(self, routed: Shop) -> None:
        routed.take(a_movement(5))
        (made,) = ordered(routed)
        do(routed, made, A.ACCEPT)
        with pytest.raises(VersionConflict):
            do(routed, made, A.ACCEPT)


class TestSending:
    def test_goods_leave_when_they_are_shipped(self, routed: Shop) -> None:
        routed.take(a_movement(5))
        (made,) = ordered(routed, an_order(lines=[a_line(quantity=2)]))
        packed = do(routed, made, A.ACCEPT, A.START_PICK, A.PICK, A.PACK)
        assert (packed.state, routed.shelf()) == (S.PACKED, Shelf(5, 2))
        shipped = do(routed, packed, A.SHIP, carrier="sandbox", tracking_number="T1")
        assert (shipped.state, shipped.carrier, shipped.tracking_number) == (
            S.SHIPPED, "sandbox", "T1",
        )  # fmt: skip
        assert routed.shelf() == Shelf(3, 0)
        assert routed.states() == ("completed", "shipped")
        assert routed.story("W-1")[-2:] == ["fulfillment.shipped", "order.shipped"]
        assert do(routed, shipped, A.DELIVER).state is S.DELIVERED

    def test_what_is_sent_is_never_ready_for_collection(self, routed: Shop) -> None:
        routed.take(a_movement(5))
        (made,) = ordered(routed)
        packed = do(routed, made, A.ACCEPT, A.START_PICK, A.PICK, A.PACK)
        with pytest.raises(WrongState):
            do(routed, packed, A.READY)

    def test_of_two_at_one_place_each_takes_its_own(self, routed: Shop) -> None:
        """Guards the reservation: the younger one leaves first, the older keeps its units."""
        routed.take(a_movement(1))
        ordered(routed, an_order(lines=[a_line(quantity=2)]))
        routed.take(a_movement(1, ref="more"))
        route(routed)
        older, younger = work(routed)
        do(routed, younger, A.ACCEPT, A.START_PICK, A.PICK, A.PACK, A.SHIP)
        older, younger = work(routed)
        assert (older.state, [line.open for line in older.lines]) == (S.ASSIGNED, [1])
        do(routed, older, A.ACCEPT, A.START_PICK, A.PICK, A.PACK, A.SHIP)
        assert routed.states() == ("completed", "shipped")


class TestCollecting:
    def ready(self, shop: Shop) -> FulfillmentOrder:
        shop.take(a_movement(5, location="AMS"))
        groups = [a_group("collect_store", "PEN", location="AMS")]
        (made,) = ordered(shop, an_order(groups=groups, fulfillment_method="collect_store"))
        return do(shop, made, A.ACCEPT, A.START_PICK, A.PICK, A.PACK, A.READY)

    def test_the_code_opens_the_counter(self, routed: Shop) -> None:
        ready = self.ready(routed)
        assert ready.collect_code is not None
        assert ready.collect_by is not None
        wrong = "0" if ready.collect_code != "0" else "1"
        with pytest.raises(WrongCode):
            do(routed, ready, A.COLLECT, collect_code=wrong)
        with pytest.raises(WrongCode):
            do(routed, ready, A.COLLECT)
        done = do(routed, ready, A.COLLECT, collect_code=ready.collect_code)
        assert done.state is S.COLLECTED
        assert routed.shelf("AMS") == Shelf(4, 0)
        assert routed.states() == ("completed", "shipped")

    def test_who_does_not_come_leaves_it_to_others(self, routed: Shop) -> None:
        gone = do(routed, self.ready(routed), A.NO_SHOW)
        assert gone.state is S.UNCOLLECTED
        assert routed.shelf("AMS") == Shelf(5, 0)
        assert routed.states() == ("canceled", "canceled")

    def test_who_does_not_want_it_leaves_it_to_others(self, routed: Shop) -> None:
        refused = do(routed, self.ready(routed), A.REFUSE)
        assert (refused.state, refused.reason) == (S.UNCOLLECTED, "refused")
        assert (routed.shelf("AMS"), routed.states()) == (Shelf(5, 0), ("canceled", "canceled"))
        assert routed.order().changes[-1].reason == "refused"

    def test_what_lies_there_serves_what_the_order_still_waits_for(self, routed: Shop) -> None:
        """One of two was not found and is waited for; nobody comes for the other."""
        routed.take(a_movement(2, location="AMS"))
        groups = [a_group("collect_store", "PEN", location="AMS")]
        lines = [a_line(quantity=2)]
        (made,) = ordered(
            routed, an_order(lines=lines, groups=groups, fulfillment_method="collect_store")
        )
        picking = do(routed, made, A.ACCEPT, A.START_PICK)
        picked = do(routed, picking, A.PICK, picked={1: 1}, reason=Reason.NOT_FOUND)
        do(routed, picked, A.PACK, A.READY, A.NO_SHOW)
        assert [(each.state, each.lines[0].open) for each in work(routed)] == [
            (S.UNCOLLECTED, 0), (S.ASSIGNED, 1),
        ]  # fmt: skip
        assert routed.shelf("AMS") == Shelf(1, 1)
        assert routed.violations() == {}

    def test_what_nobody_comes_for_in_time_is_let_go_by_itself(self, routed: Shop) -> None:
        ready = self.ready(routed)
        assert ready.collect_by is not None
        for moment, expected in (
            (ready.collect_by - timedelta(seconds=1), False),
            (ready.collect_by, True),
            (ready.collect_by, False),
        ):
            found = routed.ledger.run(
                lambda tx, at=moment: fulfillment.let_go_uncollected(tx, at=at)
            )
            assert found is expected
        assert work(routed)[0].state is S.UNCOLLECTED
        assert (routed.shelf("AMS"), routed.states()) == (Shelf(5, 0), ("canceled", "canceled"))


class TestNotSupplied:
    def test_a_rejection_needs_a_reason(self, routed: Shop) -> None:
        routed.take(a_movement(5))
        (made,) = ordered(routed)
        with pytest.raises(ReasonNeeded):
            do(routed, made, A.REJECT)
        assert work(routed) == [made]

    @pytest.mark.parametrize(
        ("reason", "shelf"),
        [
            (Reason.NOT_FOUND, Shelf(3, 0)),
            (Reason.DAMAGED, Shelf(5, 0)),
            (Reason.NO_CAPACITY, Shelf(5, 0)),
        ],
    )
    def test_others_supply_it_at_once(self, routed: Shop, reason: Reason, shelf: Shelf) -> None:
        routed.take(a_movement(5, location="DC"), a_movement(5, location="AMS"))
        (made,) = ordered(routed, an_order(lines=[a_line(quantity=2)]))
        rejected = do(routed, made, A.REJECT, reason=reason)
        assert (rejected.state, rejected.reason) == (S.REJECTED, reason)
        assert kept(routed) == {"AMS": 2}
        assert routed.shelf("DC") == shelf
        assert [(f.location_code, f.state) for f in work(routed)] == [
            ("DC", S.REJECTED), ("AMS", S.ASSIGNED),
        ]  # fmt: skip

    def test_damaged_goods_are_there_and_not_for_sale(self, routed: Shop) -> None:
        routed.take(a_movement(2))
        (made,) = ordered(routed)
        do(routed, made, A.REJECT, reason=Reason.DAMAGED)
        assert routed.rows("select on_hand, unavailable, allocated from stock_levels") == [
            (2, 1, 0)
        ]

    def test_what_nobody_else_has_waits(self, routed: Shop) -> None:
        routed.take(a_movement(1))
        (made,) = ordered(routed)
        do(routed, made, A.REJECT, reason=Reason.NOT_FOUND)
        assert (kept(routed), routed.line().backordered) == ({}, 1)
        assert routed.states() == ("placed", "backordered")

    def test_what_one_lets_go_is_given_to_who_waits(self, routed: Shop) -> None:
        routed.take(a_movement(1))
        (made,) = ordered(routed, an_order("W-1"), an_order("W-2"))
        assert routed.line("W-2").backordered == 1
        do(routed, made, A.REJECT, reason=Reason.NO_CAPACITY)
        assert (routed.line("W-1").backordered, routed.line("W-2").backordered) == (1, 0)

    def test_what_is_short_is_sought_elsewhere_and_the_rest_goes_on(self, routed: Shop) -> None:
        routed.take(a_movement(5, location="DC"), a_movement(5, location="UTR"))
        (made,) = ordered(routed, an_order(lines=[a_line(quantity=3)]))
        picking = do(routed, made, A.ACCEPT, A.START_PICK)
        picked = do(routed, picking, A.PICK, picked={1: 1}, reason=Reason.NOT_FOUND)
        assert (picked.state, [(x.picked, x.open) for x in picked.lines]) == (S.PICKED, [(1, 1)])
        assert kept(routed) == {"DC": 1, "UTR": 2}
        assert routed.shelf("DC") == Shelf(3, 1)
        do(routed, picked, A.PACK, A.SHIP)
        other = work(routed)[-1]
        do(routed, other, A.ACCEPT, A.START_PICK, A.PICK, A.PACK, A.SHIP)
        assert routed.states() == ("completed", "shipped")
        assert routed.line().shipped == 3

    def test_what_is_missing_at_each_look_is_gone(self, routed: Shop) -> None:
        """Of one line more may be missing each time somebody looks: each of it is a movement."""
        routed.take(a_movement(5, location="DC"), a_movement(5, location="UTR"))
        (made,) = ordered(routed, an_order(lines=[a_line(quantity=3)]))
        picking = do(routed, made, A.ACCEPT, A.START_PICK)
        picked = do(routed, picking, A.PICK, picked={1: 2}, reason=Reason.NOT_FOUND)
        again = do(routed, picked, A.UNPICK, A.START_PICK)
        do(routed, again, A.PICK, picked={1: 1}, reason=Reason.NOT_FOUND)
        assert (routed.shelf("DC"), kept(routed)) == (Shelf(3, 1), {"DC": 1, "UTR": 2})

    def test_nothing_picked_is_a_rejection(self, routed: Shop) -> None:
        routed.take(a_movement(5), a_movement(5, location="AMS"))
        (made,) = ordered(routed)
        picking = do(routed, made, A.ACCEPT, A.START_PICK)
        none = do(routed, picking, A.PICK, picked={1: 0}, reason=Reason.NOT_FOUND)
        assert none.state is S.REJECTED

    @pytest.mark.parametrize("picked", [{1: 3}, {1: -1}, {7: 1}])
    def test_more_than_there_is_cannot_be_picked(
        self, routed: Shop, picked: dict[int, int]
    ) -> None:
        routed.take(a_movement(5))
        (made,) = ordered(routed, an_order(lines=[a_line(quantity=2)]))
        picking = do(routed, made, A.ACCEPT, A.START_PICK)
        with pytest.raises(QuantityNotOpen):
            do(routed, picking, A.PICK, picked=picked, reason=Reason.OTHER)


class TestWhatTheChannelSays:
    """A channel's word on its order is a fact; whoever picks for it is told."""

    def test_what_is_canceled_is_not_picked(self, routed: Shop) -> None:
        routed.take(a_movement(5))
        ordered(routed, an_order(lines=[a_line(quantity=2)]))
        routed.take(a_partial("W-1", a_change("cancel")))
        (reduced,) = work(routed)
        assert (reduced.state, [line.open for line in reduced.lines]) == (S.ASSIGNED, [1])
        routed.take(a_partial("W-1", a_change("cancel", ref="c2")))
        assert [f.state for f in work(routed)] == [S.CANCELED]
        assert routed.story("W-1")[-1] == "fulfillment.canceled"

    def test_what_is_added_is_asked_for(self, routed: Shop) -> None:
        routed.take(a_movement(5))
        ordered(routed)
        routed.take(an_order(lines=[a_line(quantity=3)], version=2))
        route(routed)
        assert [[line.open for line in f.lines] for f in work(routed)] == [[1], [2]]

    def test_a_cancel_and_a_shipment_at_once_end_in_one(self, routed: Shop) -> None:
        routed.take(a_movement(5))
        (made,) = ordered(routed)
        packed = do(routed, made, A.ACCEPT, A.START_PICK, A.PICK, A.PACK)
        cancel = a_partial("W-1", a_change("cancel"))
        found = together([lambda: do(routed, packed, A.SHIP), lambda: routed.take(cancel)])
        line = routed.line()
        assert line.canceled + line.shipped == 1, found
        assert routed.shelf() == Shelf(5 - line.shipped, 0)
        (ended,) = work(routed)
        assert ended.state is (S.SHIPPED if line.shipped else S.CANCELED)
