"""Delivery groups: each part of an order goes its own way, and is supplied for that way."""

from typing import Any

import pytest

from oms.stock.model import InsufficientStock
from tests.builders import Draft, a_group, a_line, a_movement, a_receipt, an_order
from tests.ledger.shop import Shelf, Shop

BASKET = [a_line("PEN"), a_line("INK")]


def mixed(ref: str = "T-1", **columns: Any) -> Draft:
    """Return a till's receipt: the pen is taken along, the ink sent home."""
    groups = [a_group("carry_out", "PEN"), a_group("ship_home", "INK", ship_to='{"city": "Ede"}')]
    return a_receipt(ref, lines=BASKET, groups=groups, fulfillment_method="mixed", **columns)


def collected(ref: str = "W-1", place: str = "AMS", quantity: int = 1) -> Draft:
    """Return an order of pens to be collected in a store."""
    groups = [a_group("collect_store", "PEN", location=place)]
    line = a_line(quantity=quantity)
    return an_order(ref, lines=[line], groups=groups, fulfillment_method="collect_store")


class TestMixedBasket:
    def test_one_line_leaves_at_once_and_the_other_is_sent_from_elsewhere(self, shop: Shop) -> None:
        shop.take(a_movement(3, location="AMS"), a_movement(5, sku="INK", location="UTR"))
        shop.take(mixed(), channel="web")
        pen, ink = shop.order("T-1").lines
        assert (pen.shipped, pen.allocated) == (1, 0)
        assert (ink.shipped, ink.allocated) == (0, 1)
        assert shop.states("T-1") == ("in_progress", "partially_shipped")
        assert shop.shelf("AMS") == Shelf(2, 0)
        assert shop.shelf("UTR", "INK") == Shelf(5, 1)
        kinds = shop.rows("select kind from stock_movements where cause_type = 'order'")
        assert [kind for (kind,) in kinds] == ["pos_sale"]

    def test_its_groups_are_kept(self, shop: Shop) -> None:
        shop.take(mixed())
        assert shop.rows(
            "select l.sku, g.method, g.ship_to ->> 'city' from order_lines l"
            " join delivery_groups g using (order_id, group_no) order by l.line_no"
        ) == [("PEN", "carry_out", None), ("INK", "ship_home", "Ede")]

    def test_a_newer_document_moves_no_line_to_another_group(self, shop: Shop) -> None:
        shop.take(a_movement(9, location="AMS"), a_movement(9, sku="INK"))
        shop.take(mixed())
        groups = [a_group("ship_home", "PEN", "INK")]
        shop.take(
            a_receipt(
                lines=[a_line("PEN"), a_line("INK", 2)], groups=groups, version=2,
                fulfillment_method="mixed",
            )
        )  # fmt: skip
        pen, ink = shop.order("T-1").lines
        assert (pen.shipped, ink.shipped, ink.allocated) == (1, 0, 2)


class TestCollect:
    def test_only_the_store_supplies_it(self, shop: Shop) -> None:
        shop.take(a_movement(9, location="DC"), a_movement(1, location="AMS"))
        shop.take(collected(quantity=2))
        assert shop.shelf("DC") == Shelf(9, 0)
        assert shop.shelf("AMS") == Shelf(1, 1)
        assert shop.line().backordered == 1

    def test_what_waits_there_is_filled_there(self, shop: Shop) -> None:
        shop.take(collected())
        shop.take(a_movement(5, location="DC"))
        assert shop.line().backordered == 1
        shop.take(a_movement(5, location="AMS"))
        assert shop.line().backordered == 0
        assert (shop.shelf("DC"), shop.shelf("AMS")) == (Shelf(5, 0), Shelf(5, 1))

    def test_one_that_waits_bars_no_other(self, shop: Shop) -> None:
        """Guards the turns: each way of being supplied has its own."""
        shop.take(collected("W-1", "AMS"), collected("W-2", "UTR"), an_order("W-3"))
        shop.take(a_movement(2, location="UTR"))
        waiting = {ref: shop.line(ref).backordered for ref in ("W-1", "W-2", "W-3")}
        assert waiting == {"W-1": 1, "W-2": 0, "W-3": 0}

    def test_older_ones_come_first_whatever_their_way(self, shop: Shop) -> None:
        shop.take(an_order("W-1"), collected("W-2", "AMS"), an_order("W-3"))
        shop.take(a_movement(2, location="AMS"))
        waiting = {ref: shop.line(ref).backordered for ref in ("W-1", "W-2", "W-3")}
        assert waiting == {"W-1": 0, "W-2": 0, "W-3": 1}

    def test_a_place_nobody_knows_is_refused(self, shop: Shop) -> None:
        (found,) = shop.take(collected(place="NOWHERE")).problems.values()
        assert [(each.field, each.code) for each in found] == [
            ("/groups/0/location_code", "UNKNOWN_LOCATION")
        ]


class TestRefusal:
    def test_it_says_what_the_store_has(self, shop: Shop) -> None:
        shop.take(a_movement(9, location="DC"), a_movement(1, location="AMS"))
        with pytest.raises(InsufficientStock) as refused:
            shop.take(collected(quantity=2), refuse_shortage=True)
        assert refused.value.facts["items"] == [
            {"sku": "PEN", "location_code": "AMS", "requested": 2, "available": 1}
        ]
        assert shop.shelf("AMS") == Shelf(1, 0)

    def test_the_last_unit_is_not_promised_twice_in_one_order(self, shop: Shop) -> None:
        shop.take(a_movement(1, location="AMS"))
        groups = [
            a_group("collect_store", "1", location="AMS"), a_group("ship_home", "2"),
        ]  # fmt: skip
        basket = [a_line(ref="1"), a_line(ref="2")]
        with pytest.raises(InsufficientStock):
            shop.take(
                an_order(lines=basket, groups=groups, fulfillment_method="mixed"),
                refuse_shortage=True,
            )
        assert shop.shelf("AMS") == Shelf(1, 0)
