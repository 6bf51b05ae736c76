"""What changed in stock: page after page, no SKU is left out."""

import pytest

from oms.stock import queries
from tests.builders import a_change, a_line, a_movement, a_partial, a_product, an_order
from tests.ledger.shop import Shop


def changed(shop: Shop, after: int, limit: int = 100) -> tuple[list[str], int, bool]:
    """Ask for a page of changed SKUs."""
    with shop.ledger.snapshot() as tx:
        return queries.changes(tx, after=after, limit=limit)


def position(shop: Shop) -> int:
    """Return where the changes end now."""
    return changed(shop, 0)[1]


class TestChanges:
    def test_what_moves_or_is_promised_or_waits_is_told(self, shop: Shop) -> None:
        for document, skus in (
            (a_movement(5), ["PEN"]),
            (an_order(lines=[a_line("PEN"), a_line("INK")]), ["INK", "PEN"]),
            (a_partial("W-1", a_change("cancel")), ["PEN"]),
            (a_product("LAMP", is_sellable=False), ["LAMP"]),
            (a_product("LAMP", is_sellable=False), []),
        ):
            before = position(shop)
            shop.take(document)
            told, after, has_more = changed(shop, before)
            assert (sorted(told), has_more) == (skus, False)
            assert changed(shop, after) == ([], after, False)

    @pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
    def test_pages_of_any_size_tell_all(self, shop: Shop, limit: int) -> None:
        start = position(shop)
        skus = [f"S-{number:02}" for number in range(12)]
        shop.take(*map(a_product, skus[:4]))
        for sku in skus[4:]:
            shop.take(a_product(sku))
        shop.take(a_movement(1, sku="S-00"), a_movement(1, sku="S-05"))
        told, after, has_more = set[str](), start, True
        while has_more:
            page, after, has_more = changed(shop, after, limit)
            assert len(page) <= max(limit, 4)
            told |= set(page)
        assert told == set(skus)
        assert changed(shop, after) == ([], after, False)

    def test_what_changes_while_pages_are_read_is_told(self, shop: Shop) -> None:
        start = position(shop)
        for sku in ("PEN", "INK", "LAMP"):
            shop.take(a_movement(1, sku=sku))
        page, after, has_more = changed(shop, start, 1)
        assert (page, has_more) == (["PEN"], True)
        shop.take(a_movement(1, ref="again"))
        told = []
        while has_more:
            page, after, has_more = changed(shop, after, 1)
            told += page
        assert told == ["INK", "LAMP", "PEN"]

    def test_an_open_transaction_holds_them_back_but_loses_none(self, shop: Shop) -> None:
        start = position(shop)
        with shop.ledger.transaction() as tx:
            shop.work(a_movement(1))(tx)
            shop.take(a_movement(1, sku="INK"))
            told, after, _ = changed(shop, start)
            assert told == []
        assert sorted(changed(shop, after)[0]) == ["INK", "PEN"]
