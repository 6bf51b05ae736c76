"""What lines are worth after a change: exact, and nothing a unit had before is touched."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oms.change_orders.rules import Terms, at_price, fresh, more, rate_seen, tax_of


def terms(quantity: int, list_minor: int, discount_minor: int, tax_minor: int) -> Terms:
    return Terms(
        quantity=quantity, unit_price_minor=None, list_minor=list_minor,
        discount_minor=discount_minor, tax_minor=tax_minor,
    )  # fmt: skip


class TestRateSeen:
    @pytest.mark.parametrize(
        ("total", "tax", "is_gross", "rate"),
        [
            (1000, 174, True, Fraction(21, 100)),
            (1000, 173, True, Fraction(21, 100)),  # cut off instead of rounded
            (1000, 210, False, Fraction(21, 100)),
            (100_000, 5213, True, Fraction(11, 200)),
            (1000, 0, True, Fraction(0)),
            (99, 17, True, Fraction(17, 82)),  # twenty, twenty-one: the amount is too small
            (100_000, 8100, False, Fraction(81, 1000)),
        ],
    )
    def test_is_what_the_amounts_show(
        self, total: int, tax: int, rate: Fraction, *, is_gross: bool
    ) -> None:
        assert rate_seen(total, tax, is_gross=is_gross) == rate

    @pytest.mark.parametrize(("total", "tax"), [(0, 0), (5, 5)])
    def test_is_none_of_what_is_free(self, total: int, tax: int) -> None:
        assert rate_seen(total, tax, is_gross=True) is None

    @given(total=st.integers(2_000, 10**7), percent=st.integers(0, 30), is_gross=st.booleans())
    def test_gives_its_tax_back(self, total: int, percent: int, *, is_gross: bool) -> None:
        tax = tax_of(total, Fraction(percent, 100), is_gross=is_gross)
        seen = rate_seen(total, tax, is_gross=is_gross)
        assert seen is not None
        assert tax_of(total, seen, is_gross=is_gross) == tax


class TestMore:
    def test_costs_what_the_units_of_the_line_cost(self) -> None:
        assert more(terms(2, 2000, 200, 312), 1) == terms(3, 3000, 300, 468)

    @given(
        quantity=st.integers(1, 50), units=st.integers(1, 50), total=st.integers(0, 10**6),
        discount=st.integers(0, 10**5),
    )  # fmt: skip
    def test_is_never_off_by_more_than_a_minor_unit(
        self, quantity: int, units: int, total: int, discount: int
    ) -> None:
        before = terms(quantity, total + discount, discount, 0)
        after = more(before, units)
        assert after.quantity == quantity + units
        assert abs((after.total_minor - total) - Fraction(total * units, quantity)) <= Fraction(
            1, 2
        )
        assert after.list_minor - after.discount_minor == after.total_minor >= total


class TestPrice:
    def test_below_the_list_is_discount(self) -> None:
        after = at_price(terms(2, 2000, 0, 347), 800, Fraction(21, 100), is_gross=True)
        assert after == terms(2, 2000, 400, 278)

    def test_above_the_list_is_the_list(self) -> None:
        after = at_price(terms(2, 2000, 500, 347), 1200, Fraction(21, 100), is_gross=False)
        assert after == terms(2, 2400, 0, 504)


def test_what_is_added_has_no_discount() -> None:
    added = fresh(3, 500, 261)
    assert (added.total_minor, added.discount_minor, added.unit_price_minor) == (1500, 0, 500)
