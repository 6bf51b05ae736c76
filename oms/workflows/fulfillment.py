"""Fulfillment: captured orders are given to locations, whose work moves orders and stock on.

Whoever does something here holds the order first, then its fulfillment order, then the locations
with a limit where units are planned again, then levels of stock; what leaves or is canceled goes
through capture like any other change of an order.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from oms.channels import queries as channels
from oms.fulfillment import operations, queries
from oms.fulfillment.model import (
    Action,
    CameBack,
    Ending,
    FulfillmentOrder,
    FulfillmentOrderState,
    QuantityNotOpen,
    Reason,
    ReasonNeeded,
    WrongCode,
)
from oms.fulfillment.operations import Step
from oms.holds import operations as holding
from oms.holds import queries as holds
from oms.holds.model import Command, Hold
from oms.ledger.database import Tx
from oms.orders import operations as orders
from oms.orders import queries as order_queries
from oms.orders.model import ChangeKind, FulfillmentMethod
from oms.reservations import operations as reservations
from oms.shipments import operations as shipments
from oms.sourcing import operations as sourced
from oms.stock import operations as stock
from oms.stock.model import Correction
from oms.workflows import changes, coming_back, moving, payments, sourcing

ORDERS_AT_ONCE_MAX: Final = 200
COLLECT_DAYS: Final = 7
CORRECTIONS: Final[Mapping[StrEnum, Correction]] = {
    Reason.NOT_FOUND: Correction.MISSING,
    Reason.DAMAGED: Correction.UNSELLABLE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Doing:
    """What somebody does with a fulfillment order, and what they say of it."""

    by: str
    at: datetime
    picked: Mapping[int, int] = field(default_factory=dict)  # by line; what is not named: all of it
    reason: Reason | Ending | None = None
    collect_code: str | None = None
    carrier: str | None = None
    tracking_number: str | None = None
    to_location_code: str | None = None
    split_off: Mapping[int, int] = field(default_factory=dict)  # by line
    merge_number: str | None = None  # None: with all it can be merged with
    came_back: Mapping[int, CameBack] = field(default_factory=dict)  # by line; else all, well
    actor_type: str = "user"


def route(tx: Tx, after: int, upto: int, *, at: datetime) -> bool:
    """Queue the orders of which something is newly kept, and open the most urgent work.

    A follower's step: it takes in what was written from one transaction up to another, in
    whatever batch it came. What is queued beyond one transaction's work is for open_due.
    """
    is_any = sourced.queue(tx, after, upto)
    return open_due(tx, at=at) or is_any


def open_due(tx: Tx, *, at: datetime) -> bool:
    """Open the work of the most urgent orders that are queued; tell whether there were any.

    Only so many that nobody waits long for their levels of stock. What is on hold is passed
    over: who releases it opens its work.
    """
    due = sourced.take_due(tx, at=at, limit=ORDERS_AT_ONCE_MAX)
    if due:
        open_work(tx, due, at=at)
    return bool(due)


def open_work(tx: Tx, order_ids: Sequence[int], *, at: datetime, let_off: str | None = None) -> int:
    """Ask locations to pick what is kept there for these orders; return how many were asked.

    Nobody is asked for an order on a hold that blocks it. Where rules are active, it is kept where
    they say first; not at a location just let off. What is collected is picked where it is
    collected, what is gathered at its hub: what is kept elsewhere is sent there.
    """
    orders.hold_all(tx, order_ids)
    held = holds.held_from(tx, order_ids, Command.ROUTE)
    free = [order_id for order_id in order_ids if order_id not in held]
    given = sourcing.source(tx, stock.unassigned(tx, free), at=at, let_off=let_off)
    opened = operations.open_for(tx, given.units, at=at)
    work_of = {kept: each.fulfillment_id for each in opened for kept in each.reservation_ids}
    stock.assign(tx, work_of)
    reservations.date(tx, [each.fulfillment_id for each in opened if each.is_new], at=at)
    steps = [
        Step(
            each.order_id, f"fulfillment.{each.state if each.is_new else 'extended'}",
            each.fulfillment_number,
        )
        for each in opened
    ]  # fmt: skip
    operations.tell(tx, steps, actor_type="system", actor="routing", at=at)
    moving.send_for(tx, given.units, work_of, at=at)
    sourced.settle_queue(tx, {*order_ids} - given.waited, given.waits, at=at)
    return len(opened)


def release_hold(
    tx: Tx, number: str, hold_no: int, comment: str, *, version: int, scopes: frozenset[str],
    by: str, at: datetime,
) -> tuple[Hold, int]:  # fmt: skip
    """Release a hold; what it kept from being routed is given to locations in the same moment.

    Whoever is to accept work for the order has as long for it as if it had come only now. Returns
    the hold and the order's new version. Raises as the release of a hold does.
    """
    released = holding.release(
        tx, number, hold_no, comment, version=version, scopes=scopes, by=by, at=at
    )
    open_work(tx, [order_queries.order(tx, number).summary.order_id], at=at)
    waiting = queries.of_order(tx, number)
    operations.give_time(tx, [each.fulfillment_id for each in waiting], at=at)
    return released


def act(tx: Tx, number: str, action: Action, doing: Doing, *, version: int) -> FulfillmentOrder:
    """Do something with a fulfillment order, as its state allows; return what it is then.

    Raises FulfillmentOrderNotFound; VersionConflict when it is no longer the version that was
    seen; WrongState; OrderOnHold; ReasonNeeded, QuantityNotOpen, WrongCode, TargetNeeded,
    UnknownLocation, NothingSplit, NotMovable or NotMergeable by what the action asks.
    """
    orders.hold(tx, operations.order_of(tx, number))
    held = operations.hold(tx, number, version=version)
    return _do(tx, held, action, held.after(action), doing)


def _do(
    tx: Tx, held: FulfillmentOrder, action: Action, state: FulfillmentOrderState, doing: Doing
) -> FulfillmentOrder:
    facts = _EFFECTS.get(action, _nothing)(tx, held, doing)
    if action is Action.PICK and not any(facts["picked"].values()):
        state = FulfillmentOrderState.REJECTED  # nothing of it is there
    operations.move(tx, held, state, at=doing.at, **facts)
    told = {name: value for name, value in facts.items() if name in _TOLD and value is not None}
    step = f"fulfillment.{_NAMES.get(action, state)}"
    steps = [Step(held.order_id, step, held.fulfillment_number, told)]
    operations.tell(tx, steps, actor_type=doing.actor_type, actor=doing.by, at=doing.at)
    # What follows from it is told after it.
    if facts.get("short"):
        _withdraw(tx, held, facts["short"], doing)
    if "given" in facts:
        given, by = facts["given"], doing.by
        moving.open_given(tx, held, given, by=by, actor_type=doing.actor_type, at=doing.at)
    if facts.get("voided"):
        of, by = facts["voided"], doing.by
        coming_back.tell_voided(tx, held, of, by=by, actor_type=doing.actor_type, at=doing.at)
    if action in _LEAVING:
        _leave(tx, held, _LEAVING[action], facts, doing)
    if _LEAVING.get(action) is ChangeKind.CANCEL:
        open_work(tx, [held.order_id], at=doing.at)
    if "came_back" in facts:
        coming_back.take_in(tx, held, facts["came_back"], by=doing.by, at=doing.at)
    return queries.fulfillment_order(tx, held.fulfillment_number)


def let_go_uncollected(tx: Tx, *, at: datetime) -> bool:
    """Take back one thing nobody came for in time; tell whether there was any.

    Raises VersionConflict when its customer came at this very moment.
    """
    doing = Doing(by="collection time", at=at, actor_type="system")
    state = FulfillmentOrderState.UNCOLLECTED
    return _do_due(tx, operations.uncollected(tx, at=at), Action.NO_SHOW, state, doing)


def let_off_unaccepted(tx: Tx, *, at: datetime) -> bool:
    """Reject one thing nobody accepted in time, so that another location gets it; tell if any.

    Raises VersionConflict when it was accepted at this very moment.
    """
    doing = Doing(by="accept time", at=at, actor_type="system", reason=Ending.TIMEOUT)
    state = FulfillmentOrderState.REJECTED
    return _do_due(tx, operations.unaccepted(tx, at=at), Action.REJECT, state, doing)


def _do_due(
    tx: Tx, due: tuple[str, int] | None, action: Action, state: FulfillmentOrderState, doing: Doing
) -> bool:
    """Do what is due by the clock, whatever else the state allows, in the version that was due."""
    if due is not None:
        number, version = due
        orders.hold(tx, operations.order_of(tx, number))
        _do(tx, operations.hold(tx, number, version=version), action, state, doing)
    return due is not None


_TOLD: Final = frozenset({"reason", "short", "carrier", "tracking_number", "to_location", "merged"})
# A step is told as the state it leads to, but for one that leads to none.
_NAMES: Final[Mapping[Action, str]] = {Action.SPLIT: "split", Action.MERGE: "extended"}
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
    if short:
        _refuse_unreasoned(doing)
    operations.pick(tx, held, picked)
    return {
        "picked": picked, "short": short or None, "reason": doing.reason if short else None
    }  # fmt: skip


def _reject(tx: Tx, held: FulfillmentOrder, doing: Doing) -> _Facts:
    """Let the location off all of it."""
    _refuse_unreasoned(doing)
    operations.take_away(tx, held)
    short = {line.line_no: line.open for line in held.lines if line.open}
    return {"short": short, "reason": doing.reason}


def _refuse_unreasoned(doing: Doing) -> None:
    if doing.reason is None:
        raise ReasonNeeded


def _unpick(tx: Tx, held: FulfillmentOrder, doing: Doing) -> _Facts:
    operations.put_back(tx, held)
    return _unpack(tx, held, doing)


def _unpack(tx: Tx, held: FulfillmentOrder, doing: Doing) -> _Facts:
    """Take the goods out of their parcels again: their labels are for nothing."""
    return {"voided": shipments.void_all(tx, held.fulfillment_id, at=doing.at)}


def _ready(tx: Tx, held: FulfillmentOrder, doing: Doing) -> _Facts:
    """Give the customer a code to show, and some days to come."""
    collect_by = doing.at + timedelta(days=COLLECT_DAYS)
    if held.method == FulfillmentMethod.RESERVE:
        collect_by = reservations.kept_until(tx, held, at=doing.at)
    return {"collect_code": f"{secrets.randbelow(10**6):06}", "collect_by": collect_by}


def _ship(tx: Tx, held: FulfillmentOrder, doing: Doing) -> _Facts:
    payments.refuse_unpaid(tx, held.order_id, held.lines, at=doing.at)
    operations.hand_over(tx, held)
    shipments.ship(
        tx, fulfillment_id=held.fulfillment_id, order_id=held.order_id, carrier=doing.carrier,
        tracking_number=doing.tracking_number, at=doing.at,
        lines={line.line_no: line.open for line in held.lines if line.open},
    )  # fmt: skip
    return {"carrier": doing.carrier, "tracking_number": doing.tracking_number}


def _collect(tx: Tx, held: FulfillmentOrder, doing: Doing) -> _Facts:
    """Hand over to whoever shows the code, once it is paid."""
    given = (doing.collect_code or "").encode()
    if not secrets.compare_digest(given, (held.collect_code or "").encode()):
        raise WrongCode
    payments.refuse_unpaid(tx, held.order_id, held.lines, at=doing.at)
    operations.hand_over(tx, held)
    return {}


def _no_show(tx: Tx, held: FulfillmentOrder, doing: Doing) -> _Facts:
    return {**_lay_back(tx, held, doing), "reason": Ending.NO_SHOW}


def _refuse(tx: Tx, held: FulfillmentOrder, doing: Doing) -> _Facts:
    return {**_lay_back(tx, held, doing), "reason": Ending.REFUSED}


def _lay_back(tx: Tx, held: FulfillmentOrder, _doing: Doing) -> _Facts:
    """Put back what its customer does not take.

    Of the order's units those still waited for are canceled first: what lies here then serves the
    rest, so it must not be kept for work that is over.
    """
    sourced.hold_limited_of(tx, [held.order_id])
    operations.take_away(tx, held)
    stock.unassign(tx, held.fulfillment_id)
    return {}


def _take_back(tx: Tx, held: FulfillmentOrder, doing: Doing) -> _Facts:
    """Take in what came back, as its receipt says."""
    return {"came_back": coming_back.receipt(tx, held, doing.came_back)}


def _move(tx: Tx, held: FulfillmentOrder, doing: Doing) -> _Facts:
    """Give all of it to another location; what is in somebody's hands is put back."""
    all_of_it = {line.line_no: line.open for line in held.lines if line.open}
    given = moving.give(tx, held, all_of_it, doing.to_location_code, must_leave=True, at=doing.at)
    operations.take_away(tx, held)
    return {
        **_unpack(tx, held, doing),
        "given": given,
        "reason": Ending.MOVED,
        "to_location": doing.to_location_code,
    }


def _split(tx: Tx, held: FulfillmentOrder, doing: Doing) -> _Facts:
    """Make of some of it a fulfillment order of its own, here or at another location."""
    moving.refuse_split(held, doing.split_off)
    wanted = {line_no: quantity for line_no, quantity in doing.split_off.items() if quantity}
    given = moving.give(tx, held, wanted, doing.to_location_code, must_leave=False, at=doing.at)
    operations.reduce(tx, held.fulfillment_id, wanted)
    return {"given": given, "to_location": doing.to_location_code or held.location_code}


def _merge(tx: Tx, held: FulfillmentOrder, doing: Doing) -> _Facts:
    """Make one of this and others that nobody has accepted: this one has their units, too."""
    number, by = doing.merge_number, doing.by
    taken = moving.take_in(tx, held, number, by=by, actor_type=doing.actor_type, at=doing.at)
    return {"merged": taken}


_EFFECTS: Final[Mapping[Action, Callable[[Tx, FulfillmentOrder, Doing], _Facts]]] = {
    Action.REJECT: _reject,
    Action.PICK: _pick,
    Action.UNPICK: _unpick,
    Action.UNPACK: _unpack,
    Action.READY: _ready,
    Action.SHIP: _ship,
    Action.COLLECT: _collect,
    Action.NO_SHOW: _no_show,
    Action.REFUSE: _refuse,
    Action.TAKE_BACK: _take_back,
    Action.MOVE: _move,
    Action.SPLIT: _split,
    Action.MERGE: _merge,
}
# What of these goods happens to the order's lines.
_LEAVING: Final[Mapping[Action, ChangeKind]] = {
    Action.SHIP: ChangeKind.SHIP,
    Action.COLLECT: ChangeKind.SHIP,
    Action.NO_SHOW: ChangeKind.CANCEL,
    Action.REFUSE: ChangeKind.CANCEL,
}


def _withdraw(tx: Tx, held: FulfillmentOrder, short: Mapping[int, int], doing: Doing) -> None:
    """Take units from a location and seek them elsewhere, in the same moment."""
    assert doing.reason is not None, "its effect has asked for it"
    sourced.hold_limited_of(tx, [held.order_id])
    channel = channels.channel(tx, held.channel_code)
    queued = stock.withdraw(
        tx, short, fulfillment_id=held.fulfillment_id, cause=held.fulfillment_number,
        act=held.version, demand=orders.OPEN_LINES_OF, order_id=held.order_id,
        channel_id=channel.channel_id, location_code=held.location_code, at=doing.at,
        correction=CORRECTIONS.get(doing.reason, Correction.NONE),
    )  # fmt: skip
    orders.record_backorders(tx, queued, at=doing.at)
    open_work(tx, [held.order_id], at=doing.at, let_off=held.location_code)


def _leave(tx: Tx, held: FulfillmentOrder, kind: ChangeKind, facts: _Facts, doing: Doing) -> None:
    """Write what happened to the order's lines."""
    changes.apply(
        tx, order_queries.order(tx, held.order_number), kind,
        {line.line_no: line.open for line in held.lines if line.open},
        ref=f"*{held.fulfillment_number}", location_code=held.location_code,
        reason=facts.get("reason"), by=doing.by, at=doing.at,
    )  # fmt: skip
