"""Store credit: given for what came back, spent once, given back to where it came from."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from oms.billing.model import DocumentType
from oms.credits import operations as store_credit
from oms.credits import queries
from oms.credits.model import (
    Account,
    CreditExceeded,
    CreditExpired,
    CreditNotFound,
    EntryKind,
    NotLowered,
)
from oms.kernel import clock
from oms.kernel.errors import VersionConflict
from oms.payments.model import (
    CurrencyDiffers,
    Payment,
    PaymentDraft,
    PaymentExceeded,
    Tender,
    TransactionState,
    TransactionType,
)
from oms.payments.port import Answer, Notice
from oms.refunds import queries as refund_queries
from oms.refunds.model import (
    Mode,
    PaidAs,
    Refund,
    RefundAction,
    RefundDraft,
    RefundExceeded,
    RefundKind,
    RefundState,
)
from oms.returns.model import Asked, Resolution, Return, ReturnReason, ReturnState
from oms.returns.rules import ResolutionNotOffered
from oms.workflows import notices, payments, refunds, returns
from oms.workflows.returns import Request
from tests.builders import NOW, a_change, a_line, a_movement, a_partial, an_order
from tests.ledger.issuing import bill, register
from tests.ledger.issuing import documents as issued
from tests.ledger.shop import Shop
from tests.ledger.test_payments import CARD, begin, work
from tests.ledger.test_return_to_refund import bought, of
from tests.ledger.test_returns import a_notice, telling
from tests.ledger.threads import together
from tests.payers import Payer, paying
from tests.policies import let_go, reject

K = EntryKind


@pytest.fixture
def payer(tmp_path: Path) -> Iterator[Payer]:
    with paying(tmp_path) as payer:
        yield payer


def ask(shop: Shop, number: str, *quantities: int, **said: Resolution) -> Return:
    of_it = said.get("resolution", Resolution.STORE_CREDIT)
    lines = tuple(
        Asked(line_no=no, quantity=quantity, reason=ReturnReason.TOO_SMALL, resolution=of_it)
        for no, quantity in enumerate(quantities or (1,), start=1)
    )
    asked = Request(lines=lines)
    return shop.ledger.run(lambda tx: returns.request(tx, number, asked, by="ada", at=NOW))


def give(shop: Shop, number: str, amount_minor: int | None, **said: object) -> Refund:
    """Give some of an order back in store credit, by hand."""
    kind = said.get("kind", RefundKind.OWED)
    assert isinstance(kind, RefundKind)
    return shop.ledger.run(
        lambda tx: refunds.compose_by_hand(
            tx, number,
            RefundDraft(kind=kind, amount_minor=amount_minor, paid_as=PaidAs.STORE_CREDIT),
            reason="asked", by="ann", at=clock.now(), already_refunded_minor=None,
        )
    )  # fmt: skip


def credited(shop: Shop, payer: Payer) -> Account:
    """Have one of two pens given back for store credit: 10.00 of 24.95."""
    made = ask(shop, bought(shop, payer))
    telling(shop, a_notice(made.return_number))()
    work(shop, payer)
    return the_account(shop)


def the_account(shop: Shop) -> Account:
    with shop.ledger.snapshot() as tx:
        found, _ = queries.page(
            tx, order_number=None, customer_ids=None, channel_codes=None, after=None, limit=9
        )
    return found[0]


def entries(shop: Shop) -> list[tuple[EntryKind, int, int]]:
    with shop.ledger.snapshot() as tx:
        found, _ = queries.entries(tx, the_account(shop).account_id, limit=99)
    return [(each.kind, each.amount_minor, each.balance_minor) for each in found]


def refund_of(shop: Shop) -> Refund:
    with shop.ledger.snapshot() as tx:
        (found, *_), _ = refund_queries.page(tx, refund_queries.Sought(), after=0, limit=10)
    return found


def an_other(shop: Shop, ref: str = "W-2", units: int = 1) -> str:
    shop.take(an_order(ref, lines=[a_line(quantity=units)]))
    return shop.order(ref).summary.order_number


def redeem(
    shop: Shop, number: str, code: str, amount_minor: int = 1000, ref: str = "c-1",
    currency: str = "EUR",
) -> Payment:  # fmt: skip
    draft = PaymentDraft(
        tender=Tender.STORE_CREDIT, amount_minor=amount_minor, currency=currency, external_ref=ref
    )
    return shop.ledger.run(
        lambda tx: payments.redeem(tx, number, draft, code, by="ann", at=clock.now())
    )


class TestReturned:
    def test_goods_are_paid_in_store_credit_and_no_service_is_asked(
        self, shop: Shop, payer: Payer
    ) -> None:
        account = credited(shop, payer)
        assert (account.balance_minor, entries(shop)) == (1000, [(K.ISSUED, 1000, 1000)])
        refund = refund_of(shop)
        assert (refund.state, refund.paid_as, refund.credit_number) == (
            RefundState.SUCCEEDED, PaidAs.STORE_CREDIT, account.account_number,
        )  # fmt: skip
        assert [each[0] for each in payer.done()] == ["authorize", "capture"]
        assert of(shop).state is ReturnState.COMPLETED
        state = shop.rows("select payment_state, refunded_minor from order_balances")
        assert [tuple(row) for row in state] == [("partially_refunded", 1000)]

    def test_some_in_store_credit_and_the_rest_as_it_was_paid(
        self, shop: Shop, payer: Payer
    ) -> None:
        number = bought(shop, payer)
        made = [ask(shop, number), ask(shop, number, resolution=Resolution.REFUND)]
        for each in made:
            telling(shop, a_notice(each.return_number, ref=each.return_number))()
        work(shop, payer)
        with shop.ledger.snapshot() as tx:
            found, _ = refund_queries.page(tx, refund_queries.Sought(), after=0, limit=10)
        # All of it came back, and with the last of it the shipping, in money.
        assert [(each.paid_as.value, each.amount_minor) for each in found] == [
            ("store_credit", 1000), ("money", 1495),
        ]  # fmt: skip
        assert [each for each in payer.done() if each[0] == "refund"] == [
            ("refund", 1495, "succeeded")
        ]

    def test_somebody_decided_against_is_not_given_for_what_comes_back_for_money(
        self, shop: Shop, payer: Payer
    ) -> None:
        number = bought(shop, payer)
        for mode, is_rejected in ((Mode.APPROVE, True), (Mode.AUTO, False)):
            let_go(shop, RefundKind.OWED, mode)
            wanted = Resolution.STORE_CREDIT if is_rejected else Resolution.REFUND
            made = ask(shop, number, resolution=wanted)
            telling(shop, a_notice(made.return_number, ref=made.return_number))()
            work(shop, payer)
            if is_rejected:
                reject(shop)
        assert shop.rows("select paid_as, state from refunds order by refund_id") == [
            ("store_credit", "rejected"), ("money", "succeeded"),
        ]  # fmt: skip

    def test_is_said_by_a_credit_note(self, shop: Shop, payer: Payer) -> None:
        register(shop)
        made = ask(shop, bought(shop, payer))
        bill(shop)
        telling(shop, a_notice(made.return_number))()
        work(shop, payer)
        bill(shop)
        found = [(each.paper.type, each.paper.total_minor) for each in issued(shop)]
        assert found == [(DocumentType.INVOICE, 2495), (DocumentType.CREDIT_NOTE, 1000)]

    def test_is_not_offered_where_the_channel_has_the_money(self, shop: Shop) -> None:
        number = an_other(shop)
        with pytest.raises(ResolutionNotOffered):
            ask(shop, number)


class TestByHand:
    def test_goodwill_waits_for_somebody_else_and_counts_in_the_caps(
        self, shop: Shop, payer: Payer
    ) -> None:
        number = bought(shop, payer)
        asked = give(shop, number, 300, kind=RefundKind.GOODWILL)
        assert asked.state is RefundState.AWAITING_APPROVAL
        assert shop.value("select count(*) from credit_accounts") == 0
        done = shop.ledger.run(
            lambda tx: refunds.act(
                tx, asked.refund_number, RefundAction.APPROVE, version=asked.version, by="bob",
                at=clock.now(),
            )
        )  # fmt: skip
        assert (done.state, entries(shop)) == (RefundState.SUCCEEDED, [(K.ISSUED, 300, 300)])
        with pytest.raises(RefundExceeded) as refused:
            give(shop, number, 2196, kind=RefundKind.GOODWILL)
        assert refused.value.facts["max_minor"] == 2195
        work(shop, payer)
        assert [each[0] for each in payer.done()] == ["authorize", "capture"]

    def test_one_order_has_one_code(self, shop: Shop, payer: Payer) -> None:
        account = credited(shop, payer)
        made = ask(shop, shop.order().summary.order_number)
        telling(shop, a_notice(made.return_number, ref="w-2"))()
        work(shop, payer)
        assert the_account(shop).account_id == account.account_id
        assert entries(shop) == [(K.ISSUED, 1000, 1000), (K.ISSUED, 1495, 2495)]


class TestSpent:
    def test_pays_an_order_at_once_and_once(self, shop: Shop, payer: Payer) -> None:
        account = credited(shop, payer)
        number = an_other(shop)
        first = redeem(shop, number, account.shown_code.lower(), 400)
        assert redeem(shop, number, account.code, 400) == first
        assert (first.sums.captured, first.is_ours_to_move) == (400, True)
        assert entries(shop)[1:] == [(K.REDEEMED, -400, 600)]

    def test_comes_back_when_the_order_is_canceled(self, shop: Shop, payer: Payer) -> None:
        account = credited(shop, payer)
        redeem(shop, an_other(shop), account.code)
        shop.take(an_order("W-2", version=2, canceled_at=NOW, lines=[a_line()]))
        work(shop, payer)
        assert entries(shop)[1:] == [(K.REDEEMED, -1000, 0), (K.RESTORED, 1000, 1000)]
        assert [each[0] for each in payer.done()] == ["authorize", "capture"]

    def test_is_refused_beyond_what_there_is(self, shop: Shop, payer: Payer) -> None:
        account = credited(shop, payer)
        number = an_other(shop, units=3)
        with pytest.raises(CreditExceeded) as refused:
            redeem(shop, number, account.code, 1001)
        assert refused.value.facts["max_minor"] == 1000
        with pytest.raises(CurrencyDiffers):
            redeem(shop, number, account.code, currency="JPY")
        with pytest.raises(CreditNotFound):
            redeem(shop, number, "ABCD-EFGH-JKMN-PQRS")
        assert entries(shop) == [(K.ISSUED, 1000, 1000)]

    def test_is_refused_beyond_what_the_order_comes_to(self, shop: Shop, payer: Payer) -> None:
        account = credited(shop, payer)
        number = an_other(shop)
        redeem(shop, number, account.code, 600)
        with pytest.raises(PaymentExceeded) as refused:
            redeem(shop, number, account.code, 401, ref="c-2")
        assert refused.value.facts["max_minor"] == 400

    def test_pays_what_a_bank_took_back(self, shop: Shop, payer: Payer) -> None:
        account = credited(shop, payer)
        number = an_other(shop)
        begin(shop, number, replace(CARD, amount_minor=1000))
        shop.take(a_partial("W-2", a_change("ship", ref="s-2")))
        work(shop, payer)
        card = payer.done()[-1]
        assert card == ("capture", 1000, "succeeded")
        with pytest.raises(PaymentExceeded):
            redeem(shop, number, account.code, 1000)
        told = Notice(
            ref="cb", type=TransactionType.CHARGEBACK, amount_minor=1000, currency="EUR",
            reference=None, parent_reference=payer.record()[-1].payment_id,
            answer=Answer(state=TransactionState.SUCCEEDED, psp_reference="cb-1"),
        )  # fmt: skip
        shop.ledger.run(lambda tx: notices.take_notice(tx, "sandbox", told, at=clock.now()))
        redeem(shop, number, account.code, 1000)
        assert entries(shop)[1:] == [(K.REDEEMED, -1000, 0)]

    def test_by_many_at_once_is_spent_as_often_as_it_fits(self, shop: Shop, payer: Payer) -> None:
        account = credited(shop, payer)
        numbers = [an_other(shop, f"W-{n}0") for n in range(1, 13)]
        found = together([partial(redeem, shop, to, account.code, 300) for to in numbers])
        assert sum(isinstance(each, Payment) for each in found) == 3
        assert {type(each) for each in found if isinstance(each, Exception)} == {CreditExceeded}
        assert the_account(shop).balance_minor == 100


class TestOver:
    def test_is_no_longer_spent_and_taken_off(self, shop: Shop, payer: Payer) -> None:
        made = ask(shop, bought(shop, payer, credit_days=10))
        telling(shop, a_notice(made.return_number))()
        work(shop, payer)
        account = the_account(shop)
        assert account.expires_at is not None
        late = account.expires_at + timedelta(seconds=1)
        with pytest.raises(CreditExpired):
            account.refuse(1, account.order_id, at=late)
        assert shop.ledger.run(lambda tx: store_credit.expire_due(tx, at=NOW)) is False
        assert shop.ledger.run(lambda tx: store_credit.expire_due(tx, at=late)) is True
        assert shop.ledger.run(lambda tx: store_credit.expire_due(tx, at=late)) is False
        assert entries(shop)[1:] == [(K.EXPIRED, -1000, 0)]

    def test_is_nothing_that_is_good_for_ever(self, shop: Shop, payer: Payer) -> None:
        """What comes back to it later does not make it end."""
        account = credited(shop, payer)
        shop.take(a_movement(9, ref="m-2"))
        redeem(shop, an_other(shop), account.code, 400)
        shop.take(a_partial("W-2", a_change("cancel", 1, ref="c-1")))
        work(shop, payer)
        now = the_account(shop)
        assert (now.balance_minor, now.expires_at) == (1000, None)
        late = clock.now() + timedelta(days=99)
        assert shop.ledger.run(lambda tx: store_credit.expire_due(tx, at=late)) is False


class TestCorrected:
    def test_is_less_for_a_reason_and_never_more(self, shop: Shop, payer: Payer) -> None:
        account = credited(shop, payer)

        def lower(to_minor: int, version: int) -> Account:
            return shop.ledger.run(
                lambda tx: store_credit.lower(
                    tx, account.account_number, to_minor, reason="twice", version=version,
                    by="fin", at=NOW,
                )
            )  # fmt: skip

        assert lower(250, account.version).balance_minor == 250
        with pytest.raises(VersionConflict):
            lower(0, account.version)
        for more in (250, 251):
            with pytest.raises(NotLowered):
                lower(more, account.version + 1)
        assert entries(shop)[1:] == [(K.CORRECTED, -750, 250)]


def test_what_is_given_and_spent_is_what_payments_say(shop: Shop, payer: Payer) -> None:
    """Whoever adds up operations in store credit comes to the entries of its accounts."""
    account = credited(shop, payer)
    shop.take(a_movement(9, ref="m-2"))
    redeem(shop, an_other(shop), account.code, 700)
    rows = shop.rows(
        "select type, sum(amount_minor)::int from payment_transactions"
        " where psp = 'store_credit' group by type order by type"
    )
    assert [tuple(row) for row in rows] == [
        (TransactionType.CAPTURE, 700), (TransactionType.REFUND, 1000),
    ]  # fmt: skip
