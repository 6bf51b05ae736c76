"""What a worker is at is nobody else's for as long as it takes, however slow a service."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from oms.kernel import clock
from oms.payments import leases
from oms.payments.model import TransactionType
from oms.payments.port import Answer, Asked, NoAnswer
from oms.workflows import payments
from tests.builders import a_change, a_line, a_movement, a_partial, an_order
from tests.ledger.shop import Shop
from tests.ledger.test_payments import CARD, begin, follow_money, paid, work
from tests.payers import Payer, paying

LEASE = timedelta(seconds=0.6)
SECONDS_MAX = 30.0


@pytest.fixture
def payer(tmp_path: Path) -> Iterator[Payer]:
    with paying(tmp_path) as payer:
        yield payer


@pytest.fixture
def voided(shop: Shop, payer: Payer, monkeypatch: pytest.MonkeyPatch) -> int:
    """Give an order whose authorization is to be given up, and a lease that is soon over."""
    shop.take(a_movement(9), an_order(lines=[a_line(quantity=2)]))
    follow_money(shop)
    begin(shop, shop.order().summary.order_number)
    work(shop, payer)
    shop.take(a_partial("W-1", a_change("cancel", 2, ref="x-1")))
    follow_money(shop)
    (void,) = [each for each in paid(shop).transactions if each.type is TransactionType.VOID]
    monkeypatch.setattr(leases, "LEASE", LEASE)
    return void.transaction_id


class Silent:
    """A service that lets everybody wait, and never answers."""

    captures_once = False

    def __init__(self, moments: list[float]) -> None:
        self.moments, self.calls = moments, 0

    def execute(self, _asked: Asked) -> Answer:
        self.calls += 1
        self.moments[0] += 10
        raise NoAnswer

    def find(self, asked: Asked) -> Answer | None:
        return self.execute(asked)


class Picky(Silent):
    """A service that answers, but never of the first it was asked for."""

    def __init__(self, payer: Payer, moments: list[float]) -> None:
        super().__init__(moments)
        self.payer, self.first = payer, ""

    def execute(self, asked: Asked) -> Answer:
        self.first = self.first or asked.reference
        if asked.reference == self.first:
            return super().execute(asked)
        self.calls += 1
        return self.payer.psp.execute(asked)


class Slow:
    """A service that takes longer than any lease."""

    captures_once = False

    def __init__(self, payer: Payer) -> None:
        self.payer, self.calls = payer, 0
        self.is_asked, self.may_answer = threading.Event(), threading.Event()

    def execute(self, asked: Asked) -> Answer:
        self.calls += 1
        self.is_asked.set()
        assert self.may_answer.wait(SECONDS_MAX)
        return self.payer.psp.execute(asked)

    def find(self, asked: Asked) -> Answer | None:
        self.calls += 1
        return self.payer.psp.find(asked)


def kept_until(shop: Shop, transaction_id: int) -> Any:
    return shop.value(
        "select next_try_at from payment_transactions where transaction_id = :id",
        id=transaction_id,
    )


def test_a_void_that_takes_longer_is_not_done_twice(shop: Shop, payer: Payer, voided: int) -> None:
    slow = Slow(payer)
    psps = {"sandbox": cast("Any", slow)}
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(payments.execute_due, shop.ledger, psps)
        try:
            assert slow.is_asked.wait(SECONDS_MAX)
            begun = kept_until(shop, voided)
            until = clock.now() + timedelta(seconds=SECONDS_MAX)
            while clock.now() <= begun + LEASE:  # two leases later
                assert clock.now() < until
                assert payments.execute_due(shop.ledger, psps) is False
                slow.is_asked.wait(0)
                threading.Event().wait(0.05)
        finally:
            slow.may_answer.set()
        assert first.result() is True
    assert slow.calls == 1
    assert payer.done()[1:] == [("void", 2000, "succeeded")]
    assert kept_until(shop, voided) is None


def test_who_was_frozen_asks_for_nothing_others_have_taken_up(
    shop: Shop, payer: Payer, voided: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between taking up and asking: as a process is that was stopped for a while."""
    take = leases.take_due

    def frozen(tx: Any, *, at: Any, limit: int, **_: Any) -> Any:
        found = take(tx, at=at, limit=limit)
        assert take(tx, at=at + LEASE, limit=limit) != []  # another has come since
        return found

    monkeypatch.setattr(leases, "take_due", frozen)
    payments.execute_due(shop.ledger, {"sandbox": payer.psp})
    assert payer.done()[1:] == []


def test_a_service_that_never_answers_does_not_keep_others_waiting(
    shop: Shop, payer: Payer, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.take(a_movement(99))
    numbers = []
    for n in range(8):
        shop.take(an_order(f"W-{n}"))
        numbers.append(shop.order(f"W-{n}").summary.order_number)
    follow_money(shop)
    for number in numbers[:7]:
        begin(shop, number, replace(CARD, amount_minor=1000, psp="silent"))
    begin(shop, numbers[7], replace(CARD, amount_minor=1000))
    moments = [1000.0]
    silent = Silent(moments)
    psps = {"silent": cast("Any", silent), "sandbox": payer.psp}
    silences = leases.Silences(clock=lambda: moments[0])

    assert payments.execute_due(shop.ledger, psps, silences)
    assert (silent.calls, payer.done()) == (2, []), "of five that were taken up two were asked for"
    given_back = "select attempts from payment_transactions where next_try_at <= now() order by 1"
    assert shop.rows(given_back) == [(0,)] * 6, "others may take up what was not asked for"
    assert payments.execute_due(shop.ledger, psps, silences)
    assert (silent.calls, payer.done()) == (2, [("authorize", 1000, "succeeded")])
    assert not payments.execute_due(shop.ledger, psps, silences)

    moments[0] += leases.SILENT_SECONDS
    assert payments.execute_due(shop.ledger, psps, silences)
    assert silent.calls == 3, "it is asked again after a while, and silent still"
    monkeypatch.setattr(leases, "SILENT_SECONDS_MIN", 99.0)
    moments[0] += leases.SILENT_SECONDS
    due_again(shop)
    assert payments.execute_due(shop.ledger, psps, silences)
    assert silent.calls == 8, "one that says at once that it is away is asked for all five"


def test_an_operation_that_is_never_answered_is_its_own_trouble(shop: Shop, payer: Payer) -> None:
    shop.take(a_movement(99), an_order("W-0"), an_order("W-1"))
    follow_money(shop)
    for ref in ("W-0", "W-1"):
        begin(shop, shop.order(ref).summary.order_number, replace(CARD, amount_minor=1000))
    moments = [1000.0]
    picky = Picky(payer, moments)
    silences = leases.Silences(clock=lambda: moments[0])
    for asked in (2, 4):  # one after the other, as often as it is tried
        assert payments.execute_due(shop.ledger, {"sandbox": cast("Any", picky)}, silences)
        assert picky.calls == asked
        assert silences.now() == []
        due_again(shop)
        begin_again(shop, f"W-{asked}")
    assert len(payer.done()) == 2


def begin_again(shop: Shop, ref: str) -> None:
    shop.take(an_order(ref))
    follow_money(shop)
    begin(shop, shop.order(ref).summary.order_number, replace(CARD, amount_minor=1000))


def due_again(shop: Shop) -> None:
    with shop.ledger.transaction() as tx:
        tx.exec_driver_sql(
            "update payment_transactions set next_try_at = now() where next_try_at is not null"
        )
