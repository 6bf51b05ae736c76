"""The published marts: found by their pointer, attached read-only, asked in plain SQL."""

import re
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Any, Final, TypeAlias, cast

import duckdb
import polars as pl

from oms.kernel.errors import Unavailable

POINTER: Final = "CURRENT"
# Two versions stay open: a reader that began on the older one still finishes on it.
VERSIONS_OPEN_MAX: Final = 2
# Between reading the pointer and opening the file a publisher may have moved on.
OPEN_ATTEMPTS_MAX: Final = 3
BATCH_ROWS: Final = 50_000

_FILE_NAME: Final = re.compile(r"marts-\d{1,18}\.duckdb")
_PARAMETER: Final = re.compile(r"\$([a-z_]+)")
_STAMP: Final = """
    select version, watermark, batch, published_at, ledger_orders_count, mart_orders_count
    from publication
"""

# Path, inode and time of change: what tells one published file from another.
Identity: TypeAlias = tuple[str, int, int]


class NothingPublished(Unavailable):
    """Nothing has been published yet."""

    code = "NOTHING_PUBLISHED"


class PublicationUnreadable(Unavailable):
    """The published marts cannot be read."""

    code = "PUBLICATION_UNREADABLE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """What a publication says of itself."""

    version: int
    watermark: int
    batch: int
    published_at: datetime
    ledger_orders_count: int
    mart_orders_count: int


class Publication:
    """One published version, open for reading; safe to share between threads."""

    def __init__(self, path: Path, identity: Identity) -> None:
        """Attach a published file. Raises duckdb.Error or PublicationUnreadable."""
        self.identity = identity
        self._root = _attach(path)
        self.stamp = self._read_stamp(path)

    def ask(self, sql: str, parameters: Mapping[str, object] | None = None) -> pl.DataFrame:
        """Answer a query; of the parameters it is given the ones it names."""
        frame: pl.DataFrame = self._relation(sql, parameters).pl()
        return frame

    def batches(
        self, sql: str, parameters: Mapping[str, object] | None = None, rows: int = BATCH_ROWS
    ) -> Iterator[pl.DataFrame]:
        """Answer a query slice by slice, so that its size does not matter."""
        for batch in self._relation(sql, parameters).to_arrow_reader(rows):
            yield cast("pl.DataFrame", pl.from_arrow(batch))

    def _relation(
        self, sql: str, parameters: Mapping[str, object] | None
    ) -> duckdb.DuckDBPyRelation:
        given = parameters or {}
        cursor = self._root.cursor()
        cursor.execute("use marts.marts")
        return cursor.sql(sql, params={name: given[name] for name in _PARAMETER.findall(sql)})

    def _read_stamp(self, path: Path) -> Stamp:
        rows = self.ask(_STAMP).to_dicts()
        if len(rows) != 1:
            raise PublicationUnreadable(f"{path.name} does not say which version it is")
        row: dict[str, Any] = rows[0]
        return Stamp(**row)


class Publications:
    """All published versions in a folder; the current one is opened once and kept."""

    def __init__(self, directory: Path) -> None:
        """Take the folder that holds the published files and their pointer."""
        self._directory = directory
        self._lock = Lock()
        self._open: OrderedDict[Identity, Publication] = OrderedDict()

    def current(self) -> Publication:
        """Return the current publication.

        Raises NothingPublished, or PublicationUnreadable if its file is not what it should be.
        """
        with self._lock:
            for _ in range(OPEN_ATTEMPTS_MAX - 1):
                try:
                    return self._opened(self._pointed_at())
                except (FileNotFoundError, duckdb.IOException):
                    continue
            try:
                return self._opened(self._pointed_at())
            except (OSError, duckdb.Error) as error:
                raise PublicationUnreadable from error

    def _pointed_at(self) -> Path:
        try:
            name = (self._directory / POINTER).read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            raise NothingPublished from None
        if not _FILE_NAME.fullmatch(name):
            raise PublicationUnreadable(f"{POINTER} does not name a published file")
        return self._directory / name

    def _opened(self, path: Path) -> Publication:
        # A file may be made anew under an old name (a fresh home): its name alone is not it.
        status = path.stat()
        identity = (str(path), status.st_ino, status.st_mtime_ns)
        if identity not in self._open:
            self._open[identity] = Publication(path, identity)
            while len(self._open) > VERSIONS_OPEN_MAX:
                # Not closed: a query on it may be running. It goes with its last reader.
                self._open.popitem(last=False)
        return self._open[identity]


def _attach(path: Path) -> duckdb.DuckDBPyConnection:
    root = duckdb.connect(":memory:")
    name = str(path).replace("'", "''")
    root.execute(f"attach '{name}' as marts (read_only)")
    root.execute("set global timezone = 'UTC'")
    root.execute("set enable_external_access = false")
    root.execute("set lock_configuration = true")
    return root
