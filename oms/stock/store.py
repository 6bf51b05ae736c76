"""Stock in the database: the work tables and the statements over them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from oms.ledger.database import Tx
from oms.ledger.scratch import Scratch
from oms.ledger.statements import Statements
from oms.stock.tables import WORK_TABLES

SQL: Final = Statements(Path(__file__).with_name("settle.sql"))
TRANSFERS: Final = Statements(Path(__file__).with_name("transfers.sql"))
UNITS: Final = Statements(Path(__file__).with_name("units.sql"))
ANALYSIS: Final = Statements(Path(__file__).with_name("analysis.sql"))
HOLDS: Final = Statements(Path(__file__).with_name("holds.sql"))
RETURNS: Final = Statements(Path(__file__).with_name("returns.sql"))
_SCRATCH: Final = Scratch(WORK_TABLES)


def lock_levels(tx: Tx, product_ids: Sequence[int], location_ids: Sequence[int]) -> None:
    """Lock the levels of products at locations, and keep others from opening more."""
    held = {"product_ids": list(product_ids), "location_ids": list(location_ids)}
    SQL.run(tx, "lock_products", **held)
    SQL.run(tx, "lock_levels", **held)


def clear_work_tables(tx: Tx) -> None:
    """Give this connection empty work tables."""
    _SCRATCH.clear(tx)
