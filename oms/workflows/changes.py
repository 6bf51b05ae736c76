"""Changes of orders that we make ourselves: written by capture, like those channels tell us."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from oms.channels import queries as channels
from oms.fulfillment import queries as fulfillments
from oms.fulfillment.model import FulfillmentOrderState
from oms.kernel.errors import Conflict, VersionConflict
from oms.ledger.database import Tx
from oms.orders import operations as orders
from oms.orders import queries
from oms.orders.model import ORDER_DRAFT, OWN_CHANGE_DRAFT, ChangeKind, Order, OrderNotFound
from oms.workflows.capture import capture
from oms.workflows.documents import csv_rows

# What is picked lies in somebody's hands: they must put it back before it can be canceled.
IN_HAND: Final = frozenset({
    FulfillmentOrderState.PICKED, FulfillmentOrderState.PACKED,
    FulfillmentOrderState.READY_FOR_COLLECTION,
})  # fmt: skip


class QuantityNotCancelable(Conflict):
    """That much of the line cannot be canceled any more."""

    code = "QTY_NOT_CANCELABLE"


def apply(
    tx: Tx, order: Order, kind: ChangeKind, quantities: Mapping[int, int], *, ref: str,
    location_code: str | None, reason: str | None, by: str, at: datetime,
) -> None:  # fmt: skip
    """Let capture write that something happened to lines, under a name of ours (`*…`).

    The caller holds the order and has made sure that the lines have these quantities.
    """
    refs = {line.line_no: line.line_ref for line in order.lines}
    changes = [
        {
            "position": 1, "kind": kind.value, "change_ref": ref, "line_ref": refs[line_no],
            "quantity": quantity, "occurred_at": at, "location_code": location_code,
            "restock": False, "reason": reason, "is_ours": True,
        }
        for line_no, quantity in quantities.items()
    ]  # fmt: skip
    digest = hashlib.sha256(json.dumps(changes, default=str).encode()).hexdigest()
    header = {
        "position": 1, "external_ref": order.summary.external_ref, "is_partial": True,
        "sha256": digest,
    }  # fmt: skip
    drafts = {
        "orders": csv_rows([[header.get(name) for name in ORDER_DRAFT]]),
        "own_changes": csv_rows([each.get(name) for name in OWN_CHANGE_DRAFT] for each in changes),
    }
    channel = channels.channel(tx, order.summary.channel_code)
    result = capture(tx, drafts, channel=channel, actor_type="user", actor=by, at=at)
    assert not result.problems, f"the lines had these quantities: {result.problems}"


def cancelable(tx: Tx, order: Order) -> dict[int, int]:
    """Return how much of each line can be canceled: what has neither left nor is in hand."""
    left = {
        line.line_no: line.quantity - line.canceled - max(line.shipped, line.returned)
        for line in order.lines
    }
    for found in fulfillments.of_order(tx, order.summary.order_number):
        if found.state in IN_HAND:
            for line in found.lines:
                left[line.line_no] -= line.open
    return left


def cancel(
    tx: Tx, number: str, quantities: Mapping[int, int] | None, *, reason: str, version: int,
    by: str, at: datetime,
) -> Order:  # fmt: skip
    """Cancel units of an order's lines, or all that can be canceled of it; return the order.

    Raises OrderNotFound; VersionConflict when it is no longer the version that was seen;
    QuantityNotCancelable with what could be.
    """
    orders.hold(tx, queries.order(tx, number).summary.order_id)
    order = queries.order(tx, number)
    if order.summary.version != version:
        raise VersionConflict(version=order.summary.version)
    if order.summary.is_historical:
        raise QuantityNotCancelable("what was imported as history stays as it was")
    possible = cancelable(tx, order)
    asked = possible if quantities is None else quantities
    for line_no, quantity in asked.items():
        if line_no not in possible:
            raise OrderNotFound(f"the order has no line {line_no}")
        if quantity > possible[line_no]:
            raise QuantityNotCancelable(line_no=line_no, max=possible[line_no])
    wanted = {line_no: quantity for line_no, quantity in asked.items() if quantity}
    if not wanted:
        raise QuantityNotCancelable("nothing of the order can be canceled any more", max=0)
    apply(
        tx, order, ChangeKind.CANCEL, wanted, ref=f"*C{order.summary.version + 1}",
        location_code=None, reason=reason, by=by, at=at,
    )  # fmt: skip
    return queries.order(tx, number)
