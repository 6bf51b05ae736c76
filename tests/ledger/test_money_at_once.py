"""Money of many orders at once: told by files, followed by slices, each bad one set aside."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import Engine, event

from oms.billing import operations as billing
from oms.kernel import clock
from oms.ledger.followers import follow
from oms.payments import operations, queries
from oms.payments.model import TransactionState, TransactionType
from oms.payments.port import Answer, Asked, Notice
from oms.workflows import notices, payments
from tests.builders import NOW, Draft, a_change, a_line, a_movement, a_partial, an_order
from tests.ledger.issuing import documents, follow_once, register
from tests.ledger.shop import Shop
from tests.ledger.test_payments import (
    a_told,
    balance,
    begin,
    failures,
    follow_money,
    paid,
    ship,
    work,
)
from tests.payers import Payer, paying


@pytest.fixture
def payer(tmp_path: Path) -> Iterator[Payer]:
    with paying(tmp_path) as payer:
        yield payer


@pytest.fixture
def order(shop: Shop) -> str:
    """Two pens at 10.00, nothing of them gone."""
    shop.take(a_movement(9), an_order(lines=[a_line(quantity=2)]))
    follow_money(shop)
    return shop.order().summary.order_number


@contextmanager
def counting(engine: Engine) -> Iterator[list[str]]:
    """Note the statements that are run."""
    seen: list[str] = []

    def note(*given: Any) -> None:
        seen.append(given[2])

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


@contextmanager
def spoiled(shop: Shop, table: str, ref: str) -> Iterator[None]:
    """Have the ledger refuse whatever is written to a table for one order."""
    order_id = shop.value("select order_id from orders where external_ref = :ref", ref=ref)
    with shop.ledger.transaction() as tx:
        tx.exec_driver_sql(f"""
            create function spoil() returns trigger language plpgsql as $$
            begin
                if new.order_id = {order_id} then raise 'spoiled'; end if;
                return new;
            end $$;
            create trigger spoil before insert or update on {table}
                for each row execute function spoil()
        """)
    try:
        yield
    finally:
        with shop.ledger.transaction() as tx:
            tx.exec_driver_sql("drop function spoil cascade")


def set_aside(shop: Shop) -> list[tuple[Any, ...]]:
    return shop.rows(
        "select follower, external_ref, attempts from set_aside join orders using (order_id)"
        " order by external_ref"
    )


def awaited(order: Draft) -> Draft:
    """Give an order a payment of which nothing is done yet."""
    return a_told(order, captured=0)


class TestDocuments:
    def test_that_failed_are_issued_later_though_nothing_changes(self, shop: Shop) -> None:
        register(shop)
        follow_once(shop)
        shop.take(a_movement(9), an_order(), a_partial("W-1", a_change("ship", 1)))
        with spoiled(shop, "documents", "W-1"):
            while follow_once(shop):
                pass
            assert set_aside(shop) == [("billing", "W-1", 1)]
        assert follow_once(shop, at=NOW + timedelta(minutes=59)) is False
        assert documents(shop) == []
        assert follow_once(shop, at=NOW + timedelta(minutes=61)) is True
        assert (len(documents(shop)), set_aside(shop)) == (1, [])


class TestFiles:
    def test_with_the_id_of_another_payment_leave_its_order_out(self, shop: Shop) -> None:
        theirs = {"psp": "sandbox", "psp_reference": "pay_1"}
        first, other = an_order("W-1", lines=[a_line()]), an_order("W-2", lines=[a_line()])
        shop.take(a_told(first, captured=0, **theirs))
        found = shop.take(a_told(other, captured=0, **theirs), a_told(an_order("W-3"), captured=0))
        (problem,) = found.problems[1]
        assert (problem.code, problem.field) == (
            "PAYMENT_REFERENCE_IN_USE", "/payments/0/psp_reference",
        )  # fmt: skip
        assert [each.outcome for each in found.orders] == ["rejected", "captured"]
        assert shop.value("select count(*) from orders") == 2
        again = a_told(first.but(version=9), captured=500, **theirs)
        assert shop.outcomes(again) == ["updated"]

    def test_with_one_id_for_two_orders_leave_the_second_out(self, shop: Shop) -> None:
        theirs = {"psp": "sandbox", "psp_reference": "pay_1"}
        both = [a_told(an_order(ref), captured=0, **theirs) for ref in ("W-1", "W-2")]
        assert shop.outcomes(*both) == ["captured", "rejected"]

    def test_with_an_order_twice_have_its_payment_once(self, shop: Shop) -> None:
        told = a_told(an_order(), captured=2000)
        shop.take(told, told, a_told(an_order("W-2"), captured=1000))
        assert shop.rows("select captured_minor::int from payments order by order_id") == [
            (2000,), (1000,),
        ]  # fmt: skip
        shop.take(told)
        assert shop.value("select count(*) from payment_transactions") == 2

    def test_that_take_an_id_at_the_same_time_do_not_both_have_it(self, shop: Shop) -> None:
        """Whoever is second waits, looks again and leaves its order out."""
        theirs = {"psp": "sandbox", "psp_reference": "pay_1"}
        takes = [
            lambda ref=ref: shop.outcomes(a_told(an_order(ref), captured=0, **theirs))
            for ref in ("W-1", "W-2")
        ]
        with ThreadPoolExecutor(2) as threads:
            found = list(threads.map(lambda take: take()[0], takes))
        assert sorted(found) == ["captured", "rejected"]
        assert shop.value("select count(*) from orders") == 1

    def test_balance_many_orders_at_once(self, shop: Shop) -> None:
        """However many orders: the same number of statements."""

        def statements(*refs: str) -> int:
            told = [a_told(an_order(ref, lines=[a_line()]), captured=400) for ref in refs]
            with counting(shop.ledger.engine) as counted:
                shop.take(*told)
                follow_money(shop)
            return len(counted)

        statements("W-0")
        assert statements("W-1") == statements(*(f"W-{number}" for number in range(2, 40)))
        assert shop.rows("select distinct payment_state, captured_minor from order_balances") == [
            ("partially_paid", 400)
        ]


class TestAuthorizations:
    def test_that_ended_are_not_captured_and_say_so(
        self, shop: Shop, order: str, payer: Payer
    ) -> None:
        begin(shop, order)
        work(shop, payer)
        with shop.ledger.transaction() as tx:
            tx.exec_driver_sql("update payments set authorized_until_at = now() - interval '1 h'")
        ship(shop, 1)
        work(shop, payer)
        ship(shop, 1, "c-2")
        work(shop, payer)
        assert payer.done() == [("authorize", 2000, "succeeded")]
        assert shop.story().count("payment.authorization_expired") == 1
        assert exceptions(shop) == [("AUTHORIZATION_EXPIRED", False)]
        assert shop.violations() == {}
        payment = paid(shop)
        shop.ledger.run(
            lambda tx: payments.act(
                tx, payment.payment_number, "capture", None, currency=None,
                version=payment.version, by="ann", at=clock.now(),
            )
        )  # fmt: skip
        work(shop, payer)
        assert exceptions(shop) == [("AUTHORIZATION_EXPIRED", True)]
        assert balance(shop) == "paid"

    def test_are_shown_before_they_end_as_their_service_says(
        self, shop: Shop, order: str, payer: Payer
    ) -> None:
        """Of what was authorized here nobody else would know."""
        payer.behaves(authorized_hours=40)
        begin(shop, order)
        work(shop, payer)
        until = paid(shop).authorized_until_at
        assert until is not None
        assert timedelta(hours=39) < until - clock.now() <= timedelta(hours=40)
        assert failures(shop) == ["AUTHORIZATION_ENDS"]
        ship(shop, 2)
        work(shop, payer)
        assert failures(shop) == []

    def test_hold_as_long_as_the_newest_document_says(self, shop: Shop) -> None:
        until = NOW + timedelta(days=7)
        first = an_order("W-1", lines=[a_line()])
        shop.take(a_told(first, captured=0, authorized_until_at=until))
        newer = first.but(version=9)
        shop.take(a_told(newer, captured=0, authorized_until_at=until + timedelta(days=7)))
        shop.take(a_told(first.but(version=10), captured=0))
        assert paid(shop).authorized_until_at == until + timedelta(days=7)


def exceptions(shop: Shop) -> list[tuple[Any, ...]]:
    return shop.rows(
        "select code, resolved_at is not null from order_exceptions where code <> 'BACKORDERED'"
    )


class TestBadOrders:
    """What fails for one order is not the trouble of the others."""

    @pytest.fixture(autouse=True)
    def _told(self, shop: Shop) -> None:
        shop.take(a_movement(99))
        shop.take(*(awaited(an_order(ref, lines=[a_line()])) for ref in ("W-1", "W-2", "W-3")))

    def test_are_set_aside_and_tried_again_when_they_change(self, shop: Shop) -> None:
        with spoiled(shop, "order_balances", "W-2"):
            follow_money(shop)
            assert set_aside(shop) == [("payments", "W-2", 1)]
            assert balances(shop) == [("W-1", "awaiting"), ("W-3", "awaiting")]
            follow_money(shop)  # nothing has changed: it is not tried
            assert set_aside(shop) == [("payments", "W-2", 1)]
            shop.take(an_order("W-2", lines=[a_line()], version=8))
            follow_money(shop)
            assert set_aside(shop) == [("payments", "W-2", 2)]
        shop.take(an_order("W-2", lines=[a_line()], version=9))
        follow_money(shop)
        assert (set_aside(shop), len(balances(shop))) == ([], 3)

    def test_are_tried_again_by_themselves_after_a_while(self, shop: Shop) -> None:
        with spoiled(shop, "order_balances", "W-2"):
            follow_money(shop)
        with shop.ledger.transaction() as tx:
            tx.exec_driver_sql("update set_aside set tried_at = now() - interval '61 minutes'")
        shop.take(an_order("W-4", lines=[a_line()]))
        follow_money(shop)
        assert (set_aside(shop), len(balances(shop))) == ([], 3)

    def test_are_billed_when_they_are_mended(self, shop: Shop) -> None:
        register(shop)
        refs = ("W-5", "W-6", "W-7")
        shop.take(*(an_order(ref, lines=[a_line()]) for ref in refs))

        def bill() -> None:
            for _ in range(3):
                follow(
                    shop.ledger, billing.FOLLOWER,
                    lambda tx, a, u: billing.bill_changed(tx, a, u, at=clock.now()),
                )  # fmt: skip

        shop.take(*(a_partial(ref, a_change("ship")) for ref in refs))
        with spoiled(shop, "documents", "W-6"):
            bill()
            assert set_aside(shop) == [("billing", "W-6", 1)]
            assert billed(shop) == ["W-5", "W-7"]
        shop.take(an_order("W-6", lines=[a_line()], version=8))
        bill()
        assert (set_aside(shop), billed(shop)) == ([], list(refs))
        assert shop.violations() == {}


def balances(shop: Shop) -> list[tuple[Any, ...]]:
    return shop.rows(
        "select external_ref, payment_state from order_balances join orders using (order_id)"
        " order by external_ref"
    )


def billed(shop: Shop) -> list[str]:
    sql = "select external_ref from documents join orders using (order_id) order by 1"
    return [str(ref) for (ref,) in shop.rows(sql)]


class TestNotices:
    def told(self, shop: Shop, **fields: Any) -> None:
        card = {"psp": "sandbox", "psp_reference": "pay_1", **fields}
        shop.take(a_movement(9), a_told(an_order(lines=[a_line(quantity=2)]), **card))

    def notice(self, shop: Shop, kind: TransactionType, ref: str, amount: int = 2000) -> str:
        given = Notice(
            ref=f"evt:{ref}", type=kind, amount_minor=amount, currency="EUR", reference=None,
            parent_reference="pay_1",
            answer=Answer(state=TransactionState.SUCCEEDED, psp_reference=ref),
        )  # fmt: skip
        return shop.ledger.run(lambda tx: notices.take_notice(tx, "sandbox", given, at=NOW))

    @pytest.mark.parametrize(
        ("kind", "fields"),
        [
            (TransactionType.AUTHORIZE,
             {"managed_by": "oms", "authorized_minor": 2000, "captured": 0}),
            (TransactionType.CAPTURE, {"captured": 2000}),
        ],
    )  # fmt: skip
    def test_of_what_a_channel_told_are_no_second_one(
        self, shop: Shop, kind: TransactionType, fields: dict[str, Any]
    ) -> None:
        self.told(shop, **fields)
        before = shop.rows("select type, state, amount_minor::int from payment_transactions")
        assert self.notice(shop, kind, "op_1") == "ignored"
        told = "select type, state, amount_minor::int from payment_transactions"
        assert shop.rows(told) == before
        assert shop.value(
            "select psp_reference from payment_transactions where type = :t", t=kind.value
        ) == "op_1"  # fmt: skip

    def test_that_an_attempt_failed_are_of_nothing_that_was_told(self, shop: Shop) -> None:
        self.told(shop, captured=2000)
        failed = Notice(
            ref="evt:f", type=TransactionType.CAPTURE, amount_minor=2000, currency="EUR",
            reference=None, parent_reference="pay_1",
            answer=Answer(state=TransactionState.FAILED, psp_reference="op_0"),
        )  # fmt: skip
        took = shop.ledger.run(lambda tx: notices.take_notice(tx, "sandbox", failed, at=NOW))
        assert took == "parked"
        assert shop.rows(
            "select state, psp_reference, is_disputed from payment_transactions"
            " where type = 'capture'"
        ) == [("succeeded", None, False)]

    def test_of_something_else_are_one_more(self, shop: Shop) -> None:
        self.told(shop, captured=1000)
        assert self.notice(shop, TransactionType.CAPTURE, "op_1", 500) == "external"
        assert self.notice(shop, TransactionType.CAPTURE, "op_2", 1000) == "ignored"
        assert shop.value("select captured_minor::int from payments") == 1500

    def test_stay_written_where_following_them_fails(self, shop: Shop) -> None:
        self.told(shop, managed_by="oms", authorized_minor=2000, captured=0)
        shop.take(a_partial("W-1", a_change("cancel", 2)))
        with spoiled(shop, "refunds", "W-1"):
            assert self.notice(shop, TransactionType.CAPTURE, "op_1") == "external"
        assert shop.value("select captured_minor::int from payments") == 2000
        assert [row[:2] for row in set_aside(shop)] == [("payments", "W-1")]
        assert shop.value("select outcome from psp_notices") == "external"


class TestDue:
    def test_giving_up_waits_for_what_is_being_captured(
        self, shop: Shop, payer: Payer, order: str
    ) -> None:
        begin(shop, order)
        work(shop, payer)
        ask(shop, order, TransactionType.VOID, 500)
        ask(shop, order, TransactionType.CAPTURE, 1500)
        for _ in range(2):
            hurry(shop)
            work(shop, payer)
        assert [kind for kind, *_ in payer.done()] == ["authorize", "capture", "void"]

    def test_one_that_fails_unforeseen_does_not_keep_the_others(
        self, shop: Shop, payer: Payer, order: str
    ) -> None:
        begin(shop, order)
        work(shop, payer)
        ask(shop, order, TransactionType.CAPTURE, 500)
        ask(shop, order, TransactionType.CAPTURE, 700)

        class Bad:
            def execute(self, asked: Asked) -> Answer:
                if asked.amount_minor == 500:
                    raise KeyError("nobody thought of it")
                return payer.psp.execute(asked)

            def find(self, asked: Asked) -> Answer | None:
                return payer.psp.find(asked)

        payments.execute_due(shop.ledger, {"sandbox": cast("Any", Bad())})
        assert ("capture", 700, "succeeded") in payer.done()


def ask(shop: Shop, number: str, kind: TransactionType, amount: int) -> None:
    def request(tx: Any) -> None:
        order_id = shop.order().summary.order_id
        payments.orders.hold(tx, order_id)
        (held,) = queries.of_order(tx, order_id)
        operations.request(tx, held, kind, amount, cause=f"{kind}{amount}", by="t", at=clock.now())

    assert number
    shop.ledger.run(request)


def hurry(shop: Shop) -> None:
    """Let what waits to be tried again be due."""
    with shop.ledger.transaction() as tx:
        tx.exec_driver_sql(
            "update payment_transactions set next_try_at = now() - interval '1 day'"
            " where next_try_at is not null"
        )
