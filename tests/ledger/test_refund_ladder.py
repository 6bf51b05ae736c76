"""What of a refund did not reach its customer: tried again, paid another way, or given up."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from oms.kernel import clock
from oms.kernel.errors import VersionConflict
from oms.payments import queries as payment_queries
from oms.payments.model import Payment, PaymentNotFound, TransactionState, TransactionType, total
from oms.payments.port import Answer, Asked, Notice
from oms.refunds.model import (
    Mode,
    Policy,
    ReasonMissing,
    Refund,
    RefundAction,
    RefundDraft,
    RefundExceeded,
    RefundKind,
    RefundState,
)
from oms.refunds.rules import Again, given_again
from oms.workflows import notices, payments, refunds
from tests.builders import a_change, a_line, a_movement, a_partial, an_order
from tests.ledger.issuing import balance, bill, documents, register
from tests.ledger.shop import Shop
from tests.ledger.test_payments import CARD, begin, failures, follow_money
from tests.ledger.test_refunds import all_of
from tests.payers import Payer, paying
from tests.policies import set_policy

A, K, S = RefundAction, RefundKind, RefundState
FIRST, SECOND = 1500, 500


class Picky:
    """A payment service that declines refunds to payments of which they are.

    One that `forgets` gives back again what came back to it, as others do.
    """

    captures_once = False
    forgets = False

    def __init__(self, payer: Payer) -> None:
        self.payer, self.declined = payer, set[str | None]()

    def execute(self, asked: Asked) -> Answer:
        if asked.type is TransactionType.REFUND and asked.parent_reference in self.declined:
            return Answer(state=TransactionState.FAILED, failure="closed")
        if asked.type is TransactionType.REFUND and self.forgets:
            return Answer(state=TransactionState.SUCCEEDED, psp_reference=asked.reference)
        return self.payer.psp.execute(asked)

    def find(self, asked: Asked) -> Answer | None:
        return self.payer.psp.find(asked)


@pytest.fixture
def picky(tmp_path: Path) -> Iterator[Picky]:
    with paying(tmp_path) as payer:
        yield Picky(payer)


@pytest.fixture
def bought(shop: Shop, picky: Picky) -> str:
    """Two pens for 20.00, sent and paid with two cards: 15.00 and 5.00."""
    register(shop)
    free = Policy(mode=Mode.AUTO, limit_minor=None)
    for kind in K:
        shop.ledger.run(lambda tx, kind=kind: set_policy(tx, None, kind, free))
    shop.take(a_movement(9), an_order(lines=[a_line(quantity=2)]))
    follow_money(shop)
    number = shop.order().summary.order_number
    for ref, amount in (("p-1", FIRST), ("p-2", SECOND)):
        begin(shop, number, replace(CARD, external_ref=ref, amount_minor=amount))
    shop.take(a_partial("W-1", a_change("ship", 2, ref="c-1")))
    work(shop, picky)
    assert kept(shop) == 2000
    return number


def work(shop: Shop, picky: Picky, rounds: int = 4) -> None:
    for _ in range(rounds):
        follow_money(shop)
        payments.execute_due(shop.ledger, {"sandbox": cast("Any", picky)})


def both(shop: Shop) -> list[Payment]:
    with shop.ledger.snapshot() as tx:
        return payment_queries.of_order(tx, shop.order().summary.order_id)


def kept(shop: Shop) -> int:
    sums = total(each.sums for each in both(shop))
    return sums.captured - sums.refunded


def billed(shop: Shop) -> int:
    bill(shop, "W-1")
    return sum(balance(documents(shop, "W-1")))


def declines(shop: Shop, picky: Picky, *nths: int) -> None:
    picky.declined = {both(shop)[nth].psp_reference for nth in nths}


def give_back(shop: Shop, picky: Picky, units: int = 2) -> Refund:
    shop.take(a_partial("W-1", a_change("return", units, ref="r-1")))
    work(shop, picky)
    return all_of(shop)[-1]


def sorry(shop: Shop, picky: Picky, number: str, amount: int) -> Refund:
    shop.ledger.run(lambda tx: refunds.compose_by_hand(
        tx, number, RefundDraft(kind=K.GOODWILL, amount_minor=amount), reason="late", by="ann",
        at=clock.now(), already_refunded_minor=None,
    ))  # fmt: skip
    work(shop, picky)
    return all_of(shop)[-1]


def act(shop: Shop, of: Refund, action: RefundAction, **said: Any) -> Refund:
    return shop.ledger.run(
        lambda tx: refunds.act(
            tx, of.refund_number, action, version=of.version, by="bob", at=clock.now(), **said
        )
    )


def comes_back(shop: Shop, picky: Picky, nth: int = 0) -> Refund:
    """Have the bank return what was refunded to a payment."""
    payment = both(shop)[nth]
    (made,) = [each for each in payment.transactions if each.type is TransactionType.REFUND][-1:]
    told = Notice(
        ref=f"back:{made.psp_reference}", type=TransactionType.REFUND_REVERSAL, reference=None,
        amount_minor=made.amount_minor, currency="EUR", parent_reference=payment.psp_reference,
        answer=Answer(state=TransactionState.SUCCEEDED, psp_reference=made.psp_reference),
    )  # fmt: skip
    assert shop.ledger.run(
        lambda tx: notices.take_notice(tx, "sandbox", told, at=clock.now())
    ) == "external"  # fmt: skip
    work(shop, picky)
    return all_of(shop)[-1]


def given_back(picky: Picky) -> list[int]:
    return [amount for kind, amount, _ in picky.payer.done() if kind == "refund"]


class TestInPart:
    @pytest.fixture
    def partly(self, shop: Shop, bought: str, picky: Picky) -> Refund:
        declines(shop, picky, 1)
        found = give_back(shop, picky)
        assert (found.state, found.amount_minor) == (S.PARTIALLY_SUCCEEDED, 2000)
        assert [each.state for each in found.tenders] == ["succeeded", "failed"]
        return found

    def test_the_rest_is_given_up_with_a_reason_and_for_good(
        self, shop: Shop, partly: Refund, picky: Picky
    ) -> None:
        for reason in ("", "  "):
            with pytest.raises(ReasonMissing):
                act(shop, partly, A.CANCEL, reason=reason)
        done = act(shop, partly, A.CANCEL, reason="paid in cash")
        assert (done.state, done.amount_minor) == (S.SUCCEEDED, FIRST)
        assert [each.is_given_up for each in done.tenders] == [False, True]
        work(shop, picky)
        assert [each.refund_number for each in all_of(shop)] == [done.refund_number]
        assert (given_back(picky), failures(shop)) == ([FIRST], [])
        told = [each for each in shop.order().events if each.type == "refund.given_up"]
        assert [(e.data["amount_minor"], e.data["reason"]) for e in told] == [
            (SECOND, "paid in cash")
        ]

    def test_the_rest_is_tried_again(self, shop: Shop, partly: Refund, picky: Picky) -> None:
        work(shop, picky)
        assert all_of(shop) == [partly]  # not by itself
        picky.declined = set()
        act(shop, partly, A.RETRY)
        work(shop, picky)
        assert [(each.state, each.amount_minor) for each in all_of(shop)] == [(S.SUCCEEDED, 2000)]
        assert (given_back(picky), kept(shop), billed(shop)) == ([FIRST, SECOND], 0, 0)

    def test_the_rest_is_not_paid_another_way_beyond_what_there_is(
        self, shop: Shop, partly: Refund
    ) -> None:
        with pytest.raises(RefundExceeded) as refused:
            act(shop, partly, A.OTHER_TENDER)
        assert refused.value.facts["max_minor"] == 0
        assert all_of(shop) == [partly]

    def test_of_two_who_decide_at_once_one_does(self, shop: Shop, partly: Refund) -> None:
        def decide(action: RefundAction) -> str:
            try:
                return act(shop, partly, action, reason="x").state
            except VersionConflict:
                return "late"

        with ThreadPoolExecutor(2) as threads:
            ends = sorted(threads.map(decide, (A.CANCEL, A.RETRY)))
        assert ends in (["late", S.REQUESTED], ["late", S.SUCCEEDED])


class TestArrivedLate:
    """What failed was given up, and its payment service says that it was done after all."""

    def arrives(self, shop: Shop, picky: Picky) -> Refund:
        made = [
            each for payment in both(shop) for each in payment.transactions
            if (each.type, each.state) == (TransactionType.REFUND, TransactionState.FAILED)
        ][-1]  # fmt: skip
        told = Notice(
            ref="late", type=TransactionType.REFUND, reference=made.transaction_number,
            amount_minor=made.amount_minor, currency="EUR", parent_reference=None,
            answer=Answer(state=TransactionState.SUCCEEDED, psp_reference="re_late"),
            is_last_word=True,
        )  # fmt: skip
        assert shop.ledger.run(
            lambda tx: notices.take_notice(tx, "sandbox", told, at=clock.now())
        ) == "applied"  # fmt: skip
        work(shop, picky)
        return all_of(shop)[0]

    def test_is_a_refund_again_and_on_paper(self, shop: Shop, bought: str, picky: Picky) -> None:
        declines(shop, picky, 0)
        act(shop, sorry(shop, picky, bought, 400), A.CANCEL)
        assert billed(shop) == 2000
        done = self.arrives(shop, picky)
        assert (done.state, done.amount_minor) == (S.SUCCEEDED, 400)
        assert [each.is_given_up for each in done.tenders] == [False]
        assert (kept(shop), billed(shop)) == (1600, 1600)
        assert shop.story()[-1] == "refund.succeeded"

    def test_the_rest_is_part_of_it_again(self, shop: Shop, bought: str, picky: Picky) -> None:
        declines(shop, picky, 1)
        act(shop, give_back(shop, picky), A.CANCEL, reason="moved away")
        done = self.arrives(shop, picky)
        assert (done.state, done.amount_minor, kept(shop)) == (S.SUCCEEDED, 2000, 0)

    def test_is_in_the_way_of_nothing_else(self, shop: Shop, bought: str, picky: Picky) -> None:
        declines(shop, picky, 0)
        act(shop, give_back(shop, picky, 1), A.CANCEL)
        self.arrives(shop, picky)
        picky.declined = set()
        shop.take(a_partial("W-1", a_change("return", 1, ref="r-2")))
        work(shop, picky)
        assert [each.state for each in all_of(shop)] == [S.SUCCEEDED, S.SUCCEEDED]
        assert kept(shop) == 0


class TestAnotherWay:
    def test_what_failed_goes_to_the_other_tender_once(
        self, shop: Shop, bought: str, picky: Picky
    ) -> None:
        declines(shop, picky, 0)
        failed = sorry(shop, picky, bought, 400)
        assert failed.state is S.FAILED
        act(shop, failed, A.OTHER_TENDER)
        work(shop, picky)
        (done,) = all_of(shop)
        assert done.state is S.SUCCEEDED
        assert [(each.payment_number, each.amount_minor) for each in done.tenders] == [
            (both(shop)[1].payment_number, 400)
        ]
        assert (given_back(picky), kept(shop), billed(shop)) == ([400], 1600, 1600)

    def test_is_that_which_is_named(self, shop: Shop, bought: str, picky: Picky) -> None:
        declines(shop, picky, 0)
        failed = sorry(shop, picky, bought, 400)
        with pytest.raises(PaymentNotFound):
            act(shop, failed, A.OTHER_TENDER, payment_number="Y1")
        with pytest.raises(RefundExceeded):
            act(shop, sorry(shop, picky, bought, 600), A.OTHER_TENDER,
                payment_number=both(shop)[1].payment_number)  # fmt: skip
        act(shop, failed, A.OTHER_TENDER, payment_number=both(shop)[1].payment_number.lower())
        work(shop, picky)
        assert given_back(picky) == [400]

    def test_that_fails_too_may_go_back_to_the_first(
        self, shop: Shop, bought: str, picky: Picky
    ) -> None:
        declines(shop, picky, 0, 1)
        failed = sorry(shop, picky, bought, 400)
        act(shop, failed, A.OTHER_TENDER)
        work(shop, picky)
        (failed,) = all_of(shop)
        assert (failed.state, len(failed.tenders)) == (S.FAILED, 1)
        picky.declined = set()
        act(shop, failed, A.OTHER_TENDER)
        work(shop, picky)
        assert [each.state for each in all_of(shop)] == [S.SUCCEEDED]
        assert given_back(picky) == [400]
        assert both(shop)[0].sums.refunded == 400


class TestCameBack:
    def test_waits_for_a_person_and_is_not_paid_again_by_itself(
        self, shop: Shop, bought: str, picky: Picky
    ) -> None:
        give_back(shop, picky, 1)
        back = comes_back(shop, picky)
        assert (back.state, [each.is_reversed for each in back.tenders]) == (S.REVERSED, [True])
        assert (given_back(picky), failures(shop)) == ([1000], ["REFUND_FAILED"])
        assert shop.story()[-1] == "refund.reversed"

    @pytest.mark.parametrize("action", [A.RETRY, A.OTHER_TENDER])
    def test_is_paid_again_and_its_credit_note_stays_the_one(
        self, shop: Shop, bought: str, picky: Picky, action: RefundAction
    ) -> None:
        sorry(shop, picky, bought, 400)
        assert billed(shop) == 1600
        papers = len(documents(shop, "W-1"))
        back = comes_back(shop, picky)
        assert (kept(shop), billed(shop)) == (2000, 1600)
        act(shop, back, action)
        assert billed(shop) == 1600
        work(shop, picky)
        assert [each.state for each in all_of(shop)] == [S.SUCCEEDED]
        assert (given_back(picky), kept(shop), billed(shop)) == ([400, 400], 1600, 1600)
        assert len(documents(shop, "W-1")) == papers

    def test_is_given_up_and_its_goods_cost_what_they_did(
        self, shop: Shop, bought: str, picky: Picky
    ) -> None:
        sorry(shop, picky, bought, 400)
        assert billed(shop) == 1600
        back = comes_back(shop, picky)
        with pytest.raises(ReasonMissing):
            act(shop, back, A.CANCEL)
        act(shop, back, A.CANCEL, reason="moved away")
        work(shop, picky)
        assert [each.state for each in all_of(shop)] == [S.CANCELED]
        assert (given_back(picky), kept(shop), billed(shop)) == ([400], 2000, 2000)

    def test_owed_and_given_up_does_not_begin_again(
        self, shop: Shop, bought: str, picky: Picky
    ) -> None:
        give_back(shop, picky, 1)
        act(shop, comes_back(shop, picky), A.CANCEL, reason="moved away")
        work(shop, picky)
        assert [each.state for each in all_of(shop)] == [S.CANCELED]
        assert given_back(picky) == [1000]

    def test_beside_what_failed_is_paid_again_with_it_and_stands_on_paper_once(
        self, shop: Shop, bought: str, picky: Picky
    ) -> None:
        declines(shop, picky, 1)
        sorry(shop, picky, bought, 1800)
        assert (given_back(picky), billed(shop)) == ([FIRST], 500)
        back = comes_back(shop, picky)
        picky.declined, picky.forgets = set(), True
        act(shop, back, A.RETRY)
        work(shop, picky)
        assert [(each.state, each.amount_minor) for each in all_of(shop)] == [(S.SUCCEEDED, 1800)]
        assert (kept(shop), billed(shop)) == (200, 200)

    def test_whose_second_try_failed_and_is_given_up_stands_on_no_paper(
        self, shop: Shop, bought: str, picky: Picky
    ) -> None:
        sorry(shop, picky, bought, 400)
        back = comes_back(shop, picky)
        assert billed(shop) == 1600
        declines(shop, picky, 0)
        act(shop, back, A.RETRY)
        work(shop, picky)
        assert billed(shop) == 1600
        (failed,) = all_of(shop)
        act(shop, failed, A.CANCEL, reason="moved away")
        work(shop, picky)
        assert [each.state for each in all_of(shop)] == [S.CANCELED]
        assert (kept(shop), billed(shop)) == (2000, 2000)

    def test_whose_second_try_failed_stands_on_paper_once(
        self, shop: Shop, bought: str, picky: Picky
    ) -> None:
        declines(shop, picky, 1)
        sorry(shop, picky, bought, 1800)
        back = comes_back(shop, picky)
        declines(shop, picky, 0, 1)
        act(shop, back, A.RETRY)
        work(shop, picky)
        declines(shop, picky, 1)
        picky.forgets = True
        act(shop, all_of(shop)[-1], A.RETRY)
        work(shop, picky)
        assert [each.state for each in all_of(shop)] == [S.PARTIALLY_SUCCEEDED]
        assert (kept(shop), billed(shop)) == (500, 500)

    def test_twice_is_paid_a_third_time(self, shop: Shop, bought: str, picky: Picky) -> None:
        sorry(shop, picky, bought, 400)
        for _ in range(2):
            act(shop, comes_back(shop, picky), A.RETRY)
            work(shop, picky)
        assert [each.state for each in all_of(shop)] == [S.SUCCEEDED]
        assert (given_back(picky), kept(shop)) == ([400] * 3, 1600)
        assert billed(shop) == 1600


@pytest.mark.parametrize(
    ("shares", "given", "first", "anew"),
    [
        ([(1, 300), (2, 1500)], {2: 1500}, [(1, 300)], [(2, 1500)]),
        ([(1, 400)], {}, [(1, 400)], []),
        ([(2, 400)], {1: 400}, [], [(2, 400)]),
        ([(1, 500), (2, 300)], {1: 200, 3: 400}, [(2, 200)], [(1, 500), (2, 100)]),
        ([(1, 500)], {1: 200}, [(1, 300)], [(1, 200)]),
    ],
)
def test_what_is_given_again_is_what_was_given(
    shares: list[tuple[int, int]], given: dict[int, int], first: list[tuple[int, int]],
    anew: list[tuple[int, int]],
) -> None:  # fmt: skip
    assert given_again(shares, given) == Again(first=first, anew=anew)
