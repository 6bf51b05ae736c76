"""Callers at the same time: they end in the state of one after the other, and no deadlock shows."""

from random import Random

import pytest
from sqlalchemy import text

from oms.orders.model import Outcome
from oms.stock.model import InsufficientStock
from oms.workflows.capture import Result
from tests.builders import (
    Draft,
    a_change,
    a_count,
    a_line,
    a_movement,
    a_partial,
    a_product,
    a_receipt,
    an_order,
    minutes,
)
from tests.ledger.shop import PLACES, SKUS, Shelf, Shop
from tests.ledger.threads import together, waiting_for_a_lock

ORDERS = 24


def a_day(random: Random) -> list[Draft]:
    """Return a day's documents of one channel: their SKUs cross, some change each other."""
    told = []
    for number in range(ORDERS):
        ref, quantity = f"W-{number}", random.randint(2, 4)
        skus = random.sample(SKUS, k=random.randint(1, len(SKUS)))
        lines = [a_line(sku, quantity) for sku in skus]
        told.append(an_order(ref, lines=lines, placed_at=minutes(number)))
        kind = random.choice(["cancel", "ship", "return", "ship"])
        change = a_change(
            kind, 1, line=skus[0], ref=f"c-{number}", location_code="DC", restock=True
        )
        told.append(a_partial(ref, change))
        if number % 4 == 0:
            told.append(an_order(ref, version=2, lines=lines[:1], placed_at=minutes(number)))
    return told


def ending(shop: Shop) -> dict[str, object]:
    """Return what must not depend on who came first."""
    return {
        "orders": shop.rows(
            "select external_ref, order_state, total_minor, sum(e.quantity), sum(e.net_minor)"
            " from orders left join line_events e using (order_id) group by 1, 2, 3 order by 1"
        ),
        "lines": shop.rows(
            "select external_ref, line_ref, quantity, canceled, shipped, returned"
            " from order_lines join orders using (order_id) where quantity > 0 order by 1, 2"
        ),
        "on hand": shop.rows(
            "select product_id, location_id, on_hand from stock_levels"
            " where on_hand <> 0 order by 1, 2"
        ),
    }


def settle_down(shop: Shop, batch: list[Draft]) -> list[Draft]:
    """Capture a batch; return the documents that have to wait."""
    found = shop.take(*batch)
    return [
        document
        for document, each in zip(batch, found.orders, strict=True)
        if each.outcome is Outcome.REJECTED
    ]


def stocked(shop: Shop, units: int) -> None:
    """Put the same stock of everything everywhere."""
    shop.take(*(a_movement(units, sku=sku, location=place) for sku in SKUS for place in PLACES))


class TestOneDayByFourThreads:
    @pytest.mark.parametrize("is_shuffled", [False, True])
    @pytest.mark.parametrize("units", [0, 500])
    def test_is_the_day_told_once(self, shop: Shop, units: int, is_shuffled: bool) -> None:  # noqa: FBT001 - a case
        random = Random(units)
        day = a_day(random)
        stocked(shop, units)
        waiting = settle_down(shop, day)
        assert settle_down(shop, waiting) == []
        once = ending(shop)
        shop.restore()
        stocked(shop, units)
        works = []
        for _ in range(4):
            mine = random.sample(day, len(day)) if is_shuffled else day
            parts = [mine[start : start + 13] for start in range(0, len(mine), 13)]
            works.append(lambda parts=parts: [w for part in parts for w in settle_down(shop, part)])
        left = [document for found in together(works) for document in ok(found)]
        while left:
            left, before = settle_down(shop, left), len(left)
            assert len(left) < before
        assert ending(shop) == once
        # Who is promised what is there is a matter of who comes first only where it is short.
        if units == 500:
            allocated = "select sum(allocated) from stock_levels"
            open_ = "select sum(quantity - canceled - greatest(shipped, returned)) from order_lines"
            assert shop.value(allocated) == shop.value(open_)


def ok(found: list[Draft] | Exception) -> list[Draft]:
    """Return what a thread found; raise what it raised."""
    if isinstance(found, Exception):
        raise found
    return found


class TestBuyers:
    @pytest.mark.parametrize(("buyers", "units", "each"), [(12, 5, 1), (8, 7, 2), (6, 0, 1)])
    def test_of_n_of_k_units_exactly_k_succeed(
        self, shop: Shop, buyers: int, units: int, each: int
    ) -> None:
        shop.take(a_movement(units - units // 3), a_movement(units // 3, location="AMS"))
        found = together([
            lambda n=n: shop.take(
                an_order(f"W-{n}", lines=[a_line(quantity=each)]), refuse_shortage=True
            )
            for n in range(buyers)
        ])  # fmt: skip
        happy = [one for one in found if isinstance(one, Result)]
        refused = [one for one in found if isinstance(one, InsufficientStock)]
        assert (len(happy), len(refused)) == (units // each, buyers - units // each)
        assert all(0 <= one.facts["items"][0]["available"] < units + 1 for one in refused)
        assert shop.value("select count(*) from orders") == len(happy)
        promised = sum(shop.shelf(place).allocated for place in PLACES)
        assert promised == len(happy) * each

    def test_whole_orders_or_nothing(self, shop: Shop) -> None:
        shop.take(a_movement(4), a_movement(4, sku="INK"))
        skus = [("PEN", "INK"), ("INK", "PEN")]
        together([
            lambda n=n: shop.take(
                an_order(f"W-{n}", lines=[a_line(sku, 2) for sku in skus[n % 2]]),
                refuse_shortage=True,
            )
            for n in range(6)
        ])  # fmt: skip
        assert (shop.shelf(), shop.shelf(sku="INK")) == (Shelf(4, 4), Shelf(4, 4))
        assert shop.value("select count(*) from order_lines") == 4


class TestEverythingAtOnce:
    def test_no_deadlock_shows_and_every_invariant_holds(self, shop: Shop) -> None:
        random = Random(7)
        stocked(shop, 3)
        orders = [
            an_order(f"W-{n}", lines=[a_line(sku, 2) for sku in random.sample(SKUS, 2)])
            for n in range(20)
        ]
        shop.take(*orders)
        refs = [document.rows["orders"][0]["external_ref"] for document in orders]

        def worker(seed: int) -> None:
            mine = Random(seed)
            for step in range(8):
                sku, place = mine.choice(SKUS), mine.choice(PLACES)
                ref, name = mine.choice(refs), f"{seed}-{step}"
                line = shop.order(ref).lines[0].line_ref
                change = a_change(mine.choice(["cancel", "ship"]), line=line, ref=name)
                documents = [
                    a_movement(2, sku=sku, location=place, ref=name),
                    a_count(4, sku=sku, location=place, at=minutes(step), ref=name),
                    a_partial(ref, change),
                    an_order(f"W-{name}", lines=[a_line(sku, 2)]),
                ]
                shop.take(*mine.sample(documents, k=3))
                shop.take(a_receipt(f"T-{name}", lines=[a_line(mine.choice(SKUS))]), channel="till")

        found = together([lambda seed=seed: worker(seed) for seed in range(4)])
        assert found == [None] * 4


class TestTwoThatMeet:
    """Guards decisions that are made of what somebody else is just changing."""

    def test_stock_that_comes_is_not_given_to_an_order_being_canceled(self, shop: Shop) -> None:
        shop.take(a_movement(0))
        shop.take(an_order())
        receipt = a_movement(5, location="AMS")
        with shop.ledger.transaction() as tx:
            shop.work(a_partial("W-1", a_change("cancel")))(tx)
            with waiting_for_a_lock(shop.ledger, lambda: shop.take(receipt)) as receiving:
                tx.commit()
        receiving.result()
        assert shop.shelf("AMS") == Shelf(5, 0)

    def test_a_cancel_and_a_shipment_of_one_unit_do_not_both_win(self, shop: Shop) -> None:
        shop.take(a_movement(1))
        shop.take(an_order())
        changes = [a_change("cancel"), a_change("ship", location_code="DC")]
        together([lambda c=c: shop.take(a_partial("W-1", c)) for c in changes])
        line = shop.line()
        assert line.canceled + line.shipped == 1
        assert shop.shelf() == Shelf(1 - line.shipped, 0)

    def test_two_tellings_of_a_refund_are_one(self, shop: Shop) -> None:
        shop.take(a_movement(1))
        shop.take(an_order(changes=[a_change("ship", location_code="DC")]))
        refund = a_partial("W-1", a_change("return", restock=True, location_code="DC"))
        found = together([lambda: shop.outcomes(refund)] * 4)
        assert sorted(map(str, found)) == sorted(
            map(str, [[Outcome.DUPLICATE]] * 3 + [[Outcome.UPDATED]])
        )
        assert (shop.shelf(), shop.kept()) == (Shelf(1, 0), (0, 0))


class TestWhereNoLevelIs:
    """Guards that the first stock of a product at a place meets who is just ordering it."""

    @pytest.mark.parametrize("elsewhere", [(), ("AMS",), ("UTR", "AMS")])
    def test_stock_that_comes_waits_for_the_order(
        self, shop: Shop, elsewhere: tuple[str, ...]
    ) -> None:
        shop.take(a_product("NEW"), *(a_movement(0, sku="NEW", location=at) for at in elsewhere))
        receipt = a_movement(5, sku="NEW")
        with shop.ledger.transaction() as tx:
            shop.work(an_order(lines=[a_line("NEW")]))(tx)
            with waiting_for_a_lock(shop.ledger, lambda: shop.take(receipt)) as receiving:
                tx.commit()
        receiving.result()
        assert shop.shelf(sku="NEW") == Shelf(5, 1)

    @pytest.mark.parametrize("elsewhere", [(), ("AMS",), ("UTR", "AMS")])
    def test_an_order_waits_for_the_stock_that_comes(
        self, shop: Shop, elsewhere: tuple[str, ...]
    ) -> None:
        shop.take(a_product("NEW"), *(a_movement(0, sku="NEW", location=at) for at in elsewhere))
        order = an_order(lines=[a_line("NEW")])
        with shop.ledger.transaction() as tx:
            shop.work(a_movement(5, sku="NEW"))(tx)
            with waiting_for_a_lock(shop.ledger, lambda: shop.take(order)) as ordering:
                tx.commit()
        ordering.result()
        assert shop.shelf(sku="NEW") == Shelf(5, 1)

    def test_so_does_a_count(self, shop: Shop) -> None:
        shop.take(a_product("NEW"))
        with shop.ledger.transaction() as tx:
            shop.work(an_order(lines=[a_line("NEW")]))(tx)
            count = a_count(5, sku="NEW", location="UTR")
            with waiting_for_a_lock(shop.ledger, lambda: shop.take(count)) as counting:
                tx.commit()
        counting.result()
        assert shop.shelf("UTR", "NEW") == Shelf(5, 1)

    def test_so_does_what_comes_back(self, shop: Shop) -> None:
        shop.take(a_product("NEW"), a_movement(1, sku="NEW", location="UTR"))
        ship = a_change("ship", line="NEW", location_code="UTR")
        sold = an_order("B-1", lines=[a_line("NEW")], changes=[ship])
        shop.take(sold, channel="trade")
        back = a_change("return", line="NEW", location_code="AMS", restock=True)
        with shop.ledger.transaction() as tx:
            shop.work(an_order("T-1", lines=[a_line("NEW")]), channel="till")(tx)
            works = waiting_for_a_lock(
                shop.ledger, lambda: shop.take(a_partial("B-1", back), channel="trade")
            )
            with works as returning:
                tx.commit()
        returning.result()
        assert shop.shelf("AMS", "NEW") == Shelf(1, 1)

    def test_orders_and_the_catalog_do_not_wait_for_each_other(self, shop: Shop) -> None:
        shop.take(a_product("NEW"))
        with shop.ledger.transaction() as tx, shop.ledger.transaction() as other:
            other.execute(text("set local lock_timeout = '10s'"))
            shop.work(an_order("W-1", lines=[a_line("NEW")]))(tx)
            shop.work(an_order("W-2", lines=[a_line("NEW")]), a_product("NEW", title="N."))(other)
        assert shop.value("select count(*) from reservations where state = 'queued'") == 2

    def test_many_who_open_and_order_the_same_end_served(self, shop: Shop) -> None:
        skus = [f"NEW-{n}" for n in range(6)]
        shop.take(*map(a_product, skus))

        def worker(seed: int) -> None:
            mine = Random(seed)
            for step in range(4):
                few, name = mine.sample(skus, 4), f"{seed}-{step}"
                shop.take(an_order(f"W-{name}", lines=[a_line(sku) for sku in few]))
                place = mine.choice(PLACES)
                shop.take(*(a_movement(2, sku=sku, location=place, ref=f"{name}-{sku}")
                            for sku in mine.sample(skus, 3)))  # fmt: skip

        found = together([lambda seed=seed: worker(seed) for seed in range(4)])
        assert found == [None] * 4
