"""Money in capture: shares of units, tax modes, exponents, stated totals."""

import itertools
from dataclasses import dataclass
from itertools import zip_longest

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oms.kernel.money import share_of_units, shares_of_units
from tests.builders import EFFORT, Row, a_change, a_line, a_movement, a_partial, an_order, minutes
from tests.ledger.shop import Shop

MINORS = st.integers(-(10**12), 10**12)
_refs = itertools.count(1)


class TestFirstUnitsMinor:
    @settings(max_examples=30 * EFFORT)
    @given(
        st.lists(
            st.tuples(MINORS, st.integers(1, 999), st.integers(0, 999)), min_size=1, max_size=60
        )
    )
    def test_it_is_the_share_of_units_python_knows(
        self, common_shop: Shop, cases: list[tuple[int, int, int]]
    ) -> None:
        cases = [(minor, of, min(count, of)) for minor, of, count in cases]
        minors, units, counts = zip(*cases, strict=True)
        found = common_shop.rows(
            "select first_units_minor(m, u, c) from unnest(cast(:minors as bigint[]),"
            " cast(:units as bigint[]), cast(:counts as bigint[]))"
            " with ordinality as t (m, u, c, n) order by n",
            minors=list(minors), units=list(units), counts=list(counts),
        )  # fmt: skip
        assert found == [(share_of_units(minor, of, 0, count),) for minor, of, count in cases]

    def test_without_tax_it_is_what_python_knows(self, shop: Shop) -> None:
        """What is paid is shared first, in SQL as in Python."""
        for net, tax, of, count in (
            (1653, 347, 2, 1),
            (1653, 347, 3, 2),
            (7, 1, 5, 4),
            (0, 0, 1, 1),
        ):
            found = shop.value(
                "select first_units_net_minor(:net, :tax, :of, :count)",
                net=net, tax=tax, of=of, count=count,
            )  # fmt: skip
            assert found == shares_of_units(net, tax, of, 0, count)[0]

    def test_of_no_units_it_is_nothing(self, shop: Shop) -> None:
        assert shop.value("select first_units_minor(100, 0, 0)") == 0


@dataclass(frozen=True)
class Case:
    """A line, and the parts in which all its units go again."""

    line: Row
    includes_tax: bool
    parts: list[Row]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Draw a line and its parts."""
    total, units, parts = draw(st.integers(0, 10**7)), draw(st.integers(1, 12)), []
    left = units
    while left:
        quantity = draw(st.integers(1, left))
        kind = draw(st.sampled_from(["cancel", "return"]))
        parts.append(a_change(kind, quantity, ref=f"{len(parts)}"))
        left -= quantity
    discount, tax = draw(st.integers(0, 10**6)), draw(st.integers(0, total))
    line = a_line(quantity=units, total=total, tax=tax, discount=discount)
    return Case(line=line, includes_tax=draw(st.booleans()), parts=parts)


class TestShares:
    def test_one_of_two_for_twenty_is_worth_ten(self, shop: Shop) -> None:
        """Of 16.53 and 3.47 tax: shared apart they would be 8.26 and 1.73, a cent too little."""
        returned = a_change("return", 1, ref="r-1")
        shop.take(an_order(lines=[a_line(quantity=2)]), a_partial("W-1", returned))
        net, tax = shop.kept()
        assert net + tax == 1000

    @settings(max_examples=8 * EFFORT)
    @given(st.lists(cases(), min_size=10, max_size=30), st.booleans())
    def test_whatever_parts_a_line_goes_in_nothing_is_kept(
        self,
        common_shop: Shop,
        drawn: list[Case],
        is_at_once: bool,  # noqa: FBT001 - a drawn flag
    ) -> None:
        orders = {f"M-{next(_refs)}": case for case in drawn}
        documents = [
            an_order(ref, lines=[case.line], prices_include_tax=case.includes_tax)
            for ref, case in orders.items()
        ]
        rounds = [
            [a_partial(ref, part) for ref, part in zip(orders, round_, strict=True) if part]
            for round_ in zip_longest(*(case.parts for case in drawn))
        ]
        if is_at_once:
            documents, rounds = documents + [each for all_ in rounds for each in all_], []
        for batch in (documents, *rounds):
            assert common_shop.problems(*batch) == {}
        kept = common_shop.rows(
            "select sum(net_minor), sum(tax_minor), sum(discount_net_minor) from line_events"
            " join orders using (order_id) where external_ref = any (:refs) group by order_id",
            refs=list(orders),
        )
        assert kept == [(0, 0, 0)] * len(drawn)

    def test_a_unit_is_worth_what_is_left_of_the_line(self, shop: Shop) -> None:
        shop.take(an_order(lines=[a_line(quantity=3, total=1000, tax=0)]))
        for ref in ("a", "b", "c"):
            shop.take(a_partial("W-1", a_change("return", ref=ref)))
        assert [each.net_minor for each in shop.order().changes if each.kind == "return"] == [
            -333, -333, -334,
        ]  # fmt: skip

    def test_what_ships_costs_nothing(self, shop: Shop) -> None:
        shop.take(an_order(changes=[a_change("ship")]))
        (found,) = shop.rows(
            "select quantity, net_minor, tax_minor from line_events where kind = 'ship'"
        )
        assert found == (1, 0, 0)

    def test_money_the_channel_names_is_taken_as_named(self, shop: Shop) -> None:
        shop.take(an_order(lines=[a_line(quantity=2, total=2000, tax=347)]))
        shop.take(a_partial("W-1", a_change("return", 1, total_minor=900, tax_minor=156)))
        (found,) = (each for each in shop.order().changes if each.kind == "return")
        assert (found.net_minor, found.tax_minor) == (-744, -156)

    def test_money_named_without_tax_is_without_tax(self, shop: Shop) -> None:
        shop.take(an_order("B-1", prices_include_tax=False), channel="trade")
        change = a_change("return", total_minor=1000, tax_minor=173)
        shop.take(a_partial("B-1", change), channel="trade")
        assert shop.kept("B-1") == (0, 0)


class TestTaxModes:
    @pytest.mark.parametrize(
        ("includes", "net", "tax", "total"), [(True, 827, 173, 1000), (False, 1000, 173, 1173)]
    )
    def test_a_total_is_with_tax_or_without(
        self,
        shop: Shop,
        includes: bool,  # noqa: FBT001 - a case
        net: int,
        tax: int,
        total: int,
    ) -> None:
        shop.take(an_order(prices_include_tax=includes, lines=[a_line(total=1000, tax=173)]))
        order = shop.order()
        assert (order.items_net_minor, order.items_tax_minor) == (net, tax)
        assert order.summary.total_minor == total

    @pytest.mark.parametrize(("includes", "net"), [(True, 165), (False, 200)])
    def test_a_discount_is_without_tax_in_the_books(
        self,
        shop: Shop,
        includes: bool,  # noqa: FBT001 - a case
        net: int,
    ) -> None:
        line = a_line(quantity=2, total=1000, tax=174, discount=200)
        shop.take(an_order(prices_include_tax=includes, lines=[line]))
        assert shop.value("select discount_net_minor from line_events") == net

    def test_a_line_given_away_has_its_discount(self, shop: Shop) -> None:
        shop.take(an_order(lines=[a_line(total=0, discount=1000, tax=0)]))
        assert shop.value("select discount_net_minor from line_events") == 1000
        assert shop.order().summary.total_minor == 0


class TestCurrencies:
    @pytest.mark.parametrize(
        ("currency", "total"), [("JPY", 1999), ("EUR", 199_900), ("KWD", 1_999_000)]
    )
    def test_minor_units_are_the_currencys_own(self, shop: Shop, currency: str, total: int) -> None:
        shop.take(a_movement(9))
        shop.take(
            an_order(currency=currency, total_minor=total, lines=[a_line(total=total, tax=0)])
        )
        summary = shop.order().summary
        assert (summary.currency, summary.total_minor) == (currency, total)
        assert shop.open_exceptions() == []

    def test_large_amounts_are_exact(self, shop: Shop) -> None:
        line = a_line(quantity=999_999, total=10**12 - 1, tax=123_456_789_012)
        shop.take(an_order(lines=[line]))
        shop.take(a_partial("W-1", a_change("return", 999_998)))
        shop.take(a_partial("W-1", a_change("return", 1, ref="last")))
        assert shop.kept() == (0, 0)


class TestStatedTotals:
    def test_a_total_off_by_one_is_shown_to_a_person(self, shop: Shop) -> None:
        shop.take(a_movement(9))
        shop.take(an_order(total_minor=1001))
        (exception,) = shop.order().exceptions
        assert (exception.code, exception.detail) == (
            "TOTALS_MISMATCH", {"stated_minor": 1001, "computed_minor": 1000},
        )  # fmt: skip
        assert shop.order().summary.has_exception
        assert shop.order().summary.total_minor == 1000

    @pytest.mark.parametrize("stated", [1000, None])
    def test_the_right_total_or_none_is_no_exception(self, shop: Shop, stated: int | None) -> None:
        shop.take(a_movement(9))
        shop.take(an_order(total_minor=stated))
        assert shop.order().exceptions == ()

    def test_it_is_resolved_by_a_document_that_adds_up_and_may_come_back(self, shop: Shop) -> None:
        shop.take(a_movement(9))
        for version, stated in enumerate([1001, 1000, 999, None], start=1):
            shop.take(an_order(version=version, total_minor=stated), at=minutes(version))
            is_off = stated in {1001, 999}
            assert shop.open_exceptions() == (["TOTALS_MISMATCH"] if is_off else [])
            assert shop.order().summary.has_exception is is_off

    def test_resolving_it_leaves_other_exceptions_open(self, shop: Shop) -> None:
        shop.take(an_order(total_minor=1))
        assert sorted(shop.open_exceptions()) == ["BACKORDERED", "TOTALS_MISMATCH"]
        shop.take(an_order(version=2, total_minor=1000))
        assert shop.open_exceptions() == ["BACKORDERED"]
        assert shop.order().summary.has_exception
