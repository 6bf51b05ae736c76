"""Transfers as values: their states, what may be done in each, what came and what did not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final, Self

from oms.fulfillment.model import WrongState
from oms.kernel.errors import Conflict, NotFound, Rejected
from oms.stock.model import Units


class TransferState(StrEnum):
    """How far goods are on their way from one location to another."""

    REQUESTED = "requested"
    ALLOCATED = "allocated"
    PICKED = "picked"
    SHIPPED = "shipped"
    PARTIALLY_RECEIVED = "partially_received"
    RECEIVED = "received"
    CLOSED = "closed"
    CANCELED = "canceled"


class TransferAction(StrEnum):
    """What may be done with a transfer."""

    ALLOCATE = "allocate"
    PICK = "pick"
    UNPICK = "unpick"
    SHIP = "ship"
    RECEIVE = "receive"
    CLOSE = "close"
    REDIRECT = "redirect"
    RETURN = "return"
    CANCEL = "cancel"


class Discrepancy(StrEnum):
    """How what came differs from what left."""

    OVER = "over"
    SHORT = "short"
    DAMAGED = "damaged"
    WRONG_ITEM = "wrong_item"


_S, _A = TransferState, TransferAction

# What may follow what. Whatever is not here is refused.
NEXT: Final[dict[TransferState, dict[TransferAction, TransferState]]] = {
    _S.REQUESTED: {_A.ALLOCATE: _S.ALLOCATED, _A.CANCEL: _S.CANCELED},
    _S.ALLOCATED: {_A.PICK: _S.PICKED, _A.CANCEL: _S.CANCELED},
    _S.PICKED: {_A.SHIP: _S.SHIPPED, _A.UNPICK: _S.ALLOCATED, _A.CANCEL: _S.CANCELED},
    _S.SHIPPED: {
        _A.RECEIVE: _S.RECEIVED,  # of some of it: partially_received
        _A.REDIRECT: _S.SHIPPED, _A.RETURN: _S.SHIPPED,
    },
    _S.PARTIALLY_RECEIVED: {
        _A.RECEIVE: _S.RECEIVED, _A.CLOSE: _S.CLOSED,
        _A.REDIRECT: _S.PARTIALLY_RECEIVED, _A.RETURN: _S.PARTIALLY_RECEIVED,
    },
    _S.RECEIVED: {_A.CLOSE: _S.CLOSED},
    _S.CLOSED: {},
    _S.CANCELED: {},
}  # fmt: skip
assert set(NEXT) == set(TransferState)

# Before goods have left: what an order cancels here is simply not sent any more.
UNSENT: Final = frozenset({_S.REQUESTED, _S.ALLOCATED, _S.PICKED})
OPEN: Final = UNSENT | {_S.SHIPPED, _S.PARTIALLY_RECEIVED}


# What the location does that goods come to; the rest is done where they leave.
ARRIVING: Final = frozenset({_A.RECEIVE, _A.CLOSE})


class TransferNotFound(NotFound):
    """There is no such transfer."""

    code = "TRANSFER_NOT_FOUND"


class SameLocation(Rejected):
    """A transfer goes from one location to another."""

    code = "SAME_LOCATION"


class DestinationNeeded(Rejected):
    """What goes elsewhere needs a location to go to."""

    code = "DESTINATION_NEEDED"


class ReceiptNeeded(Rejected):
    """Goods are received with a receipt, which has an id of its own."""

    code = "RECEIPT_NEEDED"


class ReceiptDiffers(Conflict):
    """A receipt with this id has said something else."""

    code = "RECEIPT_DIFFERS"


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferLine:
    """What of a product goes from one location to another, and what became of it."""

    line_no: int
    product_id: int
    sku: str
    title: str
    quantity: int
    removed: int
    picked: int
    shipped: int
    received: int
    damaged: int
    missing: int

    @property
    def open(self) -> int:
        """What is still to be sent, before it is."""
        return self.quantity - self.removed

    @property
    def in_transit(self) -> int:
        """What has left and is not there yet."""
        return max(0, self.shipped - self.received - self.damaged - self.missing)

    def after(self, came: "Came") -> "TransferLine":
        """Return the line as it is when this has come of it."""
        return replace(
            self, received=self.received + came.received, damaged=self.damaged + came.damaged
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One way in which what came differed from what left; without a line nobody sent it."""

    receipt_id: str | None
    line_no: int | None
    kind: Discrepancy
    sku: str
    quantity: int
    found_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """Goods one location sends to another."""

    transfer_id: int
    transfer_number: str
    from_location_id: int
    from_location_code: str
    to_location_id: int
    to_location_code: str
    first_to_location_code: str | None  # where it was going before it was redirected
    order_id: int | None
    order_number: str | None
    channel_code: str | None
    fulfillment_id: int | None
    fulfillment_number: str | None
    state: TransferState
    created_at: datetime
    changed_at: datetime
    shipped_at: datetime | None
    carrier: str | None
    tracking_number: str | None
    reason: str | None
    version: int
    lines: tuple[TransferLine, ...]
    discrepancies: tuple[Found, ...]

    @property
    def is_astray(self) -> bool:
        """Whether it goes elsewhere than to the work that waits for it."""
        return self.first_to_location_code not in {None, self.to_location_code}

    def allowed(self) -> dict[TransferAction, TransferState]:
        """Return what may be done now, and where it leads; what is going back is not returned."""
        is_returning = self.to_location_code == self.from_location_code
        return {
            action: state for action, state in NEXT[self.state].items()
            if not (is_returning and action is _A.RETURN)
        }  # fmt: skip

    def after(self, action: TransferAction) -> TransferState:
        """Return the state an action leads to.

        Raises WrongState, with what is allowed instead.
        """
        allowed = self.allowed()
        if action not in allowed:
            raise WrongState(
                f"a transfer that is {self.state} has nothing to {action}",
                state=self.state, allowed_actions=sorted(allowed),
            )  # fmt: skip
        return allowed[action]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """How much of a product shelves are to be filled with."""

    sku: str
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Came:
    """What came of a line: in good order, and damaged."""

    received: int
    damaged: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sourced:
    """Units kept for an order at one location that leave to their customer from another."""

    reservation_id: int
    order_id: int
    fulfillment_id: int
    line_no: int
    product_id: int
    location_id: int
    place_id: int
    quantity: int

    @classmethod
    def of(cls, units: Units, fulfillment_id: int) -> Self:
        """Return units as they are to be sent to the work that waits for them."""
        return cls(
            reservation_id=units.reservation_id, order_id=units.order_id, line_no=units.line_no,
            product_id=units.product_id, location_id=units.location_id, place_id=units.goes_to,
            quantity=units.quantity, fulfillment_id=fulfillment_id,
        )  # fmt: skip


def a_difference(
    kind: Discrepancy, sku: str, quantity: int, line_no: int | None, *, at: datetime
) -> Found:
    """Return one way in which what came differs; its receipt is noted with it."""
    return Found(
        receipt_id=None, line_no=line_no, kind=kind, sku=sku, quantity=quantity, found_at=at
    )


def differences(
    held: Transfer, came: Mapping[int, Came], wrong_items: Sequence[Wanted], *, at: datetime
) -> list[Found]:
    """Return what came too much, damaged, or by mistake."""
    found = [
        a_difference(Discrepancy.WRONG_ITEM, each.sku, each.quantity, None, at=at)
        for each in wrong_items
    ]
    for line in held.lines:
        here = came[line.line_no]
        over = here.received + here.damaged - line.in_transit
        for kind, quantity in ((Discrepancy.OVER, over), (Discrepancy.DAMAGED, here.damaged)):
            if quantity > 0:
                found.append(a_difference(kind, line.sku, quantity, line.line_no, at=at))
    return found
