"""The ledger's transactions: all or nothing, repeated where asked, away when it is away."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from oms.kernel.limits import TRANSACTION_ATTEMPTS_MAX
from oms.ledger.copying import copy_in
from oms.ledger.database import Ledger, LedgerAway, Tx
from tests.ledger.shop import Shop
from tests.ledger.threads import together

SERIALIZATION, DEADLOCK = "40001", "40P01"


def failing(code: str, times: int) -> tuple[list[int], object]:
    """Return a work that PostgreSQL refuses so many times, and the list of its attempts."""
    attempts: list[int] = []

    def work(tx: Tx) -> str:
        attempts.append(len(attempts) + 1)
        tx.execute(text("update channels set threshold = threshold + 1 where channel_code = 'web'"))
        if len(attempts) <= times:
            tx.execute(text(f"do $$ begin raise sqlstate '{code}'; end $$"))
        return "done"

    return attempts, work


def threshold(shop: Shop) -> int:
    """Return what the work counts up."""
    return int(shop.value("select threshold from channels where channel_code = 'web'"))


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Take down how long is paused, instead of pausing."""
    taken: list[float] = []
    monkeypatch.setattr("oms.ledger.database.time.sleep", taken.append)
    return taken


class TestRun:
    @pytest.mark.parametrize("code", [SERIALIZATION, DEADLOCK])
    @pytest.mark.parametrize("times", [0, 1, TRANSACTION_ATTEMPTS_MAX - 1])
    def test_it_repeats_what_postgresql_asks_to_repeat(
        self, shop: Shop, pauses: list[float], code: str, times: int
    ) -> None:
        attempts, work = failing(code, times)
        assert shop.ledger.run(work) == "done"  # type: ignore[arg-type]  # a work of a text
        assert (len(attempts), len(pauses), threshold(shop)) == (times + 1, times, 1)

    def test_it_gives_up_in_the_end(self, shop: Shop, pauses: list[float]) -> None:
        attempts, work = failing(SERIALIZATION, 99)
        with pytest.raises(DBAPIError):
            shop.ledger.run(work)  # type: ignore[arg-type]  # a work of a text
        assert (len(attempts), threshold(shop)) == (TRANSACTION_ATTEMPTS_MAX, 0)
        assert pauses == sorted(pauses) or max(pauses) > pauses[0]

    def test_it_does_not_repeat_anything_else(self, shop: Shop, pauses: list[float]) -> None:
        attempts, work = failing("23505", 99)
        with pytest.raises(IntegrityError):
            shop.ledger.run(work)  # type: ignore[arg-type]  # a work of a text
        assert (len(attempts), pauses, threshold(shop)) == (1, [], 0)

    def test_two_that_lock_each_other_both_get_through(self, shop: Shop) -> None:
        met = threading.Barrier(2)
        attempts: list[str] = []

        def work(first: str, second: str) -> None:
            is_first_attempt = True

            def locking(tx: Tx) -> None:
                nonlocal is_first_attempt
                attempts.append(first)
                for code in (first, second):
                    tx.execute(
                        text(
                            "update channels set threshold = threshold + 1"
                            " where channel_code = :code"
                        ),
                        {"code": code},
                    )
                    if is_first_attempt:
                        is_first_attempt = False
                        met.wait(20)

            shop.ledger.run(locking)

        assert together([lambda: work("web", "till"), lambda: work("till", "web")]) == [None, None]
        assert len(attempts) == 3
        assert threshold(shop) == 2


class TestTransaction:
    def test_it_commits_on_leaving(self, shop: Shop) -> None:
        with shop.ledger.transaction() as tx:
            tx.execute(text("update channels set threshold = 5"))
        assert threshold(shop) == 5

    def test_it_rolls_back_on_raising(self, shop: Shop) -> None:
        with pytest.raises(ZeroDivisionError), shop.ledger.transaction() as tx:  # noqa: PT012 - in it
            tx.execute(text("update channels set threshold = 5"))
            raise ZeroDivisionError
        assert threshold(shop) == 0

    def test_it_speaks_utc(self, shop: Shop) -> None:
        assert shop.value("show timezone") == "UTC"


class TestSnapshot:
    def test_it_sees_one_moment(self, shop: Shop) -> None:
        with shop.ledger.snapshot() as tx:
            query = text("select max(threshold) from channels")
            before = tx.execute(query).scalar()
            with shop.ledger.transaction() as other:
                other.execute(text("update channels set threshold = 5"))
            assert tx.execute(query).scalar() == before == 0

    def test_it_writes_nothing(self, shop: Shop) -> None:
        with pytest.raises(DBAPIError), shop.ledger.snapshot() as tx:
            tx.execute(text("update channels set threshold = 5"))

    def test_a_transaction_after_it_writes_again(self, shop: Shop) -> None:
        one = Ledger(
            shop.ledger.engine.url.render_as_string(hide_password=False), connections_max=1
        )
        with one.snapshot() as tx:
            tx.execute(text("select 1"))
        with one.transaction() as tx:
            tx.execute(text("update channels set threshold = 5"))
        one.close()
        assert threshold(shop) == 5


@pytest.fixture
def nowhere(tmp_path: Path) -> Iterator[Ledger]:
    """Give a ledger whose server is not there."""
    ledger = Ledger(f"postgresql://postgres@/oms?host={tmp_path}")
    yield ledger
    ledger.close()


class TestAway:
    def test_a_server_that_is_not_there_is_away(self, nowhere: Ledger) -> None:
        with pytest.raises(LedgerAway), nowhere.transaction():
            pass
        with pytest.raises(LedgerAway), nowhere.snapshot():
            pass
        with pytest.raises(LedgerAway):
            nowhere.run(lambda tx: None)

    def test_a_connection_that_is_lost_is_away_and_the_next_one_works(
        self, shop: Shop, admin: Engine
    ) -> None:
        with pytest.raises(LedgerAway), shop.ledger.transaction() as tx:  # noqa: PT012 - at its end
            cut(tx, admin)
            tx.execute(text("select 1"))
        assert threshold(shop) == 0

    def test_a_connection_that_is_lost_while_copying_is_away(
        self, shop: Shop, admin: Engine
    ) -> None:
        with pytest.raises(LedgerAway), shop.ledger.transaction() as tx:  # noqa: PT012 - at its end
            tx.execute(text("create temp table pens (name text)"))
            cut(tx, admin)
            copy_in(tx, "pens", ("name",), b"blue\n")

    def test_a_wrong_statement_is_not_away(self, shop: Shop) -> None:
        with pytest.raises(DBAPIError) as refused, shop.ledger.transaction() as tx:
            tx.execute(text("select 1 / 0"))
        assert not isinstance(refused.value, LedgerAway)


class TestClaim:
    def test_one_has_it_until_it_leaves(self, shop: Shop) -> None:
        claim = shop.ledger.claim
        with claim(7) as first, claim(7) as second, claim(8) as other:
            assert [each is None for each in (first, second, other)] == [False, True, False]
        with shop.ledger.claim(7) as third:
            assert third is not None

    def test_it_is_given_back_when_the_work_fails(self, shop: Shop) -> None:
        with pytest.raises(ZeroDivisionError), shop.ledger.claim(7) as claim:  # noqa: PT012 - in it
            assert claim is not None
            with claim.transaction() as tx:
                tx.execute(text("update channels set threshold = 5"))
                raise ZeroDivisionError
        assert threshold(shop) == 0
        with shop.ledger.claim(7) as again:
            assert again is not None

    def test_it_repeats_what_postgresql_asks_to_repeat(
        self, shop: Shop, pauses: list[float]
    ) -> None:
        attempts, work = failing(DEADLOCK, 1)
        with shop.ledger.claim(7) as claim:
            assert claim is not None
            assert claim.run(work) == "done"  # type: ignore[arg-type]  # a work of a text
        assert (len(attempts), len(pauses), threshold(shop)) == (2, 1, 1)

    def test_lost_it_writes_nothing_however_often_it_is_tried(
        self, shop: Shop, admin: Engine
    ) -> None:
        with shop.ledger.claim(7) as claim:
            assert claim is not None
            with pytest.raises(LedgerAway), claim.transaction() as tx:
                cut(tx, admin)
            for _ in range(2):
                with pytest.raises(LedgerAway), claim.transaction() as tx:
                    tx.execute(text("update channels set threshold = 5"))
            with shop.ledger.claim(7) as successor:
                assert successor is not None
        assert threshold(shop) == 0

    def test_lost_unnoticed_it_is_away_when_it_is_given_back(
        self, shop: Shop, admin: Engine
    ) -> None:
        with pytest.raises(LedgerAway), shop.ledger.claim(7) as claim:  # noqa: PT012 - at its end
            assert claim is not None
            with claim.transaction() as tx:
                tx.execute(text("update channels set threshold = 5"))
                pid = tx.execute(text("select pg_backend_pid()")).scalar_one()
            with admin.connect() as connection:
                connection.execute(text("select pg_terminate_backend(:pid, 5000)"), {"pid": pid})
        assert threshold(shop) == 5


def cut(tx: Tx, admin: Engine) -> None:
    """End a transaction's connection from the server's side."""
    pid = tx.execute(text("select pg_backend_pid()")).scalar_one()
    with admin.connect() as connection:
        connection.execute(text("select pg_terminate_backend(:pid, 5000)"), {"pid": pid})


class TestErrors:
    def test_they_do_not_tell_what_was_to_be_written(self, shop: Shop) -> None:
        insert = text("insert into notes (order_id, body) values (:order_id, :body)")
        with pytest.raises(DBAPIError) as raised, shop.ledger.transaction() as tx:
            tx.execute(insert, {"order_id": "ada@example.org", "body": "Ring Ada."})
        assert "insert into notes" in str(raised.value)
        assert "Ring Ada." not in str(raised.value)
