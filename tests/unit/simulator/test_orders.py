"""Orders and what becomes of them: sums that are exact, and a life in a possible order."""

from datetime import date, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import example, given, settings
from hypothesis import strategies as st

from oms.simulator.afterlife import _Fate
from oms.simulator.model import Order, Plan, Rates
from oms.simulator.network import TAX_RATES
from oms.simulator.retailer import Retailer
from oms.simulator.rhythm import minutes_open


def orders_of(seed: int, first: date, days: int = 1) -> list[Order]:
    plan = Plan(seed=seed, first=first, orders_per_day=30, rates=Rates(broken=0))
    retailer = Retailer(plan)
    lived = [retailer.day() for _ in range(days)]
    return [
        happening.order
        for day in lived
        for happenings in day.happenings.values()
        for happening in happenings
        if happening.upto == 0
    ]


class TestMoneyOfParts:
    def test_adds_up_whatever_is_taken_first(self) -> None:
        """100 cents over three units: 33, 33, 34, and never 33 three times."""
        order = next(o for o in orders_of(3, date(2025, 5, 5)) if o.method == "ship_home")
        line = order.lines[0]._replace(quantity=3, total=100, tax=17)
        fate = _Fate(order._replace(lines=(line,)))
        for kind in ("cancel", "return", "return"):
            fate.happen(kind, order.placed_at + timedelta(days=1), {0: 1})
        parts = [change.parts[0] for change in fate.changes]
        assert [part.total for part in parts] == [33, 33, 34]
        assert [part.tax for part in parts] == [5, 6, 6]


@settings(max_examples=8)
@example(seed=0, first=date(2027, 4, 23))  # all there is to add is in the order already
@given(seed=st.integers(0, 2**31), first=st.dates(date(2024, 1, 1), date(2027, 12, 31)))
def test_orders_of_any_seed_and_season_are_possible(seed: int, first: date) -> None:
    """One world per example, and every rule on it: a world takes longer than its rules."""
    orders = orders_of(seed, first)
    check_money_of_every_line_is_exact(orders)
    check_no_unit_leaves_twice_and_no_cent_comes_back_twice(orders)
    check_life_goes_forward(orders)
    check_stores_sell_while_they_are_open(orders)
    check_what_is_sent_has_an_address(orders)


def check_money_of_every_line_is_exact(orders: list[Order]) -> None:
    for order in orders:
        assert order.lines
        for line in order.lines:
            rate = TAX_RATES[order.country_code][line.product.tax_class]
            assert line.rate_ppt == rate
            assert line.total == line.quantity * line.unit_price - line.discount
            assert 0 <= line.discount < line.quantity * line.unit_price
            whole = 1000 + rate if order.channel.prices_include_tax else 1000
            assert abs(line.tax * whole - line.total * rate) * 2 <= whole, "half up, no further"
        assert 0 <= order.shipping_tax <= order.shipping


def check_no_unit_leaves_twice_and_no_cent_comes_back_twice(orders: list[Order]) -> None:
    for order in orders:
        sold = [line.quantity for line in order.lines]
        left, canceled, returned = ([0] * len(sold) for _ in range(3))
        gone_total, gone_tax = [0] * len(sold), [0] * len(sold)
        tallies = {"ship": left, "cancel": canceled, "return": returned}
        for change in order.changes:
            for part in change.parts:
                assert part.quantity > 0
                if change.kind in tallies:
                    tallies[change.kind][part.line] += part.quantity
                if change.kind in {"cancel", "return"}:
                    gone_total[part.line] += part.total
                    gone_tax[part.line] += part.tax
        for index, line in enumerate(order.lines):
            is_carried = order.method == "carry_out" or index < order.carried
            out = sold[index] if is_carried else left[index]
            assert returned[index] <= out
            gone = canceled[index] + returned[index]
            assert out + canceled[index] <= sold[index]
            assert 0 <= gone_total[index] <= line.total
            if gone == sold[index]:
                assert (gone_total[index], gone_tax[index]) == (line.total, line.tax)


def check_life_goes_forward(orders: list[Order]) -> None:
    for order in orders:
        moments = [order.placed_at, *(change.at for change in order.changes)]
        assert all(earlier < later for earlier, later in pairwise(moments))
        assert [change.number for change in order.changes] == list(range(1, len(moments)))
        closing = [change.closes for change in order.changes]
        assert True not in closing[:-1], "nothing happens after an order is canceled"
        for change in order.changes:
            if change.kind == "return":
                assert change.at - order.placed_at > timedelta(days=4)
                assert change.reason


def check_stores_sell_while_they_are_open(orders: list[Order]) -> None:
    for order in orders:
        if order.store is not None:
            wall = order.placed_at.astimezone(ZoneInfo(order.channel.time_zone))
            opens, closes = minutes_open(order.store, wall.date())
            assert opens <= wall.hour * 60 + wall.minute < closes


def check_what_is_sent_has_an_address(orders: list[Order]) -> None:
    for order in orders:
        assert (order.ship_to is None) == (order.method == "carry_out")
        assert (order.pickup is not None) == (
            order.method in {"pickup_point", "collect_store", "reserve"}
        )
