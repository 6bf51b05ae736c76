"""Refunds in bulk: looked at, let go by a second person, each paid once whatever dies meanwhile."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from oms.kernel import clock
from oms.kernel.errors import VersionConflict
from oms.ledger.database import Tx
from oms.refunds import queries
from oms.refunds.batches import (
    NEXT,
    Batch,
    BatchAction,
    BatchState,
    NothingEligible,
    Row,
    RowDraft,
    RowNotOpen,
    RowState,
    TooManyRows,
    WrongBatchState,
)
from oms.refunds.model import (
    Mode,
    Policy,
    RefundAction,
    RefundDraft,
    RefundKind,
    SamePerson,
    StalePreview,
)
from oms.workflows import refund_batches, refund_previews, refunds
from tests.builders import a_change, a_line, a_movement, a_partial, an_order
from tests.ledger.shop import Shop
from tests.ledger.test_money_at_once import spoiled
from tests.ledger.test_payments import CARD, begin, follow_money, payer, work
from tests.payers import Payer
from tests.policies import set_policy

__all__ = ["payer"]  # a fixture of theirs

A, K, R, S = BatchAction, RefundKind, RowState, BatchState
ORDERS = 4


@pytest.fixture
def bought(shop: Shop, payer: Payer) -> list[str]:
    """Four orders of two pens each, shipped and paid: 19.00, and 1.00 of shipping."""
    refs = [f"W-{n}" for n in range(1, ORDERS + 1)]
    lines, columns = [a_line(quantity=2, total=1900)], {"shipping_net_minor": 100}
    shop.take(a_movement(20), *(an_order(ref, lines=lines, **columns) for ref in refs))
    follow_money(shop)
    numbers = [shop.order(ref).summary.order_number for ref in refs]
    for ref, number in zip(refs, numbers, strict=True):
        begin(shop, number, replace(CARD, external_ref=f"p-{ref}"))
        shop.take(a_partial(ref, a_change("ship", 2, ref="c-1")))
    work(shop, payer, rounds=3)
    assert shop.value("select count(*) from order_balances where payment_state = 'paid'") == ORDERS
    return numbers


def sorry(number: str, amount: int = 500, **said: Any) -> RowDraft:
    said = {"currency": "EUR", "reason": "late", "kind": K.GOODWILL, **said}
    return RowDraft(order_number=number, amount_minor=amount, **said)


def owed(number: str) -> RowDraft:
    return RowDraft(order_number=number, kind=K.OWED)


def make(shop: Shop, *rows: RowDraft, channels: Sequence[str] | None = None) -> Batch:
    return shop.ledger.run(
        lambda tx: refund_batches.make(
            tx, "sorry", rows, channel_codes=channels, by="ann", at=clock.now()
        )
    )


def now(shop: Shop, batch: Batch) -> Batch:
    with shop.ledger.snapshot() as tx:
        return queries.batch(tx, batch.batch_number)


def the_batch(shop: Shop) -> Batch:
    with shop.ledger.snapshot() as tx:
        ((batch,), _) = queries.batches(tx, channel_codes=None, after=None, limit=1)
    return batch


def rows(shop: Shop, batch: Batch) -> list[Row]:
    with shop.ledger.snapshot() as tx:
        return queries.rows(tx, batch.batch_id, limit=100)[0]


def told(shop: Shop, batch: Batch) -> list[tuple[RowState, str | None]]:
    return [(each.state, each.code) for each in rows(shop, batch)]


def act(shop: Shop, batch: Batch, action: BatchAction, by: str = "ann", **said: Any) -> Batch:
    seen = now(shop, batch)
    said = {"version": seen.version, "digest": seen.digest, **said}
    return shop.ledger.run(
        lambda tx: refund_batches.act(tx, batch.batch_number, action, by=by, at=clock.now(), **said)
    )


def edit(shop: Shop, batch: Batch, put: Any = (), remove: Any = (), by: str = "ann") -> Batch:
    version = now(shop, batch).version
    return shop.ledger.run(
        lambda tx: refund_batches.edit(
            tx, batch.batch_number, put=put, remove=remove, version=version, by=by, at=clock.now()
        )
    )


def step(shop: Shop, *, later: timedelta = timedelta()) -> bool:
    return shop.ledger.run(lambda tx: refund_batches.go_on(tx, at=clock.now() + later))


def go(shop: Shop) -> int:
    """Let the worker do all there is to do."""
    count = 0
    while step(shop):
        count += 1
        assert count < 100, "it does not end"
    return count


def looked_at(shop: Shop, batch: Batch) -> Batch:
    act(shop, batch, A.VALIDATE)
    go(shop)
    return now(shop, batch)


def approved(shop: Shop, batch: Batch) -> Batch:
    looked_at(shop, batch)
    act(shop, batch, A.SUBMIT)
    return act(shop, batch, A.APPROVE, by="bob")


def given_back(payer: Payer) -> list[tuple[str, int]]:
    """Return what went back by the payment service's own record: to which payment, how much."""
    return sorted(
        (each.payment_id, each.amount_minor) for each in payer.record()
        if each.type == "refund" and each.state == "succeeded"
    )  # fmt: skip


def give_back(shop: Shop, ref: str, units: int = 1) -> None:
    shop.take(a_partial(ref, a_change("return", units, ref="r-1")))


def never_by_itself(shop: Shop) -> None:
    never = Policy(mode=Mode.APPROVE, limit_minor=None)
    shop.ledger.run(lambda tx: set_policy(tx, None, K.OWED, never))


class TestDryRun:
    def test_says_of_each_row_what_it_comes_to_or_why_not(
        self, shop: Shop, bought: list[str]
    ) -> None:
        batch = looked_at(shop, make(
            shop, sorry(bought[0]), sorry(bought[1], 2001), sorry(bought[2], currency="JPY"),
            sorry("R999"), owed(bought[3]),
        ))  # fmt: skip
        assert told(shop, batch) == [
            (R.ELIGIBLE, None), (R.REFUSED, "REFUND_EXCEEDED"), (R.REFUSED, "CURRENCY_MISMATCH"),
            (R.REFUSED, "ORDER_NOT_FOUND"), (R.REFUSED, "REFUND_EXCEEDED"),
        ]  # fmt: skip
        seen = rows(shop, batch)[0].seen
        assert seen is not None
        assert (seen.amount_minor, seen.max_minor, seen.currency) == (500, 2000, "EUR")
        assert [amount for _, amount in seen.tenders] == [500]
        assert shop.value("select count(*) from refunds") == 0

    def test_refuses_every_row_of_an_order_that_has_two(
        self, shop: Shop, bought: list[str]
    ) -> None:
        batch = looked_at(shop, make(shop, sorry(bought[0]), sorry(bought[1]), sorry(bought[0])))
        assert [code for _, code in told(shop, batch)] == ["ORDER_TWICE", None, "ORDER_TWICE"]
        edit(shop, batch, remove=[3])
        assert {state for state, _ in told(shop, looked_at(shop, batch))} == {R.ELIGIBLE}

    def test_knows_no_orders_of_channels_its_maker_does_not(
        self, shop: Shop, bought: list[str]
    ) -> None:
        batch = looked_at(shop, make(shop, sorry(bought[0]), channels=["market"]))
        assert told(shop, batch) == [(R.REFUSED, "ORDER_NOT_FOUND")]
        with pytest.raises(NothingEligible):
            act(shop, batch, A.SUBMIT)

    def test_adds_up_by_kind_and_currency(self, shop: Shop, bought: list[str]) -> None:
        batch = looked_at(shop, make(
            shop, sorry(bought[0]), sorry(bought[1], 300), sorry(bought[2], 70, kind=K.SHIPPING)
        ))  # fmt: skip
        with shop.ledger.snapshot() as tx:
            found = queries.totals(tx, batch.batch_id)
        assert [(t.kind, t.currency, t.count, t.amount_minor) for t in found] == [
            (K.GOODWILL, "EUR", 2, 800), (K.SHIPPING, "EUR", 1, 70),
        ]  # fmt: skip

    @pytest.mark.parametrize("count", [0, 10_001])
    def test_is_of_something_and_not_of_everything(self, shop: Shop, count: int) -> None:
        with pytest.raises(TooManyRows):
            make(shop, *[sorry("R1")] * count)


class TestFourEyes:
    def test_who_submitted_or_changed_it_never_approves(
        self, shop: Shop, bought: list[str]
    ) -> None:
        batch = make(shop, sorry(bought[0]))
        edit(shop, batch, put=[(1, sorry(bought[0], 600))], by="cas")
        looked_at(shop, batch)
        act(shop, batch, A.SUBMIT)
        for person in ("ann", "cas"):
            for action in (A.APPROVE, A.REJECT):
                with pytest.raises(SamePerson):
                    act(shop, batch, action, by=person)
        assert act(shop, batch, A.APPROVE, by="bob").approved_by == "bob"

    def test_a_change_voids_what_was_found_and_submitted(
        self, shop: Shop, bought: list[str], payer: Payer
    ) -> None:
        batch = looked_at(shop, make(shop, sorry(bought[0])))
        act(shop, batch, A.SUBMIT)
        changed = edit(shop, batch, put=[(None, sorry(bought[1]))])
        assert (changed.state, changed.digest, changed.submitted_by) == (S.DRAFT, None, None)
        with pytest.raises(WrongBatchState):
            act(shop, batch, A.APPROVE, by="bob")
        assert go(shop) == 0

    def test_approves_what_was_seen_and_nothing_else(self, shop: Shop, bought: list[str]) -> None:
        batch = looked_at(shop, make(shop, sorry(bought[0])))
        first = batch.digest
        edit(shop, batch, put=[(1, sorry(bought[0], 900))])
        looked_at(shop, batch)
        act(shop, batch, A.SUBMIT)
        for digest in (first, None, ""):
            with pytest.raises(StalePreview):
                act(shop, batch, A.APPROVE, by="bob", digest=digest)
        with pytest.raises(VersionConflict):
            act(shop, batch, A.APPROVE, by="bob", version=batch.version)

    @pytest.mark.parametrize("state", S)
    def test_only_what_its_state_allows_is_done(
        self, shop: Shop, bought: list[str], state: BatchState
    ) -> None:
        batch = make(shop, sorry(bought[0]))
        with shop.ledger.transaction() as tx:
            tx.exec_driver_sql(f"update refund_batches set state = '{state}'")
        for action in set(A) - set(NEXT[state]):
            with pytest.raises(WrongBatchState) as refused:
                act(shop, batch, action, by="bob")
            assert refused.value.facts["allowed_actions"] == sorted(NEXT[state])


class TestPaid:
    def test_each_by_a_refund_of_its_own_with_both_names(
        self, shop: Shop, bought: list[str], payer: Payer
    ) -> None:
        batch = approved(shop, make(shop, *(sorry(number) for number in bought)))
        assert given_back(payer) == []
        go(shop)
        assert now(shop, batch).state is S.EXECUTING  # nobody knows yet what became of the money
        work(shop, payer, rounds=2)
        go(shop)
        assert now(shop, batch).state is S.COMPLETED
        assert [amount for _, amount in given_back(payer)] == [500] * ORDERS
        assert len({payment for payment, _ in given_back(payer)}) == ORDERS
        causes = shop.rows("select cause, requested_by, decided_by from refunds order by refund_id")
        assert causes == [
            (f"batch:{batch.batch_number}:{n}", "ann", "bob") for n in range(1, ORDERS + 1)
        ]

    def test_once_though_the_worker_is_killed_at_every_step(
        self, shop: Shop, bought: list[str], payer: Payer
    ) -> None:
        batch = approved(shop, make(shop, *(sorry(number) for number in bought)))

        class Killed(BaseException):
            """What nobody catches."""

        def killed(tx: Tx) -> None:
            assert refund_batches.go_on(tx, at=clock.now())
            raise Killed

        for _ in range(ORDERS):
            with pytest.raises(Killed):
                shop.ledger.run(killed)
            assert step(shop)
            work(shop, payer, rounds=1)
        go(shop)
        work(shop, payer, rounds=2)
        go(shop)
        assert now(shop, batch).state is S.COMPLETED
        assert [amount for _, amount in given_back(payer)] == [500] * ORDERS
        assert {each.refund_state for each in rows(shop, batch)} == {"succeeded"}

    def test_once_by_two_workers(self, shop: Shop, bought: list[str], payer: Payer) -> None:
        batch = approved(shop, make(shop, *(sorry(number) for number in bought)))
        begun = threading.Barrier(3)

        def worker(_: int) -> None:
            begun.wait()
            for _ in range(3 * ORDERS):
                step(shop)

        with ThreadPoolExecutor(3) as threads:
            list(threads.map(worker, range(3)))
        go(shop)
        work(shop, payer, rounds=2)
        go(shop)
        assert now(shop, batch).state is S.COMPLETED
        assert [amount for _, amount in given_back(payer)] == [500] * ORDERS

    def test_not_what_has_changed_since(self, shop: Shop, bought: list[str], payer: Payer) -> None:
        batch = approved(shop, make(shop, sorry(bought[0]), sorry(bought[1])))
        shop.ledger.run(lambda tx: refunds.compose_by_hand(
            tx, bought[0], RefundDraft(kind=K.SHIPPING, amount_minor=100), reason="x", by="eve",
            at=clock.now(), already_refunded_minor=None,
        ))  # fmt: skip
        go(shop)
        work(shop, payer, rounds=2)
        go(shop)
        assert told(shop, batch) == [(R.STALE, "STALE_PREVIEW"), (R.DONE, None)]
        assert now(shop, batch).state is S.PARTIALLY_FAILED
        assert sorted(amount for _, amount in given_back(payer)) == [100, 500]

    def test_what_was_not_after_another_look_and_another_leave(
        self, shop: Shop, bought: list[str], payer: Payer
    ) -> None:
        self.test_not_what_has_changed_since(shop, bought, payer)
        batch = the_batch(shop)
        assert act(shop, batch, A.RETRY).state is S.DRAFT
        with pytest.raises(RowNotOpen):
            edit(shop, batch, remove=[2])
        with pytest.raises(RowNotOpen):
            edit(shop, batch, put=[(2, sorry(bought[1], 900))])
        approved(shop, batch)
        go(shop)
        work(shop, payer, rounds=2)
        go(shop)
        assert now(shop, batch).state is S.COMPLETED
        assert sorted(amount for _, amount in given_back(payer)) == [100, 500, 500]

    def test_what_its_service_declined_once_more(
        self, shop: Shop, bought: list[str], payer: Payer
    ) -> None:
        batch = approved(shop, make(shop, sorry(bought[0])))
        payer.behaves(decline_ratio=1.0)
        go(shop)
        work(shop, payer, rounds=2)
        go(shop)
        assert (now(shop, batch).state, given_back(payer)) == (S.PARTIALLY_FAILED, [])
        payer.behaves(decline_ratio=0.0)
        act(shop, batch, A.RETRY)
        approved(shop, batch)
        go(shop)
        work(shop, payer, rounds=2)
        go(shop)
        assert now(shop, batch).state is S.COMPLETED
        assert [amount for _, amount in given_back(payer)] == [500]
        assert shop.value("select count(*) from refunds") == 1

    def test_what_is_owed_by_approving_what_waits(
        self, shop: Shop, bought: list[str], payer: Payer
    ) -> None:
        never_by_itself(shop)
        for ref in ("W-1", "W-2"):
            give_back(shop, ref)
        work(shop, payer, rounds=1)
        batch = approved(shop, make(shop, owed(bought[0]), owed(bought[1]), owed(bought[2])))
        by_hand = shop.value(
            "select refund_number from refunds join orders using (order_id)"
            " where order_number = :number", number=bought[1]
        )  # fmt: skip
        shop.ledger.run(lambda tx: refunds.act(
            tx, by_hand, RefundAction.REJECT, version=1, by="eve", at=clock.now()
        ))  # fmt: skip
        go(shop)
        work(shop, payer, rounds=2)
        go(shop)
        assert told(shop, batch) == [
            (R.DONE, None), (R.STALE, "STALE_PREVIEW"), (R.REFUSED, "REFUND_EXCEEDED"),
        ]  # fmt: skip
        assert [amount for _, amount in given_back(payer)] == [950]


class TestUnforeseen:
    """A row that fails in a way nobody thought of: it has its tries, the others do not wait."""

    def test_a_row_fails_with_its_reason_and_the_others_are_paid(
        self, shop: Shop, bought: list[str], payer: Payer
    ) -> None:
        batch = approved(shop, make(shop, *(sorry(number) for number in bought)))
        other = make(shop, sorry(bought[3], 100))
        with spoiled(shop, "refunds", "W-2"):
            assert (step(shop), step(shop)) == (True, True)
            assert [state for state, _ in told(shop, batch)] == [R.DONE] + [R.ELIGIBLE] * 3
            assert looked_at(shop, other).state is S.VALIDATED  # while the first one rests
            assert [step(shop, later=n * refund_batches.REST) for n in (1, 2)] == [True, True]
            go(shop)
        assert told(shop, batch) == [
            (R.DONE, None), (R.FAILED, "INTERNAL"), (R.DONE, None), (R.DONE, None),
        ]  # fmt: skip
        work(shop, payer, rounds=2)
        go(shop)
        assert now(shop, batch).state is S.PARTIALLY_FAILED
        assert [amount for _, amount in given_back(payer)] == [500] * 3
        assert shop.value("select max(attempts) from refund_batch_rows") == 3

    def test_it_is_paid_after_another_look_when_that_is_mended(
        self, shop: Shop, bought: list[str], payer: Payer
    ) -> None:
        self.test_a_row_fails_with_its_reason_and_the_others_are_paid(shop, bought, payer)
        with shop.ledger.snapshot() as tx:
            batch = queries.batches(tx, channel_codes=None, after=None, limit=9)[0][-1]
        act(shop, batch, A.RETRY)
        assert shop.value("select max(attempts) from refund_batch_rows") == 0
        approved(shop, batch)
        go(shop)
        work(shop, payer, rounds=2)
        go(shop)
        assert now(shop, batch).state is S.COMPLETED
        assert [amount for _, amount in given_back(payer)] == [500] * 4

    def test_a_dry_run_goes_past_it(
        self, shop: Shop, bought: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        batch = make(shop, *(sorry(number) for number in bought[:2]))
        act(shop, batch, A.VALIDATE)
        seen = refund_previews.preview

        def preview(tx: Tx, number: str, *rest: Any, **more: Any) -> Any:
            if number == bought[0]:
                raise KeyError("nobody thought of it")
            return seen(tx, number, *rest, **more)

        monkeypatch.setattr(refund_previews, "preview", preview)
        for tries in range(3):
            assert step(shop, later=tries * refund_batches.REST)
        go(shop)
        assert told(shop, batch) == [(R.REFUSED, "INTERNAL"), (R.ELIGIBLE, None)]
        assert now(shop, batch).state is S.VALIDATED


class TestHalted:
    def test_stopped_it_pays_no_more(self, shop: Shop, bought: list[str], payer: Payer) -> None:
        batch = approved(shop, make(shop, *(sorry(number) for number in bought)))
        step(shop)
        act(shop, batch, A.STOP)
        assert go(shop) == 0
        work(shop, payer, rounds=2)
        assert len(given_back(payer)) == 1
        assert [state for state, _ in told(shop, batch)] == [R.DONE] + [R.ELIGIBLE] * 3
        act(shop, batch, A.RETRY)
        approved(shop, batch)
        go(shop)
        work(shop, payer, rounds=2)
        go(shop)
        assert (now(shop, batch).state, len(given_back(payer))) == (S.COMPLETED, ORDERS)

    def test_paused_it_waits(self, shop: Shop, bought: list[str], payer: Payer) -> None:
        batch = approved(shop, make(shop, *(sorry(number) for number in bought)))
        step(shop)
        act(shop, batch, A.PAUSE)
        assert go(shop) == 0
        act(shop, batch, A.RESUME)
        assert go(shop) == ORDERS - 1
        assert [state for state, _ in told(shop, batch)] == [R.DONE] * ORDERS

    def test_one_that_waits_for_its_payments_keeps_no_other_waiting(
        self, shop: Shop, bought: list[str], payer: Payer
    ) -> None:
        first = approved(shop, make(shop, sorry(bought[0])))
        go(shop)
        second = make(shop, sorry(bought[1]))
        assert looked_at(shop, second).state is S.VALIDATED
        assert now(shop, first).state is S.EXECUTING
