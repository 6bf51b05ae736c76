"""COPY in and out: the fast road for rows between PostgreSQL and everything else."""

from typing import Any, BinaryIO, cast

import psycopg
from psycopg import sql

from oms.ledger.database import Tx

CHUNK_BYTES = 1 << 18


def copy_in(tx: Tx, table: str, columns: tuple[str, ...], rows: bytes) -> None:
    """Copy rows given as CSV (NULL is an unquoted empty field) into a table."""
    if not rows:
        return
    statement = sql.SQL("copy {} ({}) from stdin (format csv)").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with cursor_of(tx) as cursor, cursor.copy(statement) as copy:
        for start in range(0, len(rows), CHUNK_BYTES):
            copy.write(rows[start : start + CHUNK_BYTES])


def copy_out(tx: Tx, query: sql.Composable, to: BinaryIO) -> int:
    """Copy what a query returns to a file as CSV; return the number of rows."""
    statement = sql.SQL("copy ({}) to stdout (format csv, force_quote *)").format(query)
    with cursor_of(tx) as cursor:
        with cursor.copy(statement) as copy:
            to.writelines(copy)
        return int(cursor.rowcount)


def cursor_of(tx: Tx) -> psycopg.Cursor[Any]:
    """Return a cursor of the driver's own in a transaction, for what SQLAlchemy has no word for."""
    driver = tx.connection.driver_connection
    assert driver is not None, "an open transaction has a connection"
    return cast("psycopg.Connection[Any]", driver).cursor()
