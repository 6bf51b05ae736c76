"""Reads of change orders."""

from typing import Any

from sqlalchemy import Row

from oms.change_orders import store
from oms.change_orders.model import (
    Addition,
    ChangeNotFound,
    ChangeOrder,
    ChangeState,
    Difference,
    Edit,
    Outcome,
)
from oms.ledger.database import Tx


def of_order(tx: Tx, order_id: int) -> list[ChangeOrder]:
    """Return the change orders of an order, as they were made."""
    return [_read(row) for row in store.SQL.run(tx, "of_order", order_id=order_id)]


def change_order(tx: Tx, order_id: int, change_no: int) -> ChangeOrder:
    """Return a change order of an order. Raises ChangeNotFound."""
    for found in of_order(tx, order_id):
        if found.change_no == change_no:
            return found
    raise ChangeNotFound


def _read(row: Row[Any]) -> ChangeOrder:
    return ChangeOrder(
        change_no=row.change_no, state=ChangeState(row.state), base_version=row.base_version,
        edit=_edit(row), outcome=None if row.outcome is None else _outcome(row.outcome),
        currency=row.currency, due_minor=row.due_minor, owed_minor=row.owed_minor,
        created_at=row.created_at, created_by=row.created_by, expires_at=row.expires_at,
        ended_at=row.ended_at, ended_by=row.ended_by, end_reason=row.end_reason,
    )  # fmt: skip


def _edit(row: Row[Any]) -> Edit:
    asked = dict(row.asked)
    return Edit(**asked | {
        "reason": row.reason, "ship_to": row.ship_to,
        "quantities": {int(no): each for no, each in asked["quantities"].items()},
        "prices": {int(no): each for no, each in asked["prices"].items()},
        "additions": tuple(Addition(**each) for each in asked["additions"]),
        "point": None if asked["point"] is None else tuple(asked["point"]),
    })  # fmt: skip


def _outcome(kept: dict[str, Any]) -> Outcome:
    return Outcome(**kept | {"lines": tuple(Difference(**each) for each in kept["lines"])})
