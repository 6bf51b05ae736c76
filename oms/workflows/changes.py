"""Changes of orders that we make ourselves: written by capture, like those channels tell us."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from oms.channels import queries as channels
from oms.kernel.errors import VersionConflict
from oms.ledger.database import Tx
from oms.orders import operations as orders
from oms.orders import queries
from oms.orders.model import (
    ORDER_DRAFT,
    OWN_CHANGE_DRAFT,
    OWN_LINE_DRAFT,
    ChangeKind,
    Order,
    OrderNotFound,
)
from oms.workflows import actions
from oms.workflows.actions import QuantityNotCancelable, Situation
from oms.workflows.capture import capture
from oms.workflows.documents import csv_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnLine:
    """A line that a command adds or changes, as it shall be, in the order's tax mode."""

    line_no: int
    line_ref: str
    sku: str
    title: str
    quantity: int
    unit_price_minor: int | None
    list_minor: int
    discount_minor: int
    tax_minor: int
    group_no: int


def apply(
    tx: Tx, order: Order, kind: ChangeKind, quantities: Mapping[int, int], *, ref: str,
    location_code: str | None, reason: str | None, by: str, at: datetime,
    lines: Sequence[OwnLine] = (), refuse_shortage: bool = False,
    is_restocked: bool = False,
) -> None:  # fmt: skip
    """Let capture write that something happened to lines, under a name of ours (`*…`).

    `lines` are such that are added or shall be otherwise. The caller holds the order and has
    made sure that the lines have these quantities. With `refuse_shortage` InsufficientStock is
    raised where what is newly wanted is not there.
    """
    refs = {line.line_no: line.line_ref for line in order.lines}
    changes = [
        {
            "position": 1, "kind": kind.value, "change_ref": ref, "line_ref": refs[line_no],
            "quantity": quantity, "occurred_at": at, "location_code": location_code,
            "restock": is_restocked, "reason": reason, "is_ours": True,
        }
        for line_no, quantity in quantities.items()
    ]  # fmt: skip
    own = [{"position": 1, **asdict(each)} for each in lines]
    digest = hashlib.sha256(json.dumps([changes, own], default=str).encode()).hexdigest()
    header = {
        "position": 1, "external_ref": order.summary.external_ref, "is_partial": True,
        "sha256": digest,
    }  # fmt: skip
    drafts = {
        "orders": csv_rows([[header.get(name) for name in ORDER_DRAFT]]),
        "own_changes": csv_rows([each.get(name) for name in OWN_CHANGE_DRAFT] for each in changes),
        "own_lines": csv_rows([each[name] for name in OWN_LINE_DRAFT] for each in own),
    }
    channel = channels.channel(tx, order.summary.channel_code)
    result = capture(
        tx, drafts, channel=channel, actor_type="user", actor=by, at=at,
        refuse_shortage=refuse_shortage,
    )  # fmt: skip
    assert not result.problems, f"the lines had these quantities: {result.problems}"


def cancel(
    tx: Tx, number: str, quantities: Mapping[int, int] | None, *, reason: str, version: int,
    by: str, at: datetime,
) -> Order:  # fmt: skip
    """Cancel units of an order's lines, or all that can be canceled of it; return the order.

    Raises OrderNotFound; VersionConflict when it is no longer the version that was seen;
    OrderOnHold; QuantityNotCancelable with what could be.
    """
    now = seen(tx, number, version=version)
    actions.refuse_cancel(now)
    order, possible = now.order, now.cancelable()
    asked = possible if quantities is None else quantities
    for line_no, quantity in asked.items():
        if line_no not in possible:
            raise OrderNotFound(f"the order has no line {line_no}")
        if quantity > possible[line_no]:
            raise QuantityNotCancelable(line_no=line_no, max=possible[line_no])
    wanted = {line_no: quantity for line_no, quantity in asked.items() if quantity}
    apply(
        tx, order, ChangeKind.CANCEL, wanted, ref=f"*C{order.summary.version + 1}",
        location_code=None, reason=reason, by=by, at=at,
    )  # fmt: skip
    return queries.order(tx, number)


def seen(tx: Tx, number: str, *, version: int) -> Situation:
    """Hold an order and return its situation. Raises OrderNotFound, VersionConflict."""
    orders.hold(tx, queries.order(tx, number).summary.order_id)
    order = queries.order(tx, number)
    if order.summary.version != version:
        raise VersionConflict(version=order.summary.version)
    return actions.situation_of(tx, order)
