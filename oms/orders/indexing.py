"""The follower that keeps beside each order what it is searched by."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from oms.ledger import journal
from oms.ledger.database import Tx
from oms.ledger.statements import Statements

SQL: Final = Statements(Path(__file__).with_name("indexing.sql"))

FOLLOWER: Final = "order_search"
# What is taken at a time is one transaction, and holds back the journal's horizon meanwhile.
ORDERS_MAX: Final = 2_000
PRODUCTS_MAX: Final = 50
# Each is written without the others at times: of none are more read in one transaction.
FOLLOWED: Final = (
    "orders", "order_groups", "fulfillment_orders", "parcels", "sourcing_decisions", "payments",
    "payment_transactions", "refunds", "returns", "documents",
)  # fmt: skip


def stop(tx: Tx, after: int, upto: int) -> int:
    """Return how far to index orders in one transaction."""
    for table in FOLLOWED:
        upto = journal.rows_before(tx, table, after=after, upto=upto, rows_max=ORDERS_MAX)
    return upto


def index_changes(tx: Tx, after: int, upto: int) -> bool:
    """Index anew the orders written from one transaction up to another; tell of any.

    And some orders of products that changed.
    """
    window = {"after": str(after), "upto": str(upto)}
    changed = list(SQL.run(tx, "find_changed", **window).scalars())
    marked = SQL.run(tx, "mark_products", **window).rowcount
    due = _due(tx, ORDERS_MAX - len(changed))
    if changed or due:
        index(tx, changed + due)
    return bool(changed or due or marked)


def index(tx: Tx, order_ids: Sequence[int]) -> None:
    """Write what some orders are searched by, where it is not there already."""
    SQL.run(tx, "index_orders", order_ids=list(order_ids))


def _due(tx: Tx, orders_max: int) -> list[int]:
    """Take the next orders of changed products, as many as there is room for."""
    found: list[int] = []
    if orders_max <= 0:
        return found
    for due in SQL.run(tx, "list_due", products=PRODUCTS_MAX).all():
        rows = orders_max - len(found)
        if not rows:
            break
        orders = list(SQL.run(
            tx, "find_orders_of", product_id=due.product_id, after_order_id=due.after_order_id,
            rows=rows,
        ).scalars())  # fmt: skip
        found += orders
        if len(orders) < rows:
            SQL.run(tx, "forget_due", product_id=due.product_id)
        else:
            SQL.run(tx, "advance_due", product_id=due.product_id, after_order_id=orders[-1])
    return found
