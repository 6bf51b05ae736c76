"""Money over the counter: what a till gives back is given once, in the coins there are."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from oms.billing.model import DocumentType
from oms.kernel import clock
from oms.kernel.errors import OmsError
from oms.ledger.database import Tx
from oms.payments import queries as payment_queries
from oms.payments.model import CurrencyDiffers, NotManaged, Payment, Tender
from oms.payments.rules import coins_rounding_minor
from oms.refunds import queries
from oms.refunds.model import (
    BackIn,
    CashLimited,
    LeaveNeeded,
    Mode,
    PaidAs,
    Policy,
    ReasonMissing,
    Refund,
    RefundDraft,
    RefundExceeded,
    RefundKind,
    RefundState,
    Visit,
    VisitState,
)
from oms.refunds.rules import Rules
from oms.returns.model import Condition, Resolution, ReturnReason
from oms.workflows import counters, return_receipts
from oms.workflows.counters import Asking, OrderNamedTwice, Wanted
from oms.workflows.return_receipts import Basket, Handed
from tests.builders import a_change, a_line, a_movement, a_partial, a_receipt, an_order
from tests.ledger.issuing import bill, documents, register
from tests.ledger.shop import Shop
from tests.ledger.test_payments import CARD, a_told, begin, follow_money, payer, work
from tests.payers import Payer
from tests.policies import let_go, reject, set_policy, set_rules

__all__ = ["payer"]  # a fixture of theirs

CASH = Rules(cash_limits={"EUR": 5_000})


def buy(shop: Shop, payer: Payer, ref: str = "W-1", *, total: int = 2004, **columns: object) -> str:
    """Sell two pens by card, shipped and paid; return the order's number."""
    sold = an_order(ref, lines=[a_line(quantity=2, total=total)], **columns)
    shop.take(a_movement(9, ref=f"m-{ref}"), sold)
    follow_money(shop)
    number = shop.order(ref).summary.order_number
    begin(shop, number, replace(CARD, amount_minor=total))
    shop.take(a_partial(ref, a_change("ship", 2, ref=f"s-{ref}")))
    work(shop, payer)
    return number


def regret(shop: Shop, ref: str = "W-1", units: int = 1) -> None:
    """Have units come back, before money has followed."""
    shop.take(a_partial(ref, a_change("return", units, ref=f"r-{ref}-{units}")))


def back(
    shop: Shop, *numbers: str, back_in: BackIn = BackIn.CASH, at: str = "AMS", **said: Any
) -> Visit:
    why, role = said.pop("override_reason", None), said.pop("role", None)
    reason = said.pop("reason", "")
    draft = RefundDraft(**{"kind": RefundKind.OWED, **said})
    wanted = [Wanted(order_number=number, draft=draft, reason=reason) for number in numbers]
    asking = Asking(location_code=at, back_in=back_in, by="till 1", role=role, override_reason=why)
    return shop.ledger.run(lambda tx: counters.give_back(tx, asking, wanted, at=clock.now()))


def allow_cash(shop: Shop, rules: Rules = CASH) -> None:
    shop.ledger.run(lambda tx: set_rules(tx, None, rules))


def payment(shop: Shop, ref: str = "W-1") -> Payment:
    with shop.ledger.snapshot() as tx:
        (found,) = payment_queries.of_order(tx, shop.order(ref).summary.order_id)
    return found


def refunds(shop: Shop) -> list[Refund]:
    with shop.ledger.snapshot() as tx:
        return queries.page(tx, queries.Sought(), after=0, limit=100)[0]


def kinds(payer: Payer) -> list[str]:
    return [each[0] for each in payer.done()]


class TestCash:
    def test_for_what_was_paid_by_card_is_given_once(self, shop: Shop, payer: Payer) -> None:
        number = buy(shop, payer, total=2000)
        allow_cash(shop)
        regret(shop)
        visit = back(shop, number)
        assert (visit.state, visit.cash_minor, visit.rounding_minor) == (VisitState.DONE, 1000, 0)
        (refund,) = visit.refunds
        assert (refund.state, refund.amount_minor) == (RefundState.SUCCEEDED, 1000)
        work(shop, payer)
        assert (kinds(payer), len(refunds(shop))) == (["authorize", "capture"], 1)
        paid = payment(shop)
        assert (paid.sums.refunded, paid.sums.refundable) == (1000, 1000)
        assert paid.back_minor == 1000  # it pays for nothing that is ordered later
        given = paid.transactions[-1]
        assert (given.source, given.tender, given.location_code) == ("till", Tender.CASH, "AMS")
        balances = shop.rows("select payment_state, refunded_minor from order_balances")
        assert balances == [("partially_refunded", 1000)]
        assert shop.value("select psp from payment_transactions where source = 'till'") is None

    def test_is_not_given_without_a_limit_of_the_channel(self, shop: Shop, payer: Payer) -> None:
        number = buy(shop, payer)
        regret(shop)
        with pytest.raises(CashLimited) as refused:
            back(shop, number)
        assert refused.value.facts == {"max_minor": 0, "currency": "EUR"}
        assert (refunds(shop), shop.value("select count(*) from till_visits")) == ([], 0)

    def test_is_given_up_to_a_limit_for_each_order_in_all(self, shop: Shop, payer: Payer) -> None:
        number = buy(shop, payer)
        allow_cash(shop, Rules(cash_limits={"EUR": 1_500}))
        regret(shop)
        back(shop, number)
        regret(shop, units=2)
        shop.take(a_partial("W-1", a_change("return", 1, ref="again")))
        with pytest.raises(CashLimited) as refused:
            back(shop, number, amount_minor=600)
        assert refused.value.facts["max_minor"] == 498
        assert back(shop, number, amount_minor=498).cash_minor == 500
        assert back(shop, number, override_reason="a good customer").state is VisitState.DONE
        assert payment(shop).sums.refundable == 0

    def test_is_given_of_what_was_paid_in_cash_without_a_limit(self, shop: Shop) -> None:
        sold = a_receipt(lines=[a_line(quantity=2, total=2004)])
        shop.take(a_told(sold, captured=2004, tender="cash", amount_minor=2004), channel="till")
        regret_at(shop, "T-1")
        number = shop.order("T-1").summary.order_number
        visit = back(shop, number, back_in=BackIn.ORIGINAL)
        assert (visit.state, visit.cash_minor) == (VisitState.DONE, 1000)
        # The till's system tells of the same total later: it is known.
        told = a_told(sold.but(version=2), captured=2004, refunded=1002, tender="cash",
                      amount_minor=2004)  # fmt: skip
        shop.take(told, channel="till")
        assert payment(shop, "T-1").sums.refunded == 1002
        with pytest.raises(RefundExceeded):
            back(shop, number, amount_minor=1, back_in=BackIn.ORIGINAL)

    def test_is_not_given_for_what_its_channel_pays_back(self, shop: Shop) -> None:
        sold = an_order(lines=[a_line(quantity=2)], changes=[a_change("ship", 2, ref="s-1")])
        shop.take(a_movement(9), a_told(sold, captured=2000))
        allow_cash(shop)
        regret(shop)
        with pytest.raises(NotManaged):
            back(shop, shop.order().summary.order_number)

    def test_of_two_tills_at_once_one_gives(self, shop: Shop, payer: Payer) -> None:
        number = buy(shop, payer)
        allow_cash(shop)
        regret(shop)

        def give(_: int) -> str:
            try:
                return back(shop, number).state
            except OmsError as error:
                return error.code

        with ThreadPoolExecutor(4) as threads:
            ends = sorted(threads.map(give, range(4)))
        assert ends == ["REFUND_EXCEEDED"] * 3 + ["done"]
        assert payment(shop).sums.refunded == 1002


def bring(shop: Shop, number: str, resolution: Resolution) -> Visit:
    """Bring one pen to a counter, where the till gives back in cash what is owed for it."""
    handed = Handed(
        line_no=1, quantity=1, reason=ReturnReason.TOO_SMALL, condition=Condition.NEW,
        resolution=resolution, disposition=None,
    )  # fmt: skip
    asking = Asking(location_code="AMS", back_in=BackIn.CASH, by="till 1")

    def take(tx: Tx) -> Visit:
        basket = Basket(order_number=number, lines=(handed,), override_reason="late")
        return_receipts.take_at_store(tx, "AMS", [basket], by="amy", at=clock.now())
        wanted = [Wanted(order_number=number)]
        return counters.give_back(tx, asking, wanted, at=clock.now(), is_lenient=True)

    return shop.ledger.run(take)


class TestBrought:
    @pytest.mark.parametrize("resolution", [Resolution.REPLACE, Resolution.STORE_CREDIT])
    def test_for_something_else_is_not_paid_in_cash(
        self, shop: Shop, payer: Payer, resolution: Resolution
    ) -> None:
        number = buy(shop, payer, ship_to='{"city": "Utrecht", "country_code": "NL"}')
        allow_cash(shop)
        assert bring(shop, number, resolution).cash_minor == 0
        work(shop, payer)
        assert [(each.paid_as, each.amount_minor) for each in refunds(shop)] == [
            (PaidAs.STORE_CREDIT, 1002)
        ]
        assert kinds(payer) == ["authorize", "capture"]

    def test_gives_nothing_back_that_somebody_decided_against(
        self, shop: Shop, payer: Payer
    ) -> None:
        number = buy(shop, payer)
        let_go(shop, RefundKind.OWED, Mode.APPROVE)
        regret(shop)
        work(shop, payer)
        reject(shop)
        allow_cash(shop)
        assert bring(shop, number, Resolution.REFUND).cash_minor == 1000
        work(shop, payer)
        assert [(each.state, each.amount_minor) for each in refunds(shop)] == [
            (RefundState.REJECTED, 1002), (RefundState.SUCCEEDED, 1002),
        ]  # fmt: skip


def regret_at(shop: Shop, ref: str) -> None:
    shop.take(a_partial(ref, a_change("return", 1, ref=f"r-{ref}")), channel="till")


class TestCoins:
    @pytest.mark.parametrize(
        ("country", "currency", "amount", "rounding"),
        [
            ("NL", "EUR", 1002, -2), ("NL", "EUR", 1003, 2), ("NL", "EUR", 1005, 0),
            ("DE", "EUR", 1002, 0), ("CH", "CHF", 1998, 2), ("CH", "EUR", 1998, 0),
            ("SE", "SEK", 150, 50), ("HU", "HUF", 124900, 100), ("NL", "JPY", 1, 0),
            (None, "EUR", 1002, 0), ("NL", "EUR", 2, -2),
        ],
    )  # fmt: skip
    def test_are_those_of_country_and_currency(
        self, country: str | None, currency: str, amount: int, rounding: int
    ) -> None:
        assert coins_rounding_minor(amount, country=country, currency=currency) == rounding

    def test_stand_apart_on_credit_note_ledger_and_drawer(self, shop: Shop, payer: Payer) -> None:
        register(shop)
        number = buy(shop, payer)
        bill(shop)
        allow_cash(shop)
        regret(shop)
        visit = back(shop, number)
        bill(shop)
        assert (visit.cash_minor, visit.rounding_minor) == (1000, -2)
        credit = documents(shop)[-1].paper
        assert credit.type is DocumentType.CREDIT_NOTE
        assert (credit.total_minor, credit.rounding_minor, credit.payable_minor) == (1002, -2, 1000)
        given = payment(shop).transactions[-1]
        assert given.amount_minor + given.rounding_minor == credit.payable_minor
        assert payment(shop).sums.refunded == credit.total_minor
        # A later credit note does not say it again.
        regret(shop, units=2)
        shop.take(a_partial("W-1", a_change("return", 1, ref="again")))
        bill(shop)
        assert [each.paper.rounding_minor for each in documents(shop)] == [0, -2, 0]

    def test_are_of_all_orders_of_a_visit_together(self, shop: Shop, payer: Payer) -> None:
        first, second = buy(shop, payer, total=2004), buy(shop, payer, "W-2", total=2002)
        allow_cash(shop)
        regret(shop)
        regret(shop, "W-2")
        visit = back(shop, first, second)
        assert [each.amount_minor for each in visit.refunds] == [1002, 1001]
        assert (visit.cash_minor, visit.rounding_minor) == (2005, 2)
        kept = shop.rows(
            "select rounding_minor from payment_transactions where source = 'till' order by 1"
        )
        assert kept == [(0,), (2,)]


class TestVisit:
    def test_gives_all_or_nothing(self, shop: Shop, payer: Payer) -> None:
        first, second = buy(shop, payer), buy(shop, payer, "W-2")
        allow_cash(shop)
        regret(shop)
        with pytest.raises(RefundExceeded):
            back(shop, first, second)
        assert (refunds(shop), payment(shop).sums.refunded) == ([], 0)
        with pytest.raises(OrderNamedTwice):
            back(shop, first, first)

    def test_shows_what_a_payment_service_has_not_given_yet(self, shop: Shop, payer: Payer) -> None:
        number = buy(shop, payer)
        regret(shop)
        visit = back(shop, number, back_in=BackIn.ORIGINAL)
        assert (visit.state, visit.cash) == (VisitState.PENDING, ())
        work(shop, payer)
        with shop.ledger.snapshot() as tx:
            assert queries.visit(tx, visit.visit_number).state is VisitState.DONE
        assert kinds(payer) == ["authorize", "capture", "refund"]

    def test_shows_what_a_payment_service_refused(self, shop: Shop, payer: Payer) -> None:
        number = buy(shop, payer)
        regret(shop)
        visit = back(shop, number, back_in=BackIn.ORIGINAL)
        payer.behaves(decline_ratio=1.0)
        work(shop, payer)
        with shop.ledger.snapshot() as tx:
            assert queries.visit(tx, visit.visit_number).state is VisitState.FAILED

    def test_waits_for_leave_only_where_nothing_leaves_the_drawer(
        self, shop: Shop, payer: Payer
    ) -> None:
        number = buy(shop, payer)
        allow_cash(shop)
        never = Policy(mode=Mode.APPROVE, limit_minor=None)
        shop.ledger.run(lambda tx: set_policy(tx, None, RefundKind.OWED, never))
        regret(shop)
        with pytest.raises(LeaveNeeded):
            back(shop, number)
        visit = back(shop, number, back_in=BackIn.ORIGINAL)
        assert visit.state is VisitState.AWAITING_APPROVAL

    def test_may_make_goods_cheaper(self, shop: Shop, payer: Payer) -> None:
        number = buy(shop, payer)
        allow_cash(shop)
        with pytest.raises(ReasonMissing):
            back(shop, number, kind=RefundKind.GOODWILL, amount_minor=300)
        said: dict[str, Any] = {"kind": RefundKind.GOODWILL, "amount_minor": 300}
        visit = back(shop, number, reason="a scratch", override_reason="manager", **said)
        assert (visit.cash_minor, visit.override_reason) == (300, "manager")
        assert shop.value("select sum(net_minor + tax_minor) from refund_lines") == 300

    def test_gives_one_currency_out_of_a_drawer(self, shop: Shop, payer: Payer) -> None:
        number = buy(shop, payer)
        shop.take(
            a_movement(9, ref="m-j"), an_order("W-2", currency="JPY", lines=[a_line(quantity=2)])
        )
        follow_money(shop)
        second = shop.order("W-2").summary.order_number
        begin(shop, second, replace(CARD, currency="JPY", external_ref="p-2"))
        shop.take(a_partial("W-2", a_change("ship", 2, ref="s-2")))
        work(shop, payer)
        allow_cash(shop, Rules(cash_limits={"EUR": 5_000, "JPY": 5_000}))
        regret(shop)
        regret(shop, "W-2")
        with pytest.raises(CurrencyDiffers):
            back(shop, number, second)
        assert refunds(shop) == []
