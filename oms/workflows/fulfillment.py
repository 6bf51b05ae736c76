"""Fulfillment: captured orders are given to locations, whose work moves orders and stock on.

Whoever does something here holds the order first, then its fulfillment order, then levels of
stock; what leaves or is canceled goes through capture like any other change of an order.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from oms.channels import queries as channels
from oms.fulfillment import operations, queries
from oms.fulfillment.model import (
    Action,
    FulfillmentOrder,
    FulfillmentOrderState,
    QuantityNotOpen,
    Reason,
    ReasonNeeded,
    WrongCode,
)
from oms.ledger.database import Tx
from oms.orders import operations as orders
from oms.orders import queries as order_queries
from oms.orders.model import ChangeKind
from oms.stock import operations as stock
from oms.stock.model import Correction, Units
from oms.transfers import operations as transfers
from oms.transfers.model import Sourced
from oms.workflows import changes

ORDERS_AT_ONCE_MAX: Final = 500
COLLECT_DAYS: Final = 7
CORRECTIONS: Final[Mapping[Reason, Correction]] = {
    Reason.NOT_FOUND: Correction.MISSING,
    Reason.DAMAGED: Correction.UNSELLABLE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Doing:
    """What somebody does with a fulfillment order, and what they say of it."""

    by: str
    at: datetime
    picked: Mapping[int, int] = field(default_factory=dict)  # by line; what is not named: all of it
    reason: Reason | None = None
    collect_code: str | None = None
    carrier: str | None = None
    tracking_number: str | None = None


def route(tx: Tx, after: int, upto: int, *, at: datetime) -> bool:
    """Give what was newly reserved to its locations; tell whether there was anything.

    A follower's step: of each order that has such units, in whatever batch they came.
    """
    is_any = False
    while order_ids := stock.unassigned_written(tx, after, upto, limit=ORDERS_AT_ONCE_MAX):
        is_any = True
        if not open_work(tx, order_ids, at=at):
            break
    return is_any


def open_work(tx: Tx, order_ids: Sequence[int], *, at: datetime) -> int:
    """Ask locations to pick what is kept there for these orders; return how many were asked.

    What is collected is picked where it is collected: what is kept elsewhere is sent there.
    """
    for order_id in sorted(order_ids):
        orders.hold(tx, order_id)
    units = stock.unassigned(tx, order_ids)
    opened = operations.open_for(tx, units, at=at)
    work_of = {kept: each.fulfillment_id for each in opened for kept in each.reservation_ids}
    stock.assign(tx, work_of)
    orders.tell(
        tx,
        [
            (each.order_id, f"fulfillment.{each.state}",
             {"fulfillment": each.fulfillment_number, "location": each.location_code})
            for each in opened
            if each.is_new
        ],
        actor_type="system", actor="routing", at=at,
    )  # fmt: skip
    _send_for(tx, units, work_of, at=at)
    return len(opened)


def _send_for(tx: Tx, units: Sequence[Units], work_of: Mapping[int, int], *, at: datetime) -> None:
    """Have sent to its place what is collected there and kept elsewhere."""
    sourced = [
        Sourced(**asdict(each), fulfillment_id=work_of[each.reservation_id])
        for each in units
        if each.place_id not in {None, each.location_id}
    ]
    opened = transfers.open_for(tx, sourced, at=at)
    stock.assign_transfer(
        tx, {kept: each.transfer_id for each in opened for kept in each.reservation_ids}
    )
    steps = [
        (each.order_id, "transfer.allocated", {"transfer": each.transfer_number}) for each in opened
    ]
    orders.tell(tx, steps, actor_type="system", actor="routing", at=at)


def act(tx: Tx, number: str, action: Action, doing: Doing, *, version: int) -> FulfillmentOrder:
    """Do something with a fulfillment order, as its state allows; return what it is then.

    Raises FulfillmentOrderNotFound; VersionConflict when it is no longer the version that was
    seen; WrongState; ReasonNeeded, QuantityNotOpen or WrongCode by what the action asks.
    """
    orders.hold(tx, operations.order_of(tx, number))
    held = operations.hold(tx, number, version=version)
    state = held.after(action)
    facts = _EFFECTS.get(action, _nothing)(tx, held, doing)
    if action is Action.PICK and not any(facts["picked"].values()):
        state = FulfillmentOrderState.REJECTED  # nothing of it is there
    operations.move(tx, held, state, at=doing.at, **facts)
    data = {"fulfillment": held.fulfillment_number, "location": held.location_code}
    told = {name: value for name, value in facts.items() if name in _TOLD and value is not None}
    orders.tell(
        tx, [(held.order_id, f"fulfillment.{state}", data | told)],
        actor_type="user", actor=doing.by, at=doing.at,
    )  # fmt: skip
    if action in _LEAVING:
        _leave(tx, held, _LEAVING[action], doing)
    return queries.fulfillment_order(tx, number)


_TOLD: Final = frozenset({"reason", "carrier", "tracking_number"})
_Facts = dict[str, Any]


def _nothing(_tx: Tx, _held: FulfillmentOrder, _doing: Doing) -> _Facts:
    return {}


def _pick(tx: Tx, held: FulfillmentOrder, doing: Doing) -> _Facts:
    """Take what was picked; what is short is sought elsewhere, for the reason given."""
    known = {line.line_no: line for line in held.lines}
    for line_no, quantity in doing.picked.items():
        if line_no not in known or not 0 <= quantity <= known[line_no].open:
            raise QuantityNotOpen(
                line_no=line_no, max=known[line_no].open if line_no in known else 0
            )
    picked = {no: doing.picked.get(no, line.open) for no, line in known.items()}
    short = {no: line.open - picked[no] for no, line in known.items() if line.open > picked[no]}
    operations.pick(tx, held, picked)
    if short:
        _withdraw(tx, held, short, doing)
    return {"picked": picked, "reason": doing.reason if short else None}


def _reject(tx: Tx, held: FulfillmentOrder, doing: Doing) -> _Facts:
    """Let the location off all of it."""
    operations.take_away(tx, held)
    _withdraw(tx, held, {line.line_no: line.open for line in held.lines if line.open}, doing)
    return {"reason": doing.reason}


def _unpick(tx: Tx, held: FulfillmentOrder, _doing: Doing) -> _Facts:
    operations.put_back(tx, held)
    return {}


def _ready(_tx: Tx, _held: FulfillmentOrder, doing: Doing) -> _Facts:
    """Give the customer a code to show, and some days to come."""
    return {
        "collect_code": f"{secrets.randbelow(10**6):06}",
        "collect_by": doing.at + timedelta(days=COLLECT_DAYS),
    }


def _ship(tx: Tx, held: FulfillmentOrder, doing: Doing) -> _Facts:
    operations.hand_over(tx, held)
    return {"carrier": doing.carrier, "tracking_number": doing.tracking_number}


def _collect(tx: Tx, held: FulfillmentOrder, doing: Doing) -> _Facts:
    """Hand over to whoever shows the code."""
    given = (doing.collect_code or "").encode()
    if not secrets.compare_digest(given, (held.collect_code or "").encode()):
        raise WrongCode
    operations.hand_over(tx, held)
    return {}


def _no_show(tx: Tx, held: FulfillmentOrder, _doing: Doing) -> _Facts:
    operations.take_away(tx, held)
    return {"reason": "no_show"}


_EFFECTS: Final[Mapping[Action, Callable[[Tx, FulfillmentOrder, Doing], _Facts]]] = {
    Action.REJECT: _reject,
    Action.PICK: _pick,
    Action.UNPICK: _unpick,
    Action.READY: _ready,
    Action.SHIP: _ship,
    Action.COLLECT: _collect,
    Action.NO_SHOW: _no_show,
}
# What of these goods happens to the order's lines.
_LEAVING: Final[Mapping[Action, ChangeKind]] = {
    Action.SHIP: ChangeKind.SHIP,
    Action.COLLECT: ChangeKind.SHIP,
    Action.NO_SHOW: ChangeKind.CANCEL,
}


def _withdraw(tx: Tx, held: FulfillmentOrder, short: Mapping[int, int], doing: Doing) -> None:
    """Take units from a location and seek them elsewhere, in the same moment."""
    if doing.reason is None:
        raise ReasonNeeded
    channel = channels.channel(tx, held.channel_code)
    queued = stock.withdraw(
        tx, short, fulfillment_id=held.fulfillment_id, cause=held.fulfillment_number,
        demand=orders.OPEN_LINES_OF, order_id=held.order_id, channel_id=channel.channel_id,
        location_code=held.location_code, at=doing.at,
        correction=CORRECTIONS.get(doing.reason, Correction.NONE),
    )  # fmt: skip
    orders.record_backorders(tx, queued, at=doing.at)
    open_work(tx, [held.order_id], at=doing.at)


def _leave(tx: Tx, held: FulfillmentOrder, kind: ChangeKind, doing: Doing) -> None:
    """Write what happened to the order's lines."""
    changes.apply(
        tx, order_queries.order(tx, held.order_number), kind,
        {line.line_no: line.open for line in held.lines if line.open},
        ref=f"*{held.fulfillment_number}", location_code=held.location_code,
        reason="no_show" if kind is ChangeKind.CANCEL else None, by=doing.by, at=doing.at,
    )  # fmt: skip
