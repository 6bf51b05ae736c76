"""Scratch tables: temporary tables of a connection in which one batch at a time is staged."""

from typing import Final

from sqlalchemy import text

from oms.ledger.copying import cursor_of
from oms.ledger.database import Tx

# Emptying by delete costs next to nothing for a few rows but leaves them behind until a page is
# full; truncating costs a file per table. `on commit delete rows` would do the latter at every
# commit: 2 to 3 ms for the tables of a single order.
DELETE_BYTES_MAX: Final = 64 * 1024

_SIZES: Final = text(
    "select t.name, pg_relation_size(to_regclass('pg_temp.' || t.name)) as size_bytes"
    " from unnest(cast(:names as text[])) as t (name)"
)


class Scratch:
    """A set of scratch tables: made at first use of a connection, empty at the start of each."""

    def __init__(self, tables: dict[str, str]) -> None:
        """Take the columns of each table, as SQL."""
        self._tables = tables

    def clear(self, tx: Tx) -> None:
        """Give this connection empty tables; whatever a former batch left in them goes."""
        found = {row.name: row.size_bytes for row in tx.execute(_SIZES, {"names": [*self._tables]})}
        script = [
            f"create temp table {name} ({columns})"
            for name, columns in self._tables.items()
            if found[name] is None
        ]
        used = {name: size for name, size in found.items() if size}
        if any(size > DELETE_BYTES_MAX for size in used.values()):
            script.append(f"truncate {', '.join(used)}")
        else:
            script.extend(f"delete from {name}" for name in used)  # noqa: S608 - our own names
        if script:
            # One round trip: without parameters, several statements may go together.
            with cursor_of(tx) as cursor:
                cursor.execute("; ".join(script).encode())
