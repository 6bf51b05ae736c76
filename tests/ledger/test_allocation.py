"""Allocation: orders are laid over the network, best place first, and their goods leave it."""

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from tests.builders import (
    EFFORT,
    a_change,
    a_line,
    a_movement,
    a_partial,
    a_product,
    a_receipt,
    an_order,
    minutes,
)
from tests.ledger.shop import PLACES, Shelf, Shop

_skus = (f"SKU-{number}" for number in itertools.count(1))


def spread(supply: Sequence[int], wanted: int) -> tuple[list[int], int]:
    """Return what each place gives when the best gives all it has first, and what is left."""
    given_ = []
    for there in supply:
        given_.append(min(there, wanted))
        wanted -= given_[-1]
    return given_, wanted


def stocked(shop: Shop, *quantities: int, sku: str = "PEN") -> None:
    """Put stock on the shelves of the three places."""
    shop.take(
        *(
            a_movement(n, location=place, sku=sku)
            for place, n in zip(PLACES, quantities, strict=False)
        )
    )


class TestAllocation:
    @settings(max_examples=15 * EFFORT)
    @given(
        st.lists(st.integers(0, 6), min_size=3, max_size=3),
        st.lists(st.integers(1, 8), min_size=1, max_size=6),
        st.booleans(),
    )
    def test_it_takes_the_best_place_first_for_every_spread(
        self,
        common_shop: Shop,
        supply: list[int],
        wanted: list[int],
        is_batch: bool,  # noqa: FBT001 - a drawn flag
    ) -> None:
        sku = next(_skus)
        common_shop.take(a_product(sku))
        stocked(common_shop, *supply, sku=sku)
        orders = [
            an_order(f"{sku}/{n}", lines=[a_line(sku, quantity)], placed_at=minutes(n))
            for n, quantity in enumerate(wanted)
        ]
        for batch in [orders] if is_batch else [[each] for each in orders]:
            common_shop.take(*batch)
        given_, short = spread(supply, sum(wanted))
        assert [common_shop.shelf(place, sku).allocated for place in PLACES] == given_
        waiting = []
        for quantity in reversed(wanted):
            waiting.append(min(short, quantity))
            short -= waiting[-1]
        lines = [common_shop.order(f"{sku}/{n}").lines[0] for n in range(len(wanted))]
        assert [line.backordered for line in lines] == waiting[::-1]

    def test_two_lines_of_one_sku_share_what_is_there(self, shop: Shop) -> None:
        stocked(shop, 3)
        shop.take(an_order(lines=[a_line(quantity=2, ref="1"), a_line(quantity=2, ref="2")]))
        assert [(each.allocated, each.backordered) for each in shop.order().lines] == [
            (2, 0),
            (1, 1),
        ]
        assert shop.shelf() == Shelf(3, 3)

    def test_each_channel_has_its_own_network(self, shop: Shop) -> None:
        stocked(shop, 5, 5, 0)
        shop.take(an_order("M-1", lines=[a_line(quantity=8)]), channel="market")
        assert (shop.shelf("DC"), shop.shelf("AMS")) == (Shelf(5, 5), Shelf(5, 0))
        assert shop.line("M-1").backordered == 3

    def test_its_own_order_of_places(self, shop: Shop) -> None:
        stocked(shop, 5, 0, 5)
        shop.take(an_order("M-1"), channel="market")
        assert (shop.shelf("UTR"), shop.shelf("DC")) == (Shelf(5, 1), Shelf(5, 0))

    def test_what_is_unavailable_or_kept_for_safety_is_not_given(self, shop: Shop) -> None:
        stocked(shop, 9)
        with shop.ledger.transaction() as tx:
            tx.execute(text("update stock_levels set unavailable = 2, safety_stock = 3"))
            tx.execute(text("update stock_movements set unavailable_delta = 2"))
        shop.take(an_order(lines=[a_line(quantity=9)]))
        assert (shop.shelf(), shop.line().backordered) == (Shelf(9, 4), 5)

    def test_a_place_that_is_shut_gives_nothing(self, shop: Shop) -> None:
        stocked(shop, 2, 2)
        with shop.ledger.transaction() as tx:
            tx.execute(text("update locations set is_enabled = false where location_code = 'DC'"))
        shop.take(an_order(lines=[a_line(quantity=4)]))
        assert (shop.shelf("DC"), shop.shelf("AMS")) == (Shelf(2, 0), Shelf(2, 2))


class TestGoodsThatLeave:
    def test_they_leave_the_place_they_are_promised_at(self, shop: Shop) -> None:
        stocked(shop, 5)
        shop.take(an_order(lines=[a_line(quantity=3)]))
        shop.take(a_partial("W-1", a_change("ship", 2)))
        assert shop.shelf() == Shelf(3, 1)

    def test_they_may_leave_another_place(self, shop: Shop) -> None:
        stocked(shop, 5, 5)
        shop.take(an_order(lines=[a_line(quantity=3)]))
        shop.take(a_partial("W-1", a_change("ship", 3, location_code="AMS")))
        assert (shop.shelf("DC"), shop.shelf("AMS")) == (Shelf(5, 0), Shelf(2, 0))

    def test_a_part_that_ships_uses_the_promise_of_its_own_place(self, shop: Shop) -> None:
        stocked(shop, 5, 1)
        shop.take(an_order(lines=[a_line(quantity=6)]))
        shop.take(a_partial("W-1", a_change("ship", 5, location_code="DC")))
        assert (shop.shelf("DC"), shop.shelf("AMS")) == (Shelf(0, 0), Shelf(1, 1))
        assert shop.open_exceptions() == []

    def test_so_does_the_other_part(self, shop: Shop) -> None:
        stocked(shop, 1, 5)
        shop.take(an_order(lines=[a_line(quantity=6)]))
        shop.take(a_partial("W-1", a_change("ship", 1, location_code="DC")))
        assert (shop.shelf("DC"), shop.shelf("AMS")) == (Shelf(0, 0), Shelf(5, 5))

    def test_of_a_line_promised_at_two_places_each_gives_its_part(self, shop: Shop) -> None:
        stocked(shop, 5, 1)
        shop.take(an_order(lines=[a_line(quantity=6)]))
        shop.take(a_partial("W-1", a_change("ship", 6)))
        assert (shop.shelf("DC"), shop.shelf("AMS")) == (Shelf(0, 0), Shelf(0, 0))

    def test_what_nobody_promised_leaves_the_best_place(self, shop: Shop) -> None:
        shop.take(an_order(changes=[a_change("ship")]))
        assert shop.shelf("DC") == Shelf(-1, 0, is_oversold=True)

    def test_each_leaves_once_however_often_it_is_told(self, shop: Shop) -> None:
        stocked(shop, 5)
        shop.take(an_order(lines=[a_line(quantity=3)]))
        for _ in range(3):
            shop.take(a_partial("W-1", a_change("ship", 1)))
        shop.take(an_order(version=2, lines=[a_line(quantity=3)], changes=[a_change("ship", 1)]))
        assert shop.shelf() == Shelf(4, 2)
        moved = shop.rows("select on_hand_delta from stock_movements where kind = 'ship'")
        assert moved == [(-1,)]

    def test_they_are_dated_in_the_places_calendar(self, shop: Shop) -> None:
        stocked(shop, 5)
        late = minutes(-12 * 60 - 30)  # 23:30 UTC the day before
        shop.take(an_order("B-1", changes=[a_change("ship", at=late)]), channel="trade")
        assert str(shop.value("select occurred_on from stock_movements where kind = 'ship'")) == (
            "2026-01-05"
        )
        assert str(shop.value("select occurred_on from line_events where kind = 'ship'")) == (
            "2026-01-04"
        )


class TestGoodsThatComeBack:
    @pytest.mark.parametrize(("restock", "on_hand"), [(True, 5), (False, 4)])
    def test_they_lie_on_the_shelf_only_when_restocked(
        self,
        shop: Shop,
        restock: bool,  # noqa: FBT001 - a case
        on_hand: int,
    ) -> None:
        stocked(shop, 5)
        shop.take(an_order(changes=[a_change("ship", location_code="DC")]))
        shop.take(a_partial("W-1", a_change("return", restock=restock, location_code="DC")))
        assert shop.shelf() == Shelf(on_hand, 0)

    def test_they_may_come_back_to_another_place(self, shop: Shop) -> None:
        stocked(shop, 5)
        shop.take(an_order(changes=[a_change("ship", location_code="DC")]))
        shop.take(a_partial("W-1", a_change("return", restock=True, location_code="UTR")))
        assert (shop.shelf("DC"), shop.shelf("UTR")) == (Shelf(4, 0), Shelf(1, 0))

    def test_they_may_come_back_before_we_hear_that_they_left(self, shop: Shop) -> None:
        stocked(shop, 5)
        shop.take(an_order(lines=[a_line(quantity=2)]))
        back = a_change("return", 1, restock=True, location_code="DC")
        for change in (back, a_change("ship", 2, location_code="DC")):
            shop.take(a_partial("W-1", change))
        assert shop.shelf() == Shelf(4, 0)
        assert shop.states() == ("completed", "partially_returned")


class TestTheTill:
    def test_what_it_sells_leaves_its_shop_at_once(self, shop: Shop) -> None:
        stocked(shop, 5, 5)
        shop.take(a_receipt(lines=[a_line(quantity=2)]), channel="till")
        assert (shop.shelf("DC"), shop.shelf("AMS")) == (Shelf(5, 0), Shelf(3, 0))
        assert shop.states("T-1") == ("completed", "shipped")
        assert shop.value("select kind from stock_movements where on_hand_delta < 0") == "pos_sale"

    def test_it_may_sell_what_the_count_says_is_not_there(self, shop: Shop) -> None:
        stocked(shop, 0, 1)
        shop.take(a_receipt(lines=[a_line(quantity=3)]), channel="till")
        assert shop.shelf("AMS") == Shelf(-2, 0, is_oversold=True)
        assert shop.open_exceptions("T-1") == ["OVERSOLD"]
        assert shop.line("T-1").backordered == 0

    def test_it_may_sell_what_is_promised_to_others(self, shop: Shop) -> None:
        stocked(shop, 0, 2)
        shop.take(an_order(lines=[a_line(quantity=2)]))
        shop.take(a_receipt(), channel="till")
        assert shop.shelf("AMS") == Shelf(1, 2, is_oversold=True)
        assert shop.open_exceptions("T-1") == ["OVERSOLD"]
        assert shop.sellable() == 0

    def test_a_shelf_that_is_filled_again_is_no_longer_oversold(self, shop: Shop) -> None:
        shop.take(a_receipt(lines=[a_line(quantity=3)]), channel="till")
        shop.take(a_movement(5, location="AMS"))
        assert shop.shelf("AMS") == Shelf(2, 0)

    def test_another_channel_sees_what_it_sold(self, shop: Shop) -> None:
        stocked(shop, 1, 2)
        shop.take(a_receipt(lines=[a_line(quantity=2)]), channel="till")
        assert (shop.sellable(channel="web"), shop.sellable(channel="till")) == (1, 0)
