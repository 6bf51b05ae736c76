"""The ledger's database: connections, transactions, retries."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final, TypeVar

import psycopg.errors
from sqlalchemy import Connection, Engine, create_engine, make_url, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from oms.kernel.errors import Unavailable
from oms.kernel.limits import TRANSACTION_ATTEMPTS_MAX
from oms.ledger import embedded
from oms.settings import Settings

Tx = Connection
"""A transaction: whoever is handed one neither commits nor rolls back."""

T = TypeVar("T")

# A slice of 5,000 orders is staged in 12 MB of temporary tables: what does not fit is written
# out and read again. Taken as it is needed. A statement has one core: with workers beside it, it
# would wait for them to start where its first rows are enough, and the other cores serve others.
OPTIONS: Final = "-c timezone=UTC -c temp_buffers=32MB -c max_parallel_workers_per_gather=0"
REPEATABLE = (psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected)

# Without a code nobody answered at all; the others say that the server is going, or coming.
AWAY_CODES: Final = frozenset({None, "57P01", "57P02", "57P03"})


class LedgerAway(Unavailable):
    """The database is away; try again later."""


_LOCK: Final = text("select pg_try_advisory_lock(:key)")
_UNLOCK: Final = text("select pg_advisory_unlock(:key)")
_CORRELATE: Final = text("select set_config('oms.correlation_id', :name, true)")


class Ledger:
    """A PostgreSQL database and the ways to work in it."""

    def __init__(self, url: str, *, connections_max: int = 20) -> None:
        """Take a URL such as postgresql+psycopg://host/name; connect at first use."""
        parsed = make_url(url)
        if parsed.drivername in {"postgres", "postgresql"}:
            parsed = parsed.set(drivername="postgresql+psycopg")
        self.engine: Engine = create_engine(
            parsed,
            pool_size=connections_max,
            max_overflow=0,
            pool_pre_ping=True,
            # An error is logged with its statement, but not with what was to be written.
            hide_parameters=True,
            connect_args={"options": OPTIONS, "connect_timeout": 10},
        )

    @contextmanager
    def transaction(self) -> Iterator[Tx]:
        """Open a read-write transaction: commits on leaving, rolls back on raising.

        Raises LedgerAway when the database cannot be reached.
        """
        with away_as_unavailable(), self.engine.begin() as tx:
            yield tx

    @contextmanager
    def snapshot(self) -> Iterator[Tx]:
        """Open a read-only transaction that sees one moment of the ledger throughout."""
        with away_as_unavailable(), self.engine.connect() as connection:
            tx = connection.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
            with tx.begin():
                yield tx

    def run(self, work: Callable[[Tx], T]) -> T:
        """Run work in a transaction, again when PostgreSQL asks for it.

        Serialization failures and deadlocks are repeated from the start, with a growing
        pause; anything else is raised. The work must have no effect outside the transaction.
        """
        return _repeated(self.transaction, work)

    @contextmanager
    def claim(self, key: int) -> Iterator["Claim | None"]:
        """Hold the lock of a number while this lasts; give None when somebody else has it.

        Raises LedgerAway when the database cannot be reached, or no longer can.
        """
        with away_as_unavailable(), self.engine.connect() as connection:
            with connection.begin():
                is_ours: bool = connection.execute(_LOCK, {"key": key}).scalar_one()
            if not is_ours:
                yield None
                return
            try:
                yield Claim(connection)
            finally:
                # With its connection the lock is gone already.
                if not connection.invalidated:
                    with connection.begin():
                        connection.execute(_UNLOCK, {"key": key})

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


class Claim:
    """A lock that lasts as long as its connection, and the transactions of its holder.

    They run in that very connection: whoever lost the lock, however long it slept meanwhile,
    finds that it has nothing left to commit with.
    """

    def __init__(self, connection: Connection) -> None:
        """Take the connection that holds the lock."""
        self._connection = connection

    @contextmanager
    def transaction(self) -> Iterator[Tx]:
        """Open a read-write transaction: commits on leaving, rolls back on raising.

        Raises LedgerAway when the connection, and with it the lock, is lost.
        """
        if self._connection.invalidated:  # it would quietly be replaced by one without the lock
            raise LedgerAway
        with away_as_unavailable(), self._connection.begin():
            yield self._connection

    def run(self, work: Callable[[Tx], T]) -> T:
        """Run work in a transaction, again when PostgreSQL asks for it, as Ledger.run does."""
        return _repeated(self.transaction, work)


def _repeated(transaction: Callable[[], AbstractContextManager[Tx]], work: Callable[[Tx], T]) -> T:
    for attempt in range(1, TRANSACTION_ATTEMPTS_MAX + 1):
        try:
            with transaction() as tx:
                return work(tx)
        except DBAPIError as error:
            if not isinstance(error.orig, REPEATABLE) or attempt == TRANSACTION_ATTEMPTS_MAX:
                raise
            time.sleep(random.uniform(0, 0.01 * 2**attempt))  # noqa: S311 - spreads retries
    raise AssertionError("the loop returns or raises")


def ends_transaction(error: Exception) -> bool:
    """Tell whether an error is of the transaction, or of its connection, and not of what it did."""
    return isinstance(error, DBAPIError) and (
        isinstance(error.orig, REPEATABLE)
        or error.connection_invalidated
        or getattr(error.orig, "sqlstate", None) in AWAY_CODES
    )


def correlate(tx: Tx, name: str) -> None:
    """Say what a transaction is for: the steps it tells of orders carry it."""
    tx.execute(_CORRELATE, {"name": name})


def open_ledger(settings: Settings, *, connections_max: int = 20) -> Ledger:
    """Open the ledger the settings name, starting the embedded server where there is none."""
    if settings.ledger_url is not None:
        url = settings.ledger_url.get_secret_value()
    else:
        url = embedded.start(settings.pgdata_path).url
    return Ledger(url, connections_max=connections_max)


@contextmanager
def away_as_unavailable() -> Iterator[None]:
    """Turn a lost or refused connection into LedgerAway."""
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        lost = isinstance(error, InterfaceError) or error.connection_invalidated
        if lost or getattr(error.orig, "sqlstate", None) in AWAY_CODES:
            raise LedgerAway from error
        raise
