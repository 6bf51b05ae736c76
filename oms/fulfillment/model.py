"""Fulfillment orders as values: their states, what may be done in each, and why not else."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from oms.holds.model import Command, Hold, refuse_held
from oms.kernel.errors import Conflict, NotFound, Rejected


class FulfillmentOrderState(StrEnum):
    """How far a location is with its part of a delivery group."""

    WAITING_FOR_TRANSFER = "waiting_for_transfer"
    ASSIGNED = "assigned"
    ACCEPTED = "accepted"
    PICKING = "picking"
    PICKED = "picked"
    PACKED = "packed"
    READY_FOR_COLLECTION = "ready_for_collection"
    SHIPPED = "shipped"
    AT_PICKUP_POINT = "at_pickup_point"
    DELIVERED = "delivered"
    DELIVERY_FAILED = "delivery_failed"
    RETURNED_TO_SENDER = "returned_to_sender"
    TAKEN_BACK = "taken_back"
    COLLECTED = "collected"
    UNCOLLECTED = "uncollected"
    REJECTED = "rejected"
    CANCELED = "canceled"


class Action(StrEnum):
    """What may be done with a fulfillment order."""

    ACCEPT = "accept"
    REJECT = "reject"
    START_PICK = "start_pick"
    PICK = "pick"
    UNPICK = "unpick"
    PACK = "pack"
    UNPACK = "unpack"
    READY = "ready"
    SHIP = "ship"
    ARRIVE = "arrive"
    DELIVER = "deliver"
    FAIL_DELIVERY = "fail_delivery"
    RESHIP = "reship"
    RETURN_TO_SENDER = "return_to_sender"
    TAKE_BACK = "take_back"
    COLLECT = "collect"
    NO_SHOW = "no_show"
    REFUSE = "refuse"
    MOVE = "move"
    SPLIT = "split"
    MERGE = "merge"


class Reason(StrEnum):
    """Why a location cannot supply what it was asked for; some of them correct its stock."""

    NOT_FOUND = "not_found"  # what the count says is not there
    DAMAGED = "damaged"  # it is there, and not for sale
    NO_CAPACITY = "no_capacity"
    CLOSED = "closed"
    OTHER = "other"


class Ending(StrEnum):
    """Why work was given up that no location refused."""

    TIMEOUT = "timeout"  # nobody accepted it in time
    MOVED = "moved"  # an agent gave it to another location
    MERGED = "merged"  # other work at the location has taken it in
    NO_SHOW = "no_show"
    REFUSED = "refused"  # its customer came, and did not want it


_S, _A = FulfillmentOrderState, Action

# What may follow what. Whatever is not here is refused.
NEXT: Final[dict[FulfillmentOrderState, dict[Action, FulfillmentOrderState]]] = {
    _S.WAITING_FOR_TRANSFER: {},  # goods that come lead it on, see docs/states.md
    _S.ASSIGNED: {
        _A.ACCEPT: _S.ACCEPTED, _A.REJECT: _S.REJECTED, _A.MOVE: _S.CANCELED,
        _A.SPLIT: _S.ASSIGNED, _A.MERGE: _S.ASSIGNED,
    },
    _S.ACCEPTED: {
        _A.START_PICK: _S.PICKING, _A.REJECT: _S.REJECTED, _A.MOVE: _S.CANCELED,
        _A.SPLIT: _S.ACCEPTED,
    },
    _S.PICKING: {_A.PICK: _S.PICKED, _A.MOVE: _S.CANCELED, _A.SPLIT: _S.PICKING},
    # What is in somebody's hands is put back when it goes elsewhere, and before it is split.
    _S.PICKED: {_A.PACK: _S.PACKED, _A.UNPICK: _S.ACCEPTED, _A.MOVE: _S.CANCELED},
    _S.PACKED: {
        _A.SHIP: _S.SHIPPED, _A.READY: _S.READY_FOR_COLLECTION, _A.UNPACK: _S.PICKED,
        _A.MOVE: _S.CANCELED,
    },
    _S.READY_FOR_COLLECTION: {
        _A.COLLECT: _S.COLLECTED, _A.NO_SHOW: _S.UNCOLLECTED, _A.REFUSE: _S.UNCOLLECTED,
    },
    _S.SHIPPED: {
        _A.ARRIVE: _S.AT_PICKUP_POINT, _A.DELIVER: _S.DELIVERED,
        _A.FAIL_DELIVERY: _S.DELIVERY_FAILED, _A.RETURN_TO_SENDER: _S.RETURNED_TO_SENDER,
    },
    _S.AT_PICKUP_POINT: {
        _A.RESHIP: _S.SHIPPED, _A.DELIVER: _S.DELIVERED, _A.FAIL_DELIVERY: _S.DELIVERY_FAILED,
        _A.RETURN_TO_SENDER: _S.RETURNED_TO_SENDER,
    },
    _S.DELIVERY_FAILED: {
        _A.RESHIP: _S.SHIPPED, _A.ARRIVE: _S.AT_PICKUP_POINT, _A.DELIVER: _S.DELIVERED,
        _A.RETURN_TO_SENDER: _S.RETURNED_TO_SENDER,
    },
    _S.RETURNED_TO_SENDER: {_A.TAKE_BACK: _S.TAKEN_BACK},
    _S.TAKEN_BACK: {},
    _S.DELIVERED: {},
    _S.COLLECTED: {},
    _S.UNCOLLECTED: {},
    _S.REJECTED: {},
    _S.CANCELED: {},
}  # fmt: skip
assert set(NEXT) == set(FulfillmentOrderState)

# Before goods have left: what an order cancels here is simply not done any more.
OPEN: Final = frozenset({
    _S.WAITING_FOR_TRANSFER, _S.ASSIGNED, _S.ACCEPTED, _S.PICKING, _S.PICKED, _S.PACKED,
    _S.READY_FOR_COLLECTION,
})  # fmt: skip
COLLECTED_METHODS: Final = frozenset({"collect_store", "reserve"})
# Which way goods leave decides between two ends of packing.
ONLY_COLLECTED: Final = frozenset({_A.READY, _A.COLLECT, _A.NO_SHOW, _A.REFUSE})
# What is collected is one work at the counter its customer comes to.
ONLY_SENT: Final = frozenset({
    _A.SHIP, _A.ARRIVE, _A.DELIVER, _A.FAIL_DELIVERY, _A.RESHIP, _A.RETURN_TO_SENDER,
    _A.TAKE_BACK, _A.MOVE, _A.SPLIT, _A.MERGE,
})  # fmt: skip
# What a hold may keep from being done; putting back, rejecting and what a carrier says are not.
COMMAND_OF: Final[dict[Action, Command]] = {
    _A.START_PICK: Command.PICK, _A.PICK: Command.PICK, _A.READY: Command.SHIP,
    _A.SHIP: Command.SHIP, _A.COLLECT: Command.SHIP, _A.RESHIP: Command.SHIP,
    _A.MOVE: Command.ROUTE, _A.SPLIT: Command.ROUTE, _A.MERGE: Command.ROUTE,
}  # fmt: skip


class FulfillmentOrderNotFound(NotFound):
    """There is no such fulfillment order."""

    code = "FULFILLMENT_NOT_FOUND"


class WrongState(Conflict):
    """The fulfillment order is not in a state that allows this."""

    code = "WRONG_STATE"


class WrongCode(Conflict):
    """The collection code is another one."""

    code = "WRONG_COLLECTION_CODE"


class QuantityNotOpen(Rejected):
    """The fulfillment order has not that much of this line."""

    code = "QTY_NOT_OPEN"


class NotMovable(Conflict):
    """The location cannot take over this work; `reasons` says what is in the way."""

    code = "NOT_MOVABLE"


class NotMergeable(Conflict):
    """Such works do not become one; `reasons` says what is in the way."""

    code = "NOT_MERGEABLE"


class TargetNeeded(Rejected):
    """Work that moves needs another location to go to."""

    code = "TARGET_NEEDED"


class NothingSplit(Rejected):
    """A split takes some of the work and leaves some."""

    code = "NOTHING_SPLIT"


class ReasonNeeded(Rejected):
    """What is not supplied needs a reason."""

    code = "REASON_NEEDED"


@dataclass(frozen=True, slots=True, kw_only=True)
class CameBack:
    """What came back of a line that never arrived: for sale again, and kept from it."""

    restocked: int
    held: int = 0

    @property
    def quantity(self) -> int:
        """All that came back."""
        return self.restocked + self.held


@dataclass(frozen=True, slots=True, kw_only=True)
class FulfillmentLine:
    """What of an order's line a location is to supply; `open` is what it still has to."""

    line_no: int
    sku: str
    title: str
    quantity: int
    picked: int
    done: int
    removed: int

    @property
    def open(self) -> int:
        """What is neither handed over nor taken away again."""
        return self.quantity - self.done - self.removed


@dataclass(frozen=True, slots=True, kw_only=True)
class FulfillmentOrder:
    """Work at one location for one delivery group of an order."""

    fulfillment_id: int
    fulfillment_number: str
    order_id: int
    order_number: str
    channel_code: str
    group_no: int
    method: str
    location_code: str
    state: FulfillmentOrderState
    created_at: datetime
    changed_at: datetime
    accept_by: datetime | None
    collect_code: str | None
    collect_by: datetime | None
    carrier: str | None
    tracking_number: str | None
    reason: str | None
    version: int
    lines: tuple[FulfillmentLine, ...]
    holds: tuple[Hold, ...]  # of its order
    merges_with: tuple[str, ...] = ()  # what may become one with it, by number

    @property
    def is_open(self) -> bool:
        """Whether its goods have neither left nor been given up."""
        return self.state in OPEN

    def allowed(self) -> dict[Action, FulfillmentOrderState]:
        """Return what may be done now, and where it leads."""
        return {
            action: state for action, state in self._next().items() if not self._held_from(action)
        }

    def after(self, action: Action) -> FulfillmentOrderState:
        """Return the state an action leads to.

        Raises WrongState, with what is allowed instead; OrderOnHold where only a hold is in
        the way.
        """
        possible = self._next()
        if action not in possible:
            raise WrongState(
                f"a fulfillment order that is {self.state} cannot {action.replace('_', ' ')}",
                state=self.state, allowed_actions=sorted(self.allowed()),
            )  # fmt: skip
        if action in COMMAND_OF:
            refuse_held(self.holds, COMMAND_OF[action])
        return possible[action]

    def _next(self) -> dict[Action, FulfillmentOrderState]:
        other_way = ONLY_SENT if self.method in COLLECTED_METHODS else ONLY_COLLECTED
        alone = {_A.SPLIT: sum(line.open for line in self.lines) == 1,
                 _A.MERGE: not self.merges_with}  # fmt: skip
        return {
            action: state for action, state in NEXT[self.state].items()
            if action not in other_way and not alone.get(action, False)
        }  # fmt: skip

    def _held_from(self, action: Action) -> bool:
        return action in COMMAND_OF and any(hold.blocks(COMMAND_OF[action]) for hold in self.holds)
