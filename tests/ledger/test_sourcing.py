"""Sourcing at work: units go to where rules say, and each is kept somewhere all the time."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from oms.fulfillment import queries as fulfillment_queries
from oms.fulfillment.model import Action, FulfillmentOrderState, Reason
from oms.sourcing import operations, queries
from oms.sourcing.model import RuleSetNotDraft, RuleSetState
from oms.workflows import fulfillment
from oms.workflows.fulfillment import Doing
from tests.builders import (
    NOW,
    a_change,
    a_group,
    a_line,
    a_movement,
    a_partial,
    a_product,
    an_order,
    minutes,
)
from tests.ledger.routing import (
    NEAR_AMS,
    activate,
    activate_all,
    decisions,
    given,
    pens,
    route,
    settle_places,
    stocked,
    work,
)
from tests.ledger.shop import Shelf, Shop
from tests.ledger.test_fulfillment import kept
from tests.ledger.threads import together


@pytest.fixture
def routed(routed: Shop) -> Shop:
    """Give the retailer whose web shop is routed, its three places known on the map."""
    settle_places(routed)
    return routed


def look_again(shop: Shop, times: int) -> bool:
    """Plan what waits again, so many waits later; tell whether there was anything."""
    later = NOW + times * operations.PLANNED_AGAIN_AFTER
    return shop.ledger.run(lambda tx: fulfillment.open_due(tx, at=later))


class TestMoving:
    def test_without_rules_all_stays_as_it_was(self, routed: Shop) -> None:
        stocked(routed, DC=5, AMS=5)
        routed.take(pens(2))
        route(routed)
        assert (given(work(routed)), decisions(routed)) == ({"DC": 2}, [])

    def test_the_nearest_supplies_what_was_kept_afar(self, routed: Shop) -> None:
        version = activate(routed)
        stocked(routed, DC=5, AMS=5, UTR=5)
        routed.take(pens(2))
        assert kept(routed) == {"DC": 2}
        route(routed)
        assert (kept(routed), given(work(routed))) == ({"AMS": 2}, {"AMS": 2})
        assert (routed.shelf("DC"), routed.shelf("AMS")) == (Shelf(5, 0), Shelf(5, 2))
        (made,) = decisions(routed)
        assert (made.version, made.outcome.parts, made.outcome.left_units) == (version, 1, 0)
        assert {v.code: v.reason for v in made.plan.verdicts} == {
            "AMS": "near: supplies all of it, first by distance (0.7 km)",
            "DC": "near: has 2 of 2; others come first",
            "UTR": "near: has 2 of 2; others come first",
        }

    def test_a_reservation_is_split_where_goods_are(self, routed: Shop) -> None:
        activate(routed, parts_max=3, whole_first=False)
        stocked(routed, DC=5, AMS=1, UTR=1)
        routed.take(pens(4))
        route(routed)
        assert kept(routed) == {"AMS": 1, "DC": 2, "UTR": 1}
        assert given(work(routed)) == {"AMS": 1, "DC": 2, "UTR": 1}

    def test_parts_are_brought_together_again(self, routed: Shop) -> None:
        activate(routed)
        stocked(routed, DC=1, AMS=5)
        routed.take(pens(3))
        assert kept(routed) == {"AMS": 2, "DC": 1}
        route(routed)
        assert given(work(routed)) == {"AMS": 3}

    def test_of_a_batch_nobody_gets_what_another_has(self, routed: Shop) -> None:
        activate(routed)
        stocked(routed, DC=9, AMS=3)
        routed.take(*(pens(2, f"W-{no}", placed_at=minutes(no)) for no in range(1, 4)))
        route(routed)
        assert [given(work(routed, f"W-{no}")) for no in range(1, 4)] == [
            {"AMS": 2}, {"DC": 2}, {"DC": 2},
        ]  # fmt: skip

    def test_who_waits_where_units_left_is_served(self, routed: Shop) -> None:
        activate(routed, {"name": "dc", "kinds": ["dc"]})
        stocked(routed, AMS=1)
        routed.take(pens())
        assert kept(routed) == {"AMS": 1}
        routed.take(an_order("T-1"), channel="till")
        assert routed.line("T-1").backordered == 1
        stocked(routed, DC=1)
        route(routed)
        assert (given(work(routed)), routed.line("T-1").backordered) == ({"DC": 1}, 0)

    def test_what_is_collected_stays_at_its_place(self, routed: Shop) -> None:
        activate(routed)
        stocked(routed, DC=5, AMS=5, UTR=5)
        groups = [a_group("collect_store", "PEN", location="UTR")]
        routed.take(pens(groups=groups, fulfillment_method="collect_store"))
        route(routed)
        assert (given(work(routed)), decisions(routed)) == ({"UTR": 1}, [])


class TestWhose:
    def test_rules_know_brand_account_and_named_locations(self, routed: Shop) -> None:
        """Of a shop's own customers Acme's pens are picked in the city, the rest in the center."""
        routed.take(a_product("PEN", brand="Acme"), a_product("INK"))
        city = {"name": "city", "in_groups": ["city"], "sort": ["stock_left"]}
        content = {
            "name": "t",
            "location_groups": {"city": ["AMS", "UTR"]},
            "groups": [
                {"name": "own", "when": {"brands": ["Acme"], "has_account": True}, "rules": [city]},
                {"name": "rest", "rules": [{"name": "dc", "but_groups": ["city"]}]},
            ],
        }
        activate_all(routed, content)
        stocked(routed, DC=9, AMS=8, UTR=9)
        routed.take(*(a_movement(9, sku="INK", location=code) for code in ("DC", "UTR")))
        both = [a_line(), a_line("INK")]
        routed.take(
            pens(ref="W-1", customer_ref="c-1"), pens(ref="W-2", customer_ref=None),
            an_order("W-3", lines=both, customer_ref="c-1", ship_to=NEAR_AMS),
        )  # fmt: skip
        route(routed)
        assert [set(given(work(routed, f"W-{no}"))) for no in (1, 2, 3)] == [
            {"UTR"},
            {"DC"},
            {"DC"},
        ]


class TestLeft:
    def test_what_no_rule_gives_out_waits_with_its_units(self, routed: Shop) -> None:
        activate(routed, {"name": "stores", "kinds": ["store"]})
        stocked(routed, DC=5)
        routed.take(pens(2))
        route(routed)
        assert (kept(routed), work(routed)) == ({"DC": 2}, [])
        (made,) = decisions(routed)
        assert made.plan.left == {1: 2}

    def test_it_is_planned_again_after_a_while_and_told_once(self, routed: Shop) -> None:
        settle_places(routed, AMS={"capacity_per_day": 0})
        activate(routed, {"name": "stores", "kinds": ["store"]})
        stocked(routed, AMS=5)
        routed.take(pens(2))
        route(routed)
        assert (work(routed), len(decisions(routed))) == ([], 1)
        assert not routed.ledger.run(lambda tx: fulfillment.open_due(tx, at=NOW))
        assert look_again(routed, 1)
        assert len(decisions(routed)) == 1
        assert routed.rows("select count(*) from sourcing_moments") == [(1,)]

    def test_what_is_new_about_it_is_told(self, routed: Shop) -> None:
        """Other rules, or less of it: the same answer is an answer to something else."""
        settle_places(routed, AMS={"capacity_per_day": 0})
        stores = {"name": "stores", "kinds": ["store"]}
        first = activate(routed, stores)
        stocked(routed, AMS=5)
        routed.take(pens(2))
        route(routed)
        second = activate(routed, stores)
        assert look_again(routed, 1)
        assert look_again(routed, 2)
        assert [each.version for each in decisions(routed)] == [first, second]
        routed.take(a_partial("W-1", a_change("cancel", 1)))
        assert look_again(routed, 3)
        assert [each.plan.left for each in decisions(routed)] == [{1: 2}, {1: 2}, {1: 1}]
        settle_places(routed)
        assert look_again(routed, 4)
        assert (given(work(routed)), len(decisions(routed))) == ({"AMS": 1}, 4)

    def test_a_part_is_given_out_and_the_rest_waits(self, routed: Shop) -> None:
        activate(routed, {"name": "any", "stock_buffer": 1}, parts_max=2)
        stocked(routed, DC=3)
        routed.take(pens(3))
        route(routed)
        assert (given(work(routed)), kept(routed)) == ({"DC": 2}, {"DC": 3})
        routed.take(a_partial("W-1", a_change("cancel", 3)))
        assert routed.shelf("DC") == Shelf(3, 0)


class TestLimits:
    def test_a_location_has_a_capacity_a_day(self, routed: Shop) -> None:
        settle_places(routed, AMS={"capacity_per_day": 2})
        activate(routed)
        stocked(routed, DC=9, AMS=9)
        routed.take(*(pens(1, f"W-{no}", placed_at=minutes(no)) for no in range(1, 4)))
        route(routed)
        routed.take(pens(1, "W-4"))
        route(routed)
        assert [given(work(routed, f"W-{no}")) for no in range(1, 5)] == [
            {"AMS": 1}, {"AMS": 1}, {"DC": 1}, {"DC": 1},
        ]  # fmt: skip
        with routed.ledger.transaction() as tx:
            made_before = text("update fulfillment_orders set created_at = :at")
            tx.execute(made_before, {"at": NOW - timedelta(days=1)})
        routed.take(pens(1, "W-5"))
        route(routed)
        assert given(work(routed, "W-5")) == {"AMS": 1}

    def test_hours_and_cut_off_are_those_of_the_place(self, routed: Shop) -> None:
        """At noon in London it is 13:00 in Amsterdam."""
        settle_places(
            routed, AMS={"opening_hours": {"mon": [["09:00", "13:00"]]}}, UTR={"cut_off": "13:00"},
        )  # fmt: skip
        activate(routed, {"name": "now", "only_open": True, "only_before_cut_off": True})
        stocked(routed, DC=1, AMS=1, UTR=1)
        routed.take(pens())
        route(routed)
        reasons = {v.code: v.reason for v in decisions(routed)[0].plan.verdicts}
        assert reasons["AMS"] == "now: is closed at this time"
        assert reasons["UTR"] == "now: is past its cut-off"

    def test_who_rejected_an_order_is_never_asked_again(self, routed: Shop) -> None:
        activate(routed)
        stocked(routed, DC=5, AMS=5, UTR=5)
        routed.take(pens())
        route(routed)
        for expected in ("AMS", "UTR", "DC"):
            (asked,) = (f for f in work(routed) if f.state is FulfillmentOrderState.ASSIGNED)
            assert asked.location_code == expected
            doing = Doing(by="ann", at=minutes(1), reason=Reason.NO_CAPACITY)
            number = asked.fulfillment_number
            routed.ledger.run(
                lambda tx, n=number, d=doing: fulfillment.act(tx, n, Action.REJECT, d, version=1)
            )
        assert given(work(routed)) == {}


class TestAtOnce:
    def test_orders_captured_and_routed_at_once_keep_every_unit(self, routed: Shop) -> None:
        activate(routed, parts_max=3)
        stocked(routed, DC=6, AMS=6, UTR=6)
        routed.take(*(pens(2, f"W-{no}") for no in range(1, 5)))

        def plan_again(number: int) -> Any:
            ids = routed.rows("select order_id from orders order by 1")
            wanted = [row[0] for row in (ids if number % 2 else ids[::-1])]
            return routed.ledger.run(lambda tx: fulfillment.open_work(tx, wanted, at=NOW))

        together(
            [lambda: plan_again(1), lambda: plan_again(2),
             lambda: routed.take(*(pens(1, f"W-{no}") for no in range(5, 9))),
             lambda: routed.take(a_partial("W-1", a_change("cancel", 1)))]
        )  # fmt: skip
        route(routed)
        with routed.ledger.snapshot() as tx:
            found = [
                f for no in range(1, 9)
                for f in fulfillment_queries.of_order(
                    tx, routed.order(f"W-{no}").summary.order_number)
            ]  # fmt: skip
        assert sum(line.open for f in found for line in f.lines) == 11


class TestVersions:
    def test_one_is_active_and_the_older_are_kept(self, routed: Shop) -> None:
        first, second = activate(routed), activate(routed)
        with routed.ledger.snapshot() as tx:
            found = {each.version: each.state for each in queries.rule_sets(tx)}
        assert found == {first: RuleSetState.ARCHIVED, second: RuleSetState.ACTIVE}
        with routed.ledger.transaction() as tx, pytest.raises(RuleSetNotDraft):
            operations.activate(tx, first, by="ann", at=NOW)
