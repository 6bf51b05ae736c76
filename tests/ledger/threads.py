"""Callers at the same time: real threads, each with its own connection."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Final, TypeVar

from sqlalchemy import Connection, text

from oms.ledger.database import Ledger

T = TypeVar("T")

WAIT_SECONDS_MAX: Final = 30


def together(works: Sequence[Callable[[], T]]) -> list[T | Exception]:
    """Run works at the same moment; return what each returned or raised."""
    ready = threading.Barrier(len(works))

    def run(work: Callable[[], T]) -> T | Exception:
        ready.wait(WAIT_SECONDS_MAX)
        try:
            return work()
        except Exception as error:  # noqa: BLE001 - the test says which it expects
            return error

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


@contextmanager
def waiting_for_a_lock(ledger: Ledger, work: Callable[[], T]) -> Iterator[Future[T]]:
    """Run a work in the background, and go on once it waits for somebody's lock."""
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(work)
        with ledger.engine.connect() as watcher:
            deadline = time.monotonic() + WAIT_SECONDS_MAX
            while not _waits(watcher):
                assert not future.done(), f"it did not wait: {future.result()}"
                assert time.monotonic() < deadline, "it neither waits nor ends"
        yield future


def until_all_wait(ledger: Ledger, count: int) -> None:
    """Go on once so many wait for somebody's lock."""
    with ledger.engine.connect() as watcher:
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while _waiting(watcher) < count:
            assert time.monotonic() < deadline, f"there are not {count} who wait"


def _waits(watcher: Connection) -> bool:
    return _waiting(watcher) > 0


def _waiting(watcher: Connection) -> int:
    found = watcher.execute(
        text(
            "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
            " and datname = current_database()"
        )
    ).scalar_one()
    watcher.rollback()
    return int(found)
