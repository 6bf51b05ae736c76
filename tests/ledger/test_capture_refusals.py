"""What capture refuses, with its reason, and that a refusal leaves no trace."""

import pytest

from tests.builders import (
    Draft,
    a_change,
    a_line,
    a_movement,
    a_partial,
    a_product,
    a_receipt,
    an_order,
    minutes,
)
from tests.ledger.shop import Shelf, Shop

OVER = ["QTY_EXCEEDS_RETURNABLE"]


class TestADocumentThatCannotBe:
    @pytest.mark.parametrize(
        ("document", "codes"),
        [
            (an_order(lines=[a_line("NONE")]), ["UNKNOWN_SKU"]),
            (an_order(lines=[a_line("NONE"), a_line(), a_line("NIL")]), ["UNKNOWN_SKU"] * 2),
            (an_order(lines=[]), ["VALIDATION"]),
            (an_order(lines=[a_line(ref="1"), a_line("INK", ref="1")]), ["VALIDATION"]),
            (an_order(currency="USD"), ["CURRENCY_MISMATCH"]),
            (an_order(currency="XXX"), ["CURRENCY_MISMATCH"]),
            (an_order(location_code="MARS"), ["UNKNOWN_LOCATION"]),
            (a_receipt("W-1", location="MARS"), ["UNKNOWN_LOCATION"]),
            (a_receipt("W-1", location_code=None), ["VALIDATION"]),
            (an_order(changes=[a_change("ship", line="NONE")]), ["UNKNOWN_LINE"]),
            (an_order(changes=[a_change("ship", location_code="MARS")]), ["UNKNOWN_LOCATION"]),
            (an_order(changes=[a_change("return", 2)]), OVER),
            (an_order(changes=[a_change("ship"), a_change("cancel")]), OVER),
        ],
    )
    def test_it_is_refused_with_its_reasons(
        self, shop: Shop, document: Draft, codes: list[str]
    ) -> None:
        assert shop.problems(document) == {1: codes}
        for table in ("orders", "order_lines", "line_events", "order_events", "reservations"):
            assert shop.value(f"select count(*) from {table}") == 0, table

    def test_a_reason_does_not_repeat_a_long_value(self, shop: Shop) -> None:
        ((problem,),) = shop.take(an_order(lines=[a_line("N" * 5000)])).problems.values()
        assert len(problem.detail) < 120

    def test_it_comes_in_once_its_reason_is_gone(self, shop: Shop) -> None:
        document = an_order(lines=[a_line("NEW")])
        assert shop.problems(document) == {1: ["UNKNOWN_SKU"]}
        shop.take(a_product("NEW"))
        assert shop.problems(document) == {}

    def test_a_product_may_come_with_the_order_that_sells_it(self, shop: Shop) -> None:
        made = a_product("NEW", overwrite=False)
        assert shop.problems(made, an_order(lines=[a_line("NEW")])) == {}


class TestChangesBeforeTheirOrder:
    def test_they_wait_for_it(self, shop: Shop) -> None:
        assert shop.problems(a_partial("W-1", a_change("ship"))) == {1: ["ORDER_NOT_FOUND"]}

    @pytest.mark.parametrize("is_before", [True, False])
    def test_the_order_may_be_in_the_same_batch(
        self, shop: Shop, is_before: bool  # noqa: FBT001 - a case
    ) -> None:  # fmt: skip
        both = [a_partial("W-1", a_change("cancel")), an_order("W-1")]
        assert shop.problems(*(both if is_before else reversed(both))) == {}
        assert shop.states() == ("canceled", "canceled")

    def test_they_wait_when_the_order_in_their_batch_is_refused(self, shop: Shop) -> None:
        found = shop.problems(
            a_partial("W-1", a_change("ship")), an_order("W-1", changes=[a_change("return", 2)])
        )
        assert found == {1: ["ORDER_NOT_FOUND"], 2: OVER}

    def test_those_of_another_channels_order_wait(self, shop: Shop) -> None:
        shop.take(an_order("W-1"))
        found = shop.problems(a_partial("W-1", a_change("ship")), channel="market")
        assert found == {1: ["ORDER_NOT_FOUND"]}


class TestMoreThanWasBought:
    @pytest.mark.parametrize("kind", ["ship", "return", "cancel"])
    def test_it_is_refused_and_changes_nothing(self, shop: Shop, kind: str) -> None:
        shop.take(a_movement(5))
        shop.take(an_order(lines=[a_line(quantity=3)]))
        shop.take(a_partial("W-1", a_change(kind, 2, ref="first")))
        before, shelf = shop.order(), shop.shelf()
        assert shop.problems(a_partial("W-1", a_change(kind, 2, ref="second"))) == {1: OVER}
        assert shop.order() == before
        assert shop.shelf() == shelf

    def test_a_canceled_unit_is_not_shipped(self, shop: Shop) -> None:
        shop.take(an_order(lines=[a_line(quantity=3)], changes=[a_change("cancel", 2)]))
        assert shop.problems(a_partial("W-1", a_change("ship", 2))) == {1: OVER}

    def test_all_shipped_may_all_be_returned(self, shop: Shop) -> None:
        changes = [a_change("ship", 3), a_change("return", 3)]
        assert shop.problems(an_order(lines=[a_line(quantity=3)], changes=changes)) == {}
        assert shop.states() == ("completed", "returned")

    def test_two_of_a_batch_that_do_not_fit_together_do_not_both_come_in(self, shop: Shop) -> None:
        shop.take(an_order(lines=[a_line(quantity=3)]))
        documents = [a_partial("W-1", a_change("return", 2, ref=ref)) for ref in ("a", "b")]
        assert list(shop.problems(*documents).values()) == [OVER]
        assert shop.line().returned == 2

    def test_three_of_a_batch_that_do_not_fit_together_leave_one(self, shop: Shop) -> None:
        shop.take(a_movement(1))
        shop.take(an_order(changes=[a_change("ship")]))
        documents = [
            a_partial("W-1", a_change("return", ref=ref, restock=True, location_code="DC"))
            for ref in ("a", "b", "c")
        ]
        shop.take(*documents)
        assert (shop.line().returned, shop.kept(), shop.shelf()) == (1, (0, 0), Shelf(1, 0))

    def test_the_one_that_cannot_be_is_the_one_refused(self, shop: Shop) -> None:
        shop.take(an_order(lines=[a_line(quantity=3)]))
        wrong = a_partial("W-1", a_change("return", 5, ref="five"))
        right = a_partial("W-1", a_change("return", 1, ref="one"))
        assert shop.problems(wrong, right) == {1: OVER}
        assert shop.line().returned == 1


class TestAnEditBelowWhatIsGone:
    @pytest.mark.parametrize("kind", ["ship", "return", "cancel"])
    def test_it_is_refused(self, shop: Shop, kind: str) -> None:
        shop.take(an_order(lines=[a_line(quantity=3)], changes=[a_change(kind, 2)]))
        found = shop.problems(an_order(version=2, lines=[a_line(quantity=1)]))
        assert found == {1: ["QUANTITY_BELOW_DONE"]}
        assert shop.line().quantity == 3

    def test_the_version_refused_may_come_again(self, shop: Shop) -> None:
        shop.take(an_order(lines=[a_line(quantity=3)], changes=[a_change("ship", 2)]))
        shop.take(an_order(version=2, lines=[a_line(quantity=1)]))
        assert shop.problems(an_order(version=2, lines=[a_line(quantity=2)])) == {}


class TestARefusedNeighbour:
    """Guards one document of a batch against the refusal of another about the same order."""

    def refused(self, *changes: dict[str, object]) -> Draft:
        """Return a newer document that doubles the price and cannot be."""
        return an_order(
            version=2, lines=[a_line(quantity=2, total=4000)],
            changes=[a_change("ship", line="NONE"), *changes],
        )  # fmt: skip

    def test_its_prices_are_nobodys(self, shop: Shop) -> None:
        shop.take(an_order(lines=[a_line(quantity=2, total=2000, tax=0)]))
        found = shop.problems(self.refused(), a_partial("W-1", a_change("return", 2)))
        assert found == {1: ["UNKNOWN_LINE"]}
        assert shop.kept() == (0, 0)

    def test_a_change_it_also_told_is_still_applied(self, shop: Shop) -> None:
        shop.take(an_order(lines=[a_line(quantity=2)]))
        refund = a_change("return", 1, at=minutes(9))
        shop.take(self.refused(refund), a_partial("W-1", refund))
        assert shop.line().returned == 1
