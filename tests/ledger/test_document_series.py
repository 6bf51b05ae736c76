"""Series: a thousand documents issued at once are numbered one after the other, none missing."""

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from sqlalchemy import text

from oms.billing import operations
from oms.kernel.errors import Unavailable
from tests.builders import NOW, a_change, a_receipt, an_order
from tests.ledger.issuing import bill, documents, follow_once, register
from tests.ledger.shop import Shop
from tests.ledger.threads import together, waiting_for_a_lock

COUNT: Final = 1_000
CALLERS: Final = 10


class Broken(Exception):
    """What makes a transaction roll back."""


def numbers(shop: Shop) -> list[int]:
    return [row[0] for row in shop.rows(
        "select series_number from documents where document_type = 'invoice' order by 1"
    )]  # fmt: skip


class TestNumbers:
    def test_of_a_thousand_at_once_are_consecutive_whatever_is_rolled_back(
        self, shop: Shop
    ) -> None:
        register(shop)
        shop.take(*(an_order(f"W-{n}", changes=[a_change("ship")]) for n in range(COUNT)))
        ids = [row[0] for row in shop.rows("select order_id from orders order by order_id")]
        broken = 0

        def caller(mine: list[int]) -> Callable[[], int]:
            def work() -> int:
                failed = 0
                for count, order_id in enumerate(mine):
                    if count % 4 == 0:
                        failed += not _issue_and_break(order_id)
                    shop.ledger.run(
                        lambda tx, each=order_id: operations.bill(tx, [each], by="t", at=NOW)
                    )
                return failed

            return work

        def _issue_and_break(order_id: int) -> bool:
            with suppress(Broken), shop.ledger.transaction() as tx:
                assert len(operations.bill(tx, [order_id], by="t", at=NOW)) == 1
                raise Broken
            return False

        results = together([caller(ids[n::CALLERS]) for n in range(CALLERS)])
        broken = sum(each for each in results if isinstance(each, int))
        assert broken == COUNT // 4, results
        assert numbers(shop) == list(range(1, COUNT + 1))
        assert shop.value("select count(distinct document_number) from documents") == COUNT
        assert shop.value("select last_number from document_series") == COUNT

    def test_have_no_gap_where_who_issued_was_killed(self, shop: Shop) -> None:
        register(shop)
        shop.take(*(an_order(f"W-{n}", changes=[a_change("ship")]) for n in range(2)))
        bill(shop, "W-0")
        taken, killed = threading.Event(), threading.Event()

        def victim() -> None:
            with shop.ledger.transaction() as tx:
                backend = tx.execute(text("select pg_backend_pid()")).scalar_one()
                pids.append(backend)
                operations.bill(tx, [order_id], by="t", at=NOW)
                taken.set()
                assert killed.wait(30)
                tx.execute(text("select 1"))

        pids: list[int] = []
        order_id = shop.value("select order_id from orders where external_ref = 'W-1'")

        def killer() -> None:
            assert taken.wait(30)
            shop.value("select pg_terminate_backend(:pid, 10000)", pid=pids[0])
            killed.set()

        lost, _ = together([victim, killer])
        assert isinstance(lost, Unavailable)
        assert numbers(shop) == [1]
        bill(shop, "W-1")
        assert numbers(shop) == [1, 2]

    def test_are_waited_for_not_skipped(self, shop: Shop) -> None:
        """Who comes second gets the number of who came first and was rolled back."""
        register(shop)
        shop.take(*(an_order(f"W-{n}", changes=[a_change("ship")]) for n in range(2)))
        first, second = (
            shop.value("select order_id from orders where external_ref = :r", r=f"W-{n}")
            for n in range(2)
        )

        def work() -> list[int]:
            return shop.ledger.run(lambda tx: operations.bill(tx, [second], by="t", at=NOW))

        with shop.ledger.engine.connect() as connection, connection.begin() as begun:
            operations.bill(connection, [first], by="t", at=NOW)
            with waiting_for_a_lock(shop.ledger, work) as waiting:
                begun.rollback()
                assert len(waiting.result(30)) == 1
        assert numbers(shop) == [1]

    def test_of_an_order_asked_for_at_once_is_one(self, shop: Shop) -> None:
        register(shop)
        shop.take(a_receipt(), channel="till")
        number = shop.value("select order_number from orders")
        results = together([
            lambda: shop.ledger.run(
                lambda tx: operations.invoice(tx, number, by="t", at=NOW)
            )
            for _ in range(8)
        ])  # fmt: skip
        assert sum(isinstance(each, list) for each in results) == 1
        assert numbers(shop) == [1]

    def test_of_the_follower_and_of_callers_meet_without_a_deadlock(self, shop: Shop) -> None:
        register(shop)
        follow_once(shop)
        shop.take(*(an_order(f"W-{n}", changes=[a_change("ship")]) for n in range(200)))
        ids = [row[0] for row in shop.rows("select order_id from orders order by 1 desc")]

        def follower() -> int:
            return sum(1 for _ in range(50) if follow_once(shop))

        def caller() -> int:
            return sum(
                len(shop.ledger.run(
                    lambda tx, some=batch: operations.bill(tx, list(some), by="t", at=NOW)))
                for batch in chunks(ids, 7)
            )  # fmt: skip

        results = together([follower, caller, caller])
        assert all(isinstance(each, int) for each in results), results
        while follow_once(shop):
            pass
        assert numbers(shop) == list(range(1, 201))
        assert len(documents(shop, "W-7")) == 1


def chunks(ids: list[int], size: int) -> list[list[int]]:
    return [ids[at : at + size] for at in range(0, len(ids), size)]
