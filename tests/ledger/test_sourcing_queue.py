"""Who is planned when, and beside whom: by urgency, when supply comes, no unit given out twice."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from oms.sourcing import operations
from oms.sourcing.messages import read_rules
from oms.workflows import fulfillment, sourcing
from tests.builders import NOW, a_change, a_line, a_movement, a_partial, an_order, minutes
from tests.ledger.routing import (
    NEAR_AMS,
    activate,
    decisions,
    given,
    pens,
    route,
    settle_places,
    stocked,
    work,
)
from tests.ledger.shop import Shelf, Shop
from tests.ledger.threads import waiting_for_a_lock

STORES = {"name": "stores", "kinds": ["store"]}


@pytest.fixture
def routed(routed: Shop) -> Shop:
    """Give the retailer whose web shop is routed, its three places known on the map."""
    settle_places(routed)
    return routed


@pytest.fixture
def waiting(routed: Shop) -> Shop:
    """Give a retailer with an order of two that no rule gives out where it is kept."""
    activate(routed, STORES)
    stocked(routed, DC=9)
    routed.take(pens(2))
    route(routed)
    assert (work(routed), len(decisions(routed))) == ([], 1)
    return routed


def opening(shop: Shop, order_id: int) -> Callable[[], int]:
    """Return the opening of an order's work, in a transaction of its own."""
    return lambda: shop.ledger.run(lambda tx: fulfillment.open_work(tx, [order_id], at=NOW))


class TestAmidOthers:
    def test_what_somebody_takes_meanwhile_is_not_given_out_again(self, routed: Shop) -> None:
        """The plan counts on the pen in Amsterdam; before it holds it, the till sells it."""
        activate(routed)
        stocked(routed, DC=5, AMS=1)
        routed.take(pens())
        (order_id,) = routed.rows("select order_id from orders")[0]
        with routed.ledger.engine.begin() as other:
            routed.work(an_order("T-1"), channel="till")(other)
            with waiting_for_a_lock(routed.ledger, opening(routed, order_id)) as opened:
                other.commit()
        assert opened.result() == 1
        assert given(work(routed)) == {"DC": 1}
        assert (routed.shelf("AMS"), routed.shelf("DC")) == (Shelf(1, 1), Shelf(5, 1))
        (made,) = decisions(routed)
        assert {each.node.code: dict(each.stock) for each in made.candidates}["AMS"] == {"PEN": 0}

    def test_nobody_waits_while_it_is_planned(
        self, routed: Shop, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        activate(routed)
        stocked(routed, DC=5, AMS=5)
        routed.take(pens())
        planned = sourcing.planned

        def amid(*said: Any, **named: Any) -> Any:
            with routed.ledger.transaction() as tx:
                tx.execute(text("select from stock_levels for update nowait"))
            return planned(*said, **named)

        monkeypatch.setattr(sourcing, "planned", amid)
        route(routed)
        assert given(work(routed)) == {"AMS": 1}

    def test_two_who_give_a_place_its_last_order_count_each_other(self, routed: Shop) -> None:
        """They are of other products, so neither waits for a level of the other."""
        settle_places(routed, AMS={"capacity_per_day": 1})
        activate(routed)
        stocked(routed, DC=5, AMS=5)
        routed.take(a_movement(5, sku="INK"), a_movement(5, sku="INK", location="AMS"))
        routed.take(pens(), an_order("W-2", lines=[a_line("INK")], ship_to=NEAR_AMS))
        first, second = (row[0] for row in routed.rows("select order_id from orders order by 1"))
        with routed.ledger.engine.begin() as other:
            fulfillment.open_work(other, [first], at=NOW)
            with waiting_for_a_lock(routed.ledger, opening(routed, second)):
                other.commit()
        assert [given(work(routed, ref)) for ref in ("W-1", "W-2")] == [{"AMS": 1}, {"DC": 1}]

    def test_an_order_in_hand_is_passed_over_and_comes_next(self, routed: Shop) -> None:
        stocked(routed, DC=5)
        routed.take(pens(), pens(ref="W-2"))
        with routed.ledger.engine.begin() as other:
            other.execute(text("select from orders where external_ref = 'W-1' for update"))
            route(routed)
            assert [given(work(routed, ref)) for ref in ("W-1", "W-2")] == [{}, {"DC": 1}]
        assert routed.ledger.run(lambda tx: fulfillment.open_due(tx, at=NOW))
        assert given(work(routed)) == {"DC": 1}


class TestTurns:
    def test_the_urgent_is_planned_before_the_older(
        self, routed: Shop, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Within a batch, and among those that waited."""
        near = {"name": "all", "rules": [{"name": "stores", "kinds": ["store"]}]}
        groups = [
            {**near, "name": "belgians", "when": {"countries": ["BE"]}, "priority": 1},
            {**near, "name": "soon", "when": {"countries": ["DE"]}, "promise_hours": 2},
            near,
        ]
        with routed.ledger.transaction() as tx:
            version = operations.draft(
                tx, read_rules({"name": "t", "groups": groups}), by="ann", at=NOW
            )
            operations.activate(tx, version, by="ann", at=NOW)
        stocked(routed, DC=9)
        for number, country in enumerate(("NL", "NL", "DE", "BE"), start=1):
            routed.take(pens(1, f"W-{number}", placed_at=minutes(number), country_code=country))
        route(routed)
        monkeypatch.setattr(fulfillment, "ORDERS_AT_ONCE_MAX", 1)
        for first in ("W-4", "W-3", "W-1", "W-2"):
            routed.take(a_movement(1, location="AMS", ref=first))
            for _ in range(5):
                route(routed)
            assert given(work(routed, first)) == {"AMS": 1}, first

    def test_of_two_that_are_alike_the_older_comes_first(self, waiting: Shop) -> None:
        waiting.take(pens(2, "W-0", placed_at=minutes(-5)))
        route(waiting)
        stocked(waiting, AMS=2)
        route(waiting)
        assert (given(work(waiting, "W-0")), work(waiting)) == ({"AMS": 2}, [])


class TestWaking:
    def receive(self, shop: Shop) -> None:
        stocked(shop, AMS=2)

    def cancel_elsewhere(self, shop: Shop) -> None:
        shop.take(a_partial("T-1", a_change("cancel", 2)), channel="till")

    def change_rules(self, shop: Shop) -> None:
        activate(shop)

    def open_place(self, shop: Shop) -> None:
        settle_places(shop, AMS={"shipping_buffer": 0})

    @pytest.mark.parametrize(
        ("begin", "what", "place"),
        [
            ({}, receive, "AMS"),
            ({"sold": 3}, cancel_elsewhere, "AMS"),
            ({}, change_rules, "DC"),
            ({"buffer": 3}, open_place, "AMS"),
        ],
    )
    def test_who_waits_is_planned_when_supply_changes(
        self, waiting: Shop, begin: dict[str, int], what: Callable[..., None], place: str
    ) -> None:
        if sold := begin.get("sold"):
            stocked(waiting, AMS=sold)
            order = an_order("T-1", lines=[a_line(quantity=sold)])
            waiting.take(order, channel="till")
        if buffer := begin.get("buffer"):
            settle_places(waiting, AMS={"shipping_buffer": buffer})
            stocked(waiting, AMS=buffer)
        route(waiting)
        count = len(decisions(waiting))
        assert work(waiting) == []
        what(self, waiting)
        route(waiting)
        assert given(work(waiting)) == {place: 2}
        assert len(decisions(waiting)) == count + 1
        assert waiting.rows("select * from sourcing_queue") == []

    def test_nothing_new_decides_nothing_anew(self, waiting: Shop) -> None:
        waiting.take(an_order("M-1", lines=[a_line("INK")]), channel="market")
        waiting.take(a_movement(5, sku="INK"))
        waiting.take(an_order("M-2"), channel="market")  # less of it, not more
        route(waiting)
        assert len(decisions(waiting)) == 1
