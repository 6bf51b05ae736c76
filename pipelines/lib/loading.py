"""Loading: what the journal says has changed, into the raw tables, each load all or nothing.

Changes are copied to files first and then taken in by one DuckDB transaction together with
the row of raw.loads that carries the watermark. Whatever is killed in between, the next load
starts from the last watermark and ends in the same tables: rows are replaced by their key.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Final

import duckdb

from oms.ledger.journal import JOURNALED, Journaled
from pipelines.lib.journals import Journal, Reading

# A load a second is many rows a year, and nobody looks further back than this.
LOADS_KEPT: Final = timedelta(days=7)

# What the marts group by and a change can take away: the values before it are remembered until
# a complete build has counted them out.
REMEMBERED: Final = {
    "orders": ("customer_key", "placed_on"), "order_lines": ("sku",),
    "payment_transactions": ("state", "psp_at", "finished_at"),
}  # fmt: skip

# A payload is up to 32 MB, and so, in the worst case, is a text in it, quotes doubled.
LINE_BYTES_MAX: Final = 64 * 1024 * 1024

STATE: Final = """
    create schema if not exists raw;
    create table if not exists raw.loads (
        batch bigint not null, watermark_from bigint not null, watermark_upto bigint not null,
        loaded_at timestamptz not null, rows bigint not null, orders_count bigint not null);
    create table if not exists raw.builds (
        batch bigint not null, models_sha256 varchar not null, built_at timestamptz not null);
    create table if not exists raw.orders_replaced (
        order_id bigint, customer_key varchar, placed_on date, _batch bigint);
    create table if not exists raw.order_lines_replaced (
        order_id bigint, line_no bigint, sku varchar, _batch bigint);
    create table if not exists raw.payment_transactions_replaced (
        transaction_id bigint, state varchar, psp_at timestamptz, finished_at timestamptz,
        _batch bigint);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """How far the warehouse has followed the journal."""

    batch: int
    watermark: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What a load brought."""

    position: Position
    rows_count: int
    tables: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spooled:
    """Changes of one table, waiting in a file."""

    journaled: Journaled
    path: Path
    rows_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Collected:
    """Changes of all tables, as one moment of the ledger saw them."""

    upto: int
    spooled: tuple[_Spooled, ...]
    orders_count: int
    orders_beyond: frozenset[int]

    @property
    def rows_count(self) -> int:
        return sum(table.rows_count for table in self.spooled)


def load(
    journal: Journal, connection: duckdb.DuckDBPyConnection, spool_dir: Path, *, at: datetime
) -> Load | None:
    """Take in what changed since the last load; None when nothing did. Only under the lock.

    Raises LedgerAway when the ledger cannot be reached.
    """
    prepare(connection)
    position = position_of(connection)
    with journal.reading() as reading:
        if reading.horizon < position.watermark:
            # Numbers of transactions never fall: this is another ledger, or an older copy.
            forget(connection)
            position = Position(batch=position.batch, watermark=0)
        collected = _collect(reading, spool_dir, _starts(connection, position.watermark))
    if not collected.rows_count and position.batch:
        return None
    return _take_in(connection, collected, position, at=at)


def has_changes(journal: Journal, *, since: Position) -> bool:
    """Tell whether the journal has anything past a position, without touching the warehouse.

    Raises LedgerAway when the ledger cannot be reached.
    """
    with journal.reading() as reading:
        return reading.horizon < since.watermark or any(
            reading.has(journaled, after=since.watermark) for journaled in JOURNALED
        )


def prepare(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the raw tables that are missing or shaped otherwise; those load from the beginning."""
    connection.execute(STATE)
    there = _columns_there(connection)
    for journaled in JOURNALED:
        found = there.get(journaled.table)
        if found != _declared(journaled):
            columns = ", ".join(f"{name} {kind}" for name, kind in _declared(journaled))
            connection.execute(f"create or replace table raw.{journaled.table} ({columns})")
            if found:
                connection.execute("delete from raw.builds")


def position_of(connection: duckdb.DuckDBPyConnection) -> Position:
    """Return how far the warehouse has followed."""
    row = connection.execute(
        "select coalesce(max(batch), 0), coalesce(arg_max(watermark_upto, batch), 0) from raw.loads"
    ).fetchone()
    assert row is not None, "an aggregate has one row"
    return Position(batch=row[0], watermark=row[1])


def row_counts(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Count the rows of every raw table."""
    rows = connection.execute(
        "select table_name from duckdb_tables()"
        " where database_name = 'warehouse' and schema_name = 'raw' order by table_name"
    ).fetchall()
    return {
        table: connection.execute(f"select count(*) from raw.{table}").fetchall()[0][0]
        for (table,) in rows
    }


def forget(connection: duckdb.DuckDBPyConnection) -> None:
    """Empty the raw tables and forget the builds, so that all is loaded and built anew."""
    connection.begin()
    emptied = (*(j.table for j in JOURNALED), *(f"{t}_replaced" for t in REMEMBERED), "builds")
    for table in emptied:
        connection.execute(f"delete from raw.{table}")
    connection.commit()


def _starts(connection: duckdb.DuckDBPyConnection, watermark: int) -> dict[str, int]:
    """Say from which transaction on each table is read: an empty one from the first."""
    looks = " union all ".join(
        f"select '{j.table}', exists (select 1 from raw.{j.table})" for j in JOURNALED
    )
    return {
        table: watermark if is_filled else 0
        for table, is_filled in connection.execute(looks).fetchall()
    }


def _collect(reading: Reading, spool_dir: Path, starts: dict[str, int]) -> _Collected:
    shutil.rmtree(spool_dir, ignore_errors=True)
    spool_dir.mkdir(parents=True)
    spooled = tuple(
        _spool(reading, journaled, spool_dir, after=starts[journaled.table])
        for journaled in JOURNALED
    )
    changed = tuple(table for table in spooled if table.rows_count)
    return _Collected(
        upto=reading.horizon,
        spooled=changed,
        orders_count=reading.count_orders() if changed else 0,
        orders_beyond=frozenset(reading.orders_beyond()) if changed else frozenset(),
    )


def _spool(reading: Reading, journaled: Journaled, folder: Path, *, after: int) -> _Spooled:
    path = folder / f"{journaled.table}.csv"
    with path.open("wb") as file:
        rows_count = reading.copy(journaled, after=after, to=file)
    return _Spooled(journaled=journaled, path=path, rows_count=rows_count)


def _take_in(
    connection: duckdb.DuckDBPyConnection, collected: _Collected, position: Position, *,
    at: datetime,
) -> Load:  # fmt: skip
    batch = position.batch + 1
    connection.begin()
    for table in collected.spooled:
        _replace(connection, table, batch)
    connection.execute(
        "insert into raw.loads values (?, ?, ?, ?, ?, ?)",
        [batch, position.watermark, collected.upto, at, collected.rows_count,
         collected.orders_count - _unseen(connection, collected.orders_beyond)],
    )  # fmt: skip
    connection.execute("delete from raw.loads where loaded_at < ?", [at - LOADS_KEPT])
    connection.commit()
    return Load(
        position=Position(batch=batch, watermark=collected.upto),
        rows_count=collected.rows_count,
        tables=tuple(table.journaled.table for table in collected.spooled),
    )


def _replace(connection: duckdb.DuckDBPyConnection, spooled: _Spooled, batch: int) -> None:
    table, keys = spooled.journaled.table, ", ".join(spooled.journaled.key)
    connection.execute(f"create or replace temp table incoming as select * from {_csv(spooled)}")
    if table in REMEMBERED:
        _remember(connection, spooled.journaled, batch)
    connection.execute(f"delete from raw.{table} where ({keys}) in (select {keys} from incoming)")
    connection.execute(f"insert into raw.{table} select *, ? from incoming", [batch])
    connection.execute("drop table incoming")


def _remember(connection: duckdb.DuckDBPyConnection, journaled: Journaled, batch: int) -> None:
    keys, names = ", ".join(journaled.key), REMEMBERED[journaled.table]
    was, new = (", ".join(f"{side}.{name}" for name in names) for side in ("was", "new"))
    connection.execute(
        f"insert into raw.{journaled.table}_replaced select {keys}, {was}, ?"
        f" from raw.{journaled.table} as was join incoming as new using ({keys})"
        f" where ({was}) is distinct from ({new})",
        [batch],
    )


def _csv(spooled: _Spooled) -> str:
    columns = ", ".join(f"'{name}': '{kind}'" for name, kind in spooled.journaled.columns)
    path = str(spooled.path).replace("'", "''")
    return (
        f"read_csv('{path}', auto_detect = false, header = false, delim = ',', quote = '\"',"
        " escape = '\"', new_line = '\\n', nullstr = '', allow_quoted_nulls = false,"
        f" max_line_size = {LINE_BYTES_MAX},"
        f" columns = {{{columns}}})"
    )


def _unseen(
    connection: duckdb.DuckDBPyConnection, order_ids: Sequence[int] | frozenset[int]
) -> int:
    """Count the orders the ledger already shows but the watermark does not cover yet."""
    row = connection.execute(
        "select count(*) from (select unnest(cast(? as bigint[])) as order_id)"
        " where order_id not in (select order_id from raw.orders)",
        [sorted(order_ids)],
    ).fetchone()
    assert row is not None, "an aggregate has one row"
    return int(row[0])


def _columns_there(connection: duckdb.DuckDBPyConnection) -> dict[str, list[tuple[str, str]]]:
    rows = connection.execute(
        "select table_name, column_name, data_type from duckdb_columns()"
        " where database_name = 'warehouse' and schema_name = 'raw'"
        " order by table_name, column_index"
    ).fetchall()
    return {
        table: [(name, kind) for _, name, kind in columns]
        for table, columns in groupby(rows, key=itemgetter(0))
    }


def _declared(journaled: Journaled) -> list[tuple[str, str]]:
    pairs = [*journaled.columns, ("_batch", "bigint")]
    return [(name, _LONG_NAMES.get(kind, kind.upper())) for name, kind in pairs]


_LONG_NAMES: Final = {"timestamptz": "TIMESTAMP WITH TIME ZONE"}
