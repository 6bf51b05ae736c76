"""What an order comes to, what of it may be captured, and how it is paid."""

from hypothesis import given
from hypothesis import strategies as st

from oms.kernel.money import share_of_units
from oms.payments.model import NEXT, OPEN, OrderPaymentState, PaymentState, Sums
from oms.payments.rules import (
    LineMoney,
    Standing,
    dues,
    is_settled,
    order_payment_state_of,
    payment_state_of,
)


def a_line(quantity: int = 3, canceled: int = 0, gone: int = 0, total: int = 1000) -> LineMoney:
    there = quantity - canceled
    minor = share_of_units(total, quantity, canceled, there)
    return LineMoney(
        quantity=quantity, canceled=canceled, gone=gone, there=there, there_minor=minor
    )


class TestOwed:
    def test_nothing_is_earned_before_anything_leaves(self) -> None:
        due = dues([a_line()], total_minor=1495, canceled_minor=0, returned_minor=0)
        assert (due.due_minor, due.earned_minor) == (1495, 0)

    def test_shipping_is_earned_with_the_first_goods(self) -> None:
        due = dues([a_line(gone=1)], total_minor=1495, canceled_minor=0, returned_minor=0)
        assert due.earned_minor == 495 + 333

    def test_what_is_canceled_is_not_due_and_returns_are_owed_back(self) -> None:
        lines = [a_line(canceled=1, gone=2)]
        due = dues(lines, total_minor=1495, canceled_minor=333, returned_minor=334)
        assert (due.payable_minor, due.earned_minor, due.due_minor) == (1162, 1162, 828)

    def test_an_order_that_is_canceled_whole_costs_no_shipping(self) -> None:
        lines = [a_line(canceled=3)]
        due = dues(lines, total_minor=1495, canceled_minor=1000, returned_minor=0)
        assert (due.due_minor, due.earned_minor, due.open_minor) == (0, 0, 0)

    @given(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 99_999)), min_size=1, max_size=6))
    def test_all_is_earned_when_all_has_left_and_never_more(
        self, lines: list[tuple[int, int]]
    ) -> None:
        total = sum(money for _, money in lines) + 495
        before = 0
        for left in range(10):
            known = [a_line(q, gone=min(q, left), total=m) for q, m in lines]
            due = dues(known, total_minor=total, canceled_minor=0, returned_minor=0)
            assert before <= due.earned_minor <= total
            before = due.earned_minor
        assert before == total


class TestSettled:
    def test_is_nothing_that_is_owed_back_though_goods_are_still_to_leave(self) -> None:
        """One of three left, was captured and came back: it does not wait for the others."""
        paid = [
            Standing(
                state=PaymentState.PARTIALLY_CAPTURED, is_ours_to_move=True,
                sums=Sums(authorized=1000, captured=333),
            )
        ]  # fmt: skip
        for back, is_over in ((0, True), (333, False)):
            due = dues([a_line(gone=1)], total_minor=1000, canceled_minor=0, returned_minor=back)
            assert is_settled(due, paid) is is_over


class TestStates:
    def test_every_end_may_be_contradicted_by_the_service_and_by_nobody_else(self) -> None:
        assert {state for state in NEXT if not NEXT[state] & OPEN} == set(NEXT) - OPEN

    def test_of_a_payment(self) -> None:
        told = {
            PaymentState.CREATED: Sums(authorizing=10),
            PaymentState.AUTHORIZED: Sums(authorized=10),
            PaymentState.PARTIALLY_CAPTURED: Sums(authorized=10, captured=4),
            PaymentState.CAPTURED: Sums(authorized=10, captured=4, voided=6),
            PaymentState.PARTIALLY_REFUNDED: Sums(authorized=10, captured=10, refunded=3),
            PaymentState.REFUNDED: Sums(captured=10, refunded=10),
            PaymentState.VOIDED: Sums(authorized=10, voided=10),
            PaymentState.CHARGED_BACK: Sums(captured=10, charged_back=10),
        }
        found = {payment_state_of(sums, has_failed=False): sums for sums in told.values()}
        assert found == told
        assert payment_state_of(Sums(), has_failed=True) is PaymentState.FAILED

    def test_of_an_order(self) -> None:
        due = dues([a_line(gone=3)], total_minor=1000, canceled_minor=0, returned_minor=0)
        less = dues([a_line(gone=3)], total_minor=1000, canceled_minor=0, returned_minor=333)
        s = OrderPaymentState
        for expected, owing, sums in (
            (s.AWAITING, due, Sums()),
            (s.PARTIALLY_AUTHORIZED, due, Sums(authorized=999)),
            (s.AUTHORIZED, due, Sums(authorized=1000)),
            (s.VOIDED, due, Sums(authorized=1000, voided=1000)),
            (s.PARTIALLY_PAID, due, Sums(captured=999)),
            (s.PAID, due, Sums(captured=1000)),
            (s.OVERPAID, due, Sums(captured=1001)),
            (s.OVERPAID, less, Sums(captured=1000)),
            (s.PARTIALLY_REFUNDED, less, Sums(captured=1000, refunded=333)),
            (s.REFUNDED, due, Sums(captured=1000, refunded=1000)),
            (s.CHARGEBACK, due, Sums(captured=1000, charged_back=1)),
        ):
            known = [Standing(state=PaymentState.CREATED, sums=sums, is_ours_to_move=True)]
            assert order_payment_state_of(owing, known) is expected
        assert order_payment_state_of(due, []) is s.NONE
