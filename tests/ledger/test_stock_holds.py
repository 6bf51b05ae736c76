"""Holds of stock: nobody else gets the units until they are an order's, let go or out of time."""

import pytest

from oms.orders.model import Outcome
from oms.stock import holds
from oms.stock.model import (
    InsufficientStock,
    StockHold,
    StockHoldEnded,
    StockHoldExpired,
    StockHoldNotFound,
    StockHoldState,
    UnknownLocation,
    UnknownSku,
)
from oms.workflows import stock_holds as ending
from tests.builders import a_change, a_group, a_line, a_movement, an_order, minutes
from tests.ledger.shop import Shelf, Shop
from tests.ledger.threads import together, waiting_for_a_lock

LIMIT = 15


def held(
    shop: Shop, quantity: int = 2, *, sku: str = "PEN", location: str | None = None, at: float = 0
) -> str:
    """Hold units for the web shop, for a quarter of an hour."""
    known = shop.channel("web")
    return shop.ledger.run(
        lambda tx: holds.place(
            tx, {sku: quantity}, channel_code="web", channel_id=known.channel_id,
            location_code=location, expires_at=minutes(at + LIMIT), at=minutes(at),
        )
    )  # fmt: skip


def seen(shop: Shop, hold_ref: str, *, at: float = 0) -> StockHold:
    """Return a hold as it is."""
    with shop.ledger.snapshot() as tx:
        return holds.hold(tx, hold_ref, at=minutes(at))


def expire(shop: Shop, *, at: float) -> bool:
    """End the holds whose time is over."""
    return shop.ledger.run(lambda tx: ending.expire(tx, at=minutes(at)))


class TestPlacing:
    def test_keeps_the_units_from_everybody_else(self, shop: Shop) -> None:
        shop.take(a_movement(3))
        held(shop, 2)
        assert shop.sellable() == 1
        with pytest.raises(InsufficientStock):
            shop.take(an_order(lines=[a_line(quantity=2)]), refuse_shortage=True)
        assert shop.shelf() == Shelf(3, 0)

    def test_takes_the_best_locations_first(self, shop: Shop) -> None:
        shop.take(a_movement(2), a_movement(2, location="AMS"))
        units = seen(shop, held(shop, 3)).units
        assert [(each.location_code, each.quantity) for each in units] == [("AMS", 1), ("DC", 2)]

    def test_at_one_location_takes_from_no_other(self, shop: Shop) -> None:
        shop.take(a_movement(5), a_movement(1, location="AMS"))
        with pytest.raises(InsufficientStock) as found:
            held(shop, 2, location="AMS")
        assert found.value.facts["items"] == [{"sku": "PEN", "requested": 2, "available": 1}]
        (unit,) = seen(shop, held(shop, 1, location="AMS")).units
        assert unit.location_code == "AMS"

    def test_holds_nothing_when_something_is_short(self, shop: Shop) -> None:
        shop.take(a_movement(3))
        with pytest.raises(InsufficientStock):
            held(shop, 4)
        assert shop.value("select count(*) from stock_holds") == 0
        assert shop.value("select count(*) from reservations") == 0

    def test_knows_neither_strange_skus_nor_strange_places(self, shop: Shop) -> None:
        with pytest.raises(UnknownSku):
            held(shop, sku="NONE")
        with pytest.raises(UnknownLocation):
            held(shop, location="NOWHERE")

    def test_of_the_last_units_one_of_many_gets_them(self, shop: Shop) -> None:
        shop.take(a_movement(5))
        ends = together([lambda: held(shop, 2) for _ in range(6)])
        refused = [each for each in ends if isinstance(each, InsufficientStock)]
        assert (len(ends) - len(refused), len(refused)) == (2, 4)
        assert shop.sellable() == 1


class TestConverting:
    def test_gives_the_units_to_the_order(self, shop: Shop) -> None:
        shop.take(a_movement(2), a_movement(9, location="UTR"))
        hold_ref = held(shop, 3)
        shop.take(
            an_order(lines=[a_line(quantity=3)]), refuse_shortage=True, hold_ref=hold_ref
        )  # fmt: skip
        assert shop.shelf() == Shelf(2, 2)
        assert shop.shelf("UTR") == Shelf(9, 1)
        assert seen(shop, hold_ref).state is StockHoldState.CONVERTED
        assert seen(shop, hold_ref).order_number == shop.order().summary.order_number

    def test_is_kept_though_others_have_come_to_wait(self, shop: Shop) -> None:
        shop.take(a_movement(2))
        hold_ref = held(shop, 2)
        shop.take(an_order("W-1", lines=[a_line(quantity=5)]))  # a fact, all of it backordered
        order = an_order("W-2", lines=[a_line(quantity=2)])
        shop.take(order, refuse_shortage=True, hold_ref=hold_ref)
        assert (shop.line("W-2").allocated, shop.line("W-1").backordered) == (2, 5)

    def test_asks_for_more_and_lets_go_of_what_is_not_wanted(self, shop: Shop) -> None:
        shop.take(a_movement(4))
        first, second = held(shop, 1), held(shop, 2)
        shop.take(an_order("W-1", lines=[a_line(quantity=2)]), refuse_shortage=True, hold_ref=first)
        assert (shop.line("W-1").allocated, shop.sellable()) == (2, 0)
        shop.take(
            an_order("W-2", lines=[a_line(quantity=1)]), refuse_shortage=True, hold_ref=second
        )
        assert (shop.line("W-2").allocated, shop.sellable()) == (1, 1)

    def test_serves_what_is_collected_where_it_was_held(self, shop: Shop) -> None:
        shop.take(a_movement(5), a_movement(1, location="AMS"))
        hold_ref = held(shop, 1, location="AMS")
        order = an_order(groups=[a_group("collect_store", location="AMS")])
        shop.take(order, refuse_shortage=True, hold_ref=hold_ref)
        assert (shop.shelf("AMS"), shop.shelf()) == (Shelf(1, 1), Shelf(5, 0))

    def test_happens_once_and_the_same_order_may_say_it_again(self, shop: Shop) -> None:
        shop.take(a_movement(4))
        hold_ref = held(shop, 2)
        order = an_order(lines=[a_line(quantity=2)])
        for expected in (Outcome.CAPTURED, Outcome.DUPLICATE):
            assert shop.outcomes(order, hold_ref=hold_ref) == [expected]
        longer = an_order(version=2, lines=[a_line(quantity=3)])
        assert shop.outcomes(longer, hold_ref=hold_ref) == [Outcome.UPDATED]
        with pytest.raises(StockHoldEnded):
            shop.take(an_order("W-2"), hold_ref=hold_ref)
        assert shop.shelf() == Shelf(4, 3)

    def test_is_refused_when_its_time_is_over_or_it_never_was(self, shop: Shop) -> None:
        shop.take(a_movement(4))
        hold_ref = held(shop)
        with pytest.raises(StockHoldExpired):
            shop.take(an_order(), hold_ref=hold_ref, at=minutes(LIMIT))
        with pytest.raises(StockHoldNotFound):
            shop.take(an_order(), hold_ref="H0")
        with pytest.raises(StockHoldNotFound):
            shop.take(an_order(), hold_ref=hold_ref, channel="market")
        assert shop.value("select count(*) from orders") == 0

    def test_gives_no_units_that_were_sold_over_the_counter(self, shop: Shop) -> None:
        shop.take(a_movement(2))
        hold_ref = held(shop, 2)
        sold = an_order("W-1", changes=[a_change("ship", 1, location_code="DC")])
        shop.take(sold)
        with pytest.raises(InsufficientStock):
            shop.take(
                an_order("W-2", lines=[a_line(quantity=2)]), refuse_shortage=True,
                hold_ref=hold_ref,
            )  # fmt: skip
        shop.take(an_order("W-2", lines=[a_line(quantity=2)]), hold_ref=hold_ref)
        assert (shop.line("W-2").allocated, shop.line("W-2").backordered) == (1, 1)


class TestEnding:
    def test_units_are_free_from_the_moment_the_time_is_over(self, shop: Shop) -> None:
        shop.take(a_movement(2))
        hold_ref = held(shop)
        assert (shop.sellable(at=minutes(LIMIT - 1)), shop.sellable(at=minutes(LIMIT))) == (0, 2)
        assert seen(shop, hold_ref, at=LIMIT).state is StockHoldState.EXPIRED
        assert not expire(shop, at=LIMIT - 1)
        assert expire(shop, at=LIMIT)
        assert seen(shop, hold_ref).state is StockHoldState.EXPIRED

    @pytest.mark.parametrize("way", ["expired", "released"])
    def test_who_waits_gets_them(self, shop: Shop, way: str) -> None:
        shop.take(a_movement(2))
        hold_ref = held(shop)
        shop.take(an_order(lines=[a_line(quantity=2)]))
        assert shop.line().backordered == 2
        if way == "expired":
            expire(shop, at=LIMIT)
        else:
            shop.ledger.run(lambda tx: ending.release(tx, hold_ref, at=minutes(1)))
        assert (shop.line().allocated, seen(shop, hold_ref).state) == (2, way)

    def test_extended_it_lasts_longer_and_never_shorter(self, shop: Shop) -> None:
        shop.take(a_movement(2))
        hold_ref = held(shop)
        for until in (LIMIT + 5, 3):
            shop.ledger.run(
                lambda tx, until=until: holds.extend(
                    tx, hold_ref, expires_at=minutes(until), at=minutes(1)
                )
            )
        assert seen(shop, hold_ref).expires_at == minutes(LIMIT + 5)
        assert shop.sellable(at=minutes(LIMIT)) == 0

    def test_extending_brings_nothing_back_that_others_have(self, shop: Shop) -> None:
        shop.take(a_movement(2))
        hold_ref = held(shop)
        shop.take(an_order(lines=[a_line(quantity=2)]), refuse_shortage=True, at=minutes(LIMIT))
        with pytest.raises(StockHoldExpired):  # though by this clock there was a minute left
            shop.ledger.run(
                lambda tx: holds.extend(tx, hold_ref, expires_at=minutes(60), at=minutes(LIMIT - 1))
            )
        expire(shop, at=LIMIT)


class TestAtTheSameMoment:
    """Expiry against conversion: one of them has the hold, and no unit is given twice."""

    def test_a_hold_converts_or_expires(self, shop: Shop) -> None:
        shop.take(a_movement(40))
        refs = [held(shop, 4) for _ in range(10)]
        works = [
            lambda ref=ref, no=no: shop.take(
                an_order(f"W-{no}", lines=[a_line(quantity=4)]), refuse_shortage=True,
                hold_ref=ref, at=minutes(LIMIT - 1),
            )
            for no, ref in enumerate(refs)
        ]  # fmt: skip
        ends = together([*works, *(lambda: expire(shop, at=LIMIT) for _ in range(4))])
        lost = [no for no, end in enumerate(ends[:10]) if isinstance(end, StockHoldExpired)]
        assert not [end for no, end in enumerate(ends[:10]) if no not in lost and
                    isinstance(end, Exception)]  # fmt: skip
        states = [seen(shop, ref).state for ref in refs]
        assert [no for no, state in enumerate(states) if state is StockHoldState.EXPIRED] == lost
        assert shop.shelf() == Shelf(40, 4 * (10 - len(lost)))

    def test_who_comes_with_a_slow_clock_takes_no_unit_of_another(self, shop: Shop) -> None:
        shop.take(a_movement(2))
        hold_ref = held(shop)
        shop.take(an_order("W-1", lines=[a_line(quantity=2)]), refuse_shortage=True,
                  at=minutes(LIMIT))  # fmt: skip
        with pytest.raises(InsufficientStock):
            shop.take(
                an_order("W-2", lines=[a_line(quantity=2)]), refuse_shortage=True,
                hold_ref=hold_ref, at=minutes(LIMIT - 1),
            )  # fmt: skip
        assert shop.shelf() == Shelf(2, 2)
        expire(shop, at=LIMIT)

    def test_expiry_passes_by_what_is_being_converted(self, shop: Shop) -> None:
        shop.take(a_movement(4))
        hold_ref = held(shop)
        with shop.ledger.transaction() as tx:
            order = an_order(lines=[a_line(quantity=2)])
            shop.work(order, hold_ref=hold_ref, at=minutes(1))(tx)
            assert not expire(shop, at=LIMIT)
            with waiting_for_a_lock(
                shop.ledger,
                lambda: shop.ledger.run(lambda tx: ending.release(tx, hold_ref, at=minutes(2))),
            ) as letting_go:
                tx.commit()
                with pytest.raises(StockHoldEnded):
                    letting_go.result()
        assert shop.shelf() == Shelf(4, 2)
