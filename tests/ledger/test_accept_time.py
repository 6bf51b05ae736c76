"""Work nobody accepts in time goes elsewhere: in opening hours, and once."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from oms.fulfillment.model import Action, FulfillmentOrder, FulfillmentOrderState
from oms.holds import operations as holding
from oms.holds.model import HoldType
from oms.kernel.errors import VersionConflict
from oms.workflows import fulfillment
from tests.builders import NOW, a_change, a_group, a_line, a_movement, a_partial, an_order, minutes
from tests.ledger.routing import do, route, settle_places, work
from tests.ledger.shop import Shelf, Shop
from tests.ledger.threads import together

A, S = Action, FulfillmentOrderState


def hurried(shop: Shop, **hours: Any) -> FulfillmentOrder:
    """Give the center half an hour to accept, and have ordered what two places have."""
    settle_places(shop, DC={"accept_minutes": 30, "opening_hours": hours})
    shop.take(a_movement(2, location="DC"), a_movement(2, location="AMS"), an_order())
    route(shop)
    (made,) = work(shop)
    return made


def let_off(shop: Shop, at: datetime) -> bool:
    return shop.ledger.run(lambda tx: fulfillment.let_off_unaccepted(tx, at=at))


def at_work(shop: Shop) -> list[tuple[str, str, str | None]]:
    return [(f.location_code, f.state, f.reason) for f in work(shop)]


class TestTime:
    def test_what_nobody_accepts_goes_elsewhere(self, routed: Shop) -> None:
        made = hurried(routed)
        assert made.accept_by == minutes(30)
        assert not let_off(routed, minutes(30) - timedelta(seconds=1))
        assert let_off(routed, minutes(30))
        assert at_work(routed) == [("DC", S.REJECTED, "timeout"), ("AMS", S.ASSIGNED, None)]
        assert (routed.shelf("DC"), routed.shelf("AMS")) == (Shelf(2, 0), Shelf(2, 1))
        assert routed.story("W-1")[-2:] == ["fulfillment.rejected", "fulfillment.assigned"]
        assert not let_off(routed, minutes(99)), "the store is not hurried"

    def test_only_opening_hours_count(self, routed: Shop) -> None:
        """NOW is a Monday, 13:00 in Amsterdam."""
        made = hurried(routed, mon=[["09:00", "13:10"]], tue=[["09:00", "18:00"]])
        assert made.accept_by == NOW + timedelta(hours=20, minutes=20)

    def test_a_place_that_never_opens_is_not_hurried(self, routed: Shop) -> None:
        assert hurried(routed, mon=[]).accept_by is None
        assert not let_off(routed, minutes(99_999))

    def test_what_was_accepted_stays(self, routed: Shop) -> None:
        do(routed, hurried(routed), A.ACCEPT)
        assert not let_off(routed, minutes(99))

    def test_who_is_hurried_no_more_keeps_what_is_there(self, routed: Shop) -> None:
        hurried(routed)
        settle_places(routed)
        assert not let_off(routed, minutes(99))

    def test_what_nobody_else_has_waits_and_says_why(self, routed: Shop) -> None:
        settle_places(routed, DC={"accept_minutes": 30})
        routed.take(a_movement(1), an_order())
        route(routed)
        assert let_off(routed, minutes(30))
        assert routed.states() == ("placed", "backordered")
        assert routed.story("W-1")[-2:] == ["fulfillment.rejected", "order.backordered"]

    def test_what_is_collected_has_no_other_place(self, routed: Shop) -> None:
        settle_places(routed, AMS={"accept_minutes": 30})
        groups = [a_group("collect_store", "PEN", location="AMS")]
        routed.take(
            a_movement(1, location="AMS"),
            an_order(lines=[a_line()], groups=groups, fulfillment_method="collect_store"),
        )
        route(routed)
        assert [each.accept_by for each in work(routed)] == [None]


class TestMeanwhile:
    def test_of_a_tap_and_the_clock_one_wins(self, routed: Shop) -> None:
        made = hurried(routed)
        found = together([lambda: do(routed, made, A.ACCEPT), lambda: let_off(routed, minutes(30))])
        first = work(routed)[0]
        if first.state is S.ACCEPTED:
            assert found[1] is False or isinstance(found[1], VersionConflict)
        else:
            assert (first.state, found[1]) == (S.REJECTED, True)
            assert isinstance(found[0], VersionConflict)
        assert routed.violations() == {}

    def test_two_workers_let_off_once(self, routed: Shop) -> None:
        hurried(routed)
        found = together([lambda: let_off(routed, minutes(30))] * 2)
        assert True in found
        assert [state for _, state, _ in at_work(routed)] == [S.REJECTED, S.ASSIGNED]

    def test_a_hold_stops_the_clock_and_its_release_starts_it_anew(self, routed: Shop) -> None:
        hurried(routed)
        number = routed.order().summary.order_number
        with routed.ledger.transaction() as tx:
            hold, version = holding.place(
                tx, number, HoldType.FRAUD, "Ask first.", by="ann", at=minutes(1)
            )
        assert not let_off(routed, minutes(45))
        with routed.ledger.transaction() as tx:
            fulfillment.release_hold(
                tx, number, hold.hold_no, "Asked.", version=version,
                scopes=frozenset({"orders:review"}), by="ann", at=minutes(45),
            )  # fmt: skip
        assert [each.accept_by for each in work(routed)] == [minutes(75)]
        assert not let_off(routed, minutes(74))
        assert let_off(routed, minutes(75))

    def test_what_is_canceled_meanwhile_is_nobodys_to_accept(self, routed: Shop) -> None:
        hurried(routed)
        routed.take(a_partial("W-1", a_change("cancel")))
        assert not let_off(routed, minutes(30))


@pytest.mark.parametrize("limit", [0, -5])
def test_no_time_at_all_is_no_setting(routed: Shop, limit: int) -> None:
    with pytest.raises(Exception, match="accept_minutes"):
        settle_places(routed, DC={"accept_minutes": limit})
