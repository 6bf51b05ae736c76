"""Customers as values: what identifies them, why an order is theirs, what happened to them."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

from oms.kernel.errors import Conflict, NotFound, Rejected

# For how long after its goods were handed over a line may come back. One number for every
# channel, until returns bring a policy of their own.
RETURN_DAYS: Final = 30
TRACKING_LINK_DAYS: Final = 90

# How many orders the follower takes in at once: a transaction of a second or so.
BATCH_ORDERS_MAX: Final = 10_000
# How many payloads of the inbox, or documents in quarantine, are searched in one transaction.
SEARCHED_ROWS_MAX: Final = 2_000
# Shorter texts are found where nobody is meant.
TEXT_CHARACTERS_MIN: Final = 5


class CustomerState(StrEnum):
    """Where a customer is in their life."""

    ACTIVE = "active"
    MERGED = "merged"
    ERASED = "erased"


class IdentifierKind(StrEnum):
    """What somebody may be known by."""

    EMAIL = "email"
    PHONE = "phone"
    LOYALTY = "loyalty"
    CHANNEL_REF = "channel_ref"


class Basis(StrEnum):
    """Why an order is a customer's. Unverified: it only says so, and is shown to agents alone."""

    CHANNEL_REF = "channel_ref"
    LOYALTY = "loyalty"
    EMAIL = "email"
    PHONE = "phone"
    CLAIMED = "claimed"
    UNVERIFIED = "unverified"


class CustomerNotFound(NotFound):
    """There is no such customer."""

    code = "CUSTOMER_NOT_FOUND"


class IdentifierNotFound(NotFound):
    """The customer has no such identifier."""

    code = "IDENTIFIER_NOT_FOUND"


class ReceiptNotFound(NotFound):
    """There is no such receipt to claim."""

    code = "RECEIPT_NOT_FOUND"


class TrackingNotFound(NotFound):
    """There is no order of this number for this address, or the link is none of ours."""

    code = "TRACKING_NOT_FOUND"


class IdentifierInvalid(Rejected):
    """The value identifies nobody: it is not what its kind must be."""

    code = "IDENTIFIER_INVALID"


class IdentifierTaken(Conflict):
    """The identifier is shown to be another customer's; merge them if they are one person."""

    code = "IDENTIFIER_TAKEN"


class CustomerCannot(Conflict):
    """The customer's state does not allow it."""

    code = "CUSTOMER_STATE"


class OrdersOpen(Conflict):
    """Orders of the customer are still open: their addresses are needed to deliver them."""

    code = "ORDERS_OPEN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identifier:
    """Something a customer is known by."""

    identifier_id: int
    customer_id: int
    kind: str
    channel_code: str | None
    value: str
    is_verified: bool
    source: str
    first_seen_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something somebody did to a customer."""

    event_id: int
    customer_id: int
    type: str
    occurred_at: datetime
    actor: str
    reason: str | None
    data: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """A customer and everybody merged into them: who is one person, as far as is known."""

    root_id: int
    customer_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """A customer: what they are known by, and how many orders are theirs."""

    customer_id: int
    state: str
    merged_into: int | None
    created_at: datetime
    name: str | None
    orders_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseLine:
    """A line of a purchase, and what of it may come back until when."""

    line_no: int
    sku: str
    title: str
    quantity: int
    canceled: int
    shipped: int
    returned: int
    returnable: int
    returnable_until: date | None
    total_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A note for the customer, as they see it: it names nobody who wrote it."""

    kind: str
    body: str
    written_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """An order as its customer sees it; it names nobody."""

    order_id: int
    order_number: str
    external_number: str | None
    channel_code: str
    location_code: str | None
    location_name: str | None
    placed_at: datetime
    placed_on: date
    order_state: str
    fulfillment_state: str
    fulfillment_method: str
    currency: str
    total_minor: int
    customer_initial: str | None
    customer_city: str | None
    basis: str | None
    lines: tuple[PurchaseLine, ...]
    notes: tuple[Written, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedParcel:
    """A parcel as anybody may know of it who has the order's number."""

    carrier: str
    tracking_number: str
    tracking_url: str | None
    pickup_point: dict[str, Any] | None
    state: str
    eta_at: datetime | None
    collect_by: datetime | None
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracking:
    """How an order is, for whoever has its number: states, dates, what we wrote for them."""

    order_state: str
    fulfillment_state: str
    fulfillment_method: str
    placed_at: datetime
    updated_at: datetime
    steps: tuple[tuple[str, datetime], ...]
    parcels: tuple[TrackedParcel, ...]
    notes: tuple[Written, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """What an erasure has removed, and whether the search for the rest is done."""

    erasure_id: int
    customer_id: int
    orders_count: int
    erased_at: datetime
    finished_at: datetime | None


def returnable(line: PurchaseLine, *, today: date) -> int:
    """Return how much of a line may come back on a day."""
    if line.returnable_until is None or today > line.returnable_until:
        return 0
    return line.returnable
