"""Money: parts sum to the whole, no text is taken for an amount that is none."""

from fractions import Fraction
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oms.kernel.errors import Rejected
from oms.kernel.money import (
    EXPONENTS,
    Money,
    NotAnAmount,
    UnknownCurrency,
    exponent_of,
    minor_from_text,
    round_half_up,
    share_of_units,
    shares_of_units,
    split,
    tax_in,
    text_from_minor,
)

MINORS = st.integers(-(10**12), 10**12)
WEIGHTS = st.lists(st.integers(0, 10**9), min_size=1, max_size=40)


class TestSplit:
    @given(MINORS, WEIGHTS)
    def test_its_parts_sum_to_the_whole(self, minor: int, weights: list[int]) -> None:
        assert sum(split(minor, weights)) == minor

    @given(MINORS, WEIGHTS)
    def test_it_is_the_same_with_the_sign_turned(self, minor: int, weights: list[int]) -> None:
        assert split(-minor, weights) == [-part for part in split(minor, weights)]

    @given(MINORS, WEIGHTS.filter(any))
    def test_a_part_is_its_exact_share_rounded_up_or_down(
        self, minor: int, weights: list[int]
    ) -> None:
        for part, weight in zip(split(minor, weights), weights, strict=True):
            assert abs(part - Fraction(minor * weight, sum(weights))) < 1

    @given(MINORS, WEIGHTS.filter(any))
    def test_a_zero_weight_gets_nothing(self, minor: int, weights: list[int]) -> None:
        parts = split(minor, weights)
        assert all(part == 0 for part, weight in zip(parts, weights, strict=True) if not weight)

    @given(MINORS, WEIGHTS, st.randoms())
    def test_the_order_of_the_weights_does_not_matter(
        self, minor: int, weights: list[int], random: Random
    ) -> None:
        shuffled = random.sample(weights, len(weights))
        assert sorted(split(minor, shuffled)) == sorted(split(minor, weights))

    @pytest.mark.parametrize(
        ("minor", "weights", "parts"),
        [
            (100, [1, 1, 1], [34, 33, 33]),
            (-100, [1, 1, 1], [-34, -33, -33]),
            (1, [1, 2], [0, 1]),
            (2, [3, 3, 3], [1, 1, 0]),
            (5, [0, 0], [3, 2]),
            (0, [7, 0], [0, 0]),
            (0, [], []),
        ],
    )
    def test_ties_go_to_the_larger_then_the_earlier(
        self, minor: int, weights: list[int], parts: list[int]
    ) -> None:
        assert split(minor, weights) == parts

    def test_it_refuses_to_lose_money_over_nobody(self) -> None:
        with pytest.raises(AssertionError):
            split(1, [])

    def test_it_refuses_a_negative_weight(self) -> None:
        with pytest.raises(AssertionError):
            split(1, [2, -1])


@st.composite
def partitions(draw: st.DrawFn) -> tuple[int, int, list[int]]:
    """A line's money, its units, and the parts its units come back in."""
    units = draw(st.integers(1, 60))
    cuts = sorted(draw(st.sets(st.integers(1, max(1, units - 1)), max_size=10)) - {units})
    return draw(MINORS), units, [b - a for a, b in pairwise([0, *cuts, units])]


class TestShareOfUnits:
    @given(partitions())
    def test_any_partition_of_partial_returns_is_the_whole(
        self, case: tuple[int, int, list[int]]
    ) -> None:
        minor, units, parts = case
        taken, paid = 0, 0
        for more in parts:
            paid += share_of_units(minor, units, taken, more)
            taken += more
        assert paid == minor

    @given(MINORS, st.integers(1, 60))
    def test_units_differ_by_one_at_most_and_the_last_are_the_dearer(
        self, minor: int, units: int
    ) -> None:
        each = [share_of_units(abs(minor), units, taken, 1) for taken in range(units)]
        assert each == sorted(each)
        assert each[-1] - each[0] <= 1

    @given(partitions())
    def test_it_is_the_same_with_the_sign_turned(self, case: tuple[int, int, list[int]]) -> None:
        minor, units, parts = case
        assert share_of_units(-minor, units, 0, parts[0]) == -share_of_units(
            minor, units, 0, parts[0]
        )

    def test_a_cent_left_over_lies_on_the_last_units(self) -> None:
        assert [share_of_units(101, 4, taken, 1) for taken in range(4)] == [25, 25, 25, 26]


class TestMinorFromText:
    @pytest.mark.parametrize(
        ("text", "currency", "minor"),
        [
            ("12.50", "EUR", 1250),
            ("12.5", "EUR", 1250),
            ("-12.50", "EUR", -1250),
            ("0", "EUR", 0),
            ("007.10", "EUR", 710),
            ("12", "JPY", 12),
            ("12.345", "KWD", 12345),
            ("0.005", "EUR", 1),
            ("-0.005", "EUR", -1),
            ("0.0049", "EUR", 0),
            ("0.5", "JPY", 1),
            ("999999999999999", "EUR", 99999999999999900),
        ],
    )
    def test_it_reads_what_the_currency_has(self, text: str, currency: str, minor: int) -> None:
        assert minor_from_text(text, currency) == minor

    @pytest.mark.parametrize(
        "text",
        [
            "", " ", ".", "-", "+1", "1.", ".5", "1,50", "1 000", "1_000", "1e3", "1E1000000",
            "0x10", "NaN", "Infinity", "-Infinity", "sNaN", "12.50 ", " 12.50", "12.50\n", "1\x00",
            "--1", "1.2.3", "9" * 16, "0." + "1" * 10, "9" * 100_000, "€5", "5€", "½", "1\u066b5",
        ],
    )  # fmt: skip
    def test_it_refuses_what_is_no_plain_amount(self, text: str) -> None:
        with pytest.raises(NotAnAmount):
            minor_from_text(text, "EUR")

    @pytest.mark.parametrize("text", ["\u0661\u0662", "\uff11\uff12", "\u0967\u0968.\u096b\u0966"])
    def test_it_refuses_digits_of_other_scripts(self, text: str) -> None:
        with pytest.raises(NotAnAmount):
            minor_from_text(text, "EUR")

    @pytest.mark.parametrize("currency", ["eur", "XXX", "", "EURO", "€", "XAU", "E" * 10_000])
    def test_it_refuses_what_is_no_currency(self, currency: str) -> None:
        with pytest.raises(UnknownCurrency) as refused:
            minor_from_text("1", currency)
        assert len(refused.value.detail) < 60

    def test_a_refusal_does_not_repeat_a_long_text(self) -> None:
        with pytest.raises(Rejected) as refused:
            minor_from_text("x" * 100_000, "EUR")
        assert len(refused.value.detail) < 100

    @given(MINORS, st.sampled_from(sorted(EXPONENTS)))
    def test_it_reads_back_what_was_written(self, minor: int, currency: str) -> None:
        assert minor_from_text(text_from_minor(minor, currency), currency) == minor


class TestTaxIn:
    @pytest.mark.parametrize(
        ("gross", "rate_ppm", "tax"),
        [(12100, 210_000, 2100), (1000, 210_000, 174), (-1000, 210_000, -174), (105, 50_000, 5),
         (99, 0, 0), (0, 210_000, 0), (1, 1_000_000, 1)],
    )  # fmt: skip
    def test_it_is_rounded_half_up_once(self, gross: int, rate_ppm: int, tax: int) -> None:
        assert tax_in(gross, rate_ppm) == tax

    @given(MINORS, st.integers(0, 2_000_000))
    def test_it_is_within_half_a_unit_and_symmetric(self, gross: int, rate_ppm: int) -> None:
        exact = Fraction(gross * rate_ppm, 1_000_000 + rate_ppm)
        assert abs(tax_in(gross, rate_ppm) - exact) <= Fraction(1, 2)
        assert tax_in(-gross, rate_ppm) == -tax_in(gross, rate_ppm)


class TestRoundHalfUp:
    @pytest.mark.parametrize(
        ("halves", "whole"), [(1, 1), (-1, -1), (3, 2), (-3, -2), (2, 1), (0, 0), (5, 3)]
    )
    def test_halves_go_away_from_zero(self, halves: int, whole: int) -> None:
        assert round_half_up(Fraction(halves, 2)) == whole


class TestMoney:
    def test_it_adds_its_own_currency_only(self) -> None:
        one, yen = Money(minor=1, currency="EUR"), Money(minor=1, currency="JPY")
        assert one + one == Money(minor=2, currency="EUR")
        with pytest.raises(AssertionError):
            one + yen

    @pytest.mark.parametrize(
        ("minor", "currency", "text"),
        [(1250, "EUR", "12.50 EUR"), (-5, "EUR", "-0.05 EUR"), (12, "JPY", "12 JPY"),
         (1, "KWD", "0.001 KWD"), (10**12, "EUR", "10000000000.00 EUR")],
    )  # fmt: skip
    def test_it_prints_every_decimal(self, minor: int, currency: str, text: str) -> None:
        assert str(Money(minor=minor, currency=currency)) == text

    def test_it_has_a_currency_of_iso_4217(self) -> None:
        with pytest.raises(UnknownCurrency):
            Money(minor=1, currency="BTC")

    @pytest.mark.parametrize(("currency", "exponent"), [("ISK", 0), ("USD", 2), ("TND", 3)])
    def test_a_currency_has_its_decimals(self, currency: str, exponent: int) -> None:
        assert exponent_of(currency) == exponent


class TestSharesOfUnits:
    def test_what_is_paid_comes_first(self) -> None:
        assert [sum(shares_of_units(1653, 347, 2, taken, 1)) for taken in (0, 1)] == [1000, 1000]

    @given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(1, 99))
    def test_units_add_up_and_differ_by_one_at_most(self, net: int, tax: int, units: int) -> None:
        each = [shares_of_units(net, tax, units, taken, 1) for taken in range(units)]
        assert (sum(n for n, _ in each), sum(t for _, t in each)) == (net, tax)
        gross = {n + t for n, t in each}
        assert max(gross) - min(gross) <= 1
