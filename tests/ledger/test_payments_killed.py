"""Refunds while workers are killed and the payment service loses answers: each is paid once.

More of it: OMS_TEST_EFFORT=20.
"""

import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from oms.kernel import clock
from oms.payments import operations, queries
from oms.payments.model import PaymentDraft, Tender, TransactionType
from oms.workflows import payments
from tests.builders import EFFORT, a_line, a_movement, an_order
from tests.ledger.shop import Shop
from tests.payers import Payer, paying
from tests.payment_workers import Workers

ORDERS: Final = 4 * EFFORT
REFUNDS: Final = 6  # an order
KILLS: Final = 8 * EFFORT
SECONDS_MAX: Final = 240.0 * max(1, EFFORT / 10)


@pytest.fixture
def payer(tmp_path: Path) -> Iterator[Payer]:
    with paying(tmp_path) as payer:
        yield payer


def bought(shop: Shop, number: int) -> int:
    """Buy and pay for ten pens; return the order's id."""
    ref = f"W-{number}"
    shop.take(an_order(ref, lines=[a_line(quantity=10)]))
    order = shop.order(ref).summary
    draft = PaymentDraft(
        tender=Tender.CARD, amount_minor=10_000, currency="EUR", external_ref="p", psp="sandbox",
        token="tok_visa",
    )  # fmt: skip

    def pay(tx: Any) -> None:
        payments.authorize(tx, order.order_number, draft, by="ann", at=clock.now())

    shop.ledger.run(pay)
    return order.order_id


def ask(shop: Shop, order_id: int, kind: TransactionType, amount: int, cause: str) -> None:
    def request(tx: Any) -> None:
        payments.orders.hold(tx, order_id)
        (held,) = queries.of_order(tx, order_id)
        operations.request(tx, held, kind, amount, cause=cause, by="ann", at=clock.now())

    shop.ledger.run(request)


def hurry(shop: Shop) -> None:
    """Let what waits be due now."""
    with shop.ledger.transaction() as tx:
        tx.exec_driver_sql(
            "update payment_transactions set next_try_at = now() where next_try_at > now()"
        )


def left(shop: Shop) -> int:
    """Count what is not over."""
    return int(shop.value(
        "select count(*) from payment_transactions where state not in ('succeeded', 'failed')"
    ))  # fmt: skip


def settle(
    shop: Shop, url: str, payer: Payer, dice: random.Random, kills: int, *, hurried: bool = True
) -> None:
    """Let two workers work, killing one of them now and then, until nothing is left to do.

    Hurried they do not wait for what they have asked for in vain, nor for what a killed one had.
    """
    until = time.monotonic() + SECONDS_MAX
    with Workers(url, payer.port) as workers:
        while left(shop):
            if hurried:
                hurry(shop)
            assert time.monotonic() < until, shop.rows(
                "select state, attempts, failure from payment_transactions"
            )
            if kills:
                workers.wait(dice.random() * 0.4 + 0.05)
                workers.replace()
                kills -= 1
            else:
                workers.wait(0.1)


def test_each_refund_is_paid_once_whatever_dies(shop: Shop, payer: Payer) -> None:
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    dice = random.Random(seed)
    url = shop.ledger.engine.url.render_as_string(hide_password=False)
    shop.take(a_movement(10 * ORDERS))
    orders = [bought(shop, number) for number in range(ORDERS)]
    settle(shop, url, payer, dice, kills=0)
    payer.behaves(captures_once=True, lost_answer_ratio=0.4)
    for order_id in orders:
        ask(shop, order_id, TransactionType.CAPTURE, 9000, "all but some")
    settle(shop, url, payer, dice, kills=EFFORT)
    assert shop.rows("select captured_minor::int, voided_minor::int from payments") == [
        (9000, 1000)  # what is left goes with the only capture
    ] * ORDERS  # fmt: skip
    payer.behaves(lost_answer_ratio=0.4, away_ratio=0.2, pending_ratio=0.0)
    for order_id in orders:
        for number in range(REFUNDS):
            ask(shop, order_id, TransactionType.REFUND, 1000 + number, f"refund {number}")
    settle(shop, url, payer, dice, kills=KILLS)

    theirs = Counter(
        (each.reference, each.amount_minor) for each in payer.record() if each.type == "refund"
    )
    ours = Counter(shop.rows(
        "select transaction_number, amount_minor::int from payment_transactions"
        " where type = 'refund' and state = 'succeeded'"
    ))  # fmt: skip
    assert theirs == ours
    assert len(ours) == ORDERS * REFUNDS
    assert set(ours.values()) == {1}
    assert shop.value("select sum(refunded_minor)::int from payments") == sum(
        amount * count for (_, amount), count in theirs.items()
    )
