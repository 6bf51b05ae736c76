"""Change orders: less of a line, another address; tried first, then done, with the same numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from oms.kernel.errors import Rejected
from oms.ledger.database import Tx
from oms.orders import operations as orders
from oms.orders import queries
from oms.orders.model import ChangeKind, FulfillmentMethod, Order, OrderNotFound
from oms.workflows import actions, changes
from oms.workflows.actions import IN_HAND, NotEditable, QuantityNotCancelable, Situation

SENT: Final = frozenset({FulfillmentMethod.SHIP_HOME, FulfillmentMethod.SHIP_FROM_STORE})


class NothingChanges(Rejected):
    """The order is like that already."""

    code = "NOTHING_CHANGES"


class QuantityTooHigh(Rejected):
    """A change order only lowers a line's quantity."""

    code = "QTY_TOO_HIGH"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """What an order shall be: units per line, where a delivery group is sent to."""

    quantities: Mapping[int, int]
    ship_to: Mapping[str, Any] | None
    group_no: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """An order after a change, and what it is worth before and after it."""

    order: Order
    before_minor: int
    after_minor: int


def preview(tx: Tx, number: str, edit: Edit, *, by: str, at: datetime) -> Edited:
    """Return what a change would come to, and change nothing: it is done, and undone.

    Raises as the change does.
    """
    version = queries.order(tx, number).summary.version
    with tx.begin_nested() as tried:
        edited = change(tx, number, edit, version=version, by=by, at=at)
        tried.rollback()
    return edited


def change(tx: Tx, number: str, edit: Edit, *, version: int, by: str, at: datetime) -> Edited:
    """Change an order as far as nothing of it has left or is in hand.

    Raises OrderNotFound, VersionConflict, OrderOnHold; NotEditable, QuantityNotCancelable,
    QuantityTooHigh or NothingChanges by what is in the way.
    """
    now = changes.seen(tx, number, version=version)
    actions.refuse_edit(now)
    less = _less(now, edit.quantities)
    moves = edit.ship_to is not None and _moves(now, edit)
    if not less and not moves:
        raise NothingChanges
    if less:
        changes.apply(
            tx, now.order, ChangeKind.CANCEL, less, ref=f"*E{version + 1}", location_code=None,
            reason=edit.reason, by=by, at=at,
        )  # fmt: skip
    if moves:
        orders.redirect(tx, now.order.summary.order_id, edit.group_no, edit.ship_to or {}, at=at)
    _tell(tx, now, less, edit, moves=moves, by=by, at=at)
    after = queries.order(tx, number)
    return Edited(order=after, before_minor=_worth(now.order), after_minor=_worth(after))


def _less(now: Situation, quantities: Mapping[int, int]) -> dict[int, int]:
    """Return how many units each line loses."""
    has = {line.line_no: line.quantity - line.canceled for line in now.order.lines}
    possible = now.cancelable()
    less = {}
    for line_no, quantity in quantities.items():
        if line_no not in has:
            raise OrderNotFound(f"the order has no line {line_no}")
        if quantity > has[line_no]:
            raise QuantityTooHigh(line_no=line_no, max=has[line_no])
        if has[line_no] - quantity > possible[line_no]:
            raise QuantityNotCancelable(line_no=line_no, max=possible[line_no])
        less[line_no] = has[line_no] - quantity
    return {line_no: units for line_no, units in less.items() if units}


def _moves(now: Situation, edit: Edit) -> bool:
    """Tell whether the address is another one. Raises NotEditable for what is not sent there."""
    groups = {group.group_no: group for group in now.order.groups}
    if edit.group_no not in groups:
        raise OrderNotFound(f"the order has no delivery group {edit.group_no}")
    group = groups[edit.group_no]
    if group.method not in SENT:
        raise NotEditable("what is not sent has no address", group_no=edit.group_no)
    if any(f.group_no == edit.group_no and f.state in IN_HAND for f in now.fulfillments):
        raise NotEditable("it is packed for that address: put it back first")
    lines = [line for line in now.order.lines if line.group_no == edit.group_no]
    if not any(line.allocated + line.backordered for line in lines):
        raise NotEditable("nothing of it is still to be sent", group_no=edit.group_no)
    return dict(edit.ship_to or {}) != (group.ship_to or now.order.ship_to)


def _tell(
    tx: Tx, now: Situation, less: Mapping[int, int], edit: Edit, *, moves: bool, by: str,
    at: datetime,
) -> None:  # fmt: skip
    """Tell what was and is. Addresses are not told: a story stays when its customer is erased."""
    lines = [
        {"line_no": line.line_no, "before": line.quantity - line.canceled,
         "after": line.quantity - line.canceled - less[line.line_no]}
        for line in now.order.lines
        if line.line_no in less
    ]  # fmt: skip
    data = {"lines": lines, "ship_to_of_group": edit.group_no if moves else None,
            "reason": edit.reason}  # fmt: skip
    step = (now.order.summary.order_id, "order.changed", data)
    orders.tell(tx, [step], actor_type="user", actor=by, at=at)


def _worth(order: Order) -> int:
    """Return what an order comes to after everything that happened to its lines."""
    lines = sum(change.net_minor + change.tax_minor for change in order.changes)
    return lines + order.shipping_net_minor + order.shipping_tax_minor
