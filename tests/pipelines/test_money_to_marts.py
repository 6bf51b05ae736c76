"""Guards: what was really paid and given back stands in the marts, to the minor unit and day."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest

from oms.adapters.settlements.sandbox import SandboxLayout
from oms.billing.operations import invoice
from oms.kernel import clock
from oms.ledger.database import Ledger
from oms.payments import operations, queries
from oms.payments.model import PaymentDraft, Tender, TransactionType
from oms.refunds.model import BackIn, Mode, PaidAs, Policy, RefundDraft, RefundKind
from oms.reports import exports
from oms.reports.model import Filters, Period
from oms.reports.published import Publications
from oms.settlements import operations as settlements
from oms.workflows import counters, payments, refunds
from oms.workflows.counters import Asking, Wanted
from pipelines.lib import rebuilding
from pipelines.lib.journals import LedgerJournal
from pipelines.lib.refreshing import Refresh
from tests.builders import NOW, Draft, a_change, a_line, a_movement, a_partial, a_receipt, an_order
from tests.ledger.issuing import bill, documents, register
from tests.ledger.shop import Shop, furnish
from tests.ledger.test_payments import begin, paid, ship, tell, work
from tests.payers import Payer, paying
from tests.pipelines.conftest import Shop as Followed
from tests.pipelines.conftest import published
from tests.policies import set_policy
from tests.settling import a_row, balanced, written
from tests.warehouse.conftest import a_warehouse

# Half past eleven in the evening, UTC: in Amsterdam it is the next day.
LATE: Final = NOW.replace(hour=23, minute=30)
NEXT: Final = date(2026, 1, 6)
LEDGER_DAYS: Final = """
    select c.channel_code, t.currency, t.type,
        (least(t.psp_at, t.finished_at) at time zone c.time_zone)::date,
        count(*)::int, sum(t.amount_minor)::int
    from payment_transactions t join orders o using (order_id) join channels c using (channel_id)
    where t.state = 'succeeded' group by 1, 2, 3, 4 order by 1, 2, 3, 4
"""
MART_DAYS: Final = """
    select channel_code, currency, transaction_type, occurred_on, count(*)::int,
        sum(amount * power(10, exponent)::int)::int
    from fct_payments inner join dim_currencies using (currency)
    group by all order by 1, 2, 3, 4
"""
LEDGER_CASH: Final = """
    select t.currency, sum(case when type in ('refund', 'chargeback') then -t.amount_minor
        when type not in ('authorize', 'void') then t.amount_minor else 0 end)::int
    from payment_transactions t where state = 'succeeded' and psp is distinct from 'store_credit'
    group by 1 order by 1
"""
MART_CASH: Final = """
    select currency, sum(cash_amount * power(10, exponent)::int)::int
    from cash_by_channel_daily inner join dim_currencies using (currency)
    group by 1 order by 1
"""


LEDGER_SETTLED: Final = """
    select psp, currency, (occurred_at at time zone 'UTC')::date, type, finding, count(*)::int,
        sum(amount_minor)::int, sum(fee_minor)::int, sum(net_minor)::int
    from settlement_rows group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5
"""
MART_SETTLED: Final = """
    select service, currency, settled_on, row_type, finding, count(*)::int,
        sum(amount * 100)::int, sum(fee_amount * 100)::int, sum(net_amount * 100)::int
    from fct_settlements group by all order by 1, 2, 3, 4, 5
"""


class Story:
    """A retailer who is paid, and the warehouse that follows."""

    def __init__(self, ledger: Ledger, followed: Followed, folder: Path) -> None:
        furnish(ledger)
        self.shop = Shop(ledger)
        self.warehouse = a_warehouse(folder)
        self.transformer = followed.transformer.on(self.warehouse)

    def refresh(self) -> None:
        """Let a freshly started refresher follow once."""
        journal = LedgerJournal(ledger=self.shop.ledger)
        Refresh(self.warehouse, journal, self.transformer, lambda: NOW)()

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the published marts."""
        return published(self.warehouse, sql)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the ledger."""
        return [tuple(row) for row in self.shop.rows(sql)]

    def buy(self, payer: Payer) -> None:
        """Two pens are ordered by card, and shipped: 20.00 are captured."""
        self.shop.take(a_movement(9), an_order(lines=[a_line(quantity=2)]))
        work(self.shop, payer, rounds=1)
        begin(self.shop, self.shop.order().summary.order_number)
        work(self.shop, payer)
        ship(self.shop, 2)
        work(self.shop, payer)

    def regret(self, payer: Payer) -> None:
        """One comes back and so do 10.00; a bank takes 5.00, late on another day."""
        self.shop.take(a_partial("W-1", a_change("return", 1, ref="r-1")))
        work(self.shop, payer)
        self.shop.ledger.run(
            lambda tx: operations.done(
                tx, queries.payment(tx, paid(self.shop).payment_number),
                TransactionType.CHARGEBACK, 500, cause="bank", source="psp", by="sandbox",
                at=clock.now(), psp_at=LATE,
            )
        )  # fmt: skip

    def told(self) -> None:
        """Tills and shops tell days later what they took, and what they gave back since."""
        later = NOW + timedelta(days=9)
        self.shop.take(told(a_receipt("T-1"), "cash", 1000), channel="till", at=later)
        order = an_order("W-2", currency="KWD", updated_at=LATE, version=1)
        self.shop.take(told(order, "card", 12_345), at=later)
        again = order.but(updated_at=LATE + timedelta(days=1), version=2)
        self.shop.take(told(again, "card", 12_345, refunded=1_001), at=later)


def told(order: Draft, tender: str, captured: int, *, refunded: int = 0) -> Draft:
    """Give an order a payment its channel handles, with what was done with it in all."""
    payment = {
        "external_ref": "p", "tender": tender, "managed_by": "channel", "amount_minor": captured,
        "authorized_minor": 0, "captured_minor": captured, "refunded_minor": refunded,
    }  # fmt: skip
    return replace(order, rows={**order.rows, "payments": (payment,)})


@pytest.fixture
def payer(tmp_path: Path) -> Iterator[Payer]:
    with paying(tmp_path) as payer:
        yield payer


@pytest.fixture
def story(ledger: Ledger, first_shop: Followed, tmp_path: Path) -> Story:
    return Story(ledger, first_shop, tmp_path / "home")


class TestMoney:
    def test_stands_in_the_marts_to_the_minor_unit_and_the_day(
        self, story: Story, payer: Payer
    ) -> None:
        story.buy(payer)
        story.refresh()
        assert story.ask("select sum(cash_amount) from cash_by_channel_daily") == [(20,)]
        story.regret(payer)
        story.told()
        story.refresh()
        assert story.ask(MART_DAYS) == story.rows(LEDGER_DAYS)
        assert story.ask(MART_CASH) == story.rows(LEDGER_CASH) == [("EUR", 1500), ("KWD", 11_344)]
        assert story.ask(
            "select * from cash_by_channel_daily where occurred_on < date '2026-02-01' order by all"
        ) == [
            (NOW.date(), "till", "EUR", 1, 10, 0, 0, 10),
            (NEXT, "web", "EUR", 1, 0, 0, -5, -5),
            (NEXT, "web", "KWD", 1, Decimal("12.345"), 0, 0, Decimal("12.345")),
            (date(2026, 1, 7), "web", "KWD", 1, 0, Decimal("-1.001"), 0, Decimal("-1.001")),
        ]
        assert story.ask(
            "select refund_kind, refund_state, amount, ended_at >= requested_at,"
            " refund_seconds >= 0 from fct_refunds"
        ) == [("owed", "succeeded", 10, True, True)]
        assert story.ask(
            "select channel_code, tender, service, transaction_type, amount, cash_amount"
            " from fct_payments where currency = 'EUR' order by transaction_id"
        ) == [
            ("web", "card", "sandbox", "authorize", 20, 0),
            ("web", "card", "sandbox", "capture", 20, 20),
            ("web", "card", "sandbox", "refund", 10, -10),
            ("web", "card", "sandbox", "chargeback", 5, -5),
            ("till", "cash", None, "capture", 10, 10),
        ]
        assert story.ask(
            "select payment_state, due_amount, captured_amount, refunded_amount"
            " from fct_order_balances inner join fct_orders using (order_id)"
            " where external_ref = 'W-1'"
        ) == [("chargeback", 10, 20, 10)]
        assert rebuilding.differences(story.warehouse, story.transformer) == {}

    def test_in_store_credit_is_no_cash_and_in_no_service(self, story: Story, payer: Payer) -> None:
        """A pen comes back for store credit, which pays for another one."""
        story.buy(payer)
        story.shop.take(a_partial("W-1", a_change("return", 1, ref="r-1")))
        story.shop.ledger.run(
            lambda tx: refunds.compose_by_hand(
                tx, story.shop.order().summary.order_number,
                RefundDraft(kind=RefundKind.OWED, paid_as=PaidAs.STORE_CREDIT), reason="",
                by="ann", at=clock.now(), already_refunded_minor=None,
            )
        )  # fmt: skip
        story.shop.take(an_order("W-2"))
        (code,) = story.rows("select code from credit_accounts")[0]
        draft = PaymentDraft(
            tender=Tender.STORE_CREDIT, amount_minor=700, currency="EUR", external_ref="c-1"
        )
        other = story.shop.order("W-2").summary.order_number
        story.shop.ledger.run(
            lambda tx: payments.redeem(tx, other, draft, code, by="ann", at=clock.now())
        )
        work(story.shop, payer)
        story.refresh()
        assert story.ask(MART_DAYS) == story.rows(LEDGER_DAYS)
        assert story.ask(MART_CASH) == story.rows(LEDGER_CASH) == [("EUR", 2000)]
        assert story.ask(
            "select tender, service, transaction_type, amount, cash_amount, is_store_credit"
            " from fct_payments order by transaction_id offset 2"
        ) == [
            ("card", "store_credit", "refund", 10, 0, True),
            ("store_credit", "store_credit", "capture", 7, 0, True),
        ]
        assert story.ask("select paid_as, refund_state, amount from fct_refunds") == [
            ("store_credit", "succeeded", 10)
        ]
        assert rebuilding.differences(story.warehouse, story.transformer) == {}

    def test_is_what_documents_say_of_it(self, story: Story, payer: Payer) -> None:
        """A pen comes back and 1.37 is given for the other: nothing is told by one mart alone."""
        register(story.shop)
        story.buy(payer)
        bill(story.shop)
        story.shop.take(a_partial("W-1", a_change("return", 1, ref="r-1")))
        work(story.shop, payer)
        number = story.shop.order().summary.order_number
        free = Policy(mode=Mode.AUTO, limit_minor=None)
        story.shop.ledger.run(lambda tx: set_policy(tx, None, RefundKind.GOODWILL, free))
        story.shop.ledger.run(
            lambda tx: refunds.compose_by_hand(
                tx, number, RefundDraft(kind=RefundKind.GOODWILL, amount_minor=137),
                reason="late", by="ann", at=clock.now(), already_refunded_minor=None,
            )
        )  # fmt: skip
        work(story.shop, payer)
        bill(story.shop)
        story.refresh()
        billed = story.ask("select sum(total_amount * billed_sign), count(*) from fct_documents")
        kept = story.ask("select captured_amount - refunded_amount from fct_order_balances")
        assert (billed, kept) == ([(Decimal("8.63"), 2)], [(Decimal("8.63"),)])

    def test_out_of_a_drawer_is_what_the_credit_note_pays(self, story: Story, payer: Payer) -> None:
        """10.02 for a pen is 10.00 in coins: the drawer, the ledger, the paper and the marts."""
        register(story.shop)
        sold = a_receipt("T-1", lines=[a_line(quantity=2, total=2004)])
        story.shop.take(told(sold, "cash", 2004), channel="till")
        number = story.shop.order("T-1").summary.order_number
        story.shop.ledger.run(lambda tx: invoice(tx, number, by="ann", at=NOW))
        story.shop.take(a_partial("T-1", a_change("return", 1, ref="r-1")), channel="till")
        asking = Asking(location_code="AMS", back_in=BackIn.ORIGINAL, by="till 1")
        wanted = [Wanted(order_number=number)]
        visit = story.shop.ledger.run(
            lambda tx: counters.give_back(tx, asking, wanted, at=clock.now())
        )
        bill(story.shop, "T-1")
        story.refresh()
        credit = documents(story.shop, "T-1")[-1].paper
        assert (visit.cash_minor, credit.payable_minor, credit.total_minor) == (1000, 1000, 1002)
        assert story.ask(
            "select tender, location_code, amount, rounding_amount, cash_amount from fct_payments"
            " where transaction_type = 'refund'"
        ) == [("cash", "AMS", Decimal("10.02"), Decimal("-0.02"), -10)]
        assert story.ask("select sum(refunded_amount) from cash_by_channel_daily") == [(-10,)]
        assert story.ask("select refunded_amount from fct_order_balances") == [(Decimal("10.02"),)]
        assert rebuilding.differences(story.warehouse, story.transformer) == {}

    def test_that_was_never_taken_leaves_the_cash_of_its_day(
        self, story: Story, payer: Payer
    ) -> None:
        """A service that said yes says no: the day it was counted on is counted anew."""
        story.buy(payer)
        with story.shop.ledger.transaction() as tx:  # nothing else of this order is of that day
            tx.exec_driver_sql(
                f"update payment_transactions set psp_at = '{LATE}' where type = 'capture'"
            )
        story.refresh()
        assert story.ask("select occurred_on from cash_by_channel_daily") == [(NEXT,)]
        capture = payer.record()[-1]
        payer.service.book.become(capture.key, "failed", None, at=clock.now())
        tell(story.shop, payer, capture.document() | {"state": "failed"})
        work(story.shop, payer, rounds=1)
        story.refresh()
        assert story.ask(MART_DAYS) == story.rows(LEDGER_DAYS)
        assert story.ask("select count(*) from cash_by_channel_daily") == [(0,)]
        assert rebuilding.differences(story.warehouse, story.transformer) == {}

    def test_that_is_settled_stands_there_with_its_fee_and_what_differs(
        self, story: Story, payer: Payer
    ) -> None:
        """A report tells of the capture, of a stranger's, and is told of a refund later."""
        story.buy(payer)
        story.refresh()
        capture = payer.record()[-1]
        day = capture.changed_at[:10]
        rows = [
            a_row(entry_id="e1", operation_id=capture.id, payment_id=capture.payment_id,
                  gross="20.00", fee="0.28", occurred_at=capture.changed_at.replace("+00:00", "Z")),
            a_row(entry_id="e2", operation_id="x", gross="7.00", fee="0.10",
                  occurred_at=f"{day}T12:00:00Z"),
        ]  # fmt: skip
        take_in = partial(
            settlements.take_in, layout=SandboxLayout(), content=written(balanced(rows)),
            psp="sandbox", name="day.csv", by="ann", at=clock.now(),
        )  # fmt: skip
        story.shop.ledger.run(take_in)
        story.refresh()
        assert story.ask(MART_SETTLED) == story.rows(LEDGER_SETTLED)
        assert story.ask(
            "select finding, amount, fee_amount, channel_code, difference_state"
            " from fct_settlements where row_type = 'capture' order by row_no"
        ) == [
            ("matched", 20, Decimal("0.28"), "web", None),
            ("unknown", 7, Decimal("0.10"), None, "open"),
        ]  # fmt: skip
        assert story.ask("select finding, theirs_amount from fct_settlement_differences") == [
            ("unknown", 7)
        ]
        number = story.ask("select difference_number from fct_settlement_differences")[0][0]
        resolve = partial(
            settlements.resolve, number=number, reason="theirs", version=1, by="ann",
            at=clock.now(),
        )  # fmt: skip
        story.shop.ledger.run(resolve)
        story.refresh()
        assert story.ask(
            "select s.difference_state, d.difference_state, d.open_seconds >= 0"
            " from fct_settlements s join fct_settlement_differences d using (difference_number)"
        ) == [("resolved", "resolved", True)]
        assert rebuilding.differences(story.warehouse, story.transformer) == {}

    def test_that_is_taxed_is_what_its_documents_say(self, story: Story, payer: Payer) -> None:
        register(story.shop)
        story.buy(payer)
        bill(story.shop)
        story.shop.take(a_partial("W-1", a_change("return", 1, ref="r-1")))
        bill(story.shop)
        story.refresh()
        of_lines = story.ask(
            "select sum(net_amount * billed_sign), sum(tax_amount * billed_sign)"
            " from fct_document_lines"
        )
        of_documents = story.ask(
            "select sum(net_amount * billed_sign), sum(tax_amount * billed_sign) from fct_documents"
        )
        assert of_lines == of_documents == [(Decimal("8.26"), Decimal("1.74"))]
        assert story.ask(
            "select distinct seller_code, tax_scheme, tax_rate from fct_document_lines"
        ) == [("NL", "domestic", Decimal("0.21"))]

    def test_is_exported_by_day_and_channel(self, story: Story) -> None:
        story.told()
        story.refresh()
        publication = Publications(story.warehouse.published_dir).current()
        period = Period(from_on=NOW.date(), to_on=NEXT + timedelta(days=9))
        sheet = exports.report(
            "cash_by_day", publication, Filters(period=period, currency="KWD", channels=("web",))
        )
        assert sheet.frame.select("occurred_on", "channel_code", "cash_amount").rows() == [
            (NEXT, "web", Decimal("12.345")), (date(2026, 1, 7), "web", Decimal("-1.001")),
        ]  # fmt: skip
        assert sheet.total is not None
        assert sheet.total["cash_amount"] == Decimal("11.344")
