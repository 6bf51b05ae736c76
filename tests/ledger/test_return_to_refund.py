"""From what a warehouse received to the money: matched, decided, put away, refunded, complete."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from oms.access.model import SCOPES
from oms.attention import queries as attention
from oms.channels import operations as channels
from oms.fulfillment.model import ReasonNeeded
from oms.kernel import clock
from oms.ledger.database import Tx
from oms.payments.model import TransactionState, TransactionType
from oms.payments.port import Answer, Notice
from oms.refunds import queries as refund_queries
from oms.refunds.model import Mode, Policy, RefundDraft, RefundKind, RefundState
from oms.returns import queries as return_queries
from oms.returns.model import Return, ReturnAction, ReturnState
from oms.returns.rules import PaidHere
from oms.workflows import notices, returns
from oms.workflows import refunds as workflow
from oms.workflows.returned import Doing
from tests.builders import NOW, a_change, a_line, a_movement, a_partial, an_order
from tests.ledger.shop import CHANNELS, Shelf, Shop
from tests.ledger.test_payments import CARD, a_told, balance, begin, follow_money, paid, work
from tests.ledger.test_returns import a_notice, asking, telling
from tests.payers import Payer, paying
from tests.policies import let_go, reject, set_policy

RULES = {"approval": "auto", "inspection": [{"then": "accept", "conditions": ["A"]}]}


@pytest.fixture
def payer(tmp_path: Path) -> Iterator[Payer]:
    with paying(tmp_path) as payer:
        yield payer


def bought(shop: Shop, payer: Payer, **policy: object) -> str:
    """Sell two pens for 20.00 and 4.95 of shipping, paid by card and delivered."""
    with shop.ledger.transaction() as tx:
        channels.register(tx, replace(CHANNELS[0], return_policy=RULES | policy), at=NOW)
    shop.take(
        a_movement(9),
        an_order(lines=[a_line(quantity=2)], shipping_net_minor=409, shipping_tax_minor=86),
    )
    follow_money(shop)
    number = shop.order().summary.order_number
    begin(shop, number, replace(CARD, amount_minor=2495))
    shop.take(a_partial("W-1", a_change("ship", 2, ref="s-1")))
    work(shop, payer)
    assert (balance(shop), paid(shop).sums.captured) == ("paid", 2495)
    return number


def of(shop: Shop) -> Return:
    with shop.ledger.snapshot() as tx:
        (found,) = return_queries.of_order(tx, shop.order().summary.order_id)
    return found


def refunds(shop: Shop) -> list[tuple[RefundState, int]]:
    with shop.ledger.snapshot() as tx:
        found, _ = refund_queries.page(tx, refund_queries.Sought(), after=0, limit=10)
    return [(each.state, each.amount_minor) for each in found]


def completes(shop: Shop) -> bool:
    return shop.ledger.run(lambda tx: returns.complete_told(tx, at=NOW))


class TestPaidByItsChannel:
    def test_is_complete_when_the_channel_has_told_of_all_of_it(self, shop: Shop) -> None:
        with shop.ledger.transaction() as tx:
            channels.register(tx, replace(CHANNELS[0], return_policy=RULES), at=NOW)
        shop.take(a_movement(9), an_order(lines=[a_line(quantity=3)]))
        shop.take(a_partial("W-1", a_change("ship", 3, ref="s-1")))
        number = shop.order().summary.order_number
        made = asking(shop, number, 2)()
        telling(shop, a_notice(made.return_number, 2))()
        assert of(shop).state is ReturnState.RESOLVED
        for ref, is_all in (("c-1", False), ("c-2", True)):
            shop.take(a_partial("W-1", a_change("return", 1, ref=ref)))
            assert completes(shop) is is_all
        assert (of(shop).state, completes(shop)) == (ReturnState.COMPLETED, False)
        accepted = next(e for e in shop.order().events if e.type == "return.accepted")
        assert accepted.data["paid_by"] == "channel"

    def test_is_complete_when_the_channel_has_told_of_its_refund(
        self, shop: Shop, payer: Payer
    ) -> None:
        with shop.ledger.transaction() as tx:
            channels.register(tx, replace(CHANNELS[0], return_policy=RULES), at=NOW)
        sold = an_order(lines=[a_line(quantity=2)], changes=[a_change("ship", 2, ref="s-1")])
        shop.take(a_movement(9), a_told(sold, captured=2000))
        made = asking(shop, shop.order().summary.order_number)()
        telling(shop, a_notice(made.return_number))()
        work(shop, payer)
        assert (of(shop).state, completes(shop)) == (ReturnState.RESOLVED, False)
        shop.take(a_told(sold.but(version=2), captured=2000, refunded=1000))
        work(shop, payer)
        assert of(shop).state is ReturnState.COMPLETED

    def test_is_nobodys_word_where_the_money_is_ours(self, shop: Shop, payer: Payer) -> None:
        made = asking(shop, bought(shop, payer))()
        telling(shop, a_notice(made.return_number))()
        now = of(shop)
        assert (now.state, now.is_paid_here, now.allowed()) == (ReturnState.RESOLVED, True, [])
        doing = Doing(by="ann", at=NOW, reason="paid")
        with pytest.raises(PaidHere):
            shop.ledger.run(
                lambda tx: returns.act(
                    tx, made.return_number, ReturnAction.COMPLETE, doing, version=now.version
                )
            )
        assert completes(shop) is False


class TestWarehouse:
    def test_a_receipt_becomes_a_refund_by_itself(self, shop: Shop, payer: Payer) -> None:
        number = bought(shop, payer)
        made = asking(shop, number)()
        telling(shop, a_notice(made.return_number))()
        assert (of(shop).state, shop.shelf("DC")) == (ReturnState.RESOLVED, Shelf(8, 0))
        work(shop, payer)
        assert refunds(shop) == [(RefundState.SUCCEEDED, 1000)]
        assert (of(shop).state, balance(shop)) == (ReturnState.COMPLETED, "partially_refunded")
        telling(shop, a_notice(made.return_number))()
        work(shop, payer)
        assert [each for each in payer.done() if each[0] == "refund"] == [
            ("refund", 1000, "succeeded")
        ]

    def test_all_of_it_gives_shipping_back(self, shop: Shop, payer: Payer) -> None:
        number = bought(shop, payer)
        made = asking(shop, number, 2)()
        telling(shop, a_notice(made.return_number, 2))()
        work(shop, payer)
        assert (refunds(shop), balance(shop)) == ([(RefundState.SUCCEEDED, 2495)], "refunded")

    def test_all_of_it_gives_the_common_delivery_back_where_that_is_the_policy(
        self, shop: Shop, payer: Payer
    ) -> None:
        rules = {"refunds_shipping": "standard", "standard_shipping_minor": {"EUR": 295}}
        number = bought(shop, payer, **rules)
        made = asking(shop, number, 2)()
        telling(shop, a_notice(made.return_number, 2))()
        work(shop, payer)
        assert refunds(shop) == [(RefundState.SUCCEEDED, 2295)]
        assert (of(shop).state, balance(shop)) == (ReturnState.COMPLETED, "partially_refunded")

    def test_a_fee_is_kept(self, shop: Shop, payer: Payer) -> None:
        number = bought(shop, payer, fee_minor={"EUR": 250})
        made = asking(shop, number)()
        telling(shop, a_notice(made.return_number))()
        work(shop, payer)
        assert refunds(shop) == [(RefundState.SUCCEEDED, 750)]
        assert (of(shop).state, balance(shop)) == (ReturnState.COMPLETED, "partially_refunded")

    def test_goodwill_completes_nothing_that_is_still_owed(self, shop: Shop, payer: Payer) -> None:
        number = bought(shop, payer)
        never = Policy(mode=Mode.APPROVE, limit_minor=None)
        free = Policy(mode=Mode.AUTO, limit_minor=None)

        def policies(tx: Tx) -> None:
            set_policy(tx, None, RefundKind.OWED, never)
            set_policy(tx, None, RefundKind.GOODWILL, free)

        shop.ledger.run(policies)
        made = asking(shop, number)()
        telling(shop, a_notice(made.return_number))()
        work(shop, payer)
        shop.ledger.run(
            lambda tx: workflow.compose_by_hand(
                tx,
                number,
                RefundDraft(kind=RefundKind.GOODWILL, amount_minor=100),
                reason="late",
                by="ann",
                at=clock.now(),
                already_refunded_minor=None,
            )
        )
        work(shop, payer)
        assert of(shop).state is ReturnState.RESOLVED
        states = {RefundState.AWAITING_APPROVAL, RefundState.SUCCEEDED}
        assert {state for state, _ in refunds(shop)} == states

    def test_that_is_refused_by_the_bank_stays_open(self, shop: Shop, payer: Payer) -> None:
        number = bought(shop, payer)
        made = asking(shop, number)()
        telling(shop, a_notice(made.return_number))()
        payer.behaves(decline_ratio=1.0)
        work(shop, payer)
        assert [state for state, _ in refunds(shop)] == [RefundState.FAILED]
        assert of(shop).state is ReturnState.RESOLVED

    def test_that_was_charged_back_is_over(self, shop: Shop, payer: Payer) -> None:
        """Its customer has all of the money, and what waits for leave is not paid as well."""
        number = bought(shop, payer)
        let_go(shop, RefundKind.OWED, Mode.APPROVE)
        made = asking(shop, number)()
        telling(shop, a_notice(made.return_number))()
        work(shop, payer)
        assert of(shop).state is ReturnState.RESOLVED
        told = Notice(
            ref="dp_1", type=TransactionType.CHARGEBACK, amount_minor=2495, currency="EUR",
            reference=None, parent_reference=paid(shop).psp_reference,
            answer=Answer(state=TransactionState.SUCCEEDED, psp_reference="dp_1"),
        )  # fmt: skip
        shop.ledger.run(lambda tx: notices.take_notice(tx, "sandbox", told, at=clock.now()))
        work(shop, payer)
        assert of(shop).state is ReturnState.COMPLETED

    def test_whose_refund_was_rejected_is_ended_by_a_person(self, shop: Shop, payer: Payer) -> None:
        """How its customer was paid, or why not, is theirs to say: nothing comes by itself."""
        number = bought(shop, payer)
        let_go(shop, RefundKind.OWED, Mode.APPROVE)
        made = asking(shop, number)()
        telling(shop, a_notice(made.return_number))()
        work(shop, payer)

        def complete(reason: str) -> Return:
            doing = Doing(by="ann", at=NOW, reason=reason)
            return shop.ledger.run(
                lambda tx: returns.act(
                    tx, made.return_number, ReturnAction.COMPLETE, doing, version=of(shop).version
                )
            )

        with pytest.raises(PaidHere):
            complete("paid by bank")
        reject(shop)
        assert of(shop).allowed() == [ReturnAction.COMPLETE]
        with pytest.raises(ReasonNeeded):
            complete(" ")
        assert complete("paid by bank").state is ReturnState.COMPLETED
        late = clock.now() + timedelta(days=9)
        with shop.ledger.snapshot() as tx:
            found = attention.matters(tx, scopes=SCOPES, channel_codes=None, at=late)
        assert [each.code for each in found] == []
