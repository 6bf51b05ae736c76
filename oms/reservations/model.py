"""Reservations as values: work at a store for what is paid there, and what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from oms.fulfillment.model import OPEN, FulfillmentOrder, FulfillmentOrderState
from oms.kernel.errors import Conflict, NotFound, Rejected


class ReservationState(StrEnum):
    """Whether something is still kept at its store, and how it ended."""

    RESERVED = "reserved"
    READY = "ready"  # it was found, and lies at the counter
    PARTIALLY_CONVERTED = "partially_converted"  # some was sold, the rest is still kept
    CONVERTED = "converted"  # sold at a till; what of it was not wanted is free again
    COLLECTED = "collected"  # handed over by its code, without a receipt that we know of
    EXPIRED = "expired"
    CANCELED = "canceled"


class ReservationNotFound(NotFound):
    """There is no such reservation, or none at this store."""

    code = "RESERVATION_NOT_FOUND"


class ReservationExpired(Conflict):
    """The time it was kept for is over: its units may be anybody's."""

    code = "RESERVATION_EXPIRED"


class ReservationEnded(Conflict):
    """The reservation was canceled, or handed over already."""

    code = "RESERVATION_ENDED"


class ReservationNotThere(Conflict):
    """What is reserved is still on its way to the store."""

    code = "RESERVATION_NOT_THERE"


class AlreadyConverted(Conflict):
    """The reservation was sold by another receipt already."""

    code = "ALREADY_CONVERTED"


class ReceiptUsed(Conflict):
    """The receipt has another reservation in it already."""

    code = "RECEIPT_USED"


class ReceiptUnfit(Rejected):
    """The receipt is not one of goods of the reservation, carried out of its store."""

    code = "RECEIPT_UNFIT"


class ExtensionTooLong(Conflict):
    """Nothing is kept that long."""

    code = "EXTENSION_TOO_LONG"


class LimitExceeded(Conflict):
    """The customer has as many open reservations as the channel allows."""

    code = "LIMIT_EXCEEDED"


class CustomerNeeded(Rejected):
    """The channel counts a customer's reservations, so an e-mail address must say whose it is."""

    code = "CUSTOMER_NEEDED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """A receipt that units of a reservation were sold by, and the order it is."""

    order_id: int
    order_number: str
    channel_code: str
    receipt: str
    quantities: Mapping[str, int]  # by SKU
    sold_at: datetime


# An order's part that ended: what it is then called.
_ENDED: Final = {
    FulfillmentOrderState.COLLECTED: ReservationState.COLLECTED,
    FulfillmentOrderState.UNCOLLECTED: ReservationState.EXPIRED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """Work at a store for goods that are paid there, with the sales it became."""

    work: FulfillmentOrder
    sales: tuple[Sale, ...]

    def state(self, at: datetime) -> ReservationState:
        """Return its state at a moment: over is over, written down or not."""
        state = self.work.state
        if state not in OPEN:
            ended = _ENDED.get(state, ReservationState.CANCELED)
            return ReservationState.CONVERTED if self.sales else ended
        if self.work.collect_by is not None and self.work.collect_by <= at:
            return ReservationState.EXPIRED
        if self.sales:
            return ReservationState.PARTIALLY_CONVERTED
        if state is FulfillmentOrderState.READY_FOR_COLLECTION:
            return ReservationState.READY
        return ReservationState.RESERVED

    def refuse_ended(self, at: datetime) -> None:
        """Refuse what is only done while it is kept.

        Raises AlreadyConverted, ReservationExpired, ReservationEnded.
        """
        state = self.state(at)
        if state is ReservationState.CONVERTED:
            raise AlreadyConverted(receipts=[sale.receipt for sale in self.sales])
        if state is ReservationState.EXPIRED:
            raise ReservationExpired(expires_at=self.work.collect_by)
        if state in {ReservationState.COLLECTED, ReservationState.CANCELED}:
            raise ReservationEnded(state=state)

    def sold_of(self, quantities: Mapping[str, int]) -> dict[int, int]:
        """Return how much of each of its lines is in so much of each SKU, the first lines first."""
        left, found = dict(quantities), {}
        for line in self.work.lines:
            taken = min(line.open, left.get(line.sku, 0))
            if taken:
                found[line.line_no] = taken
                left[line.sku] -= taken
        return found
