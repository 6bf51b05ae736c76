"""Stock in the database: the work tables and the statements over them."""

from pathlib import Path
from typing import Final

from sqlalchemy import text

from oms.ledger.database import Tx
from oms.ledger.statements import Statements
from oms.stock.tables import WORK_TABLES

SQL: Final = Statements(Path(__file__).with_name("settle.sql"))


def make_work_tables(tx: Tx) -> None:
    """Make this connection's work tables where it has none."""
    if tx.execute(text("select to_regclass('pg_temp.draft_movements')")).scalar() is None:
        for ddl in WORK_TABLES:
            tx.execute(text(ddl))
