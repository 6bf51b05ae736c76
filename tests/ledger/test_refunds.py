"""Refunds: what is owed goes back by itself and once, what is more by two people."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from oms.kernel import clock
from oms.kernel.errors import VersionConflict
from oms.payments.model import TransactionState, TransactionType
from oms.payments.port import Answer, Notice
from oms.refunds import queries
from oms.refunds.model import (
    NEXT,
    Mode,
    Policy,
    ReasonMissing,
    Refund,
    RefundAction,
    RefundDraft,
    RefundExceeded,
    RefundKind,
    RefundState,
    SamePerson,
    StalePreview,
    WrongRefundState,
)
from oms.workflows import notices, refund_previews, refunds
from tests.builders import a_change, a_line, a_movement, a_partial, an_order
from tests.ledger.shop import Shop
from tests.ledger.test_payments import (
    CARD,
    balance,
    begin,
    follow_money,
    order,
    paid,
    payer,
    ship,
    work,
)
from tests.payers import Payer
from tests.policies import set_policy

__all__ = ["order", "payer"]  # fixtures of theirs

K, S, A = RefundKind, RefundState, RefundAction


@pytest.fixture
def bought(shop: Shop, order: str, payer: Payer) -> str:
    """Two pens, shipped and paid: 20.00."""
    begin(shop, order)
    ship(shop, 2)
    work(shop, payer)
    assert balance(shop) == "paid"
    return order


def all_of(shop: Shop) -> list[Refund]:
    with shop.ledger.snapshot() as tx:
        return queries.page(tx, queries.Sought(), after=0, limit=100)[0]


def compose(
    shop: Shop, order: str, kind: RefundKind, amount: int | None, *,
    lines: Mapping[int, int] | None = None, **said: Any,
) -> Refund:  # fmt: skip
    said = {"reason": "sorry", "by": "ann", "already_refunded_minor": None, **said}
    draft = RefundDraft(kind=kind, amount_minor=amount, lines=lines or {})
    return shop.ledger.run(
        lambda tx: refunds.compose_by_hand(tx, order, draft, at=clock.now(), **said)
    )


def act(shop: Shop, of: Refund, action: RefundAction, by: str = "bob") -> Refund:
    return shop.ledger.run(
        lambda tx: refunds.act(
            tx, of.refund_number, action, version=of.version, by=by, at=clock.now()
        )
    )


def give_back(shop: Shop, units: int, ref: str = "r-1") -> None:
    shop.take(a_partial("W-1", a_change("return", units, ref=ref)))


def pay_elsewhere(shop: Shop, ref: str = "re_1") -> None:
    """Have somebody give 10.00 back at the payment service, without us."""
    told = Notice(
        ref=f"evt:{ref}", type=TransactionType.REFUND, amount_minor=1000, currency="EUR",
        reference=None, parent_reference=paid(shop).psp_reference,
        answer=Answer(state=TransactionState.SUCCEEDED, psp_reference=ref),
    )  # fmt: skip
    assert shop.ledger.run(
        lambda tx: notices.take_notice(tx, "sandbox", told, at=clock.now())
    ) == "external"  # fmt: skip


def allow(shop: Shop, mode: Mode) -> None:
    policy = Policy(mode=mode, limit_minor=None)
    shop.ledger.run(lambda tx: set_policy(tx, None, K.OWED, policy))


class TestPaidMeanwhile:
    def test_is_not_let_go_as_well(self, shop: Shop, bought: str, payer: Payer) -> None:
        allow(shop, Mode.APPROVE)
        give_back(shop, 1)
        work(shop, payer)
        (waiting,) = all_of(shop)
        pay_elsewhere(shop)
        with pytest.raises(RefundExceeded) as refused:
            act(shop, waiting, A.APPROVE)
        assert refused.value.facts["max_minor"] == 0
        act(shop, waiting, A.REJECT)
        work(shop, payer)
        assert paid(shop).sums.refunded == 1000
        # What comes back later is nothing anybody decided against.
        allow(shop, Mode.AUTO)
        give_back(shop, 1, "r-2")
        work(shop, payer)
        assert [each.state for each in all_of(shop)] == [S.REJECTED, S.SUCCEEDED]
        assert paid(shop).sums.refunded == 2000

    def test_is_not_tried_again(self, shop: Shop, bought: str, payer: Payer) -> None:
        payer.behaves(decline_ratio=1.0)
        give_back(shop, 1)
        work(shop, payer)
        (failed,) = all_of(shop)
        payer.behaves(decline_ratio=0.0)
        pay_elsewhere(shop)
        with pytest.raises(RefundExceeded):
            act(shop, failed, A.RETRY)
        act(shop, failed, A.CANCEL)
        work(shop, payer)
        assert (paid(shop).sums.refunded, payer.done()[-1][2]) == (1000, "failed")

    def test_is_let_go_while_more_is_being_captured(
        self, shop: Shop, order: str, payer: Payer
    ) -> None:
        """What leaves in the meantime is nothing that is owed less."""
        begin(shop, order)
        ship(shop, 1)
        work(shop, payer)
        allow(shop, Mode.APPROVE)
        give_back(shop, 1)
        work(shop, payer)
        ship(shop, 1, "c-2")
        follow_money(shop)
        assert paid(shop).sums.capturing == 1000
        assert act(shop, all_of(shop)[0], A.APPROVE).state is S.REQUESTED


class TestOwed:
    def test_goes_back_by_itself_once(self, shop: Shop, bought: str, payer: Payer) -> None:
        give_back(shop, 1)
        work(shop, payer)
        (refund,) = all_of(shop)
        assert (refund.state, refund.kind, refund.amount_minor) == (S.SUCCEEDED, K.OWED, 1000)
        assert payer.done()[-1] == ("refund", 1000, "succeeded")
        assert (len(payer.record()), balance(shop)) == (3, "partially_refunded")

    def test_in_parts_adds_up_to_what_was_paid(self, shop: Shop, bought: str, payer: Payer) -> None:
        for ref in ("r-1", "r-2"):
            give_back(shop, 1, ref)
            work(shop, payer)
        assert sum(each.amount_minor for each in all_of(shop)) == 2000
        assert (paid(shop).sums.refundable, balance(shop)) == (0, "refunded")

    def test_goes_back_while_other_goods_are_still_to_leave(
        self, shop: Shop, order: str, payer: Payer
    ) -> None:
        begin(shop, order)
        ship(shop, 1)
        work(shop, payer)
        give_back(shop, 1)
        work(shop, payer)
        assert [(each.state, each.amount_minor) for each in all_of(shop)] == [(S.SUCCEEDED, 1000)]
        ship(shop, 1, "c-2")
        work(shop, payer)
        assert (paid(shop).sums.captured, paid(shop).sums.refunded) == (2000, 1000)

    def test_of_what_is_canceled_after_it_was_paid(
        self, shop: Shop, order: str, payer: Payer
    ) -> None:
        begin(shop, order)
        ship(shop, 2)
        work(shop, payer)
        give_back(shop, 2)
        work(shop, payer)
        assert [each.amount_minor for each in all_of(shop)] == [2000]

    def test_is_asked_for_once_where_the_answer_is_lost(
        self, shop: Shop, bought: str, payer: Payer
    ) -> None:
        payer.behaves(lost_answer_ratio=1.0)
        give_back(shop, 1)
        work(shop, payer, rounds=2)
        assert [each.state for each in all_of(shop)] in ([S.REQUESTED], [S.SUCCEEDED])
        work(shop, payer)
        assert [(each.state, each.amount_minor) for each in all_of(shop)] == [(S.SUCCEEDED, 1000)]
        assert [each for each in payer.done() if each[0] == "refund"] == [
            ("refund", 1000, "succeeded")
        ]

    def test_that_failed_waits_for_a_person_and_is_not_paid_twice(
        self, shop: Shop, bought: str, payer: Payer
    ) -> None:
        payer.behaves(decline_ratio=1.0)
        give_back(shop, 1)
        work(shop, payer)
        (failed,) = all_of(shop)
        assert (failed.state, failed.tenders[0].failure) == (S.FAILED, "declined")
        payer.behaves(decline_ratio=0.0)
        work(shop, payer)
        assert all_of(shop) == [failed]
        act(shop, failed, A.RETRY)
        work(shop, payer)
        assert [each.state for each in all_of(shop)] == [S.SUCCEEDED]
        assert paid(shop).sums.refunded == 1000

    def test_above_its_limit_needs_leave(self, shop: Shop, bought: str, payer: Payer) -> None:
        limit = Policy(mode=Mode.AUTO, limit_minor=999)
        shop.ledger.run(lambda tx: set_policy(tx, None, K.OWED, limit))
        give_back(shop, 1)
        work(shop, payer)
        (refund,) = all_of(shop)
        assert (refund.state, paid(shop).sums.refunding) == (S.AWAITING_APPROVAL, 0)
        approved = act(shop, refund, A.APPROVE)
        assert (approved.state, approved.decided_by) == (S.REQUESTED, "bob")
        work(shop, payer)
        assert [each.state for each in all_of(shop)] == [S.SUCCEEDED]

    def test_that_was_rejected_stays_so(self, shop: Shop, bought: str, payer: Payer) -> None:
        never = Policy(mode=Mode.APPROVE, limit_minor=None)
        shop.ledger.run(lambda tx: set_policy(tx, None, K.OWED, never))
        give_back(shop, 1)
        work(shop, payer)
        act(shop, all_of(shop)[0], A.REJECT)
        work(shop, payer)
        assert [each.state for each in all_of(shop)] == [S.REJECTED]

    def test_that_was_canceled_is_paid_another_way_and_not_by_itself(
        self, shop: Shop, bought: str, payer: Payer
    ) -> None:
        payer.behaves(decline_ratio=1.0)
        give_back(shop, 1)
        work(shop, payer)
        act(shop, all_of(shop)[0], A.CANCEL)
        payer.behaves(decline_ratio=0.0)
        work(shop, payer)
        assert [each.state for each in all_of(shop)] == [S.CANCELED]

    def test_that_was_rejected_may_be_wished_for_later(
        self, shop: Shop, bought: str, payer: Payer
    ) -> None:
        never = Policy(mode=Mode.APPROVE, limit_minor=None)
        shop.ledger.run(lambda tx: set_policy(tx, None, K.OWED, never))
        give_back(shop, 1)
        work(shop, payer)
        act(shop, all_of(shop)[0], A.REJECT)
        act(shop, compose(shop, bought, K.OWED, None), A.APPROVE)
        give_back(shop, 1, "r-2")
        work(shop, payer)
        assert [(each.state, each.amount_minor) for each in all_of(shop)] == [
            (S.REJECTED, 1000), (S.SUCCEEDED, 1000), (S.AWAITING_APPROVAL, 1000),
        ]  # fmt: skip


class TestByHand:
    def test_goodwill_is_let_go_by_somebody_else(
        self, shop: Shop, bought: str, payer: Payer
    ) -> None:
        made = compose(shop, bought, K.GOODWILL, 500)
        assert made.state is S.AWAITING_APPROVAL
        for action in (A.APPROVE, A.REJECT):
            with pytest.raises(SamePerson):
                act(shop, made, action, by="ann")
        act(shop, made, A.APPROVE)
        work(shop, payer)
        assert (paid(shop).sums.refunded, balance(shop)) == (500, "partially_refunded")

    def test_goodwill_counts_against_what_comes_back_later(
        self, shop: Shop, bought: str, payer: Payer
    ) -> None:
        act(shop, compose(shop, bought, K.GOODWILL, 500), A.APPROVE)
        give_back(shop, 2)
        work(shop, payer)
        assert sorted(each.amount_minor for each in all_of(shop)) == [500, 1500]

    def test_needs_a_reason_and_something_to_give(self, shop: Shop, bought: str) -> None:
        with pytest.raises(ReasonMissing):
            compose(shop, bought, K.GOODWILL, 500, reason=" ")
        for amount in (0, -1, 2001):
            with pytest.raises(RefundExceeded):
                compose(shop, bought, K.GOODWILL, amount)
        with pytest.raises(RefundExceeded) as refused:
            compose(shop, bought, K.OWED, None)
        assert refused.value.facts["max_minor"] == 0

    def test_of_shipping_is_of_what_was_paid_for_it_and_once(
        self, shop: Shop, payer: Payer
    ) -> None:
        """More of it would be goodwill, which nobody lets go alone."""
        columns = {"shipping_net_minor": 409, "shipping_tax_minor": 86}
        shop.take(a_movement(9), an_order(lines=[a_line(quantity=2)], **columns))
        follow_money(shop)
        number = shop.order().summary.order_number
        begin(shop, number, replace(CARD, amount_minor=2495))
        ship(shop, 2)
        work(shop, payer)
        for amount, left in ((496, 495), (495, 495), (1, 0)):
            if amount <= left:
                assert compose(shop, number, K.SHIPPING, amount).state is S.REQUESTED
                continue
            with pytest.raises(RefundExceeded) as refused:
                compose(shop, number, K.SHIPPING, amount)
            assert refused.value.facts["max_minor"] == left

    def test_what_waits_for_leave_is_not_there_for_another(self, shop: Shop, bought: str) -> None:
        compose(shop, bought, K.GOODWILL, 1500)
        with pytest.raises(RefundExceeded) as refused:
            compose(shop, bought, K.GOODWILL, 501)
        assert refused.value.facts["max_minor"] == 500

    def test_by_what_is_no_longer_so_is_refused(
        self, shop: Shop, bought: str, payer: Payer
    ) -> None:
        give_back(shop, 1)
        work(shop, payer)
        with pytest.raises(StalePreview):
            compose(shop, bought, K.GOODWILL, 100, already_refunded_minor=0)
        assert compose(shop, bought, K.GOODWILL, 100, already_refunded_minor=1000)

    def test_the_preview_has_the_numbers_it_gets(self, shop: Shop, bought: str) -> None:
        with shop.ledger.snapshot() as tx:
            draft = RefundDraft(kind=K.GOODWILL, amount_minor=700)
            seen = refund_previews.preview(tx, bought, draft)
        made = compose(shop, bought, K.GOODWILL, 700)
        assert seen.tenders == tuple((t.payment_number, t.amount_minor) for t in made.tenders)
        assert seen.needs_approval is (made.state is S.AWAITING_APPROVAL)
        act(shop, made, A.APPROVE)
        taken = shop.rows("select line_no, net_minor, tax_minor from refund_lines order by line_no")
        assert taken == [(each.line_no, each.net_minor, each.tax_minor) for each in seen.cheaper]
        assert sum(net + tax for _, net, tax in taken) == 700

    def test_of_two_who_decide_at_once_one_does(
        self, shop: Shop, bought: str, payer: Payer
    ) -> None:
        made = compose(shop, bought, K.GOODWILL, 500)

        def decide(action: RefundAction) -> str:
            try:
                return act(shop, made, action).state
            except VersionConflict:
                return "late"

        with ThreadPoolExecutor(2) as threads:
            ends = sorted(threads.map(decide, (A.APPROVE, A.REJECT)))
        assert ends in (["late", S.REJECTED], ["late", S.REQUESTED])

    @pytest.mark.parametrize("state", S)
    def test_only_what_its_state_allows_is_done(
        self, shop: Shop, bought: str, state: RefundState
    ) -> None:
        made = compose(shop, bought, K.GOODWILL, 500)
        with shop.ledger.transaction() as tx:
            tx.exec_driver_sql(f"update refunds set state = '{state}'")
        for action in set(A) - set(NEXT[state]):
            with pytest.raises(WrongRefundState) as refused:
                act(shop, made, action)
            assert refused.value.facts["allowed_actions"] == sorted(NEXT[state])


class TestStory:
    def test_tells_of_every_step(self, shop: Shop, bought: str, payer: Payer) -> None:
        act(shop, compose(shop, bought, K.GOODWILL, 500), A.APPROVE)
        work(shop, payer)
        steps = [each for each in shop.story() if "refund" in each]
        assert steps == [
            "refund.awaiting_approval", "refund.requested", "payment.refund_requested",
            "payment.refunded", "refund.succeeded",
        ]  # fmt: skip
