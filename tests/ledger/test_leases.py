"""What a worker is at is nobody else's for as long as it takes, however slow a service."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from oms.kernel import clock
from oms.payments import leases
from oms.payments.model import TransactionType
from oms.payments.port import Answer, Asked
from oms.workflows import payments
from tests.builders import a_change, a_line, a_movement, a_partial, an_order
from tests.ledger.shop import Shop
from tests.ledger.test_payments import begin, follow_money, paid, work
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

    def frozen(tx: Any, *, at: Any, limit: int) -> Any:
        found = take(tx, at=at, limit=limit)
        assert take(tx, at=at + LEASE, limit=limit) != []  # another has come since
        return found

    monkeypatch.setattr(leases, "take_due", frozen)
    payments.execute_due(shop.ledger, {"sandbox": payer.psp})
    assert payer.done()[1:] == []
