"""Notices that come before their payment is known: applied when it is, once, as they happened."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from oms.kernel import clock
from oms.payments.model import TransactionState, TransactionType
from oms.payments.port import Answer, Notice
from oms.workflows import notices
from tests.builders import NOW, a_change, a_line, a_movement, a_partial, an_order
from tests.ledger.shop import Shop
from tests.ledger.test_money_at_once import set_aside, spoiled
from tests.ledger.test_payments import a_told, begin, follow_money, paid, work
from tests.payers import Payer, paying

S, T = TransactionState, TransactionType
CARD = {"psp": "sandbox", "psp_reference": "pay_1"}


@pytest.fixture
def payer(tmp_path: Path) -> Iterator[Payer]:
    with paying(tmp_path) as payer:
        yield payer


def tell(
    shop: Shop, kind: TransactionType, ref: str, amount: int = 2000, *, at: datetime = NOW,
    state: TransactionState = S.SUCCEEDED, on: str = "pay_1", **fields: Any,
) -> str:  # fmt: skip
    given = Notice(**{
        "ref": f"evt:{ref}:{state}", "type": kind, "amount_minor": amount, "currency": "EUR",
        "reference": None, "parent_reference": on,
        "answer": Answer(state=state, psp_reference=ref, psp_at=at), **fields,
    })  # fmt: skip
    return shop.ledger.run(lambda tx: notices.take_notice(tx, "sandbox", given, at=clock.now()))


def told(shop: Shop, **fields: Any) -> None:
    """Have the order come whose payment the service has spoken of."""
    shop.take(a_movement(9), a_told(an_order(lines=[a_line(quantity=2)]), **CARD | fields))


def look(shop: Shop) -> int:
    """Let the worker look for payments that notices came before; tell of how many orders."""
    count = 0
    while shop.ledger.run(lambda tx: notices.apply_parked(tx, at=clock.now())):
        count += 1
    return count


def outcomes(shop: Shop) -> list[str]:
    return [str(each) for (each,) in shop.rows("select outcome from psp_notices order by 1")]


class TestParked:
    def test_are_applied_once_when_their_order_comes_by_a_file(self, shop: Shop) -> None:
        assert tell(shop, T.REFUND, "ref_1", 500) == "parked"
        assert look(shop) == 0
        told(shop, captured=2000)
        assert (look(shop), look(shop)) == (1, 0)
        assert (paid(shop).sums.refunded, outcomes(shop)) == (500, ["external"])
        assert tell(shop, T.REFUND, "ref_1", 500) == "ignored"
        assert paid(shop).sums.refunded == 500

    def test_are_applied_when_their_payment_is_authorized_here(
        self, shop: Shop, payer: Payer
    ) -> None:
        shop.take(a_movement(9), an_order(lines=[a_line(quantity=2)]))
        follow_money(shop)
        begin(shop, shop.order().summary.order_number)
        (wish,) = shop.rows("select idempotency_key, transaction_number from payment_transactions")
        assert tell(shop, T.CHARGEBACK, "dp_1", on="pay_x") == "parked"
        work(shop, payer, rounds=1)
        with shop.ledger.transaction() as tx:
            tx.exec_driver_sql("update payments set psp_reference = 'pay_x'")
        assert look(shop) == 1
        assert paid(shop).sums.charged_back == 2000
        assert wish[1] == paid(shop).transactions[0].transaction_number

    def test_are_applied_as_they_happened_however_they_came(self, shop: Shop) -> None:
        """That it failed after all was told before that it was done."""
        later = NOW + timedelta(hours=2)
        tell(shop, T.CHARGEBACK_REVERSAL, "dp_1r", 700, at=later)
        tell(shop, T.REFUND, "ref_1", 500, at=later, state=S.FAILED, is_last_word=True)
        tell(shop, T.CHARGEBACK, "dp_1", 700)
        tell(shop, T.REFUND, "ref_1", 500)
        told(shop, captured=2000)
        look(shop)
        found = [(each.type, each.state) for each in paid(shop).transactions]
        assert found[1:] == [
            (T.CHARGEBACK, S.SUCCEEDED), (T.REFUND, S.FAILED), (T.CHARGEBACK_REVERSAL, S.SUCCEEDED),
        ]  # fmt: skip
        sums = paid(shop).sums
        assert (sums.charged_back, sums.refunded) == (0, 0)

    def test_that_a_channel_has_told_of_too_are_no_second_one(self, shop: Shop) -> None:
        tell(shop, T.CAPTURE, "cap_1")
        told(shop, captured=2000)
        look(shop)
        captures = [each for each in paid(shop).transactions if each.type is T.CAPTURE]
        assert [(each.psp_reference, each.source) for each in captures] == [("cap_1", "channel")]

    def test_of_many_orders_are_applied_by_several_workers_once(self, shop: Shop) -> None:
        refs = [f"W-{number}" for number in range(1, 7)]
        for ref in refs:
            tell(shop, T.REFUND, f"ref_{ref}", 100, on=f"pay_{ref}")
        shop.take(*(
            a_told(an_order(ref), captured=2000, psp="sandbox", psp_reference=f"pay_{ref}")
            for ref in refs
        ))  # fmt: skip
        with ThreadPoolExecutor(3) as threads:
            list(threads.map(lambda _: look(shop), range(3)))
        look(shop)
        assert shop.rows("select refunded_minor::int from payments") == [(100,)] * len(refs)
        assert outcomes(shop) == ["external"] * len(refs)

    def test_that_cannot_be_applied_stay_and_are_not_looked_at_again(self, shop: Shop) -> None:
        tell(shop, T.CAPTURE, "cap_0", state=S.FAILED)
        tell(shop, T.REFUND, "ref_0", 100, currency="USD")
        told(shop, captured=2000)
        assert (look(shop), outcomes(shop)) == (1, ["parked", "parked"])
        assert shop.value("select count(*) from psp_notices where waits_for_payment") == 0

    def test_of_a_chargeback_keep_from_leaving_what_has_not_left(self, shop: Shop) -> None:
        told(shop, captured=2000)
        for ref in ("cb_1", "cb_2"):  # once for both
            assert tell(shop, T.CHARGEBACK, ref, 500) == "external"
        assert shop.rows("select type, comment, placed_by from order_holds") == [
            ("payment_review", "a bank took back money of Y800000001", "payments"),
        ]
        assert shop.rows(
            "select actor_type, actor from order_events where type = 'hold.placed'"
        ) == [("system", "payments")]  # fmt: skip

    def test_of_a_chargeback_leave_an_order_that_is_over(self, shop: Shop) -> None:
        told(shop, captured=2000)
        shop.take(a_partial("W-1", a_change("cancel", 2)))
        assert shop.value("select order_state from orders") == "canceled"
        assert tell(shop, T.CHARGEBACK, "cb_1", 500) == "external"
        assert shop.value("select count(*) from order_holds") == 0

    def test_that_fail_unforeseen_do_not_keep_the_others(self, shop: Shop) -> None:
        for ref in ("W-1", "W-2"):
            tell(shop, T.REFUND, f"ref_{ref}", 100, on=f"pay_{ref}")
        shop.take(*(
            a_told(an_order(ref), captured=2000, psp="sandbox", psp_reference=f"pay_{ref}")
            for ref in ("W-1", "W-2")
        ))  # fmt: skip
        with spoiled(shop, "payment_transactions", "W-1"):
            assert look(shop) == 2
        assert shop.rows("select refunded_minor::int from payments order by order_id") == [
            (0,), (100,),
        ]  # fmt: skip
        assert (outcomes(shop), set_aside(shop)) == (["external", "parked"], [])
