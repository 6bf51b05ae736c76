"""Payments: captured as goods leave, once, whatever the payment service answers and tells."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from oms.access.model import SCOPES
from oms.adapters.psp.sandbox import SandboxPsp
from oms.attention import queries as attention
from oms.kernel import clock
from oms.ledger.followers import follow
from oms.orders.model import ChangeKind
from oms.payments import leases, operations, queries
from oms.payments.model import (
    CurrencyDiffers,
    Payment,
    PaymentDraft,
    PaymentExceeded,
    PaymentState,
    Tender,
    TransactionState,
    TransactionType,
)
from oms.payments.port import Answer, Asked, NoAnswer, NotOurs
from oms.webhooks.messages import headers
from oms.workflows import changes, notices, payments
from tests.builders import NOW, Draft, a_change, a_line, a_movement, a_partial, an_order
from tests.ledger.shop import Shop
from tests.payers import SECRET, Payer, paying

T = TransactionType
CARD = PaymentDraft(
    tender=Tender.CARD, amount_minor=2000, currency="EUR", external_ref="p-1", psp="sandbox",
    token="tok_visa", last4="4242",
)  # fmt: skip


@pytest.fixture
def payer(tmp_path: Path) -> Iterator[Payer]:
    with paying(tmp_path) as payer:
        yield payer


@pytest.fixture
def order(shop: Shop) -> str:
    """Two pens at 10.00, nothing of them gone; both follower and worker have seen it."""
    shop.take(a_movement(9), an_order(lines=[a_line(quantity=2)]))
    follow_money(shop)
    return shop.order().summary.order_number


def follow_money(shop: Shop) -> None:
    for _ in range(3):  # the first look only begins
        follow(shop.ledger, payments.FOLLOWER, lambda tx, a, u: payments.follow_orders(
            tx, a, u, at=clock.now()))  # fmt: skip


def begin(shop: Shop, order: str, draft: PaymentDraft = CARD) -> Payment:
    return shop.ledger.run(
        lambda tx: payments.authorize(tx, order, draft, by="ann", at=clock.now())
    )


def work(shop: Shop, payer: Payer, rounds: int = 6) -> None:
    """Let the worker do its chores, whenever what is due is due."""
    for _ in range(rounds):
        follow_money(shop)
        with shop.ledger.transaction() as tx:
            tx.exec_driver_sql(
                "update payment_transactions set next_try_at = now() where next_try_at is not null"
            )
        payments.execute_due(shop.ledger, {"sandbox": payer.psp})


def paid(shop: Shop, ref: str = "W-1") -> Payment:
    with shop.ledger.snapshot() as tx:
        (found,) = queries.of_order(tx, shop.order(ref).summary.order_id)
    return found


def failures(shop: Shop) -> list[str]:
    """Return what needs a person."""
    with shop.ledger.snapshot() as tx:
        found = attention.matters(tx, scopes=SCOPES, channel_codes=None, at=clock.now())
    return [each.code for each in found]


def tables_with(shop: Shop, word: str) -> list[str]:
    """Return the tables that have a word in any column of any row."""
    tables = [name for (name,) in shop.rows(
        "select tablename::text from pg_tables where schemaname = 'public' order by 1"
    )]  # fmt: skip
    return [
        name for name in tables
        if shop.value(f"select exists (select from {name} x where x::text like :word)",
                      word=f"%{word}%")
    ]  # fmt: skip


def ship(shop: Shop, units: int, ref: str = "c-1") -> None:
    shop.take(a_partial("W-1", a_change("ship", units, ref=ref)))


def balance(shop: Shop) -> str:
    return str(shop.value("select payment_state from order_balances"))


def notice(payer: Payer, document: dict[str, Any], ref: str = "n-1") -> Any:
    body = json.dumps({"id": ref, "operation": document}).encode()
    (found,) = payer.psp.read(headers([SECRET], ref, body, at=clock.now()), body, at=clock.now())
    return found


def tell(shop: Shop, payer: Payer, document: dict[str, Any], ref: str = "n-1") -> str:
    told = notice(payer, document, ref)
    return shop.ledger.run(lambda tx: notices.take_notice(tx, "sandbox", told, at=clock.now()))


class TestGoods:
    def test_are_paid_for_as_they_leave(self, shop: Shop, order: str, payer: Payer) -> None:
        begin(shop, order)
        work(shop, payer)
        assert (paid(shop).state, balance(shop)) == (PaymentState.AUTHORIZED, "authorized")
        ship(shop, 1)
        work(shop, payer)
        assert (paid(shop).sums.captured, balance(shop)) == (1000, "partially_paid")
        ship(shop, 1, "c-2")
        work(shop, payer)
        assert (paid(shop).state, balance(shop)) == (PaymentState.CAPTURED, "paid")
        assert payer.done() == [
            ("authorize", 2000, "succeeded"), ("capture", 1000, "succeeded"),
            ("capture", 1000, "succeeded"),
        ]  # fmt: skip

    def test_are_paid_for_behind_however_many_others(
        self, shop: Shop, payer: Payer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A follower that goes in steps gets beyond steps in which it has nothing to do."""
        monkeypatch.setattr(payments, "ORDERS_AT_ONCE_MAX", 1)
        for number in range(4):
            shop.take(an_order(f"W-{number}0"))
        shop.take(a_movement(9), an_order(lines=[a_line(quantity=2)]))
        begin(shop, shop.order().summary.order_number)
        payments.execute_due(shop.ledger, {"sandbox": payer.psp})
        ship(shop, 2)
        for _ in range(12):
            follow(
                shop.ledger, payments.FOLLOWER, stop=payments.stop,
                step=lambda tx, a, u: payments.follow_orders(tx, a, u, at=clock.now()),
            )  # fmt: skip
        assert [each.type for each in paid(shop).transactions] == [T.AUTHORIZE, T.CAPTURE]

    def test_that_never_leave_are_not_paid_for(self, shop: Shop, order: str, payer: Payer) -> None:
        begin(shop, order)
        work(shop, payer)
        ship(shop, 1)
        shop.take(a_partial("W-1", a_change("cancel", 1, ref="x-1")))
        work(shop, payer)
        sums = paid(shop).sums
        assert (sums.captured, sums.voided, balance(shop)) == (1000, 1000, "paid")

    def test_of_an_order_that_is_canceled_are_given_up(
        self, shop: Shop, order: str, payer: Payer
    ) -> None:
        begin(shop, order)
        work(shop, payer)
        shop.take(a_partial("W-1", a_change("cancel", 2, ref="x-1")))
        work(shop, payer)
        assert (paid(shop).state, balance(shop)) == (PaymentState.VOIDED, "voided")

    def test_returned_are_owed_back(self, shop: Shop, order: str, payer: Payer) -> None:
        begin(shop, order)
        work(shop, payer)
        ship(shop, 2)
        work(shop, payer)
        shop.take(a_partial("W-1", a_change("return", 1, ref="r-1")))
        work(shop, payer)
        assert (balance(shop), paid(shop).sums.refunded) == ("partially_refunded", 1000)

    def test_the_story_tells_of_money(self, shop: Shop, order: str, payer: Payer) -> None:
        begin(shop, order)
        work(shop, payer)
        assert shop.story()[-2:] == ["payment.authorize_requested", "payment.authorized"]
        assert shop.violations() == {}


class TestServices:
    def test_that_do_not_answer_are_asked_and_not_told_again(
        self, shop: Shop, order: str, payer: Payer
    ) -> None:
        payer.behaves(lost_answer_ratio=1.0)
        begin(shop, order)
        ship(shop, 2)
        work(shop, payer, rounds=1)
        (done,) = paid(shop).transactions
        assert (done.state, done.failure) == (TransactionState.UNKNOWN, None)
        work(shop, payer)
        assert payer.done() == [("authorize", 2000, "succeeded"), ("capture", 2000, "succeeded")]
        assert paid(shop).state is PaymentState.CAPTURED

    def test_that_were_away_are_asked_by_the_same_key(
        self, shop: Shop, order: str, payer: Payer
    ) -> None:
        payer.behaves(away_ratio=1.0)
        begin(shop, order)
        work(shop, payer)
        assert payer.done() == [("authorize", 2000, "succeeded")]
        key = shop.value("select idempotency_key from payment_transactions")
        assert [each.key for each in payer.record()] == [key]

    def test_that_are_gone_leave_it_unknown(self, shop: Shop, order: str, payer: Payer) -> None:
        begin(shop, order)
        payments.execute_due(shop.ledger, {})
        (done,) = paid(shop).transactions
        assert done.state is TransactionState.UNKNOWN
        assert paid(shop).sums.authorizing == 2000

    @pytest.mark.parametrize("token", ["tok_declined", "tok_expired"])
    def test_that_decline_are_believed(
        self, shop: Shop, order: str, payer: Payer, token: str
    ) -> None:
        begin(shop, order, replace(CARD, token=token))
        work(shop, payer)
        assert (paid(shop).state, balance(shop)) == (PaymentState.FAILED, "awaiting")
        assert paid(shop).transactions[0].failure

    @pytest.mark.parametrize("token", ["tok_of_nobody", "tok_declined", "tok_pending"])
    def test_the_instrument_is_kept_nowhere(
        self, shop: Shop, order: str, payer: Payer, token: str
    ) -> None:
        """Held or declined, at once or later: it is in no table."""
        begin(shop, order, replace(CARD, token=token))
        assert tables_with(shop, token) == ["payments"]
        work(shop, payer, rounds=1)
        if token == "tok_pending":
            assert tables_with(shop, token) == ["payments"]  # asked again by the same
            (made,) = payer.record()
            tell(shop, payer, made.document() | {"state": "failed"})
        assert tables_with(shop, token) == []

    def test_a_worker_that_was_frozen_is_not_listened_to(
        self, shop: Shop, order: str, payer: Payer
    ) -> None:
        begin(shop, order)
        at = clock.now()

        def take(later: timedelta) -> leases.Due:
            (due,) = shop.ledger.run(lambda tx: leases.take_due(tx, at=at + later, limit=9))
            return due

        frozen, other = take(timedelta()), take(leases.LEASE)
        assert shop.ledger.run(lambda tx: leases.take_due(tx, at=at, limit=9)) == []
        failed = Answer(state=TransactionState.FAILED, failure="late")

        def answer(due: leases.Due) -> bool:
            return shop.ledger.run(
                lambda tx: operations.answer(
                    tx, due.transaction_id, failed, source="answer", at=at, claim=due.claim
                )
            )

        assert (answer(frozen), answer(other)) == (False, True)

    def test_two_workers_at_once_ask_once(self, shop: Shop, order: str, payer: Payer) -> None:
        begin(shop, order)
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(
                lambda _: payments.execute_due(shop.ledger, {"sandbox": payer.psp}), range(8)
            ))  # fmt: skip
        assert payer.done() == [("authorize", 2000, "succeeded")]
        assert len(paid(shop).transactions) == 1

    def test_that_decline_a_capture_are_not_asked_again_by_themselves(
        self, shop: Shop, order: str, payer: Payer
    ) -> None:
        begin(shop, order)
        work(shop, payer)
        payer.behaves(decline_ratio=1.0)
        ship(shop, 2)
        work(shop, payer)
        assert payer.done()[1:] == [("capture", 2000, "failed")]
        assert (paid(shop).sums.capturable, balance(shop)) == (2000, "authorized")
        assert failures(shop) == ["CAPTURE_FAILED", "ORDER_EXCEPTION"]
        assert shop.open_exceptions() == ["PAYMENT_MISSING"]
        payer.behaves(decline_ratio=0.0)

        def by_hand(tx: Any) -> None:
            held = queries.payment(tx, paid(shop).payment_number)
            payments.act(
                tx, held.payment_number, "capture", None, currency=None, version=held.version,
                by="ann", at=clock.now(),
            )  # fmt: skip

        shop.ledger.run(by_hand)
        work(shop, payer)
        assert (balance(shop), failures(shop)) == ("paid", [])

    def test_are_asked_again_for_what_comes_to_as_much_again(
        self, shop: Shop, payer: Payer
    ) -> None:
        """What was declined for 20.00 was captured for 15.00; then it costs 20.00 again."""

        def lines(total: int) -> list[dict[str, Any]]:
            pens = a_line(quantity=2, total=total, discount=2000 - total)
            return [pens, a_line("INK")]  # which is still to leave

        shop.take(a_movement(9), an_order(lines=lines(2000)))
        follow_money(shop)
        begin(shop, shop.order().summary.order_number, replace(CARD, amount_minor=3000))
        work(shop, payer)
        payer.behaves(decline_ratio=1.0)
        ship(shop, 2)
        work(shop, payer)
        payer.behaves(decline_ratio=0.0)
        for version, total in enumerate((1500, 2000), start=2):
            shop.take(an_order(
                version=version, updated_at=NOW + version * timedelta(minutes=1),
                lines=lines(total),
            ))  # fmt: skip
            work(shop, payer)
        assert payer.done()[1:] == [
            ("capture", 2000, "failed"), ("capture", 1500, "succeeded"),
            ("capture", 500, "succeeded"),
        ]  # fmt: skip
        assert "PAYMENT_MISSING" not in shop.open_exceptions()

    def test_that_do_not_give_up_are_asked_again_by_hand(
        self, shop: Shop, order: str, payer: Payer
    ) -> None:
        begin(shop, order)
        work(shop, payer)
        payer.behaves(decline_ratio=1.0)
        shop.take(a_partial("W-1", a_change("cancel", 2, ref="x-1")))
        work(shop, payer)
        assert (payer.done()[1:], failures(shop)) == ([("void", 2000, "failed")], ["VOID_FAILED"])
        payer.behaves(decline_ratio=0.0)

        def by_hand(tx: Any) -> None:
            held = queries.payment(tx, paid(shop).payment_number)
            payments.act(
                tx, held.payment_number, "void", None, currency=None, version=held.version,
                by="ann", at=clock.now(),
            )  # fmt: skip

        shop.ledger.run(by_hand)
        work(shop, payer)
        assert (paid(shop).state, failures(shop)) == (PaymentState.VOIDED, [])

    @pytest.mark.parametrize("body", ["", "[]", "<html>", '{"type": "capture"}'])
    def test_that_answer_what_nobody_understands_did_not_answer(
        self, payer: Payer, monkeypatch: pytest.MonkeyPatch, body: str
    ) -> None:
        answer = httpx.Response(200, text=body)
        monkeypatch.setattr(payer.psp._client, "request", lambda *_, **__: answer)
        asked = Asked(
            key="k", type=T.CAPTURE, amount_minor=1, currency="EUR", reference="X1",
            parent_reference="p",
        )  # fmt: skip
        for ask_of in (payer.psp.execute, payer.psp.find):
            with pytest.raises(NoAnswer):
                ask_of(asked)


class TestNotices:
    def test_end_what_was_pending_once(self, shop: Shop, order: str, payer: Payer) -> None:
        begin(shop, order, replace(CARD, token="tok_pending"))
        work(shop, payer, rounds=1)
        (done,) = paid(shop).transactions
        assert done.state is TransactionState.PENDING
        (made,) = payer.record()
        document = made.document() | {"state": "succeeded"}
        assert tell(shop, payer, document) == "applied"
        assert tell(shop, payer, document) == "ignored"
        assert tell(shop, payer, document, "n-2") == "ignored"
        assert paid(shop).state is PaymentState.AUTHORIZED

    def test_may_come_before_the_answer(self, shop: Shop, order: str, payer: Payer) -> None:
        begin(shop, order)
        (due,) = shop.ledger.run(lambda tx: leases.take_due(tx, at=clock.now(), limit=9))
        payer.psp.execute(due.asked)
        assert tell(shop, payer, payer.record()[0].document()) == "applied"
        work(shop, payer)
        assert (len(paid(shop).transactions), len(payer.record())) == (1, 1)

    @pytest.mark.parametrize("truth", ["succeeded", "failed"])
    def test_that_contradict_what_is_known_have_the_service_asked(
        self, shop: Shop, order: str, payer: Payer, truth: str
    ) -> None:
        begin(shop, order)
        work(shop, payer)
        (made,) = payer.record()
        payer.service.book.become(made.key, truth, None, at=clock.now())
        assert tell(shop, payer, made.document() | {"state": "failed"}) == "ignored"
        assert paid(shop).state is PaymentState.AUTHORIZED  # until it is asked
        work(shop, payer)
        expected = PaymentState.AUTHORIZED if truth == "succeeded" else PaymentState.FAILED
        assert paid(shop).state is expected

    def test_that_contradict_it_have_it_asked_until_it_answers(
        self, shop: Shop, order: str, payer: Payer
    ) -> None:
        begin(shop, order)
        work(shop, payer)
        (made,) = payer.record()
        payer.service.book.become(made.key, "failed", None, at=clock.now())
        tell(shop, payer, made.document() | {"state": "failed"})
        away = SandboxPsp("http://127.0.0.1:9", SECRET, timeout_seconds=0.1)
        payments.execute_due(shop.ledger, {"sandbox": away})
        away.close()
        assert paid(shop).state is PaymentState.AUTHORIZED  # nobody has said otherwise
        work(shop, payer)
        assert paid(shop).state is PaymentState.FAILED

    def test_of_what_we_did_not_ask_are_written_down_once(
        self, shop: Shop, order: str, payer: Payer
    ) -> None:
        begin(shop, order)
        ship(shop, 2)
        work(shop, payer)
        captured = payer.record()[-1].document()
        refund = captured | {
            "type": "refund", "id": "ref_1", "reference": "", "amount_minor": 500, "key": "e",
        }  # fmt: skip
        assert tell(shop, payer, refund) == "external"
        assert tell(shop, payer, refund, "n-2") == "ignored"
        assert (paid(shop).sums.refunded, paid(shop).sums.refundable) == (500, 1500)

    def test_of_no_payment_are_kept_for_a_person(
        self, shop: Shop, order: str, payer: Payer
    ) -> None:
        begin(shop, order)
        work(shop, payer)
        stranger = payer.record()[0].document() | {"payment_id": "pay_x", "reference": "X1"}
        assert tell(shop, payer, stranger) == "parked"

    def test_forged_late_or_altered_are_nobodys(self, payer: Payer) -> None:
        body = b'{"operation": {}}'
        good = headers([SECRET], "n", body, at=clock.now())
        for sent, told in (
            (headers(["whsec_b3RoZXI="], "n", body, at=clock.now()), body),
            (headers([SECRET], "n", body, at=clock.now() - timedelta(minutes=6)), body),
            (good, body + b" "),
            (good | {"webhook-id": "other"}, body),
            ({}, body),
        ):
            with pytest.raises(NotOurs):
                payer.psp.read(sent, told, at=clock.now())


class TestTimes:
    def test_are_of_what_it_became_not_of_who_says_so_again(
        self, shop: Shop, order: str, payer: Payer
    ) -> None:
        begin(shop, order)
        work(shop, payer)
        known = times(shop)
        made = payer.record()[0].document()
        later = (clock.now() + timedelta(days=1)).isoformat()
        tell(shop, payer, made | {"changed_at": later})
        tell(shop, payer, made | {"changed_at": later, "state": "pending"}, "n-2")
        assert times(shop) == known

    def test_of_what_a_channel_did_are_its_own(self, shop: Shop) -> None:
        first = a_told(an_order("W-7", lines=[a_line()]), captured=400)
        later = NOW + timedelta(days=3)
        shop.take(first, at=later)
        assert times(shop) == [(NOW, later)]
        said = {"updated_at": NOW + timedelta(days=1), "version": 9}
        shop.take(a_told(first.but(**said), captured=1000), at=later)
        assert times(shop) == [(NOW, later), (said["updated_at"], later)]
        shop.take(a_told(first.but(version=10, updated_at=None), captured=1100), at=later)
        assert times(shop)[-1] == (None, later)


def times(shop: Shop) -> list[tuple[Any, ...]]:
    sql = "select psp_at, finished_at from payment_transactions order by transaction_id"
    return [tuple(row) for row in shop.rows(sql)]


def a_told(order: Draft, *, captured: int, refunded: int = 0, **fields: Any) -> Draft:
    """Give an order a payment its channel handles."""
    payment = {
        "external_ref": "p", "tender": "card", "managed_by": "channel", "amount_minor": 2000,
        "authorized_minor": 0, "captured_minor": captured, "refunded_minor": refunded, **fields,
    }  # fmt: skip
    return replace(order, rows={**order.rows, "payments": (payment,)})


class TestLimits:
    def test_no_more_is_asked_for_than_there_is(self, shop: Shop, order: str, payer: Payer) -> None:
        begin(shop, order)
        work(shop, payer)
        ship(shop, 2)
        work(shop, payer)
        with pytest.raises(PaymentExceeded):
            ask(shop, T.CAPTURE, 1, "more")
        with pytest.raises(PaymentExceeded) as refused:
            ask(shop, T.REFUND, 2001, "all")
        assert refused.value.facts == {"max_minor": 2000, "currency": "EUR"}

    def test_of_many_refunds_at_once_as_many_as_fit_are_made(
        self, shop: Shop, order: str, payer: Payer
    ) -> None:
        """Fifty of 3.00 on 20.00: six are made, whoever is first."""
        begin(shop, order)
        ship(shop, 2)
        work(shop, payer)

        def refund(number: int) -> bool:
            try:
                return ask(shop, T.REFUND, 300, f"refund {number}")
            except PaymentExceeded:
                return False

        with ThreadPoolExecutor(8) as threads:
            assert sum(threads.map(refund, range(50))) == 6
        work(shop, payer, rounds=3)
        refunds = [each for each in payer.done() if each[0] == "refund"]
        assert refunds == [("refund", 300, "succeeded")] * 6
        assert paid(shop).sums.refundable == 200

    def test_one_cause_is_one_operation(self, shop: Shop, order: str, payer: Payer) -> None:
        begin(shop, order)
        ship(shop, 2)
        work(shop, payer)
        assert [ask(shop, T.REFUND, 300, "once") for _ in range(3)] == [True, False, False]

    def test_the_currency_is_the_orders(self, shop: Shop, order: str) -> None:
        with pytest.raises(CurrencyDiffers):
            begin(shop, order, replace(CARD, currency="USD"))

    def test_one_ref_is_one_payment(self, shop: Shop, order: str) -> None:
        assert begin(shop, order).payment_number == begin(shop, order).payment_number
        assert len(paid(shop).transactions) == 1


def ask(shop: Shop, kind: TransactionType, amount: int, cause: str) -> bool:
    def work(tx: Any) -> bool:
        order_id = shop.order().summary.order_id
        payments.orders.hold(tx, order_id)
        (held,) = queries.of_order(tx, order_id)
        return operations.request(tx, held, kind, amount, cause=cause, by="ann", at=clock.now())

    return shop.ledger.run(work)


class TestOwnChanges:
    def test_of_an_order_are_followed_too(self, shop: Shop, order: str, payer: Payer) -> None:
        begin(shop, order)
        work(shop, payer)

        def cancel(tx: Any) -> None:
            changes.apply(
                tx, shop.order(), ChangeKind.CANCEL, {1: 2}, ref="*C1", location_code=None,
                reason="asked", by="ann", at=NOW,
            )  # fmt: skip

        shop.ledger.run(cancel)
        work(shop, payer)
        assert paid(shop).state is PaymentState.VOIDED
