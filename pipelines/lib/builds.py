"""Builds: which load the marts follow, by which models, and what they have yet to follow."""

from dataclasses import dataclass
from datetime import datetime

import duckdb

from oms.ledger.journal import JOURNALED
from pipelines.lib.loading import REMEMBERED


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """The last complete build of the marts: the load it followed, and by which models."""

    batch: int
    models_sha256: str


def changed_since_build(connection: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """Return the raw tables the last complete build of the marts has not followed yet."""
    built = built_of(connection)
    since = built.batch if built else -1
    looks = " union all ".join(
        f"select '{j.table}' where exists (select 1 from raw.{j.table} where _batch > {since})"
        for j in JOURNALED
    )
    changed = frozenset(table for (table,) in connection.execute(looks).fetchall())
    return changed | {"loads"} if changed else changed


def marts_there(connection: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """Return the names of the marts that exist, complete or not."""
    rows = connection.execute(
        "select table_name from duckdb_tables()"
        " where database_name = 'marts' and schema_name = 'marts'"
    ).fetchall()
    return frozenset(name for (name,) in rows)


def built_of(connection: duckdb.DuckDBPyConnection) -> Built | None:
    """Return the last complete build of the marts, if there is one."""
    row = connection.execute("select batch, models_sha256 from raw.builds").fetchone()
    return Built(batch=row[0], models_sha256=row[1]) if row else None


def begin_build(connection: duckdb.DuckDBPyConnection) -> None:
    """Note that the marts are being built from the beginning: until it ends none is complete."""
    connection.execute("delete from raw.builds")
    connection.execute("drop table if exists marts.marts.publication")


def end_build(connection: duckdb.DuckDBPyConnection, built: Built, *, at: datetime) -> None:
    """Note a complete build, and let go of what was remembered for it."""
    connection.begin()
    connection.execute("delete from raw.builds")
    connection.execute(
        "insert into raw.builds values (?, ?, ?)", [built.batch, built.models_sha256, at]
    )
    for table in REMEMBERED:
        connection.execute(f"delete from raw.{table}_replaced where _batch <= ?", [built.batch])
    connection.commit()
