"""Stock in the database: the work tables and the statements over them."""

from pathlib import Path
from typing import Final

from oms.ledger.database import Tx
from oms.ledger.scratch import Scratch
from oms.ledger.statements import Statements
from oms.stock.tables import WORK_TABLES

SQL: Final = Statements(Path(__file__).with_name("settle.sql"))
TRANSFERS: Final = Statements(Path(__file__).with_name("transfers.sql"))
UNITS: Final = Statements(Path(__file__).with_name("units.sql"))
_SCRATCH: Final = Scratch(WORK_TABLES)


def clear_work_tables(tx: Tx) -> None:
    """Give this connection empty work tables."""
    _SCRATCH.clear(tx)
