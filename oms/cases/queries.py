"""Reads of cases: those of an order."""

from oms.cases import store
from oms.cases.model import Case, CaseState
from oms.ledger.database import Tx
from oms.ledger.rows import by_name


def of_order(tx: Tx, order_id: int) -> tuple[Case, ...]:
    """Return the cases of an order, in the order they were linked."""
    found = []
    for row in store.SQL.run(tx, "of_orders", order_ids=[order_id]):
        facts = by_name(row) | {"state": CaseState(row.state)}
        del facts["order_id"]
        found.append(Case(**facts))
    return tuple(found)
