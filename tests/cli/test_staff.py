"""Guards: what staff did in a played history is in the ledger to the unit, at the time it was."""

import threading
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text

from oms.cli import simulation, staffing
from oms.simulator import demand, fates
from oms.simulator.book import Expected, Worked
from oms.simulator.history import history
from oms.simulator.streams import wheel
from oms.simulator.timeline import midnight
from oms.workflows import fulfillment
from tests.cli.conftest import Home
from tests.conftest import Clock

STORY = {"days": 3, "per_day": 30, "seed": 3}
# So much happens here in three days as else in a month.
OFTEN = {
    "ROUTED_DAYS": 3, "REJECT_RATIO": {"dc": 0.12, "store": 0.2},
    "SHORT_RATIO": {"dc": 0.1, "store": 0.1}, "CALLED_OFF_RATIO": 0.1, "HELD_RATIO": 0.12,
    "NOT_COLLECTED_RATIO": {"reserve": 0.8, "collect_store": 0.5}, "REPACK_RATIO": 0.1,
    "_TROUBLES": wheel({"": 1, "damaged": 1, "short": 1, "part": 9}), "TRAVEL_HOURS": (1, 2),
}  # fmt: skip
METHODS = {
    "webshop-eu": wheel({
        "ship_home": 4, "pickup_point": 1, "collect_store": 3, "ship_from_store": 2, "reserve": 3,
    }),
    "kiosk": wheel({"ship_home": 1, "collect_store": 1, "mixed": 3}),
}  # fmt: skip


@dataclass(frozen=True)
class Books:
    told: Expected
    worked: Worked


@pytest.fixture
def books(home: Home, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Books:
    """Play a story in which much goes wrong, and return what was noted of it."""
    worked = Worked()
    for name, value in OFTEN.items():
        monkeypatch.setattr(fates, name, value)
    monkeypatch.setattr(fulfillment, "COLLECT_DAYS", 0.2)
    monkeypatch.setattr(staffing, "Worked", lambda: worked)
    book = Expected()
    monkeypatch.setattr(simulation, "history", partial(history, book=book))
    for channel, methods in METHODS.items():
        monkeypatch.setitem(demand.METHODS, channel, methods)
    simulation.play_history(home.system, threading.Event(), **STORY, process=True)
    return Books(told=book, worked=worked)


def asked(home: Home, query: str) -> list[Any]:
    with home.system.ledger.snapshot() as tx:
        return [tuple(row) for row in tx.execute(text(query))]


def counted(home: Home, query: str) -> dict[Any, int]:
    return {row[:-1] if len(row) > 2 else row[0]: int(row[-1]) for row in asked(home, query)}


def test_a_played_history_is_what_the_books_say(home: Home, books: Books, clock: Clock) -> None:
    check_all_ways_and_states_were_there(home)
    check_what_channels_told_is_booked(home, books.told)
    check_units_that_left_or_did_not(home, books.worked)
    check_stock_moved_with_them(home, books.worked)
    check_time_goes_forward(home, clock)


def check_all_ways_and_states_were_there(home: Home) -> None:
    methods = {row[0] for row in asked(home, "select method from fulfillment_orders")}
    assert methods == {"ship_home", "pickup_point", "collect_store", "ship_from_store", "reserve"}
    mixed = "select 1 from orders where fulfillment_method = 'mixed' and order_state = 'completed'"
    assert asked(home, mixed), "a basket that was carried out and sent"
    told = "select split_part(type, '.', 2) from order_events where type like 'fulfillment.%'"
    # What is added to work or taken from it is a step of its story, and no state.
    steps = {row[0] for row in asked(home, told)} - {"reduced", "extended"}
    # Nobody of this retailer takes in what carriers bring back.
    not_played = {
        fulfillment.FulfillmentOrderState.RETURNED_TO_SENDER,
        fulfillment.FulfillmentOrderState.TAKEN_BACK,
    }
    assert steps == set(fulfillment.FulfillmentOrderState) - not_played
    moved = {row[0] for row in asked(home, "select distinct type from order_events")}
    legs = {"allocated", "picked", "shipped", "received"}
    assert {f"transfer.{leg}" for leg in legs} <= moved
    assert {row[0] for row in asked(home, "select kind from transfer_discrepancies")}
    assert len(asked(home, "select 1 from sourcing_decisions")) > 30
    rules = asked(home, "select state from sourcing_rule_sets order by version")
    assert rules == [("active",), ("draft",)]
    assert {row[0] for row in asked(home, "select is_on_hold from orders")} == {True, False}
    assert asked(home, "select 1 from reservations where state = 'queued'"), "some wait for stock"
    assert asked(home, "select 1 from fulfillment_orders where state = 'assigned'"), "work is left"


def check_what_channels_told_is_booked(home: Home, book: Expected) -> None:
    booked: Counter[tuple[str, ...]] = Counter()
    for key, sums in book.sales.items():
        sign = -1 if key.kind in {"cancel", "return"} else 1
        booked[key.kind, key.channel, "units"] += sign * sums.units
        booked[key.kind, key.channel, "net"] += sign * sums.net
        booked[key.kind, key.channel, "tax"] += sign * sums.tax
    kept: Counter[tuple[str, ...]] = Counter()
    for kind, channel, *sums in asked(home, """
        select v.kind, c.channel_code, sum(v.quantity), sum(v.net_minor), sum(v.tax_minor)
        from line_events v join orders o using (order_id) join channels c using (channel_id)
        where v.change_ref not like '*%' group by 1, 2"""):  # fmt: skip
        for name, value in zip(("units", "net", "tax"), sums, strict=True):
            kept[kind, channel, name] += int(value)
    assert {key: n for key, n in kept.items() if n} == {key: n for key, n in booked.items() if n}


def check_units_that_left_or_did_not(home: Home, worked: Worked) -> None:
    left = counted(home, """
        select x.location_code, k.sku, sum(abs(v.quantity)) from line_events v
        join order_lines k using (order_id, line_no) join locations x using (location_id)
        where v.kind = 'ship' and v.change_ref like '*F%' group by 1, 2""")  # fmt: skip
    assert left == +worked.handed_over
    assert sum(left.values()) > 50
    by_no_show = counted(home, """
        select x.location_code, k.sku, sum(abs(v.quantity)) from line_events v
        join order_lines k using (order_id, line_no) join locations x using (location_id)
        where v.kind = 'cancel' and v.change_ref like '*F%' group by 1, 2""")  # fmt: skip
    assert by_no_show == +worked.not_collected
    assert by_no_show
    by_phone = counted(home, """
        select c.channel_code, k.sku, sum(abs(v.quantity)) from line_events v
        join order_lines k using (order_id, line_no) join orders o using (order_id)
        join channels c using (channel_id)
        where v.kind = 'cancel' and v.change_ref like '*C%' group by 1, 2""")  # fmt: skip
    assert by_phone == +worked.called_off
    assert by_phone
    rejected = counted(
        home,
        """
        select x.location_code, f.reason, count(*)
        from fulfillment_orders f join locations x using (location_id)
        where f.state = 'rejected' group by 1, 2""",
    )
    assert rejected == +worked.rejected
    assert rejected
    paid = "select 1 from (select order_id, line_no, sum(net_minor + tax_minor) as money,"
    paid += " sum(quantity) filter (where kind <> 'ship') as units from line_events group by 1, 2)"
    paid += " e where units = 0 and money <> 0"
    assert not asked(home, paid), "what was canceled whole has no cent left"


def check_stock_moved_with_them(home: Home, worked: Worked) -> None:
    out: Counter[tuple[str, str]] = Counter()
    for (place, sku), units in worked.handed_over.items():
        out[place, sku] += units
    assert out == counted(home, """
        select x.location_code, p.sku, -sum(m.on_hand_delta) from stock_movements m
        join locations x using (location_id) join products p using (product_id)
        where m.cause_type = 'order' and m.cause_line like '%:*F%' group by 1, 2""")  # fmt: skip
    moved = """
        select x.location_code, sum(abs(m.on_hand_delta)) from stock_movements m
        join locations x using (location_id)
        where m.cause_type = 'transfer' and m.kind = '{}' group by 1"""
    assert counted(home, moved.format("transfer_out")) == +worked.sent
    assert counted(home, moved.format("transfer_in")) == +worked.came
    unlike = """
        select 1 from stock_levels l where l.on_hand <> (
            select coalesce(sum(m.on_hand_delta), 0) from stock_movements m
            where (m.product_id, m.location_id) = (l.product_id, l.location_id))"""
    assert not asked(home, unlike)


def check_time_goes_forward(home: Home, clock: Clock) -> None:
    end = midnight(clock().date() - timedelta(days=1))
    steps = asked(home, """
        select order_id, occurred_at, placed_at from order_events join orders using (order_id)
        where type like any (array['fulfillment.%', 'parcel.%', 'transfer.%', 'hold.%'])
        order by order_id, seq""")  # fmt: skip
    since = dict.fromkeys((order_id for order_id, _, _ in steps), None)
    for order_id, at, placed_at in steps:
        assert (since[order_id] or placed_at) <= at <= end
        since[order_id] = at
