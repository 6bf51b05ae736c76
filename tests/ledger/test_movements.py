"""Movements without an order: each cause once, signed by its kind."""

import pytest

from tests.builders import Draft, a_line, a_movement, an_order
from tests.ledger.shop import Shelf, Shop


class TestAMovement:
    @pytest.mark.parametrize(
        ("kind", "quantity", "on_hand"),
        [("receipt", 3, 13), ("return_restock", 3, 13), ("transfer_in", 3, 13),
         ("transfer_out", 3, 7), ("write_off", 3, 7), ("adjust", 3, 13), ("adjust", -3, 7)],
    )  # fmt: skip
    def test_it_adds_or_takes_by_its_kind(
        self, shop: Shop, kind: str, quantity: int, on_hand: int
    ) -> None:
        shop.take(a_movement(10, ref="first"))
        shop.take(a_movement(quantity, kind=kind, ref="second"))
        assert shop.shelf() == Shelf(on_hand, 0)

    def test_its_cause_moves_once(self, shop: Shop) -> None:
        for _ in range(3):
            shop.take(a_movement(10, ref="PO-1"), a_movement(10, ref="PO-1"))
        assert shop.shelf() == Shelf(10, 0)

    def test_one_cause_may_move_many_shelves(self, shop: Shop) -> None:
        shop.take(a_movement(1, ref="PO-1"), a_movement(2, ref="PO-1", location="AMS"),
                  a_movement(3, ref="PO-1", sku="INK"))  # fmt: skip
        assert (shop.shelf(), shop.shelf("AMS"), shop.shelf(sku="INK")) == (
            Shelf(1, 0), Shelf(2, 0), Shelf(3, 0),
        )  # fmt: skip

    def test_a_transfer_conserves_the_stock(self, shop: Shop) -> None:
        shop.take(a_movement(10))
        shop.take(a_movement(4, kind="transfer_out", ref="TR-1"))
        shop.take(a_movement(4, kind="transfer_in", location="UTR", ref="TR-1"))
        assert (shop.shelf(), shop.shelf("UTR")) == (Shelf(6, 0), Shelf(4, 0))

    def test_a_write_off_below_what_is_promised_is_oversold(self, shop: Shop) -> None:
        shop.take(a_movement(5))
        shop.take(an_order(lines=[a_line(quantity=5)]))
        shop.take(a_movement(2, kind="write_off"))
        assert shop.shelf() == Shelf(3, 5, is_oversold=True)

    @pytest.mark.parametrize(
        ("document", "code"),
        [(a_movement(1, sku="NONE"), "UNKNOWN_SKU"),
         (a_movement(1, location="MARS"), "UNKNOWN_LOCATION")],
    )  # fmt: skip
    def test_of_what_we_do_not_know_it_is_refused(
        self, shop: Shop, document: Draft, code: str
    ) -> None:
        assert shop.problems(document, a_movement(5)) == {1: [code]}
        assert shop.shelf() == Shelf(5, 0)

    def test_what_it_did_is_told_as_changed_places(self, shop: Shop) -> None:
        result = shop.take(a_movement(5), a_movement(1, sku="INK"), a_movement(1, sku="NONE"))
        assert result.stock_changed == 2
