"""Stock in the database: the work tables and the statements over them."""

from pathlib import Path
from typing import Final

from sqlalchemy import text

from oms.ledger.database import Tx
from oms.ledger.statements import Statements
from oms.stock.tables import WORK_TABLES

SQL: Final = Statements(Path(__file__).with_name("settle.sql"))


_STATE: Final = text(
    "select count(t.oid) = 4 as is_made, coalesce(sum(pg_relation_size(t.oid)), 0) > 0 as is_used"
    " from unnest(array[to_regclass('pg_temp.work_demand'), to_regclass('pg_temp.work_goods'),"
    " to_regclass('pg_temp.draft_counts'), to_regclass('pg_temp.draft_movements')]) as t (oid)"
)
_EMPTY: Final = text("truncate work_demand, work_goods, draft_counts, draft_movements")


def clear_work_tables(tx: Tx) -> None:
    """Give this connection empty work tables."""
    table = tx.execute(_STATE).one()
    if not table.is_made:
        for ddl in WORK_TABLES:
            tx.execute(text(ddl))
    elif table.is_used:
        tx.execute(_EMPTY)
