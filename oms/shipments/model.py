"""Parcels as values: their states, the carriers' events, and the fold of one from the other."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from oms.kernel.errors import Conflict, NotFound, Rejected


class ParcelState(StrEnum):
    """How far a parcel is, in words all carriers share."""

    LABEL_CREATED = "label_created"
    HANDED_OVER = "handed_over"
    IN_TRANSIT = "in_transit"
    DELIVERY_DELAYED = "delivery_delayed"
    ON_HOLD = "on_hold"
    OUT_FOR_DELIVERY = "out_for_delivery"
    DELIVERY_FAILED = "delivery_failed"
    DAMAGED = "damaged"
    LOST = "lost"
    READY_FOR_PICKUP = "ready_for_pickup"
    EXPIRED = "expired"
    COLLECTED = "collected"
    DELIVERED = "delivered"
    RETURNED_TO_SENDER = "returned_to_sender"
    VOIDED = "voided"


_S = ParcelState
_ENDS: Final = frozenset({_S.DELIVERED, _S.COLLECTED, _S.RETURNED_TO_SENDER})
_TROUBLE: Final = frozenset({
    _S.DELIVERY_DELAYED, _S.ON_HOLD, _S.DELIVERY_FAILED, _S.DAMAGED, _S.LOST,
})  # fmt: skip
_ARRIVING: Final = (
    frozenset({_S.OUT_FOR_DELIVERY, _S.READY_FOR_PICKUP, _S.EXPIRED}) | _TROUBLE | _ENDS
)
_MOVING: Final = frozenset({_S.IN_TRANSIT}) | _ARRIVING

# What may follow what: forward, carriers leave scans out; back only out of
# trouble, and from the customer's door to the sender.
NEXT: Final[Mapping[ParcelState, frozenset[ParcelState]]] = {
    _S.LABEL_CREATED: _MOVING | {_S.HANDED_OVER, _S.VOIDED},
    _S.HANDED_OVER: _MOVING,
    _S.IN_TRANSIT: _ARRIVING,
    **{state: _MOVING - {state} for state in sorted(_TROUBLE)},
    _S.OUT_FOR_DELIVERY: _ARRIVING - {_S.OUT_FOR_DELIVERY},
    _S.READY_FOR_PICKUP: _ENDS | {_S.EXPIRED, _S.DELIVERY_FAILED, _S.DAMAGED, _S.LOST},
    _S.EXPIRED: _ENDS,
    _S.DELIVERED: frozenset({_S.RETURNED_TO_SENDER}),
    _S.COLLECTED: frozenset({_S.RETURNED_TO_SENDER}),
    _S.RETURNED_TO_SENDER: frozenset(),
    _S.VOIDED: frozenset(),
}
assert set(NEXT) == set(ParcelState)

ARRIVED: Final = frozenset({_S.DELIVERED, _S.COLLECTED})
NOT_ARRIVING: Final = frozenset({
    _S.DELIVERY_FAILED, _S.DAMAGED, _S.LOST, _S.EXPIRED, _S.RETURNED_TO_SENDER,
})  # fmt: skip
# With its carrier, who should be telling something of it.
UNDERWAY: Final = frozenset({_S.HANDED_OVER, _S.IN_TRANSIT, _S.OUT_FOR_DELIVERY,
                             _S.READY_FOR_PICKUP}) | _TROUBLE  # fmt: skip
_PLACE: Final = {state: place for place, state in enumerate(ParcelState)}
# What a carrier's code stands for is never that we have voided the label.
TOLD_BY_CARRIERS: Final = tuple(state for state in ParcelState if state is not _S.VOIDED)


class ParcelNotFound(NotFound):
    """There is no such parcel."""

    code = "PARCEL_NOT_FOUND"


class UnknownCarrier(Rejected):
    """There is no such carrier."""

    code = "UNKNOWN_CARRIER"


class InvalidTrackingNumber(Rejected):
    """The carrier has no tracking numbers like this one."""

    code = "INVALID_TRACKING_NUMBER"


class TrackingInUse(Conflict):
    """The carrier has another parcel of this tracking number."""

    code = "TRACKING_IN_USE"


class LabelRefused(Rejected):
    """The carrier makes no label for this parcel."""

    code = "LABEL_REFUSED"


class NotVoidable(Conflict):
    """The parcel is with its carrier already, or was voided before."""

    code = "NOT_VOIDABLE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How large and heavy a parcel is, as far as it was measured."""

    weight_grams: int | None = None
    length_mm: int | None = None
    width_mm: int | None = None
    height_mm: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelDraft:
    """A parcel to be made: what of which line is in it, and who shall carry it."""

    lines: Mapping[int, int]
    carrier: str
    service: str | None = None
    tracking_number: str | None = None  # of a label that was made elsewhere
    label_ref: str | None = None
    size: Size = field(default_factory=Size)


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What a carrier gives out for a parcel it will carry."""

    tracking_number: str
    label_ref: str | None = None
    cost_minor: int | None = None
    cost_currency: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What a carrier says of a parcel, in its own words."""

    tracking_number: str
    occurred_at: datetime
    status: str
    event_ref: str | None = None
    place: str | None = None
    reason: str | None = None
    eta_at: datetime | None = None
    collect_by: datetime | None = None

    @property
    def identity(self) -> str:
        """What names it: the carrier's id, or for carriers without any what it says."""
        if self.event_ref is not None:
            return self.event_ref
        said = "\n".join((self.occurred_at.isoformat(), self.status, self.place or ""))
        return "sha256:" + hashlib.sha256(said.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackingEvent:
    """What was told of a parcel; without a state where its code is not known to us."""

    event_ref: str
    occurred_at: datetime
    state: ParcelState | None
    status: str
    place: str | None
    reason: str | None
    eta_at: datetime | None
    collect_by: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a parcel is by all that was told of it."""

    state: ParcelState
    status: str | None = None
    last_event_at: datetime | None = None
    eta_at: datetime | None = None
    collect_by: datetime | None = None


def progress_of(events: Iterable[TrackingEvent], *, is_voided: bool = False) -> Progress:
    """Return how far a parcel is: the same for the same events, in whatever order they came."""
    told = sorted(events, key=_in_time)
    state, eta_at, collect_by = ParcelState.LABEL_CREATED, None, None
    for event in told:
        if event.state is not None and event.state in NEXT[state]:
            state = event.state
        eta_at = event.eta_at or eta_at
        collect_by = event.collect_by or collect_by
    return Progress(
        state=ParcelState.VOIDED if is_voided else state,
        status=told[-1].status if told else None,
        last_event_at=told[-1].occurred_at if told else None, eta_at=eta_at,
        collect_by=collect_by,
    )  # fmt: skip


def _in_time(event: TrackingEvent) -> tuple[datetime, int, str]:
    return event.occurred_at, -1 if event.state is None else _PLACE[event.state], event.event_ref


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelLine:
    """How much of a line of the order is in a parcel."""

    line_no: int
    sku: str
    title: str
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A parcel of a fulfillment order, and all that was told of it, oldest first."""

    parcel_id: int
    parcel_number: str
    order_id: int
    order_number: str
    channel_code: str
    fulfillment_id: int
    fulfillment_number: str
    location_code: str
    carrier: str
    service: str | None
    tracking_number: str
    tracking_url: str | None
    label_ref: str | None
    weight_grams: int | None
    length_mm: int | None
    width_mm: int | None
    height_mm: int | None
    cost_minor: int | None
    cost_currency: str | None
    pickup_point: dict[str, Any] | None  # as it was when the parcel was addressed to it
    state: ParcelState
    status: str | None
    last_event_at: datetime | None
    eta_at: datetime | None
    collect_by: datetime | None
    handed_over_at: datetime | None
    created_at: datetime
    changed_at: datetime
    lines: tuple[ParcelLine, ...]
    events: tuple[TrackingEvent, ...]
