"""The warehouse: its two DuckDB files, who may write them, and how they are opened."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from oms.settings import Settings

# Whoever opens the files in one process must ask for the same configuration: profiles.yml has
# the same. Files written for 1.5 can be read by both the young 2.0 and its predecessor.
CONFIG: Final[dict[str, str | bool | int | float | list[str]]] = {
    "storage_compatibility_version": "v1.5.0"
}
LOCK_POLL_SECONDS: Final = 0.05
# A full build of a large warehouse takes long; whoever waits for it has nothing better to do.
LOCK_WAIT_SECONDS: Final = 3_600.0
# A checkpoint merges small row groups into large ones, which writes those anew: with 500,000
# lines it took 0.1 s after the first load and 1.1 s after eight more, without it 0.07 s
# throughout. So small groups are left, and merged once in a while.
LAZY_VACUUM_TASKS: Final = 0
THOROUGH_VACUUM_TASKS: Final = 100


class WarehouseBusy(Exception):
    """Another process has been writing the warehouse for longer than we wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Warehouse:
    """Where the warehouse lies: raw and views in one file, the marts in their own."""

    path: Path
    marts_path: Path
    published_dir: Path

    @property
    def spool_dir(self) -> Path:
        """Where rows wait between the ledger and DuckDB."""
        return self.path.parent / "spool"

    @property
    def dbt_dir(self) -> Path:
        """What dbt writes about its runs."""
        return self.path.parent / "dbt"

    @contextmanager
    def locked(self, *, wait_seconds: float) -> Iterator[None]:
        """Be the only writer, whatever process asks; the lock goes with the process.

        Raises WarehouseBusy when it stays taken.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        deadline = time.monotonic() + wait_seconds
        with self.path.with_suffix(".lock").open("w") as handle:
            while not _taken(handle.fileno()):
                if time.monotonic() > deadline:
                    raise WarehouseBusy(f"{self.path} has been locked for {wait_seconds:g} s")
                time.sleep(LOCK_POLL_SECONDS)
            yield

    @contextmanager
    def open(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open both files for writing; only under the lock."""
        with duckdb.connect(self.path, config=CONFIG) as connection:
            connection.execute("set timezone = 'UTC'")
            connection.execute(f"set max_vacuum_tasks = {LAZY_VACUUM_TASKS}")
            connection.execute(f"attach if not exists '{_quoted(self.marts_path)}' as marts")
            yield connection


def warehouse_of(settings: Settings) -> Warehouse:
    """Return the warehouse the settings name."""
    return Warehouse(
        path=settings.warehouse_path,
        marts_path=settings.marts_path,
        published_dir=settings.published_dir,
    )


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
