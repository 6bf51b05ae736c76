"""Payments a service captures once: all of them at the first goods that leave, nothing unpaid."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from oms.fulfillment.model import FulfillmentLine
from oms.kernel import clock
from oms.payments import leases
from oms.payments.model import Payment, PaymentDue, PaymentState, Sums, TransactionType
from oms.payments.rules import Dues, wanted_minor
from oms.workflows import payments
from tests.builders import a_change, a_line, a_movement, a_partial, an_order
from tests.ledger.shop import Shop
from tests.ledger.test_payments import (
    CARD,
    a_told,
    balance,
    begin,
    follow_money,
    paid,
    ship,
    tell,
    work,
)
from tests.payers import Payer, paying

T = TransactionType


@pytest.fixture
def payer(tmp_path: Path) -> Iterator[Payer]:
    """Have a payment service that captures each payment once."""
    with paying(tmp_path) as payer:
        payer.behaves(captures_once=True)
        yield payer


@pytest.fixture
def order(shop: Shop) -> str:
    """Two pens at 10.00."""
    shop.take(a_movement(9), an_order(lines=[a_line(quantity=2)]))
    follow_money(shop)
    return shop.order().summary.order_number


def done(payer: Payer) -> list[tuple[str, int]]:
    return [(kind, amount) for kind, amount, state in payer.done() if state == "succeeded"][1:]


def hand_over(shop: Shop, units: int) -> None:
    """Ask whether units may leave as they are paid. Raises PaymentDue."""
    leaving = FulfillmentLine(
        line_no=1, sku="PEN", title="Pen", quantity=units, picked=units, done=0, removed=0
    )
    with shop.ledger.snapshot() as tx:
        payments.refuse_unpaid(tx, shop.order().summary.order_id, [leaving], at=clock.now())


class TestAllOfIt:
    def test_is_captured_when_the_first_part_leaves(
        self, shop: Shop, order: str, payer: Payer
    ) -> None:
        begin(shop, order)
        work(shop, payer)
        assert paid(shop).captures_once
        ship(shop, 1)
        work(shop, payer)
        assert (paid(shop).sums.captured, balance(shop)) == (2000, "paid")
        ship(shop, 1, "c-2")
        work(shop, payer)
        assert (done(payer), balance(shop)) == ([("capture", 2000)], "paid")
        assert shop.open_exceptions() == []

    def test_that_is_then_canceled_goes_back(self, shop: Shop, order: str, payer: Payer) -> None:
        begin(shop, order)
        ship(shop, 1)
        work(shop, payer)
        shop.take(a_partial("W-1", a_change("cancel", 1, ref="x-1")))
        work(shop, payer)
        assert done(payer) == [("capture", 2000), ("refund", 1000)]
        assert paid(shop).state is PaymentState.PARTIALLY_REFUNDED

    def test_was_canceled_before_is_let_go(self, shop: Shop, order: str, payer: Payer) -> None:
        begin(shop, order)
        work(shop, payer)
        shop.take(a_partial("W-1", a_change("cancel", 1, ref="x-1")))
        ship(shop, 1)
        work(shop, payer)
        sums = paid(shop).sums
        assert (sums.captured, sums.voided, sums.capturable) == (1000, 1000, 0)
        assert done(payer) == [("capture", 1000)]
        assert shop.open_exceptions() == []

    def test_of_a_payment_its_channel_told_by_what_is_known_of_its_service(
        self, shop: Shop, payer: Payer
    ) -> None:
        payer.behaves(captures_once=False)  # of the payment itself nothing is known
        shop.ledger.run(lambda tx: leases.know_services(tx, {"sandbox": True}))
        card = {"psp": "sandbox", "psp_reference": "pay_1", "managed_by": "oms"}
        told = a_told(an_order(lines=[a_line(quantity=2)]), captured=0, authorized_minor=2000,
                      **card)  # fmt: skip
        shop.take(a_movement(9), told)
        ship(shop, 1)
        follow_money(shop)
        (capture,) = [each for each in paid(shop).transactions if each.type is T.CAPTURE]
        assert capture.amount_minor == 2000
        shop.ledger.run(lambda tx: leases.know_services(tx, {"sandbox": False}))
        assert not paid(shop).captures_once

    def test_is_paid_once_another_tender_was_taken_off(
        self, shop: Shop, order: str, payer: Payer
    ) -> None:
        begin(shop, order, replace(CARD, amount_minor=1500))
        work(shop, payer)
        cash = replace(CARD, external_ref="till", psp=None, token=None, amount_minor=500)
        shop.ledger.run(lambda tx: payments.take_at_till(tx, order, cash, by="ann", at=clock.now()))
        ship(shop, 1)
        work(shop, payer)
        assert (done(payer), balance(shop)) == ([("capture", 1500)], "paid")


class TestWhatIsLeft:
    def told_late(self, shop: Shop, order: str, payer: Payer) -> Payment:
        """Believe that parts can be captured, until the first capture says otherwise."""
        payer.behaves(captures_once=False)
        begin(shop, order)
        work(shop, payer)
        payer.behaves(captures_once=True)
        ship(shop, 1)
        work(shop, payer)
        return paid(shop)

    def test_is_written_as_given_up(self, shop: Shop, order: str, payer: Payer) -> None:
        found = self.told_late(shop, order, payer)
        assert (found.sums.captured, found.sums.voided, found.sums.capturable) == (1000, 1000, 0)
        assert [(each.type, each.source) for each in found.transactions][2:] == [(T.VOID, "psp")]
        assert done(payer) == [("capture", 1000)]  # it was asked for no more
        assert shop.story()[-1] == "payment.voided"

    def test_is_missing_when_its_goods_are_handed_over(
        self, shop: Shop, order: str, payer: Payer
    ) -> None:
        self.told_late(shop, order, payer)
        assert shop.open_exceptions() == []
        with pytest.raises(PaymentDue) as refused:
            hand_over(shop, 1)
        assert refused.value.facts["due_minor"] == 1000

    def test_is_shown_where_they_left_until_it_is_paid(
        self, shop: Shop, order: str, payer: Payer
    ) -> None:
        self.told_late(shop, order, payer)
        ship(shop, 1, "c-2")
        work(shop, payer)
        assert shop.open_exceptions() == ["PAYMENT_MISSING"]
        (shown,) = (each for each in shop.order().exceptions if not each.resolved_at)
        assert shown.detail["amount_minor"] == 1000
        cash = replace(CARD, external_ref="till", psp=None, token=None, amount_minor=1000)
        shop.ledger.run(lambda tx: payments.take_at_till(tx, order, cash, by="ann", at=clock.now()))
        work(shop, payer)
        assert shop.open_exceptions() == []
        assert shop.story().count("payment.missing") == 1

    def test_is_not_there_while_it_is_being_captured(
        self, shop: Shop, order: str, payer: Payer
    ) -> None:
        begin(shop, order)
        work(shop, payer)
        payer.behaves(pending_ratio=1.0)
        number = paid(shop).payment_number
        shop.ledger.run(
            lambda tx: payments.act(
                tx, number, "capture", 500, currency="EUR", version=paid(shop).version, by="ann",
                at=clock.now(),
            )
        )  # fmt: skip
        work(shop, payer, rounds=1)
        sums = paid(shop).sums
        assert (sums.capturing, sums.voiding, sums.capturable) == (500, 1500, 0)
        with pytest.raises(PaymentDue):
            hand_over(shop, 2)
        capture = payer.record()[-1].document()
        tell(shop, payer, capture | {"state": "failed"})
        assert paid(shop).sums.capturable == 2000

    def test_goes_with_a_capture_somebody_made_at_the_service(
        self, shop: Shop, order: str, payer: Payer
    ) -> None:
        begin(shop, order)
        work(shop, payer)
        capture = payer.record()[0].document() | {
            "type": "capture", "id": "cap_1", "reference": "", "amount_minor": 700, "key": "e",
        }  # fmt: skip
        assert tell(shop, payer, capture) == "external"
        sums = paid(shop).sums
        assert (sums.captured, sums.voided, sums.capturable) == (700, 1300, 0)


@pytest.mark.parametrize(
    ("earned", "returned", "captured", "back", "wanted"),
    [
        (1000, 0, 0, 0, 1000), (1000, 0, 1000, 0, 0), (1000, 500, 1000, 500, 0),
        (1000, 0, 2000, 1000, 0),  # the other half was canceled and went back …
        (2000, 0, 2000, 1000, 1000),  # … and as much was ordered again, and left
        (2000, 500, 2000, 1500, 1000),
    ],
)  # fmt: skip
def test_what_went_back_of_what_was_paid_ahead_pays_for_nothing(
    earned: int, returned: int, captured: int, back: int, wanted: int
) -> None:
    due = Dues(payable_minor=earned, returned_minor=returned, open_minor=0)
    assert wanted_minor(due, Sums(captured=captured, refunded=back), back) == wanted
