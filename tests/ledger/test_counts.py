"""Counts: what was expected when it was taken is corrected; what moved later survives it."""

import itertools
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import (
    EFFORT,
    Draft,
    a_count,
    a_line,
    a_movement,
    a_product,
    a_receipt,
    an_order,
    minutes,
)
from tests.ledger.shop import Shelf, Shop

_skus = (f"CNT-{number}" for number in itertools.count(1))


def a_sale(quantity: int, at: float, sku: str = "PEN") -> Draft:
    """Return a till's sale in the store at a minute."""
    ref = f"T-{sku}-{at}"
    return a_receipt(ref, lines=[a_line(sku, quantity)], placed_at=minutes(at))


def a_shop_count(counted: int, at: float, sku: str = "PEN") -> Draft:
    """Return a count of the store's shelf at a minute."""
    return a_count(counted, location="AMS", sku=sku, at=minutes(at), ref=f"count-{at}")


class TestACount:
    @pytest.mark.parametrize("counted", [0, 7, 10, 12])
    def test_it_says_what_is_there(self, shop: Shop, counted: int) -> None:
        shop.take(a_movement(10))
        shop.take(a_count(counted))
        assert shop.shelf() == Shelf(counted, 0)

    def test_it_makes_a_shelf_nobody_knew(self, shop: Shop) -> None:
        shop.take(a_count(4, location="UTR"))
        assert shop.shelf("UTR") == Shelf(4, 0)

    def test_it_does_not_bring_back_what_was_sold_since(self, shop: Shop) -> None:
        shop.take(a_movement(10, location="AMS"))
        shop.take(a_sale(3, at=20), channel="till")
        shop.take(a_shop_count(9, at=10))
        assert shop.shelf("AMS") == Shelf(6, 0)

    def test_sales_before_it_are_counted_in(self, shop: Shop) -> None:
        shop.take(a_movement(10, location="AMS"))
        shop.take(a_sale(3, at=5), channel="till")
        shop.take(a_shop_count(7, at=10))
        assert shop.shelf("AMS") == Shelf(7, 0)

    def test_a_sale_before_it_that_arrives_later_is_counted_in(self, shop: Shop) -> None:
        shop.take(a_movement(10, location="AMS"))
        shop.take(a_shop_count(7, at=10))
        shop.take(a_sale(3, at=5), channel="till")
        assert shop.shelf("AMS") == Shelf(7, 0)

    def test_a_receipt_before_it_that_arrives_later_is_counted_in(self, shop: Shop) -> None:
        shop.take(a_count(7, at=minutes(10)))
        shop.take(a_movement(5, at=minutes(5)))
        assert shop.shelf() == Shelf(7, 0)

    def test_repeated_it_says_nothing(self, shop: Shop) -> None:
        shop.take(a_movement(10))
        for _ in range(3):
            shop.take(a_count(8))
        assert shop.shelf() == Shelf(8, 0)
        assert shop.value("select count(*) from stock_movements") == 2

    def test_repeated_after_sales_it_says_nothing(self, shop: Shop) -> None:
        for document in (a_shop_count(8, at=1), a_sale(3, at=2), a_shop_count(8, at=1)):
            shop.take(document, channel="till")
        assert shop.shelf("AMS") == Shelf(5, 0)

    @pytest.mark.parametrize("is_batch", [True, False])
    def test_of_two_the_later_speaks_in_whatever_order(self, shop: Shop, is_batch: bool) -> None:  # noqa: FBT001 - a case
        shop.take(a_movement(10, location="AMS"))
        counts = [a_shop_count(8, at=20), a_shop_count(3, at=10)]
        for batch in [counts] if is_batch else [[each] for each in counts]:
            shop.take(*batch)
        assert shop.shelf("AMS") == Shelf(8, 0)

    def test_two_in_order_are_two_corrections(self, shop: Shop) -> None:
        shop.take(a_movement(10, location="AMS"))
        shop.take(a_shop_count(8, at=10))
        shop.take(a_shop_count(9, at=20))
        assert shop.shelf("AMS") == Shelf(9, 0)
        moved = shop.rows("select on_hand_delta from stock_movements order by movement_id")
        assert moved == [(10,), (-2,), (1,)]

    def test_below_what_is_promised_it_is_oversold(self, shop: Shop) -> None:
        shop.take(a_movement(5))
        shop.take(an_order(lines=[a_line(quantity=4)]))
        shop.take(a_count(1))
        assert shop.shelf() == Shelf(1, 4, is_oversold=True)
        assert shop.sellable() == 0

    def test_what_it_finds_serves_who_waits(self, shop: Shop) -> None:
        shop.take(an_order(lines=[a_line(quantity=4)]))
        shop.take(a_count(3))
        assert (shop.shelf(), shop.line().backordered) == (Shelf(3, 3), 1)

    def test_one_document_counts_many_shelves(self, shop: Shop) -> None:
        shop.take(*(a_count(n, sku=sku) for n, sku in enumerate(("PEN", "INK", "LAMP"), start=1)))
        assert [shop.shelf(sku=sku).on_hand for sku in ("PEN", "INK", "LAMP")] == [1, 2, 3]

    @pytest.mark.parametrize(
        ("document", "code"),
        [
            (a_count(1, sku="NONE"), "UNKNOWN_SKU"),
            (a_count(1, location="MARS"), "UNKNOWN_LOCATION"),
        ],
    )
    def test_of_what_we_do_not_know_it_is_refused(
        self, shop: Shop, document: Draft, code: str
    ) -> None:
        assert shop.problems(a_count(5), document) == {2: [code]}
        assert shop.shelf() == Shelf(5, 0)


class TestAnyOrderOfCountsAndSales:
    @settings(max_examples=25 * EFFORT)
    @given(
        st.lists(
            st.tuples(st.integers(1, 4), st.one_of(st.none(), st.integers(0, 40))),
            min_size=1, max_size=6,
        ),
        st.randoms(use_true_random=False),
        st.booleans(),
    )  # fmt: skip
    def test_the_last_count_and_what_was_sold_after_it_is_there(
        self, common_shop: Shop, story: list[tuple[int, int | None]], random: Random,
        is_batch: bool,  # noqa: FBT001 - a drawn flag
    ) -> None:  # fmt: skip
        # A receipt, then sales, after some of which the shelf is counted; told in any order.
        sku = next(_skus)
        common_shop.take(a_product(sku))
        there, told = 30, [a_movement(30, location="AMS", sku=sku)]
        for minute, (sold, counted) in enumerate(story):
            told.append(a_sale(sold, at=minute, sku=sku))
            there -= sold
            if counted is not None:
                told.append(a_shop_count(counted, at=minute + 0.5, sku=sku))
                there = counted
        random.shuffle(told)
        for batch in [told] if is_batch else [[each] for each in told]:
            common_shop.take(*batch, channel="till")
        assert common_shop.shelf("AMS", sku) == Shelf(there, 0, is_oversold=there < 0)
        assert common_shop.violations() == {}
