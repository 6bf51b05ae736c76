"""Backorders: who waits is served when stock comes, first come first served."""

from typing import Final

import pytest
from sqlalchemy import text

from tests.builders import (
    Draft,
    a_change,
    a_count,
    a_line,
    a_movement,
    a_partial,
    an_order,
    minutes,
)
from tests.ledger.shop import Shelf, Shop

READ_OF_EXCEPTIONS: Final = text(
    "select seq_tup_read + idx_tup_fetch from pg_stat_xact_user_tables"
    " where relname = 'order_exceptions'"
)


def waiting(shop: Shop, *quantities: int, channel: str = "web") -> None:
    """Capture orders nobody can supply, a minute apart, the last one first."""
    for number, quantity in reversed(list(enumerate(quantities, start=1))):
        shop.take(
            an_order(f"W-{number}", lines=[a_line(quantity=quantity)], placed_at=minutes(number)),
            channel=channel,
        )


def queue(shop: Shop, count: int) -> list[int]:
    """Return what each of the orders still waits for."""
    return [shop.line(f"W-{number}").backordered for number in range(1, count + 1)]


class TestWaiting:
    def test_it_is_an_exception_a_person_sees(self, shop: Shop) -> None:
        shop.take(a_movement(2))
        shop.take(an_order(lines=[a_line(quantity=5)]))
        assert shop.states() == ("placed", "backordered")
        (exception,) = shop.order().exceptions
        assert (exception.code, exception.detail) == ("BACKORDERED", {"units": 3})

    def test_it_ends_with_the_last_unit(self, shop: Shop) -> None:
        waiting(shop, 3)
        shop.take(a_movement(2, ref="one"), at=minutes(10))
        assert (shop.states()[1], shop.open_exceptions()) == ("backordered", ["BACKORDERED"])
        shop.take(a_movement(1, ref="two"), at=minutes(20))
        assert (shop.states()[1], shop.open_exceptions()) == ("allocated", [])
        assert shop.order().exceptions[0].resolved_at == minutes(20)

    def test_who_waits_is_not_gone_through_for_those_who_come(self, shop: Shop) -> None:
        """However many wait: what is read of their exceptions is what ten new ones have."""
        shop.take(*(an_order(f"W-{number}") for number in range(400)))
        for ref in ("N", "M"):
            come = shop.work(*(an_order(f"{ref}-{number}") for number in range(10)))
            with shop.ledger.transaction() as tx:
                come(tx)
                assert tx.execute(READ_OF_EXCEPTIONS).scalar_one() <= 10
                tx.execute(text("analyze order_exceptions"))

    def test_nothing_is_sold_past_those_who_wait(self, shop: Shop) -> None:
        waiting(shop, 3)
        assert shop.sellable() == 0
        shop.take(a_movement(5))
        assert shop.sellable() == 2


class TestStockThatComes:
    @pytest.mark.parametrize(
        ("units", "left"), [(1, [1, 3, 1]), (2, [0, 3, 1]), (4, [0, 1, 1]), (6, [0, 0, 0])]
    )
    def test_the_first_who_came_is_served_first(
        self, shop: Shop, units: int, left: list[int]
    ) -> None:
        waiting(shop, 2, 3, 1)
        shop.take(a_movement(units))
        assert queue(shop, 3) == left
        assert shop.shelf() == Shelf(units, units)

    @pytest.mark.parametrize(
        "comes", [a_movement(3, kind="transfer_in"), a_movement(3, kind="adjust"), a_count(3),
                  a_movement(3, kind="return_restock")],
    )  # fmt: skip
    def test_it_may_come_any_way(self, shop: Shop, comes: Draft) -> None:
        waiting(shop, 3)
        shop.take(comes)
        assert queue(shop, 1) == [0]

    def test_it_may_be_somebody_elses_return(self, shop: Shop) -> None:
        shop.take(a_movement(1))
        shop.take(an_order("W-0", changes=[a_change("ship", location_code="DC")]))
        waiting(shop, 1)
        shop.take(a_partial("W-0", a_change("return", restock=True, location_code="UTR")))
        assert (queue(shop, 1), shop.shelf("UTR")) == ([0], Shelf(1, 1))

    def test_it_may_be_somebody_elses_cancellation(self, shop: Shop) -> None:
        shop.take(a_movement(2))
        shop.take(an_order("W-0", lines=[a_line(quantity=2)]))
        waiting(shop, 1, 5)
        shop.take(a_partial("W-0", a_change("cancel", 2)))
        assert (queue(shop, 2), shop.shelf()) == ([0, 4], Shelf(2, 2))

    def test_it_may_be_what_shipped_from_elsewhere_left(self, shop: Shop) -> None:
        shop.take(a_movement(2), a_movement(2, location="AMS"))
        shop.take(an_order("W-0", lines=[a_line(quantity=2)]))
        waiting(shop, 4)
        assert queue(shop, 1) == [2]
        shop.take(a_partial("W-0", a_change("ship", 2, location_code="UTR")))
        assert queue(shop, 1) == [0]

    def test_stock_outside_the_network_does_not_help(self, shop: Shop) -> None:
        waiting(shop, 1, channel="till")
        shop.take(a_movement(5, location="DC"))
        assert queue(shop, 1) == [1]
        shop.take(a_movement(5, location="AMS"))
        assert queue(shop, 1) == [0]

    def test_a_shelf_below_nothing_is_filled_first(self, shop: Shop) -> None:
        shop.take(an_order("W-0", changes=[a_change("ship", location_code="DC")]))
        waiting(shop, 2)
        shop.take(a_movement(2))
        assert (queue(shop, 1), shop.shelf()) == ([1], Shelf(1, 1))

    def test_who_waited_less_but_all_channels_is_served_later(self, shop: Shop) -> None:
        shop.take(an_order("M-1", placed_at=minutes(2)), channel="market")
        waiting(shop, 1)
        shop.take(a_movement(1))
        assert (queue(shop, 1), shop.line("M-1").backordered) == ([0], 1)

    def test_who_came_first_is_served_first_across_channels(self, shop: Shop) -> None:
        waiting(shop, 1, 1, 1)
        shop.take(an_order("M-1", placed_at=minutes(1.5)), channel="market")
        shop.take(a_movement(2))
        assert (queue(shop, 3), shop.line("M-1").backordered) == ([0, 1, 1], 0)

    def test_who_waited_comes_before_a_new_order_of_the_batch_that_frees(self, shop: Shop) -> None:
        shop.take(a_movement(1))
        shop.take(an_order("W-0"))
        waiting(shop, 1)
        shop.take(a_partial("W-0", a_change("cancel")), an_order("W-9", placed_at=minutes(9)))
        assert (queue(shop, 1), shop.line("W-9").backordered) == ([0], 1)


class TestWhoNoLongerWaits:
    def test_a_canceled_order_gets_nothing(self, shop: Shop) -> None:
        waiting(shop, 2, 1)
        shop.take(a_partial("W-1", a_change("cancel", 2)))
        assert shop.states("W-1") == ("canceled", "canceled")
        assert shop.open_exceptions("W-1") == []
        shop.take(a_movement(1))
        assert (queue(shop, 2), shop.shelf()) == ([0, 0], Shelf(1, 1))

    def test_what_shipped_all_the_same_no_longer_waits(self, shop: Shop) -> None:
        waiting(shop, 2)
        shop.take(a_partial("W-1", a_change("ship", 2, location_code="DC")))
        assert shop.states() == ("completed", "shipped")
        shop.take(a_movement(2))
        assert shop.shelf() == Shelf(0, 0)

    def test_an_edit_down_lets_go_of_what_waits_first(self, shop: Shop) -> None:
        shop.take(a_movement(2))
        shop.take(an_order(lines=[a_line(quantity=5)]))
        shop.take(an_order(version=2, lines=[a_line(quantity=3)]))
        assert (shop.shelf(), shop.line().backordered) == (Shelf(2, 2), 1)
        shop.take(an_order(version=3, lines=[a_line(quantity=1)]))
        assert (shop.shelf(), shop.line().backordered) == (Shelf(2, 1), 0)
        assert shop.states() == ("placed", "allocated")
