"""Look-up files: read once, a table of texts by key each."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import duckdb

from oms.adapters.channels.tabular.plan import table_of, taken_of
from oms.adapters.channels.tabular.reading import open_rows
from oms.adapters.channels.tabular.spec import LookUp, Spec
from oms.workflows.documents import Unreadable

LOOK_UP_BYTES_MAX: Final = 256 * 1024 * 1024


def load(
    con: duckdb.DuckDBPyConnection, spec: Spec, folders: Sequence[Path], scratch: Path
) -> None:
    """Make the table of every look-up of a mapping.

    Raises Unreadable when a file is not there, not readable, or has a key twice.
    """
    for name, takes in taken_of(spec).items():
        look_up = spec.look_ups[name]
        path = _find(look_up, folders)
        columns = (look_up.key, *takes)
        table = table_of(spec, name)
        values = ", ".join(f"v{number} varchar" for number in range(len(takes)))
        con.execute(f"create table {table} (k varchar, {values})")
        with open_rows(path, look_up.read_as, scratch) as reading:
            for batch in reading.rows(tuple(dict.fromkeys(columns))):
                con.register("batch", batch)
                con.execute(
                    f"insert into {table} select {_cells(columns)} from batch where wrong = 0"
                )
                con.unregister("batch")
        _refuse_twice(con, name, table)


def _cells(columns: Sequence[str]) -> str:
    distinct = list(dict.fromkeys(columns))
    return ", ".join(f"nullif(trim(c{distinct.index(name)}), '')" for name in columns)


def _refuse_twice(con: duckdb.DuckDBPyConnection, name: str, table: str) -> None:
    con.execute(
        f"create or replace table {table} as select distinct * from {table} where k is not null"
    )
    twice = con.execute(f"select left(k, 40) from {table} group by k having count(*) > 1 limit 1")
    for (key,) in twice.fetchall():
        raise Unreadable(f"the look-up {name} has the key {key!r} with different values")


def _find(look_up: LookUp, folders: Sequence[Path]) -> Path:
    """Find a look-up file in the first folder that has it, following no link out of it."""
    for folder in folders:
        inside = folder.resolve()
        path = (inside / look_up.file).resolve()
        if path.is_relative_to(inside) and path.is_file():
            if path.stat().st_size > LOOK_UP_BYTES_MAX:
                raise Unreadable(
                    f"the look-up {look_up.file} is larger than {LOOK_UP_BYTES_MAX} bytes"
                )
            return path
    raise Unreadable(
        f"there is no look-up file {look_up.file[:80]!r} beside the mapping or the data"
    )
