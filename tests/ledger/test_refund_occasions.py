"""What is owed has an occasion, and each its policy: by itself, after leave, by a person only."""

from dataclasses import replace

import pytest

from oms.kernel import clock
from oms.refunds.model import Mode, Occasion, Policy, RefundKind, RefundState
from oms.refunds.rules import Rules, by_occasion, occasion_of, policy_of
from oms.workflows import payments
from tests.builders import a_change, a_line, a_movement, a_partial, an_order
from tests.ledger.shop import Shop
from tests.ledger.test_counters import buy, refunds, regret
from tests.ledger.test_payments import CARD, begin, follow_money, paid, payer, work
from tests.payers import Payer
from tests.policies import set_policy

__all__ = ["payer"]  # a fixture of theirs

OF, S = Occasion, RefundState


def told(shop: Shop) -> list[tuple[Occasion | None, RefundState, int]]:
    return [(each.occasion, each.state, each.amount_minor) for each in refunds(shop)]


class TestOccasion:
    @pytest.mark.parametrize(
        ("kind", "reason", "occasion"),
        [
            ("cancel", None, OF.CANCELLATION), ("cancel", "customer", OF.CANCELLATION),
            ("cancel", "out_of_stock", OF.SHORT_SHIPPED), ("cancel", "no_show", OF.NOT_COLLECTED),
            ("return", None, OF.RETURN_ACCEPTED), ("return", "too_small", OF.RETURN_ACCEPTED),
            ("return", "undeliverable", OF.DELIVERY_FAILED),
            ("return", "not_collected", OF.NOT_COLLECTED), ("edit", "asked", OF.PRICE_ADJUSTED),
        ],
    )  # fmt: skip
    def test_is_what_happened(self, kind: str, reason: str | None, occasion: Occasion) -> None:
        assert occasion_of(kind, reason) is occasion

    @pytest.mark.parametrize(
        ("amount", "cheaper", "paid", "found"),
        [
            (500, [], {}, [(OF.OVERPAYMENT, 500)]),
            (500, [(OF.CANCELLATION, 500)], {}, [(OF.CANCELLATION, 500)]),
            (500, [(OF.CANCELLATION, 300), (OF.RETURN_ACCEPTED, 900)], {},
             [(OF.CANCELLATION, 300), (OF.RETURN_ACCEPTED, 200)]),
            (500, [(OF.RETURN_ACCEPTED, 900)], {"return_accepted": 900}, [(OF.OVERPAYMENT, 500)]),
            (500, [(OF.RETURN_ACCEPTED, 400), (OF.PRICE_ADJUSTED, 400), (OF.RETURN_ACCEPTED, 300)],
             {"return_accepted": 400}, [(OF.RETURN_ACCEPTED, 300), (OF.PRICE_ADJUSTED, 200)]),
            (500, [(OF.PRICE_ADJUSTED, -100), (OF.PRICE_ADJUSTED, 700)], {},
             [(OF.PRICE_ADJUSTED, 500)]),
        ],
    )  # fmt: skip
    def test_is_the_last_that_is_not_paid_back(
        self, amount: int, cheaper: list[tuple[Occasion, int]], paid: dict[str, int],
        found: list[tuple[Occasion, int]],
    ) -> None:  # fmt: skip
        assert by_occasion(amount, cheaper, paid) == found

    def test_has_the_policy_that_is_nearest(self) -> None:
        near, far = Policy(mode=Mode.MANUAL, limit_minor=1), Policy(mode=Mode.AUTO, limit_minor=2)
        channel, every = Rules(policies={"owed": far}), Rules(policies={"cancellation": near})
        of = policy_of([channel, every], RefundKind.OWED, OF.CANCELLATION)
        assert of is far
        channel = replace(channel, policies={"owed": far, "cancellation": near})
        assert policy_of([channel, every], RefundKind.OWED, OF.CANCELLATION) is near


class TestByItself:
    def test_each_goes_by_its_own_policy(self, shop: Shop, payer: Payer) -> None:
        number = buy(shop, payer, total=2000)
        order_id = shop.order().summary.order_id
        manual = Policy(mode=Mode.MANUAL, limit_minor=None)
        shop.ledger.run(lambda tx: set_policy(tx, None, OF.DELIVERY_FAILED, manual))
        back = a_change("return", 1, ref="u-1", reason="undeliverable")
        shop.take(a_partial("W-1", back))
        work(shop, payer)
        assert told(shop) == []
        regret(shop)
        work(shop, payer)
        assert told(shop) == [(OF.RETURN_ACCEPTED, S.SUCCEEDED, 1000)]
        never = Policy(mode=Mode.APPROVE, limit_minor=None)
        shop.ledger.run(lambda tx: set_policy(tx, None, OF.DELIVERY_FAILED, never))
        shop.ledger.run(lambda tx: payments.settle(tx, order_id, at=clock.now()))
        work(shop, payer)
        assert told(shop)[1:] == [(OF.DELIVERY_FAILED, S.AWAITING_APPROVAL, 1000)]
        assert number == refunds(shop)[1].order_number

    def test_what_is_canceled_after_it_was_paid_is_a_cancellation(
        self, shop: Shop, payer: Payer
    ) -> None:
        shop.take(a_movement(9), an_order(
            lines=[a_line(quantity=2)], shipping_net_minor=409, shipping_tax_minor=86))  # fmt: skip
        follow_money(shop)
        begin(shop, shop.order().summary.order_number, replace(CARD, amount_minor=2495))
        work(shop, payer)
        held = paid(shop)
        shop.ledger.run(lambda tx: payments.act(
            tx, held.payment_number, "capture", None, currency=None, version=held.version,
            by="ann", at=clock.now()))  # fmt: skip
        work(shop, payer)
        shop.take(a_partial("W-1", a_change("cancel", 2, ref="x-1", reason="customer")))
        work(shop, payer)
        assert told(shop) == [(OF.CANCELLATION, S.SUCCEEDED, 2495)]
