"""Limits of people: what one lets go in all, however many ask at once, and who lets go the rest."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from oms.kernel import clock
from oms.refunds import queries
from oms.refunds.batches import BatchAction, RowDraft, RowState, WrongBatchState
from oms.refunds.model import (
    Hand,
    LimitExceeded,
    Limits,
    Mode,
    Policy,
    Refund,
    RefundAction,
    RefundDraft,
    RefundKind,
    RefundState,
    SamePerson,
)
from oms.refunds.rules import Rules, beyond
from oms.workflows import refund_batches, refund_previews, refunds
from tests.ledger.shop import Shop
from tests.ledger.test_counters import back, buy, payment, regret
from tests.ledger.test_payments import payer, work
from tests.ledger.test_refund_batches import act as act_on_batch
from tests.ledger.test_refund_batches import edit, make, rows
from tests.payers import Payer
from tests.policies import set_rules

__all__ = ["payer"]  # a fixture of theirs

S, A = RefundState, RefundAction
FREE = {RefundKind.GOODWILL.value: Policy(mode=Mode.AUTO, limit_minor=None)}


def limit(shop: Shop, **of: Limits) -> None:
    """Say what roles let go in euros."""
    roles = {role: {"EUR": limits} for role, limits in of.items()}
    rules = Rules(policies=FREE, roles=roles, cash_limits={"EUR": 10_000})
    shop.ledger.run(lambda tx: set_rules(tx, None, rules))


def ask(
    shop: Shop, number: str, amount: int, *, by: str = "ann", role: str = "agent", **said: Any
) -> Refund:
    at = said.pop("at", clock.now())
    return shop.ledger.run(
        lambda tx: refunds.compose_by_hand(
            tx, number, RefundDraft(kind=RefundKind.GOODWILL, amount_minor=amount), reason="late",
            by=by, role=role, at=at, already_refunded_minor=None,
        )
    )  # fmt: skip


def approve(shop: Shop, of: Refund, by: str, role: str) -> Refund:
    return shop.ledger.run(
        lambda tx: refunds.act(
            tx, of.refund_number, A.APPROVE, version=of.version, by=by, role=role, at=clock.now()
        )
    )


class TestLimits:
    @pytest.mark.parametrize(
        ("limits", "limit", "left"),
        [
            (Limits(refund_minor=99), "refund", 99), (Limits(order_minor=149), "order", 99),
            (Limits(day_minor=179), "day", 99), (Limits(day_minor=10), "day", 0),
            (Limits(refund_minor=100, order_minor=150, day_minor=180), None, None),
            (Limits(), None, None),
        ],
    )  # fmt: skip
    def test_are_of_one_refund_of_one_order_and_of_a_day(
        self, limits: Limits, limit: str | None, left: int | None
    ) -> None:
        found = beyond(limits, 100, "EUR", of_order_minor=50, of_day_minor=80)
        assert (None if found is None else found.facts) == (
            None if limit is None else {"limit": limit, "max_minor": left, "currency": "EUR"}
        )


class TestPerson:
    def test_lets_go_what_their_role_may_and_no_more(self, shop: Shop, payer: Payer) -> None:
        number = buy(shop, payer)
        limit(shop, agent=Limits(refund_minor=300))
        assert ask(shop, number, 300).state is S.REQUESTED
        assert ask(shop, number, 301).state is S.AWAITING_APPROVAL
        assert ask(shop, number, 301, role="finance").state is S.REQUESTED

    def test_does_not_get_around_it_in_parts_or_by_a_tool(self, shop: Shop, payer: Payer) -> None:
        first, second = buy(shop, payer), buy(shop, payer, "W-2")
        limit(shop, agent=Limits(order_minor=500, day_minor=800))
        assert ask(shop, first, 500).state is S.REQUESTED
        assert ask(shop, first, 1, by="Ann via CRM").state is S.AWAITING_APPROVAL
        assert ask(shop, second, 300, by="ANN via CRM").state is S.REQUESTED
        assert ask(shop, second, 1).state is S.AWAITING_APPROVAL
        assert ask(shop, second, 1, by="eve").state is S.REQUESTED
        tomorrow = clock.now() + timedelta(hours=24, seconds=1)
        assert ask(shop, second, 200, at=tomorrow).state is S.REQUESTED

    def test_does_not_get_around_it_by_asking_at_once(self, shop: Shop, payer: Payer) -> None:
        numbers = [buy(shop, payer, f"W-{n}") for n in range(4)]
        limit(shop, agent=Limits(day_minor=700))
        with ThreadPoolExecutor(4) as threads:
            states = sorted(each.state for each in threads.map(
                lambda number: ask(shop, number, 300), numbers))  # fmt: skip
        assert states == [S.AWAITING_APPROVAL] * 2 + [S.REQUESTED] * 2

    def test_has_room_again_for_what_was_called_off_only(self, shop: Shop, payer: Payer) -> None:
        number = buy(shop, payer)
        limit(shop, agent=Limits(day_minor=300))
        payer.behaves(decline_ratio=1.0)
        failed = ask(shop, number, 300)
        work(shop, payer)
        assert ask(shop, number, 300).state is S.AWAITING_APPROVAL
        with shop.ledger.snapshot() as tx:
            failed = queries.refund(tx, failed.refund_number)
        shop.ledger.run(
            lambda tx: refunds.act(
                tx, failed.refund_number, A.CANCEL, version=failed.version, by="ann",
                at=clock.now(),
            )
        )  # fmt: skip
        assert ask(shop, number, 300).state is S.REQUESTED

    def test_is_told_before(self, shop: Shop, payer: Payer) -> None:
        number = buy(shop, payer)
        limit(shop, agent=Limits(refund_minor=300))
        for amount, is_beyond in ((300, False), (301, True)):
            with shop.ledger.snapshot() as tx:
                hand = Hand(name="ann", role="agent", at=clock.now())
                draft = RefundDraft(kind=RefundKind.GOODWILL, amount_minor=amount)
                seen = refund_previews.preview(tx, number, draft, hand=hand)
            assert (seen.beyond is not None) is is_beyond


class TestSecondPerson:
    def test_is_another_whose_own_limits_count(self, shop: Shop, payer: Payer) -> None:
        number = buy(shop, payer)
        limit(shop, agent=Limits(refund_minor=300), finance=Limits(day_minor=500))
        made = ask(shop, number, 600)
        with pytest.raises(SamePerson):
            approve(shop, made, "ann", "finance")
        with pytest.raises(LimitExceeded) as refused:
            approve(shop, made, "bob", "finance")
        assert refused.value.facts == {"limit": "day", "max_minor": 500, "currency": "EUR"}
        assert approve(shop, made, "eve", "admin").decided_by == "eve"

    def test_has_let_go_what_they_approve(self, shop: Shop, payer: Payer) -> None:
        number = buy(shop, payer)
        limit(shop, agent=Limits(refund_minor=0), finance=Limits(day_minor=500))
        first, second = ask(shop, number, 400), ask(shop, number, 200)
        approve(shop, first, "bob", "finance")
        with pytest.raises(LimitExceeded) as refused:
            approve(shop, second, "bob", "finance")
        assert refused.value.facts["max_minor"] == 100


class TestTill:
    def test_gives_no_more_than_its_role_may_whoever_overrides(
        self, shop: Shop, payer: Payer
    ) -> None:
        number = buy(shop, payer)
        limit(shop, manager=Limits(refund_minor=500))
        regret(shop)
        for why in (None, "a good customer"):
            with pytest.raises(LimitExceeded):
                back(shop, number, role="manager", override_reason=why)
        back(shop, number, role="manager", amount_minor=500)
        assert payment(shop).sums.refunded == 500


class TestBatch:
    def test_rows_beyond_its_approvers_limits_wait_for_another(
        self, shop: Shop, payer: Payer
    ) -> None:
        drafts = [
            RowDraft(
                order_number=buy(shop, payer, ref), kind=RefundKind.GOODWILL, amount_minor=amount,
                currency="EUR", reason="late",
            )
            for ref, amount in (("W-1", 300), ("W-2", 300))
        ]  # fmt: skip
        limit(shop, finance=Limits(day_minor=500))
        batch = paid(shop, make(shop, *drafts))
        with shop.ledger.snapshot() as tx:
            made = [queries.refund(tx, str(each.refund_number)) for each in rows(shop, batch)]
        assert [each.state for each in rows(shop, batch)] == [RowState.DONE] * 2
        assert [(each.state, each.decided_by) for each in made] == [
            (S.REQUESTED, "bob"), (S.AWAITING_APPROVAL, None),
        ]  # fmt: skip
        with pytest.raises(SamePerson):
            approve(shop, made[1], "ann", "admin")
        assert approve(shop, made[1], "eve", "admin").state is S.REQUESTED

    def test_cannot_be_changed_behind_its_approval(self, shop: Shop, payer: Payer) -> None:
        draft = RowDraft(order_number=buy(shop, payer), kind=RefundKind.GOODWILL, amount_minor=300,
                         currency="EUR", reason="late")  # fmt: skip
        batch = make(shop, draft)
        act_on_batch(shop, batch, BatchAction.VALIDATE)
        while shop.ledger.run(lambda tx: refund_batches.go_on(tx, at=clock.now())):
            pass
        act_on_batch(shop, batch, BatchAction.SUBMIT)
        changed = edit(shop, batch, put=[(1, draft)])
        assert (changed.state, changed.submitted_by, changed.digest) == ("draft", None, None)
        act_on_batch(shop, batch, BatchAction.VALIDATE)
        while shop.ledger.run(lambda tx: refund_batches.go_on(tx, at=clock.now())):
            pass
        act_on_batch(shop, batch, BatchAction.SUBMIT)
        act_on_batch(shop, batch, BatchAction.APPROVE, by="bob", role="finance")
        with pytest.raises(WrongBatchState):
            edit(shop, batch, put=[(1, draft)])


def paid(shop: Shop, batch: Any) -> Any:
    """Have a batch looked at, approved by bob of finance, and paid."""
    act_on_batch(shop, batch, BatchAction.VALIDATE)
    while shop.ledger.run(lambda tx: refund_batches.go_on(tx, at=clock.now())):
        pass
    act_on_batch(shop, batch, BatchAction.SUBMIT)
    act_on_batch(shop, batch, BatchAction.APPROVE, by="bob", role="finance")
    while shop.ledger.run(lambda tx: refund_batches.go_on(tx, at=clock.now())):
        pass
    return batch
