"""Exchanges: what is wanted is kept at once, paid by what came back, and sent when it is paid."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from oms.billing.model import DocumentType
from oms.change_orders.model import PriceUnknown
from oms.channels import operations as channels
from oms.exchanges.model import PriceReasonMissing, Wanted, WantedMissing
from oms.fulfillment.model import Action
from oms.kernel import clock
from oms.ledger.database import Tx
from oms.ledger.followers import follow
from oms.orders.model import Order
from oms.payments import queries as payment_queries
from oms.payments.model import (
    Payment,
    PaymentDraft,
    PaymentDue,
    Tender,
    TransactionState,
    TransactionType,
)
from oms.payments.port import Answer, Notice
from oms.refunds import queries as refund_queries
from oms.refunds.model import Mode, RefundDraft, RefundKind
from oms.returns import queries as return_queries
from oms.returns.model import (
    Asked,
    Condition,
    Disposition,
    Inspected,
    Resolution,
    Return,
    ReturnAction,
    ReturnReason,
    ReturnState,
)
from oms.stock.model import InsufficientStock
from oms.workflows import exchange_sending, fulfillment, notices, payments, returns
from oms.workflows import refunds as workflow
from oms.workflows.fulfillment import Doing as Work
from oms.workflows.returned import Doing
from oms.workflows.returns import Request
from tests.builders import NOW, a_change, a_line, a_movement, a_partial, an_order
from tests.ledger.issuing import bill, documents, register
from tests.ledger.shop import CHANNELS, Shop
from tests.ledger.test_money_at_once import set_aside, spoiled
from tests.ledger.test_payments import CARD, begin, follow_money, work
from tests.ledger.test_return_to_refund import RULES
from tests.ledger.test_returns import a_notice, telling
from tests.payers import Payer, paying
from tests.policies import let_go, reject

R = Resolution
ADDRESS = '{"name": "Ada", "street": "Laan 1", "city": "Utrecht", "country_code": "NL"}'


@pytest.fixture
def payer(tmp_path: Path) -> Iterator[Payer]:
    with paying(tmp_path) as payer:
        yield payer


@pytest.fixture
def bought(shop: Shop, payer: Payer) -> str:
    """Two pens for 20.00, paid by card and delivered; ink and pens are there to be had instead."""
    with shop.ledger.transaction() as tx:
        channels.register(tx, replace(CHANNELS[0], return_policy=RULES, is_routed=True), at=NOW)
    shop.take(a_movement(9), a_movement(9, sku="INK", ref="m-2"))
    shop.take(an_order(lines=[a_line(quantity=2)], ship_to=ADDRESS))
    follow_money(shop)
    number = shop.order().summary.order_number
    begin(shop, number, replace(CARD, amount_minor=2000))
    shop.take(a_partial("W-1", a_change("ship", 2, ref="s-1")))
    work(shop, payer)
    return number


def ask(
    shop: Shop, number: str, resolution: Resolution = R.EXCHANGE, quantity: int = 1,
    wanted: Wanted | None = None, line_no: int = 1,
) -> Return:  # fmt: skip
    line = Asked(
        line_no=line_no, quantity=quantity, reason=ReturnReason.TOO_SMALL, resolution=resolution
    )
    asked = Request(lines=(line,), wanted={} if wanted is None else {line_no: wanted})
    return shop.ledger.run(lambda tx: returns.request(tx, number, asked, by="ada", at=NOW))


def ink(price: str = "10.00", quantity: int | None = None) -> Wanted:
    return Wanted(sku="INK", unit_price=price, tax="1.74", reason="asked", quantity=quantity)


def act(shop: Shop, made: Return, action: ReturnAction, **said: Any) -> Return:
    now = of(shop, made)
    doing = Doing(by="ann", at=NOW, **said)
    return shop.ledger.run(
        lambda tx: returns.act(tx, made.return_number, action, doing, version=now.version)
    )


def of(shop: Shop, made: Return) -> Return:
    with shop.ledger.snapshot() as tx:
        return return_queries.return_of(tx, made.return_number)


def new(shop: Shop, made: Return) -> Order:
    """Return the order of what is sent instead."""
    return shop.order(f"*{made.return_number}")


def route(shop: Shop) -> None:
    for _ in range(3):
        follow(shop.ledger, "routing", lambda tx, a, u: fulfillment.route(tx, a, u, at=NOW))


def looked_at(condition: Condition, disposition: Disposition, quantity: int = 1) -> Any:
    found = Inspected(line_no=1, quantity=quantity, condition=condition, disposition=disposition)
    return (found,)


def get_on(shop: Shop, payer: Payer) -> None:
    """Let money follow, and what is paid be picked."""
    work(shop, payer)
    while shop.ledger.run(lambda tx: exchange_sending.send_paid(tx, at=clock.now())):
        pass
    route(shop)


def come_back(shop: Shop, payer: Payer, made: Return, quantity: int = 1) -> None:
    notice = a_notice(made.return_number, quantity, ref=made.return_number)
    (taken,) = telling(shop, notice)()
    assert taken.outcome == "received", taken
    get_on(shop, payer)


def exchanged(shop: Shop, number: str, payer: Payer) -> Return:
    """Have a pen come back for ink that is paid with it, and is still to be sent."""
    made = ask(shop, number, wanted=ink())
    telling(shop, a_notice(made.return_number, ref=made.return_number))()
    work(shop, payer)
    return made


def work_of(shop: Shop, made: Return) -> list[str]:
    return [
        row[0] for row in shop.rows(
            "select state from fulfillment_orders where order_id = :id order by 1",
            id=new(shop, made).summary.order_id,
        )
    ]  # fmt: skip


def send(shop: Shop, made: Return, payer: Payer) -> None:
    """Have the location that is asked send what is wanted."""
    order_id = new(shop, made).summary.order_id
    doing = Work(by="dc", at=clock.now(), carrier="dpd", tracking_number=f"t-{order_id}")

    def do(tx: Tx, action: Action) -> None:
        number, version = shop.rows(
            "select fulfillment_number, version from fulfillment_orders where order_id = :id",
            id=order_id,
        )[0]  # fmt: skip
        fulfillment.act(tx, number, action, doing, version=version)

    for action in (Action.ACCEPT, Action.START_PICK, Action.PICK, Action.PACK, Action.SHIP):
        shop.ledger.run(partial(do, action=action))
    get_on(shop, payer)


def money(shop: Shop, number: str) -> tuple[int, int, int]:
    """Return what is due of an order, captured and refunded."""
    order_id = shop.value("select order_id from orders where order_number = :n", n=number)
    with shop.ledger.snapshot() as tx:
        _, due = payment_queries.state_of(tx, int(order_id))
    known = payments_of(shop, number)
    captured = sum(each.sums.captured for each in known)
    return due.due_minor, captured, sum(each.sums.refunded for each in known)


def payments_of(shop: Shop, number: str) -> list[Payment]:
    order_id = shop.value("select order_id from orders where order_number = :n", n=number)
    with shop.ledger.snapshot() as tx:
        return payment_queries.of_order(tx, int(order_id))


def refunds(shop: Shop) -> list[tuple[str, int]]:
    with shop.ledger.snapshot() as tx:
        found, _ = refund_queries.page(tx, refund_queries.Sought(), after=0, limit=20)
    return [(each.paid_as.value, each.amount_minor) for each in found]


def pay_rest(shop: Shop, number: str, amount_minor: int) -> None:
    draft = PaymentDraft(
        tender=Tender.CASH, amount_minor=amount_minor, currency="EUR", external_ref="rest",
        location_code="AMS",
    )  # fmt: skip
    shop.ledger.run(lambda tx: payments.take_at_till(tx, number, draft, by="till", at=clock.now()))


class TestEven:
    def test_is_kept_at_once_and_sent_when_its_goods_are_back(
        self, shop: Shop, bought: str, payer: Payer
    ) -> None:
        made = ask(shop, bought, wanted=ink())
        get_on(shop, payer)
        order = new(shop, made)
        assert (order.summary.customer_email, order.ship_to) == (
            "ada@example.org", shop.order().ship_to,
        )  # fmt: skip
        assert shop.shelf("DC", "INK").allocated == 1
        assert (work_of(shop, made), order.summary.is_on_hold) == ([], True)
        come_back(shop, payer, made)
        assert money(shop, order.summary.order_number) == (1000, 1000, 0)
        assert money(shop, bought) == (1000, 2000, 1000)
        assert work_of(shop, made) == ["assigned"]
        assert of(shop, made).state is ReturnState.RESOLVED
        send(shop, made, payer)
        assert of(shop, made).state is ReturnState.COMPLETED
        assert new(shop, made).summary.order_state == "completed"
        assert [each[0] for each in payer.done()] == ["authorize", "capture"]

    def test_is_invoiced_and_the_old_is_credited(
        self, shop: Shop, bought: str, payer: Payer
    ) -> None:
        register(shop)
        bill(shop)
        made = ask(shop, bought, wanted=ink())
        come_back(shop, payer, made)
        send(shop, made, payer)
        bill(shop, "W-1", f"*{made.return_number}")
        papers = [each.paper for each in documents(shop)]
        assert [(each.type, each.total_minor) for each in papers] == [
            (DocumentType.INVOICE, 2000), (DocumentType.CREDIT_NOTE, 1000),
        ]  # fmt: skip
        (invoice,) = documents(shop, f"*{made.return_number}")
        assert (invoice.paper.type, invoice.paper.total_minor) == (DocumentType.INVOICE, 1000)


class TestUp:
    def test_waits_until_its_customer_has_paid_the_rest(
        self, shop: Shop, bought: str, payer: Payer
    ) -> None:
        made = ask(shop, bought, wanted=ink("14.00"))
        come_back(shop, payer, made)
        number = new(shop, made).summary.order_number
        assert (money(shop, number), work_of(shop, made)) == ((1400, 1000, 0), [])
        pay_rest(shop, number, 400)
        get_on(shop, payer)
        assert work_of(shop, made) == ["assigned"]
        send(shop, made, payer)
        assert (money(shop, number), of(shop, made).state) == (
            (1400, 1400, 0), ReturnState.COMPLETED,
        )  # fmt: skip

    def test_is_handed_out_by_nobody_before(self, shop: Shop, bought: str, payer: Payer) -> None:
        """Who releases its hold early has it got ready, and no more."""
        made = ask(shop, bought, wanted=ink())
        order = new(shop, made).summary
        shop.ledger.run(
            lambda tx: fulfillment.release_hold(
                tx, order.order_number, 1, "a good customer", version=order.version,
                scopes=frozenset({"orders:review"}), by="ann", at=NOW,
            )
        )  # fmt: skip
        with pytest.raises(PaymentDue) as refused:
            send(shop, made, payer)
        assert refused.value.facts["due_minor"] == 1000


class TestDown:
    def test_gives_the_rest_back_as_it_was_paid(
        self, shop: Shop, bought: str, payer: Payer
    ) -> None:
        made = ask(shop, bought, wanted=ink("7.00"))
        come_back(shop, payer, made)
        assert refunds(shop) == [("store_credit", 700), ("money", 300)]
        assert [each for each in payer.done() if each[0] == "refund"] == [
            ("refund", 300, "succeeded")
        ]
        send(shop, made, payer)
        assert of(shop, made).state is ReturnState.COMPLETED


class TestReplaced:
    def test_by_the_same_at_the_price_that_was_paid(
        self, shop: Shop, bought: str, payer: Payer
    ) -> None:
        made = ask(shop, bought, R.REPLACE, 2)
        come_back(shop, payer, made, 2)
        (line,) = new(shop, made).lines
        assert (line.sku, line.quantity, line.net_minor + line.tax_minor) == ("PEN", 2, 2000)
        assert shop.value(
            "select order_type from orders where external_ref = :ref", ref=f"*{made.return_number}"
        ) == "replacement"  # fmt: skip
        send(shop, made, payer)
        assert (refunds(shop), of(shop, made).state) == (
            [("store_credit", 2000)], ReturnState.COMPLETED,
        )  # fmt: skip

    def test_costs_nothing_where_the_old_was_made_cheaper(
        self, shop: Shop, bought: str, payer: Payer
    ) -> None:
        shop.take(an_order("W-2", lines=[a_line()], ship_to=ADDRESS))
        number = shop.order("W-2").summary.order_number
        begin(shop, number, replace(CARD, amount_minor=1000, external_ref="p-2"))
        shop.take(a_partial("W-2", a_change("ship", 1, ref="s-2")))
        work(shop, payer)
        let_go(shop, RefundKind.GOODWILL, Mode.AUTO)
        shop.ledger.run(lambda tx: workflow.compose_by_hand(
            tx, number, RefundDraft(kind=RefundKind.GOODWILL, amount_minor=200),
            reason="a scratch", by="ann", at=clock.now(), already_refunded_minor=None,
        ))  # fmt: skip
        work(shop, payer)
        made = ask(shop, number, R.REPLACE)
        come_back(shop, payer, made)
        assert money(shop, new(shop, made).summary.order_number) == (800, 800, 0)
        assert work_of(shop, made) == ["assigned"]
        assert money(shop, number) == (0, 1000, 1000)


class TestMixed:
    def test_each_line_of_a_return_gets_what_it_is_for(
        self, shop: Shop, bought: str, payer: Payer
    ) -> None:
        """Of three articles one is exchanged, one given back for money, one for store credit."""
        lines = [a_line(), a_line("INK"), a_line("LAMP")]
        shop.take(a_movement(9, sku="LAMP", ref="m-3"))
        shop.take(an_order("W-2", lines=lines, ship_to=ADDRESS))
        number = shop.order("W-2").summary.order_number
        begin(shop, number, replace(CARD, amount_minor=3000, external_ref="p-2"))
        sent = [a_change("ship", 1, ref=f"s-{sku}", line=sku) for sku in ("PEN", "INK", "LAMP")]
        shop.take(a_partial("W-2", *sent))
        work(shop, payer)
        asked = Request(
            lines=tuple(
                Asked(line_no=no, quantity=1, reason=ReturnReason.TOO_SMALL, resolution=each)
                for no, each in enumerate((R.EXCHANGE, R.REFUND, R.STORE_CREDIT), start=1)
            ),
            wanted={1: ink("8.00")},
        )
        made = shop.ledger.run(lambda tx: returns.request(tx, number, asked, by="ada", at=NOW))
        notice = a_notice(made.return_number)
        came = tuple(replace(notice.lines[0], sku=sku) for sku in ("PEN", "INK", "LAMP"))
        telling(shop, replace(notice, lines=came))()
        get_on(shop, payer)
        assert refunds(shop) == [("store_credit", 800), ("store_credit", 1000), ("money", 1200)]
        assert money(shop, number) == (0, 3000, 3000)
        assert of(shop, made).state is ReturnState.RESOLVED
        send(shop, made, payer)
        assert of(shop, made).state is ReturnState.COMPLETED


class TestNothingComes:
    def test_it_is_not_sent_and_its_stock_let_go(
        self, shop: Shop, bought: str, payer: Payer
    ) -> None:
        made = ask(shop, bought, wanted=ink())
        act(shop, made, ReturnAction.CANCEL)
        order = new(shop, made).summary
        assert (order.order_state, order.is_on_hold) == ("canceled", False)
        assert shop.shelf("DC", "INK").allocated == 0

    def test_in_time_it_is_over(self, shop: Shop, bought: str, payer: Payer) -> None:
        made = ask(shop, bought, wanted=ink())
        late = NOW + timedelta(days=99)
        assert shop.ledger.run(lambda tx: returns.expire_due(tx, at=late)) is True
        assert new(shop, made).summary.order_state == "canceled"
        # The parcel comes after all: it is taken back for money.
        come_back(shop, payer, made)
        now = of(shop, made)
        assert (now.state, now.is_after_expiry) == (ReturnState.RECEIVED, True)
        seen = looked_at(Condition.NEW, Disposition.RESTOCK)
        act(shop, made, ReturnAction.INSPECT, inspected=seen)
        act(shop, made, ReturnAction.ACCEPT)
        get_on(shop, payer)
        assert refunds(shop) == [("money", 1000)]
        assert of(shop, made).state is ReturnState.COMPLETED

    def test_what_is_rejected_in_part_pays_for_less(
        self, shop: Shop, bought: str, payer: Payer
    ) -> None:
        with shop.ledger.transaction() as tx:
            policy = {"approval": "auto"}
            channels.register(
                tx, replace(CHANNELS[0], return_policy=policy, is_routed=True), at=NOW
            )
        made = ask(shop, bought, quantity=2, wanted=ink("20.00", quantity=1))
        telling(shop, a_notice(made.return_number, 2))()
        act(shop, made, ReturnAction.ACCEPT, quantities={1: 1})
        act(shop, made, ReturnAction.REJECT, reason="worn")
        get_on(shop, payer)
        number = new(shop, made).summary.order_number
        # Half of it was taken: it pays for a half, and what is missing keeps it here.
        assert (money(shop, number), work_of(shop, made)) == ((2000, 1000, 0), [])

    def test_what_is_rejected_whole_lets_it_go(self, shop: Shop, bought: str, payer: Payer) -> None:
        made = ask(shop, bought, wanted=ink())
        notice = a_notice(made.return_number)
        worn = replace(notice, lines=(replace(notice.lines[0], condition=None),))
        telling(shop, worn)()
        seen = looked_at(Condition.USED, Disposition.SEND_BACK, 1)
        act(shop, made, ReturnAction.INSPECT, inspected=seen)
        act(shop, made, ReturnAction.REJECT, reason="worn")
        assert new(shop, made).summary.order_state == "canceled"
        assert (of(shop, made).state, refunds(shop)) == (ReturnState.COMPLETED, [])


class TestUnused:
    def test_goes_back_to_where_it_came_from(self, shop: Shop, bought: str, payer: Payer) -> None:
        """What is wanted cannot be sent after all: its customer gets the money."""
        made = ask(shop, bought, wanted=ink())
        come_back(shop, payer, made)
        ref = f"*{made.return_number}"
        shop.take(a_partial(ref, a_change("cancel", 1, ref="c-1", line="1")))
        for _ in range(3):
            get_on(shop, payer)
        assert [each for each in payer.done() if each[0] == "refund"] == [
            ("refund", 1000, "succeeded")
        ]
        assert money(shop, bought) == (1000, 2000, 1000)
        assert shop.value("select sum(balance_minor) from credit_accounts") == 0
        assert of(shop, made).state is ReturnState.COMPLETED


class TestDecidedAgainst:
    def test_stays_so_when_something_else_is_exchanged(
        self, shop: Shop, bought: str, payer: Payer
    ) -> None:
        let_go(shop, RefundKind.OWED, Mode.APPROVE)
        come_back(shop, payer, ask(shop, bought, R.REFUND))
        reject(shop)
        let_go(shop, RefundKind.OWED, Mode.AUTO)
        come_back(shop, payer, ask(shop, bought, wanted=ink()))
        get_on(shop, payer)
        assert refunds(shop) == [("money", 1000), ("store_credit", 1000)]
        assert [each[0] for each in payer.done()] == ["authorize", "capture"]


class TestAgain:
    def test_what_was_exchanged_is_exchanged(self, shop: Shop, bought: str, payer: Payer) -> None:
        made = ask(shop, bought, wanted=ink())
        come_back(shop, payer, made)
        send(shop, made, payer)
        number = new(shop, made).summary.order_number
        again = ask(shop, number, wanted=Wanted(sku="PEN"))
        notice = a_notice(again.return_number, ref="w-2")
        shown = replace(notice, lines=(replace(notice.lines[0], sku="INK"),))
        telling(shop, shown)()
        get_on(shop, payer)
        # A pen costs what its channel asked for it last: 10.00.
        assert money(shop, new(shop, again).summary.order_number) == (1000, 1000, 0)
        send(shop, again, payer)
        assert [of(shop, each).state for each in (made, again)] == [ReturnState.COMPLETED] * 2
        assert [each[0] for each in payer.done()] == ["authorize", "capture"]


class TestSent:
    def test_one_that_cannot_be_does_not_keep_the_others(
        self, shop: Shop, bought: str, payer: Payer
    ) -> None:
        made = exchanged(shop, bought, payer)
        reference = new(shop, made).summary.external_ref
        at = clock.now()

        def sent(later: timedelta = timedelta()) -> bool:
            return shop.ledger.run(lambda tx: exchange_sending.send_paid(tx, at=at + later))

        with spoiled(shop, "order_holds", reference):
            assert [sent(), sent()] == [True, False], "tried once, and then left alone for a while"
        assert set_aside(shop) == [("exchanges", reference, 1)]
        assert not sent(timedelta(minutes=59))
        assert sent(timedelta(minutes=61))
        assert not sent(timedelta(minutes=61))
        assert set_aside(shop) == []
        assert shop.value("select released_at is not null from order_holds") is True

    def test_one_that_was_let_go_meanwhile_is_not_set_aside_for_good(
        self, shop: Shop, bought: str, payer: Payer
    ) -> None:
        made = exchanged(shop, bought, payer)
        number = new(shop, made).summary.order_number
        at = clock.now()
        with spoiled(shop, "order_holds", new(shop, made).summary.external_ref):
            assert shop.ledger.run(lambda tx: exchange_sending.send_paid(tx, at=at))
        shop.ledger.run(lambda tx: fulfillment.release_hold(
            tx, number, 1, "by hand", version=new(shop, made).summary.version, by="ann", at=NOW,
            scopes=frozenset({"orders:review"}),
        ))  # fmt: skip
        later = at + timedelta(minutes=61)
        assert shop.ledger.run(lambda tx: exchange_sending.send_paid(tx, at=later))
        assert set_aside(shop) == []

    def test_one_is_held_where_a_bank_takes_back_the_money_it_is_paid_with(
        self, shop: Shop, bought: str, payer: Payer
    ) -> None:
        made = ask(shop, bought, wanted=ink())
        (payment,) = payments_of(shop, bought)
        told = Notice(
            ref="cb", type=TransactionType.CHARGEBACK, amount_minor=2000, currency="EUR",
            reference=None, parent_reference=payment.psp_reference,
            answer=Answer(state=TransactionState.SUCCEEDED, psp_reference="cb-1"),
        )  # fmt: skip
        shop.ledger.run(lambda tx: notices.take_notice(tx, "sandbox", told, at=clock.now()))
        assert shop.rows(
            "select external_ref, type from order_holds join orders using (order_id) order by 1, 2"
        ) == [(f"*{made.return_number}", "exchange"), (f"*{made.return_number}", "payment_review")]


class TestAsked:
    @pytest.mark.parametrize(
        ("resolution", "wanted", "error"),
        [
            (R.EXCHANGE, None, WantedMissing), (R.REFUND, Wanted(sku="INK"), WantedMissing),
            (R.EXCHANGE, Wanted(sku="INK", unit_price="9.00"), PriceReasonMissing),
            (R.EXCHANGE, Wanted(sku="LAMP"), PriceUnknown),
            (R.EXCHANGE, replace(ink(), quantity=99), InsufficientStock),
        ],
    )  # fmt: skip
    def test_wrong_is_refused_and_nothing_is_written(
        self, shop: Shop, bought: str, resolution: Resolution, wanted: Wanted | None,
        error: type[Exception],
    ) -> None:  # fmt: skip
        with pytest.raises(error):
            ask(shop, bought, resolution, wanted=wanted)
        assert shop.value("select count(*) from returns") == 0
        assert shop.value("select count(*) from orders") == 1
