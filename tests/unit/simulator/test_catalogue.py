"""The assortment: numbers that are valid, prices as in a shop, things that change."""

from collections import Counter
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from oms.simulator.catalogue import catalogue, check_digit, gtin_13, revisions

FIRST = date(2025, 3, 1)


def is_valid(gtin: str) -> bool:
    """The GS1 rule, written from the other end: weights 1 and 3, the whole sum ends in 0."""
    weights = (1, 3) * 6 + (1,)
    return len(gtin) == 13 and sum(int(d) * w for d, w in zip(gtin, weights, strict=True)) % 10 == 0


class TestGtin:
    def test_has_the_published_check_digit(self) -> None:
        assert check_digit("629104150021") == 3  # the example of the GS1 check digit calculator
        assert gtin_13("629104", 150021) == "6291041500213"

    @given(st.integers(0, 99999))
    def test_is_valid_for_every_number(self, number: int) -> None:
        assert is_valid(gtin_13("8719326", number))


class TestCatalogue:
    products = catalogue(5, FIRST)

    def test_has_about_1200_skus_and_no_number_twice(self) -> None:
        assert 1_100 <= len(self.products) <= 1_300
        assert len({p.sku for p in self.products}) == len(self.products)
        assert len({p.gtin for p in self.products}) == len(self.products)
        assert all(is_valid(p.gtin) for p in self.products)
        assert [p.index for p in self.products] == list(range(len(self.products)))

    def test_has_types_categories_and_brands_of_a_department_store(self) -> None:
        assert len({p.product_type for p in self.products}) == 25
        assert len({p.category for p in self.products}) == 8
        assert 25 <= len({p.brand for p in self.products}) <= 35
        assert {p.tax_class for p in self.products} == {"standard", "reduced"}

    def test_prices_end_like_retail_prices(self) -> None:
        for product in self.products:
            assert product.prices["EUR"] % 100 == 95
            assert product.prices["GBP"] % 100 == 99
            assert 0 < product.prices["GBP"] < product.prices["EUR"] + 100

    def test_fashion_comes_in_sizes_and_colors(self) -> None:
        dresses = [p for p in self.products if p.product_type == "Dress"]
        sizes = Counter(p.title.rsplit(", ", 1)[1] for p in dresses)
        assert set(sizes) == {"XS", "S", "M", "L", "XL"}
        assert len(set(sizes.values())) == 1, "every style has every size"

    def test_titles_and_skus_can_be_printed_by_an_old_till(self) -> None:
        for product in self.products:
            assert product.sku.isascii()
            assert " " not in product.sku
            product.title.encode("windows-1252")
            assert ";" not in product.title
            assert "\t" not in product.title

    def test_few_sell_much_and_many_little(self) -> None:
        weights = sorted((p.weight for p in self.products), reverse=True)
        best = sum(weights[: len(weights) // 5])
        assert 0.5 < best / sum(weights) < 0.85

    def test_new_products_appear_over_the_year(self) -> None:
        launches = Counter(p.launched_on for p in self.products)
        later = sum(count for on, count in launches.items() if on > FIRST)
        assert 0.04 < later / len(self.products) < 0.25
        assert max(launches) < FIRST + timedelta(days=366)
        assert len(launches) > 5

    def test_one_is_renamed_and_one_retyped(self) -> None:
        renamed, retyped = revisions(self.products, FIRST)
        assert renamed.title != renamed.product.title
        assert renamed.product_type == renamed.product.product_type
        assert retyped.title == retyped.product.title
        assert retyped.product_type != retyped.product.product_type
        assert renamed.product.launched_on == retyped.product.launched_on == FIRST

    def test_another_seed_is_another_range(self) -> None:
        assert catalogue(5, FIRST) == self.products
        assert [p.title for p in catalogue(6, FIRST)] != [p.title for p in self.products]
