"""Writes on holds: placing and releasing them."""

from datetime import datetime
from typing import Any

from oms.access.model import ScopeMissing
from oms.holds import queries, store
from oms.holds.model import (
    RULES,
    Hold,
    HoldExists,
    HoldNotFound,
    HoldReleased,
    HoldType,
    OrderClosed,
)
from oms.kernel.errors import VersionConflict
from oms.ledger.database import Tx
from oms.orders import operations as orders
from oms.orders import queries as order_queries
from oms.orders.model import OrderState, Summary

ENDED = frozenset({OrderState.COMPLETED, OrderState.CANCELED})


def refuse_closed(order: Summary) -> None:
    """Refuse what would come too late for an order. Raises OrderClosed."""
    if order.is_historical:
        raise OrderClosed("what was imported as history stays as it was")
    if order.order_state in ENDED:
        raise OrderClosed(f"an order that is {order.order_state} has nothing left to be done")


def refuse_release(hold: Hold, scopes: frozenset[str]) -> None:
    """Refuse to release what is released, or is for others to release.

    Raises HoldReleased, ScopeMissing.
    """
    if not hold.is_active:
        raise HoldReleased
    needed = RULES[hold.type].release_scope
    if needed not in scopes:
        raise ScopeMissing(scope=needed)


def place(
    tx: Tx, number: str, hold_type: HoldType, comment: str, *, by: str, at: datetime,
    actor_type: str = "user",
) -> tuple[Hold, int]:  # fmt: skip
    """Put an order on hold; return the hold and the order's new version.

    Raises OrderNotFound; OrderClosed; HoldExists for a second one of a type.
    """
    order = _locked(tx, number)
    refuse_closed(order)
    for known in queries.of_order(tx, order.order_id):
        if known.is_active and known.type is hold_type:
            raise HoldExists(hold_no=known.hold_no)
    hold_no: int = store.SQL.run(
        tx, "place", order_id=order.order_id, type=hold_type.value, comment=comment, by=by, at=at
    ).scalar_one()
    told = {"hold_no": hold_no, "type": hold_type.value}
    return _told(tx, order, "hold.placed", told, by=by, at=at, actor_type=actor_type)


def release(
    tx: Tx, number: str, hold_no: int, comment: str, *, version: int, scopes: frozenset[str],
    by: str, at: datetime, actor_type: str = "user",
) -> tuple[Hold, int]:  # fmt: skip
    """Release a hold of an order; return it and the order's new version.

    Raises OrderNotFound, HoldNotFound; VersionConflict when the order is no longer what was
    seen; HoldReleased; ScopeMissing when its type is for others to release.
    """
    order = _locked(tx, number)
    found = _of(tx, order, hold_no)
    if order.version != version:
        raise VersionConflict(version=order.version)
    refuse_release(found, scopes)
    store.SQL.run(
        tx, "release", order_id=order.order_id, hold_no=hold_no, comment=comment, by=by, at=at
    )
    told = {"hold_no": hold_no, "type": found.type.value}
    return _told(tx, order, "hold.released", told, by=by, at=at, actor_type=actor_type)


def _locked(tx: Tx, number: str) -> Summary:
    """Hold an order's row before looking at it."""
    orders.hold(tx, order_queries.order(tx, number).summary.order_id)
    return order_queries.order(tx, number).summary


def _of(tx: Tx, order: Summary, hold_no: int) -> Hold:
    for hold in queries.of_order(tx, order.order_id):
        if hold.hold_no == hold_no:
            return hold
    raise HoldNotFound


def _told(
    tx: Tx, order: Summary, event: str, told: dict[str, Any], *, by: str, at: datetime,
    actor_type: str = "user",
) -> tuple[Hold, int]:  # fmt: skip
    store.SQL.run(tx, "flag", order_id=order.order_id, at=at)
    orders.tell(tx, [(order.order_id, event, told)], actor_type=actor_type, actor=by, at=at)
    return _of(tx, order, told["hold_no"]), order.version + 1
