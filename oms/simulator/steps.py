"""What staff does next with a piece of work or a transfer, and after how long."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from oms.fulfillment.model import COLLECTED_METHODS, Action, FulfillmentOrderState
from oms.simulator.network import PLACES
from oms.simulator.rhythm import working
from oms.transfers.model import TransferAction, TransferState

if TYPE_CHECKING:
    from datetime import datetime

    from oms.fulfillment.model import FulfillmentOrder
    from oms.simulator.fates import OrderFate, TransferFate, WorkFate
    from oms.simulator.model import Place
    from oms.transfers.model import Transfer

_S, _T = FulfillmentOrderState, TransferState
PLACE_OF: Final[dict[str, Place]] = {place.code: place for place in PLACES}
# A fulfillment order is accepted, taken up, picked and packed: then it has been changed so often.
REPACKED_FROM_VERSION: Final = 6


class Step(NamedTuple):
    """One thing to do with work, so many minutes of opening time after the last one."""

    action: Action
    minutes: int
    reason: str = ""  # why one unit is short, or all of it


class Leg(NamedTuple):
    """One thing to do with a transfer; what comes, comes after so many hours."""

    action: TransferAction
    minutes: int
    place: str  # who does it
    reason: str = ""
    trouble: str = ""


def next_step(work: FulfillmentOrder, fate: WorkFate, *, comes: bool) -> Step | None:
    """Return what staff, or the customer, does next; None where it is up to others."""
    is_collected = work.method in COLLECTED_METHODS
    steps = {
        _S.ASSIGNED: Step(Action.ACCEPT, fate.accept_minutes),
        _S.ACCEPTED: Step(Action.START_PICK, max(1, fate.pick_minutes // 2)),
        _S.PICKING: Step(Action.PICK, fate.pick_minutes, fate.short),
        _S.PICKED: Step(Action.PACK, fate.pack_minutes),
        _S.PACKED: Step(
            Action.READY if is_collected else Action.SHIP,
            fate.pack_minutes if is_collected else fate.leave_minutes,
        ),
        _S.READY_FOR_COLLECTION: Step(Action.COLLECT if comes else Action.NO_SHOW, 5),
    }
    step = steps.get(work.state)
    if work.state is _S.ASSIGNED and fate.rejects:
        step = Step(Action.REJECT, fate.accept_minutes, fate.rejects)
    if work.state is _S.PACKED and fate.is_repacked and work.version < REPACKED_FROM_VERSION:
        step = Step(Action.UNPACK, fate.pack_minutes)
    return step if step is not None and step.action in work.allowed() else None


def moment_of(step: Step, work: FulfillmentOrder, order: OrderFate) -> datetime:
    """Say when a step is done: while the place is open, by who has to come within his time."""
    place = PLACE_OF[work.location_code]
    if step.action is Action.NO_SHOW:
        assert work.collect_by is not None, "what is ready is to be collected until then"
        return work.collect_by
    since = work.changed_at
    if step.action is Action.COLLECT:
        since += timedelta(hours=order.come_hours)
    return working(place, since, step.minutes)


def next_leg(transfer: Transfer, fate: TransferFate) -> Leg | None:
    """Return what is done next with a transfer; None when nothing is left to do."""
    sender, taker = transfer.from_location_code, transfer.to_location_code
    legs = {
        _T.REQUESTED: Leg(TransferAction.ALLOCATE, fate.pick_minutes, sender),
        _T.ALLOCATED: Leg(TransferAction.PICK, fate.pick_minutes, sender, fate.short),
        _T.PICKED: Leg(TransferAction.SHIP, fate.ship_minutes, sender),
        _T.SHIPPED: Leg(TransferAction.RECEIVE, fate.ship_minutes, taker, trouble=fate.trouble),
        _T.PARTIALLY_RECEIVED: Leg(TransferAction.RECEIVE, fate.pick_minutes, taker),
    }
    return legs.get(transfer.state)


def moment_of_leg(leg: Leg, transfer: Transfer, fate: TransferFate) -> datetime:
    """Say when it is done: the road takes its hours."""
    since = transfer.changed_at
    if transfer.state is _T.SHIPPED:
        since += timedelta(hours=fate.travel_hours)
    return working(PLACE_OF[leg.place], since, leg.minutes)
