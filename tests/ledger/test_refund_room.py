"""Goodwill and shipping that failed, waited or came back: papers and money stay one."""

from dataclasses import replace
from typing import Any, cast

import pytest

from oms.kernel import clock
from oms.payments import queries as payment_queries
from oms.payments.model import TransactionState, TransactionType, total
from oms.payments.port import Answer, Asked, Notice
from oms.refunds import queries
from oms.refunds.batches import Batch, BatchAction, RowDraft, RowState
from oms.refunds.model import (
    AmountMissing,
    Mode,
    Policy,
    Refund,
    RefundAction,
    RefundDraft,
    RefundExceeded,
    RefundKind,
    RefundState,
    TenderOrder,
)
from oms.refunds.rules import LineValue, Rules
from oms.workflows import notices, payments, refund_batches, refund_previews
from tests.builders import a_change, a_line, a_movement, a_partial, an_order
from tests.ledger.issuing import balance, bill, documents, register
from tests.ledger.shop import Shop
from tests.ledger.test_payments import CARD, begin, follow_money
from tests.ledger.test_refund_ladder import Picky, both, declines, picky, work
from tests.ledger.test_refunds import act, all_of, compose
from tests.policies import set_policy, set_rules

__all__ = ["picky"]  # a fixture of theirs

K, S, A = RefundKind, RefundState, RefundAction
FREE = Policy(mode=Mode.AUTO, limit_minor=None)
ADDRESS = '{"country_code": "NL"}'


@pytest.fixture
def two(shop: Shop, picky: Picky) -> str:
    """A pen of 10.00, ink of 10.90 and 4.84 of shipping: sent, and paid by two cards."""
    number = ordered(shop, (1500, 1074))
    for sku in ("PEN", "INK"):
        shop.take(a_partial("W-1", a_change("ship", ref=f"ship-{sku}", line=sku)))
    work(shop, picky)
    assert kept(shop) == billed(shop) == 2574
    return number


def ordered(shop: Shop, cards: tuple[int, ...]) -> str:
    register(shop)
    shop.ledger.run(lambda tx: set_rules(tx, None, Rules(policies=dict.fromkeys(K, FREE))))
    lines = [a_line(), a_line("INK", total=1090, tax=90)]
    shipping = {"shipping_net_minor": 400, "shipping_tax_minor": 84}
    shop.take(
        a_movement(9), a_movement(9, sku="INK", ref="ink"),
        an_order(lines=lines, ship_to=ADDRESS, **shipping),
    )  # fmt: skip
    follow_money(shop)
    number = shop.order().summary.order_number
    for nth, amount in enumerate(cards):
        begin(shop, number, replace(CARD, external_ref=f"p-{nth}", amount_minor=amount))
    return number


def kept(shop: Shop) -> int:
    with shop.ledger.snapshot() as tx:
        order_id = shop.order().summary.order_id
        return total(each.sums for each in payment_queries.of_order(tx, order_id)).stays


def billed(shop: Shop) -> int:
    bill(shop)
    return sum(balance(documents(shop)))


def line(shop: Shop, line_no: int) -> LineValue:
    with shop.ledger.snapshot() as tx:
        return queries.line_values(tx, shop.order().summary.order_id)[line_no]


def failed(shop: Shop, picky: Picky, number: str, amount: int | None, **said: Any) -> Refund:
    """Have goodwill be declined by both cards, which take it the next time."""
    declines(shop, picky, 0, 1)
    compose(shop, number, K.GOODWILL, amount, **said)
    work(shop, picky)
    picky.declined = set()
    assert all_of(shop)[-1].state is S.FAILED
    return all_of(shop)[-1]


def come_back(shop: Shop, picky: Picky) -> None:
    """Have a bank return the one refund there is."""
    reference, amount = shop.rows(
        "select psp_reference, amount_minor::int from payment_transactions where type = 'refund'"
    )[0]
    told = Notice(
        ref="evt:back", type=TransactionType.REFUND_REVERSAL, amount_minor=amount, currency="EUR",
        reference=None, parent_reference=both(shop)[0].psp_reference,
        answer=Answer(state=TransactionState.SUCCEEDED, psp_reference=reference),
    )  # fmt: skip
    shop.ledger.run(lambda tx: notices.take_notice(tx, "sandbox", told, at=clock.now()))
    work(shop, picky)
    assert all_of(shop)[-1].state is S.REVERSED


class TestTriedAgain:
    def test_is_refused_where_its_line_is_canceled(self, shop: Shop, picky: Picky) -> None:
        number = ordered(shop, (2574,))
        shop.take(a_partial("W-1", a_change("ship", ref="s")))
        work(shop, picky)
        declines(shop, picky, 0)
        compose(shop, number, K.GOODWILL, None, lines={1: 500})
        work(shop, picky)
        picky.declined = set()
        shop.take(a_partial("W-1", a_change("return", ref="r")))
        work(shop, picky)
        refund = all_of(shop)[0]
        for action in (A.RETRY, A.OTHER_TENDER):
            with pytest.raises(RefundExceeded) as refused:
                act(shop, refund, action)
            assert (refused.value.facts["line_no"], refused.value.facts["max_minor"]) == (1, 0)
        act(shop, refund, A.CANCEL)
        work(shop, picky)
        assert kept(shop) == billed(shop) == 484

    def test_is_not_kept_from_what_is_owed_since(self, shop: Shop, two: str, picky: Picky) -> None:
        """The pen comes back: all of it is owed, however much of it was to be given before."""
        refund = failed(shop, picky, two, None, lines={1: 700})
        shop.take(a_partial("W-1", a_change("return", ref="r-1")))
        work(shop, picky)
        assert kept(shop) == billed(shop) == 1574
        with pytest.raises(RefundExceeded):
            act(shop, refund, A.RETRY)

    def test_said_of_no_line_before_is_said_of_some_now(
        self, shop: Shop, two: str, picky: Picky
    ) -> None:
        """What failed before refunds were off lines (migration 0039) makes lines cheaper, too."""
        refund = failed(shop, picky, two, 300)
        with shop.ledger.transaction() as tx:
            tx.exec_driver_sql("delete from refund_lines")
        act(shop, refund, A.RETRY)
        work(shop, picky)
        assert kept(shop) == billed(shop) == 2274

    def test_goes_to_others_where_its_payment_has_no_more_room(
        self, shop: Shop, two: str, picky: Picky
    ) -> None:
        declines(shop, picky, 0)
        compose(shop, two, K.GOODWILL, 1500)
        work(shop, picky)
        picky.declined = set()
        refund = all_of(shop)[-1]
        compose(shop, two, K.GOODWILL, 500)
        work(shop, picky)
        done = act(shop, refund, A.RETRY)
        assert [amount for _, amount in done.parts] == [1000, 500]
        work(shop, picky)
        assert all_of(shop)[0].state is S.SUCCEEDED
        assert kept(shop) == billed(shop) == 574


class TestRoomOfALine:
    def test_is_not_taken_twice_by_what_came_back_and_failed_again(
        self, shop: Shop, two: str, picky: Picky
    ) -> None:
        compose(shop, two, K.GOODWILL, None, lines={1: 400})
        work(shop, picky)
        come_back(shop, picky)
        assert line(shop, 1).reducible_minor == 600
        declines(shop, picky, 0, 1)
        act(shop, all_of(shop)[-1], A.RETRY)
        work(shop, picky)
        assert (all_of(shop)[-1].state, line(shop, 1).reducible_minor) == (S.FAILED, 600)
        act(shop, all_of(shop)[-1], A.CANCEL)
        assert line(shop, 1).reducible_minor == 1000

    def test_is_to_the_cent_where_a_part_of_it_failed(
        self, shop: Shop, two: str, picky: Picky
    ) -> None:
        rules = Rules(policies=dict.fromkeys(K, FREE), tender_order=TenderOrder.PROPORTIONAL)
        shop.ledger.run(lambda tx: set_rules(tx, None, rules))
        declines(shop, picky, 1)
        compose(shop, two, K.GOODWILL, None, lines={1: 333, 2: 334})
        work(shop, picky)
        assert all_of(shop)[-1].state is S.PARTIALLY_SUCCEEDED
        assert (line(shop, 1).reducible_minor, line(shop, 2).reducible_minor) == (667, 756)
        picky.declined = set()
        compose(shop, two, K.GOODWILL, None, lines={1: 667})
        work(shop, picky)
        act(shop, all_of(shop)[0], A.RETRY)
        work(shop, picky)
        assert line(shop, 1).reduced_minor == 1000
        assert kept(shop) == billed(shop) == 2574 - 667 - 667


class TestShipping:
    def test_is_off_shipping_when_it_is_let_go(self, shop: Shop, two: str, picky: Picky) -> None:
        approve = Policy(mode=Mode.APPROVE, limit_minor=None)
        shop.ledger.run(lambda tx: set_policy(tx, None, K.SHIPPING, approve))
        waiting = compose(shop, two, K.SHIPPING, 484)
        compose(shop, two, K.GOODWILL, 2090)
        assert line(shop, 0).reduced_minor == 0  # it was kept free
        done = act(shop, waiting, A.APPROVE)
        assert [(each.line_no, each.minor) for each in done.cheaper] == [(0, 484)]
        work(shop, picky)
        assert kept(shop) == billed(shop) == 0

    def test_that_came_back_once_is_counted_once(self, shop: Shop, two: str, picky: Picky) -> None:
        compose(shop, two, K.SHIPPING, 200)
        work(shop, picky)
        come_back(shop, picky)
        assert compose(shop, two, K.SHIPPING, 284).state is S.REQUESTED


class TestOwed:
    def test_goes_back_though_goodwill_waits(self, shop: Shop, two: str, picky: Picky) -> None:
        approve = Policy(mode=Mode.APPROVE, limit_minor=None)
        shop.ledger.run(lambda tx: set_policy(tx, None, K.GOODWILL, approve))
        compose(shop, two, K.GOODWILL, None, lines={2: 500})
        shop.take(a_partial("W-1", a_change("return", ref="r-1")))
        work(shop, picky)
        assert [(each.kind, each.amount_minor) for each in all_of(shop)] == [
            (K.GOODWILL, 500), (K.OWED, 1000),
        ]  # fmt: skip

    def test_is_less_by_goodwill_that_makes_nothing_cheaper(
        self, shop: Shop, two: str, picky: Picky
    ) -> None:
        """All came back and nobody has begun to pay: there is no price left to be lower."""
        manual = Policy(mode=Mode.MANUAL, limit_minor=None)
        shop.ledger.run(lambda tx: set_policy(tx, None, K.OWED, manual))
        shop.take(a_partial(
            "W-1", a_change("return", ref="r-1"), a_change("return", ref="r-2", line="INK")
        ))  # fmt: skip
        work(shop, picky)
        found = seen(shop, two, RefundDraft(kind=K.GOODWILL, amount_minor=500))
        compose(shop, two, K.GOODWILL, 500)
        after = seen(shop, two, RefundDraft(kind=K.GOODWILL, amount_minor=1))
        assert (
            found.owed_after_minor
            == after.owed_minor
            == found.owed_minor - 500 + sum(each.minor for each in found.cheaper)
        )


def seen(shop: Shop, number: str, draft: RefundDraft) -> Any:
    with shop.ledger.snapshot() as tx:
        return refund_previews.preview(tx, number, draft)


def test_what_its_lines_allow_is_its_maximum(shop: Shop, two: str) -> None:
    assert seen(shop, two, RefundDraft(kind=K.GOODWILL, lines={1: 100})).max_minor == 1000
    assert seen(shop, two, RefundDraft(kind=K.SHIPPING, amount_minor=1)).max_minor == 484


@pytest.mark.parametrize("kind", [K.GOODWILL, K.SHIPPING])
def test_what_is_not_owed_says_how_much(shop: Shop, two: str, kind: RefundKind) -> None:
    with pytest.raises(AmountMissing):
        compose(shop, two, kind, None)


def test_a_row_of_a_batch_is_not_paid_otherwise_than_it_was_approved(
    shop: Shop, two: str, picky: Picky
) -> None:
    """What waited for the first card is partly for the second one since: somebody looks again."""
    approve = Policy(mode=Mode.APPROVE, limit_minor=None)
    shop.ledger.run(lambda tx: set_policy(tx, None, K.OWED, approve))
    shop.take(a_partial("W-1", a_change("return", ref="r-1")))
    work(shop, picky)
    row = RowDraft(order_number=two, kind=K.OWED, amount_minor=None, currency=None, reason="x")
    made = shop.ledger.run(lambda tx: refund_batches.make(
        tx, "owed", [row], channel_codes=None, by="ann", at=clock.now()
    ))  # fmt: skip
    number = made.batch_number

    def do(action: BatchAction, by: str, digest: str | None = None) -> Batch:
        with shop.ledger.snapshot() as tx:
            version = queries.batch(tx, number).version
        done = shop.ledger.run(lambda tx: refund_batches.act(
            tx, number, action, digest=digest, version=version, by=by, at=clock.now()
        ))  # fmt: skip
        for _ in range(4):
            shop.ledger.run(lambda tx: refund_batches.go_on(tx, at=clock.now()))
        return done

    do(BatchAction.VALIDATE, "ann")
    submitted = do(BatchAction.SUBMIT, "ann")
    compose(shop, two, K.GOODWILL, 600)
    work(shop, picky)
    do(BatchAction.APPROVE, "bob", submitted.digest)
    with shop.ledger.snapshot() as tx:
        (found,) = queries.rows(tx, made.batch_id, limit=5)[0]
    assert (found.state, found.code) == (RowState.STALE, "STALE_PREVIEW")
    waiting = all_of(shop)[0]
    assert (waiting.state, [amount for _, amount in waiting.parts]) == (
        S.AWAITING_APPROVAL, [1000],
    )  # fmt: skip


class Late:
    """A service that declines the second capture, and says later that the first one is done."""

    captures_once = False

    def __init__(self) -> None:
        self.captures: list[int] = []

    def execute(self, asked: Asked) -> Answer:
        """Do as it is told in the class."""
        if asked.type is not TransactionType.CAPTURE:
            return Answer(state=TransactionState.SUCCEEDED, psp_reference=f"x-{asked.key}")
        self.captures.append(asked.amount_minor)
        if len(self.captures) == 1:
            return Answer(state=TransactionState.PENDING, psp_reference="c-1")
        return Answer(state=TransactionState.FAILED, failure="declined")

    def find(self, asked: Asked) -> Answer | None:
        """Say that it is done."""
        return Answer(state=TransactionState.SUCCEEDED, psp_reference=f"c-{asked.key}")


def test_a_declined_capture_is_not_asked_again_because_an_earlier_one_was_done(
    shop: Shop, picky: Picky
) -> None:
    ordered(shop, (2574,))
    work(shop, picky)
    for sku in ("PEN", "INK"):
        shop.take(a_partial("W-1", a_change("ship", ref=f"ship-{sku}", line=sku)))
        follow_money(shop)
    late = Late()
    for _ in range(4):
        with shop.ledger.transaction() as tx:
            tx.exec_driver_sql("update payment_transactions set next_try_at = now()"
                               " where next_try_at is not null")  # fmt: skip
        payments.execute_due(shop.ledger, {"sandbox": cast("Any", late)})
        follow_money(shop)
    assert late.captures == [1484, 1090]
    assert "PAYMENT_MISSING" in shop.open_exceptions()
