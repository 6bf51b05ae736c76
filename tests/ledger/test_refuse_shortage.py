"""An order that asks: it is taken whole, or refused with what is left."""

import pytest
from sqlalchemy import text

from oms.stock.model import InsufficientStock
from tests.builders import Draft, a_change, a_line, a_movement, a_partial, an_order
from tests.ledger.shop import Shelf, Shop


def refused(shop: Shop, *documents: Draft, channel: str = "web") -> list[dict[str, object]]:
    """Ask for orders that are refused; return what was short."""
    with pytest.raises(InsufficientStock) as found:
        shop.take(*documents, channel=channel, refuse_shortage=True)
    items: list[dict[str, object]] = found.value.facts["items"]
    return items


class TestRefuseShortage:
    @pytest.mark.parametrize("wanted", [1, 4, 5])
    def test_what_is_there_is_promised(self, shop: Shop, wanted: int) -> None:
        shop.take(a_movement(3), a_movement(2, location="AMS"))
        shop.take(an_order(lines=[a_line(quantity=wanted)]), refuse_shortage=True)
        assert (shop.line().allocated, shop.line().backordered) == (wanted, 0)

    def test_one_more_than_is_there_is_refused_with_what_is_left(self, shop: Shop) -> None:
        shop.take(a_movement(3), a_movement(2, location="AMS"))
        assert refused(shop, an_order(lines=[a_line(quantity=6)])) == [
            {"sku": "PEN", "requested": 6, "available": 5}
        ]

    def test_a_refusal_leaves_no_trace(self, shop: Shop) -> None:
        shop.take(a_movement(3))
        refused(shop, an_order(lines=[a_line(quantity=2), a_line("INK")]))
        for table in ("orders", "order_lines", "line_events", "order_events", "reservations"):
            assert shop.value(f"select count(*) from {table}") == 0, table
        assert shop.shelf() == Shelf(3, 0)

    def test_it_names_every_sku_that_is_short(self, shop: Shop) -> None:
        shop.take(a_movement(1), a_movement(9, sku="LAMP"))
        lines = [a_line(quantity=2), a_line("INK"), a_line("LAMP", 9)]
        found = refused(shop, an_order(lines=lines))
        assert [(each["sku"], each["available"]) for each in found] == [("INK", 0), ("PEN", 1)]

    def test_lines_of_one_sku_count_together(self, shop: Shop) -> None:
        shop.take(a_movement(3))
        lines = [a_line(quantity=2, ref="1"), a_line(quantity=2, ref="2")]
        assert refused(shop, an_order(lines=lines))[0]["requested"] == 4

    def test_orders_of_one_batch_count_together(self, shop: Shop) -> None:
        shop.take(a_movement(3))
        batch = [an_order(f"W-{n}", lines=[a_line(quantity=2)]) for n in (1, 2)]
        assert refused(shop, *batch)[0]["requested"] == 4
        assert shop.value("select count(*) from orders") == 0

    def test_what_others_were_promised_is_gone(self, shop: Shop) -> None:
        shop.take(a_movement(5))
        shop.take(an_order("W-1", lines=[a_line(quantity=4)]), refuse_shortage=True)
        assert refused(shop, an_order("W-2", lines=[a_line(quantity=2)]))[0]["available"] == 1
        shop.take(a_partial("W-1", a_change("cancel", 1)))
        shop.take(an_order("W-2", lines=[a_line(quantity=2)]), refuse_shortage=True)
        assert shop.shelf() == Shelf(5, 5)

    def test_what_a_channel_keeps_back_is_not_sold(self, shop: Shop) -> None:
        shop.take(a_movement(5))
        with shop.ledger.transaction() as tx:
            tx.execute(text("update channels set threshold = 2 where channel_code = 'web'"))
        assert refused(shop, an_order(lines=[a_line(quantity=4)]))[0]["available"] == 3
        shop.take(an_order(lines=[a_line(quantity=3)]), refuse_shortage=True)
        assert shop.sellable() == 0

    def test_what_may_not_be_sold_is_refused(self, shop: Shop) -> None:
        shop.take(a_movement(5))
        with shop.ledger.transaction() as tx:
            tx.execute(text("update products set is_sellable = false where sku = 'PEN'"))
        assert refused(shop, an_order())[0]["available"] == 0

    def test_the_same_order_again_asks_for_nothing(self, shop: Shop) -> None:
        shop.take(a_movement(1))
        for _ in range(2):
            shop.take(an_order(), refuse_shortage=True)
        assert shop.shelf() == Shelf(1, 1)

    def test_a_newer_document_asks_for_what_it_adds(self, shop: Shop) -> None:
        shop.take(a_movement(3))
        shop.take(an_order(lines=[a_line(quantity=2)]), refuse_shortage=True)
        shop.take(an_order(version=2, lines=[a_line(quantity=3)]), refuse_shortage=True)
        assert shop.shelf() == Shelf(3, 3)

    def test_a_channel_that_is_shut_sells_nothing(self, shop: Shop) -> None:
        with shop.ledger.transaction() as tx:
            tx.execute(text("update channels set is_enabled = false where channel_code = 'web'"))
        refused(shop, an_order())
