"""Rehearsals: decisions planned again, beside what locations really did, whatever was decided."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from oms.fulfillment.model import Action, FulfillmentOrder, FulfillmentOrderState, Reason
from oms.sourcing import queries
from oms.sourcing.messages import read_rules
from oms.workflows.rehearsal import Comparison, rehearse
from tests.builders import NOW, a_change, a_partial, minutes
from tests.ledger.routing import activate, do, pens, route, settle_places, stocked, work
from tests.ledger.shop import Shop

ANY = {"name": "t", "groups": [{"name": "all", "rules": [{"name": "any"}]}]}


@pytest.fixture
def routed(routed: Shop) -> Shop:
    """Give the retailer whose web shop is routed to the nearest, at what each place costs."""
    settle_places(
        routed, DC={"node_cost_minor": 100}, AMS={"node_cost_minor": 20},
        UTR={"node_cost_minor": 3},
    )  # fmt: skip
    activate(routed)
    return routed


def compared(shop: Shop, *, at: datetime = NOW, hours: int = 48, **span: datetime) -> Comparison:
    rules = read_rules({**ANY, "promise_hours": hours})
    begin, end = (
        span.get("begin", NOW - timedelta(days=1)),
        span.get("end", NOW + timedelta(days=9)),
    )
    found = Comparison()
    with shop.ledger.snapshot() as tx:
        for each in rehearse(tx, rules, begin, end, at=at):
            found.add(each)
    return found


def asked(shop: Shop, ref: str = "W-1") -> FulfillmentOrder:
    (found,) = (f for f in work(shop, ref) if f.state is FulfillmentOrderState.ASSIGNED)
    return found


class TestHappened:
    def test_what_was_rejected_is_sent_once_from_elsewhere(self, routed: Shop) -> None:
        stocked(routed, DC=5, AMS=5, UTR=5)
        routed.take(pens(2))
        route(routed)
        do(routed, asked(routed), Action.REJECT, reason=Reason.NO_CAPACITY)
        found = compared(routed)
        assert (found.count, found.group_count, found.rejection_count) == (2, 1, 1)
        assert (found.recorded.parts, found.recorded.cost_minor) == (2, 23)
        assert (found.happened.parts, found.happened.cost_minor) == (1, 3)
        assert found.happened.distance_km == pytest.approx(35.0, abs=1)

    def test_short_picks_are_splits_nobody_decided_on(self, routed: Shop) -> None:
        stocked(routed, DC=5, AMS=5, UTR=5)
        routed.take(pens(3))
        route(routed)
        first = asked(routed)
        do(routed, first, Action.ACCEPT, Action.START_PICK, Action.PICK, picked={1: 1},
           reason=Reason.NOT_FOUND)  # fmt: skip
        found = compared(routed)
        assert (found.recorded.splits, found.drafted.splits) == (0, 0)
        assert (found.happened.splits, found.happened.parts, found.rejection_count) == (1, 2, 1)

    def test_late_is_what_left_after_the_promise_or_is_still_there(self, routed: Shop) -> None:
        stocked(routed, DC=9, AMS=9, UTR=9)
        routed.take(pens(1, "W-1"), pens(1, "W-2"))
        route(routed)
        do(routed, asked(routed), Action.ACCEPT, Action.START_PICK, Action.PICK, Action.PACK,
           Action.SHIP)  # fmt: skip
        later = NOW + timedelta(days=3)
        counts: list[Any] = [
            compared(routed, at=at).happened.late_parts for at in (minutes(5), later)
        ]
        assert counts == [0, 1], "one has left within a minute, the other is there"
        assert compared(routed, at=later).recorded.late_parts == 0

    def test_what_nobody_has_is_left_and_what_was_canceled_is_not(self, routed: Shop) -> None:
        routed.take(pens(1, "T-1"))
        stocked(routed, AMS=3)
        routed.take(pens(3))
        route(routed)
        found = compared(routed)
        assert (found.happened.left_units, found.happened.stock_outs) == (1, 1)
        routed.take(a_partial("W-1", a_change("cancel", 1)))
        assert compared(routed).happened.left_units == 0

    def test_a_group_happens_with_its_first_decision_of_the_time(
        self, routed: Shop, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """However few are read at once, and wherever the time begins and ends."""
        monkeypatch.setattr(queries, "DECISIONS_AT_ONCE", 1)
        stocked(routed, DC=5, AMS=5, UTR=5)
        routed.take(pens(1, "W-1"), pens(1, "W-2"))
        route(routed)
        do(routed, asked(routed), Action.REJECT, reason=Reason.NO_CAPACITY)
        both = compared(routed)
        assert (both.count, both.group_count, both.happened.parts) == (3, 2, 2)
        late = compared(routed, begin=minutes(1))
        assert (late.count, late.group_count, late.happened.parts) == (1, 1, 1)
        early = compared(routed, end=minutes(1))
        assert (early.count, early.group_count) == (2, 2)
        assert compared(routed, end=NOW) == Comparison()
