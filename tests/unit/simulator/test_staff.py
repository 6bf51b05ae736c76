"""Staff: decided by the seed alone, at the rates of a retailer, while the doors are open."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from oms.fulfillment.model import Action, FulfillmentLine, FulfillmentOrder, FulfillmentOrderState
from oms.simulator import fates, steps
from oms.simulator.afterlife import _HANDLING
from oms.simulator.book import Expected
from oms.simulator.history import history
from oms.simulator.model import CALM, Plan
from oms.simulator.network import DC, ROUTED, STORES
from oms.simulator.retailer import Retailer
from oms.simulator.rhythm import working
from oms.simulator.shift import AT_ONCE_MAX, chosen

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
STORE = next(store for store in STORES if store.code == "S-ANTWERPEN")
CALM_WORK = fates.of_work(1, "5", STORE.code, "store")._replace(
    rejects="", short="", is_repacked=False
)
_S = FulfillmentOrderState


def a_work(state: FulfillmentOrderState, method: str = "ship_home") -> FulfillmentOrder:
    line = FulfillmentLine(line_no=1, sku="A", title="A", quantity=2, picked=0, done=0, removed=0)
    return FulfillmentOrder(
        fulfillment_id=1, fulfillment_number="F1", order_id=1, order_number="R1",
        channel_code="webshop-eu", group_no=1, method=method, location_code=STORE.code, state=state,
        created_at=MONDAY, changed_at=MONDAY, accept_by=None, collect_code=None, collect_by=None,
        carrier=None, tracking_number=None, reason=None, version=1, lines=(line,), holds=(),
    )  # fmt: skip


class TestFates:
    def test_are_the_same_for_the_same_seed_and_order(self) -> None:
        assert fates.of_work(1, "5", DC.code, "dc") == fates.of_work(1, "5", DC.code, "dc")
        others = [fates.of_work(seed, ref, DC.code, "dc") for seed in (1, 2) for ref in "56"]
        assert len(set(others)) == 4
        assert fates.of_order(1, "5") == fates.of_order(1, "5")
        assert fates.of_transfer(1, "5", DC.code) == fates.of_transfer(1, "5", DC.code)

    def test_go_wrong_as_often_as_with_a_retailer(self) -> None:
        works = [fates.of_work(1, str(ref), STORE.code, "store") for ref in range(4000)]
        centers = [fates.of_work(1, str(ref), DC.code, "dc") for ref in range(4000)]
        assert 0.035 < sum(bool(work.rejects) for work in works) / 4000 < 0.065
        assert sum(bool(work.rejects) for work in centers) < 60
        assert 0.015 < sum(bool(work.short) for work in works) / 4000 < 0.035
        assert sum(work.is_late for work in works) / 4000 < 0.08, "most are in time"
        reasons = Counter(work.rejects for work in works if work.rejects)
        assert reasons.most_common(1)[0][0] == "not_found"
        gone = sum(not fates.comes(1, str(ref), "reserve") for ref in range(2000))
        assert 0.28 < gone / 2000 < 0.4

    @pytest.mark.parametrize(
        ("channel", "method", "place", "days", "is_ours"),
        [
            ("webshop-eu", "ship_home", None, 1, True),
            ("webshop-eu", "ship_home", None, 5, False),
            ("webshop-eu", "collect_store", "S-UTRECHT", 10, True),
            ("webshop-eu", "collect_store", "S-KOELN", 10, False),
            ("marketplace", "ship_home", None, 1, False),
            ("pos", "carry_out", None, 1, False),
        ],
    )
    def test_are_ours_since_a_day(
        self, channel: str, method: str, place: str | None, days: int, *, is_ours: bool
    ) -> None:
        until = date(2026, 3, 2)
        on = until - timedelta(days=days)
        assert fates.is_ours(channel, method, place, on, until) is is_ours
        assert not fates.is_ours(channel, method, place, on, None)


class TestSteps:
    def test_lead_from_the_queue_to_the_customer(self) -> None:
        ways = {
            "ship_home": ["accept", "start_pick", "pick", "pack", "ship"],
            "collect_store": ["accept", "start_pick", "pick", "pack", "ready", "collect"],
        }
        for method, way in ways.items():
            work, done = a_work(_S.ASSIGNED, method), []
            while step := steps.next_step(work, CALM_WORK, comes=True):
                done.append(step.action.value)
                work = replace(work, state=work.after(step.action), version=work.version + 1)
            assert done == way

    def test_refuse_or_find_less_where_it_goes_so(self) -> None:
        refused = CALM_WORK._replace(rejects="damaged")
        step = steps.next_step(a_work(_S.ASSIGNED), refused, comes=False)
        assert step is not None
        assert (step.action, step.reason) == (Action.REJECT, "damaged")
        again = steps.next_step(a_work(_S.ASSIGNED), refused.again(), comes=False)
        assert again is not None
        assert again.action is Action.ACCEPT
        short = steps.next_step(a_work(_S.PICKING), CALM_WORK._replace(short="not_found"),
                                comes=False)  # fmt: skip
        assert short is not None
        assert (short.action, short.reason) == (Action.PICK, "not_found")

    def test_wait_until_nobody_came_in_time(self) -> None:
        ready = replace(
            a_work(_S.READY_FOR_COLLECTION, "reserve"), collect_by=MONDAY + timedelta(days=7)
        )
        step = steps.next_step(ready, CALM_WORK, comes=False)
        assert step is not None
        assert step.action is Action.NO_SHOW
        assert steps.moment_of(step, ready, fates.of_order(1, "5")) == ready.collect_by

    def test_happen_while_the_place_is_open(self) -> None:
        saturday = datetime(2026, 3, 7, 17, 20, tzinfo=UTC)  # ten minutes before it closes
        assert working(STORE, saturday, 5) == saturday + timedelta(minutes=5)
        assert working(STORE, saturday, 25) == datetime(2026, 3, 9, 9, 15, tzinfo=UTC)


class TestShift:
    def test_takes_from_the_fullest_queue_and_leaves_some(self) -> None:
        assert chosen({"assigned": 300, "packed": 30}, {"assigned": 10, "packed": 10}) == (
            ["assigned"] * 8
        )
        assert chosen({"assigned": 11, "packed": 10}, {"assigned": 10, "packed": 10}) == [
            "assigned"
        ]
        assert chosen({"assigned": 10, "packed": 3}, {"assigned": 10, "packed": 10}) == []
        assert len(chosen({"assigned": 9_000}, {"assigned": 10})) == AT_ONCE_MAX


class TestWorld:
    def test_tells_no_handling_of_what_is_ours(self) -> None:
        until = date(2026, 3, 2)
        plan = Plan(
            seed=5, first=until - timedelta(days=3), orders_per_day=60, rates=CALM,
            routed_until=until,
        )  # fmt: skip
        retailer, placed = Retailer(plan), []
        for _ in range(3):
            for happenings in retailer.day().happenings.values():
                placed += [told.order for told in happenings if not told.upto]
        ours = [order for order in placed if order.quiet]
        assert len(ours) > 40
        assert {order.channel.code for order in ours} <= ROUTED
        assert not [change for order in ours for change in order.changes if _is_handling(change)]
        for order in ours:
            assert [change.number for change in order.changes] == list(
                range(1, len(order.changes) + 1)
            )

    def test_books_only_what_the_channels_send_by_themselves(self) -> None:
        shipped = []
        for is_routed in (False, True):
            book = Expected()
            told = history(5, 3, 40, date(2026, 3, 2), book=book, rates=CALM, is_routed=is_routed)
            assert sum(1 for _ in told)
            assert book.orders_count() > 60
            shipped.append(sum(s.units for k, s in book.sales.items() if k.kind == "ship"))
        assert 0 < shipped[1] < shipped[0]


def _is_handling(change: object) -> bool:
    return change.kind == "ship" or change.reason in _HANDLING  # type: ignore[attr-defined]  # a Change
