"""The catalog: who may overwrite what, and that the past keeps its names."""

import pytest

from oms.catalog import queries
from tests.builders import NOW, Draft, a_line, a_product, an_order, minutes
from tests.ledger.shop import Shop


def versions(shop: Shop, sku: str) -> list[tuple[object, ...]]:
    """Return what a product was called, and from when."""
    return shop.rows(
        "select version, title, valid_from_at = '1900-01-01 00:00:00+00' from product_versions"
        " where sku = :sku order by version",
        sku=sku,
    )


def title(shop: Shop, sku: str) -> str:
    """Return what a product is called now."""
    return str(shop.value("select title from products where sku = :sku", sku=sku))


class TestRecord:
    def test_a_new_product_is_what_it_has_always_been(self, shop: Shop) -> None:
        assert shop.take(a_product("QUILL")).products_changed == 1
        assert versions(shop, "QUILL") == [(1, "Quill", True)]

    def test_a_change_is_a_version_from_now_on(self, shop: Shop) -> None:
        shop.take(a_product("PEN", title="Blue pen"), at=minutes(5))
        assert versions(shop, "PEN") == [(1, "Pen", True), (2, "Blue pen", False)]
        assert title(shop, "PEN") == "Blue pen"

    def test_the_same_again_is_no_version(self, shop: Shop) -> None:
        assert shop.take(a_product("PEN")).products_changed == 0
        assert len(versions(shop, "PEN")) == 1

    def test_what_an_order_says_of_a_product_makes_it_but_never_changes_it(
        self, shop: Shop
    ) -> None:
        shop.take(a_product("PEN", title="?", overwrite=False), a_product("NEW", overwrite=False))
        assert (title(shop, "PEN"), title(shop, "NEW")) == ("Pen", "New")

    @pytest.mark.parametrize(
        ("drafts", "name"),
        [
            ([a_product("Q", title="a"), a_product("Q", title="b")], "b"),
            ([a_product("Q", title="a"), a_product("Q", title="b", overwrite=False)], "a"),
            ([a_product("Q", title=t, overwrite=False) for t in "ab"], "a"),
        ],
    )
    def test_of_several_in_a_batch_the_catalogs_last_word_counts(
        self, shop: Shop, drafts: list[Draft], name: str
    ) -> None:
        shop.take(*drafts)
        assert title(shop, "Q") == name
        assert len(versions(shop, "Q")) == 1

    def test_a_wrong_gtin_refuses_its_product_alone(self, shop: Shop) -> None:
        wrong = a_product("BAD", gtin="4006381333932")
        right = a_product("GOOD", gtin="4006381333931")
        assert shop.problems(wrong, right) == {1: ["VALIDATION"]}
        skus = {sku for (sku,) in shop.rows("select sku from products")}
        assert ("BAD" in skus, "GOOD" in skus) == (False, True)

    def test_a_line_keeps_the_name_it_was_sold_under(self, shop: Shop) -> None:
        shop.take(an_order(lines=[a_line(title=None)]))
        shop.take(a_product("PEN", title="Blue pen"))
        assert shop.line().title == "Pen"


class TestProduct:
    def test_it_is_found_by_its_sku_as_it_is_written(self, shop: Shop) -> None:
        with shop.ledger.snapshot() as tx:
            found = queries.product(tx, "PEN")
            assert found is not None
            assert (found.title, found.is_sellable, found.updated_at) == ("Pen", True, NOW)
            assert queries.product(tx, "pen") is None
