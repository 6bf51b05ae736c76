"""Writes on change orders: drafting them, keeping what they come to, and their end."""

import json
from dataclasses import asdict
from datetime import datetime
from typing import Final

from oms.change_orders import queries, store
from oms.change_orders.model import (
    GOOD_FOR,
    OPEN,
    ChangeEnded,
    ChangeOrder,
    ChangeState,
    Edit,
    NotEditable,
    Outcome,
)
from oms.ledger.database import Tx
from oms.orders import operations as orders
from oms.orders.model import Summary

# So many may lie open on one order: who asks for more forgets to decline.
OPEN_MAX: Final = 20
EXPIRED_AT_ONCE_MAX: Final = 100
_APART: Final = frozenset({"reason", "ship_to"})


def draft(tx: Tx, order: Summary, edit: Edit, *, by: str, at: datetime) -> int:
    """Write a change order for an order, which is held, as it is now; return its number.

    Raises NotEditable where too many wait already.
    """
    waiting = [
        each for each in queries.of_order(tx, order.order_id) if each.state_at(at) in OPEN
    ]  # fmt: skip
    if len(waiting) >= OPEN_MAX:
        raise NotEditable("too many change orders wait already: decline some", max=OPEN_MAX)
    asked = {name: value for name, value in asdict(edit).items() if name not in _APART}
    change_no: int = store.SQL.run(
        tx, "draft", order_id=order.order_id, base_version=order.version, reason=edit.reason,
        asked=json.dumps(asked), currency=order.currency, at=at, by=by, expires_at=at + GOOD_FOR,
        ship_to=None if edit.ship_to is None else json.dumps(dict(edit.ship_to)),
    ).scalar_one()  # fmt: skip
    return change_no


def look(tx: Tx, order_id: int, change_no: int, outcome: Outcome) -> None:
    """Keep what a change order comes to."""
    store.SQL.run(
        tx, "look", order_id=order_id, change_no=change_no, outcome=json.dumps(asdict(outcome)),
        due_minor=outcome.due_minor, owed_minor=outcome.owed_minor,
    )  # fmt: skip


def finish(
    tx: Tx, order_id: int, change_no: int, state: ChangeState, *, by: str, at: datetime,
    reason: str | None = None,
) -> None:  # fmt: skip
    """End a change order, whose order is held."""
    store.SQL.run(
        tx, "finish", order_id=order_id, change_no=change_no, state=state.value, by=by, at=at,
        reason=reason,
    )  # fmt: skip


def refuse_ended(found: ChangeOrder, *, at: datetime) -> None:
    """Refuse what would come too late for a change order. Raises ChangeEnded."""
    state = found.state_at(at)
    if state not in OPEN:
        raise ChangeEnded(f"the change order is {state}", state=state)


def tell(
    tx: Tx, order_id: int, change_no: int, state: ChangeState, *, by: str, at: datetime
) -> None:
    """Tell in the story of its order how far a change order is."""
    step = (order_id, f"change_order.{state}", {"change_no": change_no})
    orders.tell(tx, [step], actor_type="user", actor=by, at=at)


def expire(tx: Tx, *, at: datetime) -> bool:
    """End change orders whose time is over; tell whether there were any."""
    due = list(store.SQL.run(tx, "due", at=at, limit=EXPIRED_AT_ONCE_MAX).scalars())
    if not due:
        return False
    orders.hold_all(tx, due)
    steps = [
        (row.order_id, "change_order.expired", {"change_no": row.change_no})
        for row in store.SQL.run(tx, "expire", order_ids=due, at=at)
    ]
    orders.tell(tx, steps, actor_type="system", actor="time", at=at)
    return True
