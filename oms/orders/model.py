"""Orders as values: drafts as they arrive, states, and what capture says of each document."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

from oms.kernel.errors import NotFound

# The columns of the three draft tables, in the order adapters write them.
ORDER_DRAFT: Final = (
    "position", "external_ref", "external_number", "version", "updated_at", "placed_at",
    "currency", "prices_include_tax", "order_type", "fulfillment_method", "location_code",
    "customer_ref", "customer_name", "customer_email", "customer_phone", "ship_to", "bill_to",
    "country_code", "shipping_net_minor", "shipping_tax_minor", "total_minor", "is_test",
    "is_historical", "is_partial", "canceled_at", "cancel_reason", "note", "sha256",
)  # fmt: skip
LINE_DRAFT: Final = (
    "position", "line_ref", "sku", "title", "quantity", "unit_price_minor", "discount_minor",
    "total_minor", "tax_minor",
)  # fmt: skip
# How a part of an order's lines gets to the customer, where it is not one way for all of them.
GROUP_DRAFT: Final = (
    "position",
    "group_no",
    "method",
    "location_code",
    "ship_to",
    "pickup_point",
    "line_refs",
)
CHANGE_DRAFT: Final = (
    "position", "kind", "change_ref", "line_ref", "quantity", "occurred_at", "total_minor",
    "tax_minor", "location_code", "restock", "reason",
)  # fmt: skip
# Changes that we make ourselves, by a command: their names begin with a star, and no channel's do.
OWN_CHANGE_DRAFT: Final = (*CHANGE_DRAFT, "is_ours")
# Lines that a command of ours adds or changes, as they shall be.
OWN_LINE_DRAFT: Final = (
    "position", "line_no", "line_ref", "sku", "title", "quantity", "unit_price_minor",
    "list_minor", "discount_minor", "tax_minor", "group_no",
)  # fmt: skip


class OrderState(StrEnum):
    """Where an order is in its life, folded from its lines."""

    PLACED = "placed"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    CANCELED = "canceled"


class FulfillmentState(StrEnum):
    """How far the goods of an order are: its least advanced open quantity, from its lines."""

    ALLOCATED = "allocated"
    BACKORDERED = "backordered"
    PARTIALLY_SHIPPED = "partially_shipped"
    SHIPPED = "shipped"
    PARTIALLY_RETURNED = "partially_returned"
    RETURNED = "returned"
    CANCELED = "canceled"


class FulfillmentMethod(StrEnum):
    """How the customer gets the goods."""

    CARRY_OUT = "carry_out"
    SHIP_HOME = "ship_home"
    PICKUP_POINT = "pickup_point"
    COLLECT_STORE = "collect_store"
    SHIP_FROM_STORE = "ship_from_store"
    RESERVE = "reserve"
    MIXED = "mixed"  # what an order is whose delivery groups are several of these


class ChangeKind(StrEnum):
    """What may happen to a captured line."""

    CANCEL = "cancel"
    SHIP = "ship"
    RETURN = "return"


class Outcome(StrEnum):
    """What became of a document that was handed to capture."""

    CAPTURED = "captured"
    UPDATED = "updated"
    DUPLICATE = "duplicate"
    STALE = "stale"
    REJECTED = "rejected"


class OrderNotFound(NotFound):
    """There is no such order."""

    code = "ORDER_NOT_FOUND"


@dataclass(frozen=True, slots=True, kw_only=True)
class Captured:
    """What became of one document: its order, or the reasons it was refused."""

    position: int
    external_ref: str
    outcome: Outcome
    order_number: str | None = None
    problems: tuple[tuple[str, str, str], ...] = ()  # field, code, detail


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of an order: what was sold, and how much of it is where."""

    line_no: int
    line_ref: str
    sku: str
    title: str
    product_type: str | None
    quantity: int
    canceled: int
    shipped: int
    returned: int
    allocated: int
    backordered: int
    unit_price_minor: int | None
    list_minor: int
    discount_minor: int
    net_minor: int
    tax_minor: int
    group_no: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A delivery group: the lines of an order that get to the customer in one way."""

    group_no: int
    method: str
    location_code: str | None  # where it is collected
    ship_to: dict[str, Any] | None  # None: as the order's
    pickup_point: dict[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """An order as a list shows it."""

    order_id: int
    order_number: str
    channel_code: str
    external_ref: str
    external_number: str | None
    order_state: str
    fulfillment_state: str
    fulfillment_method: str
    location_code: str | None
    placed_at: datetime
    placed_on: date
    updated_at: datetime
    state_since: datetime
    currency: str
    customer_name: str | None
    customer_email: str | None
    country_code: str | None
    total_minor: int
    has_exception: bool
    is_on_hold: bool
    is_test: bool
    is_historical: bool
    tags: list[str]
    promised_at: datetime | None  # by when the rules that planned it want it ready to leave
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What happened to a line, in signed quantity and money."""

    line_no: int
    kind: str
    change_ref: str
    quantity: int
    net_minor: int
    tax_minor: int
    occurred_at: datetime
    location_code: str | None
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One step of an order's story."""

    seq: int
    type: str
    occurred_at: datetime
    recorded_at: datetime
    actor_type: str
    actor: str
    data: dict[str, Any] | None
    transaction_id: str  # steps of one command have the same
    correlation_id: str | None  # of the request or the message it was for; None: nobody's


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderException:
    """Something about an order that a person should look at."""

    code: str
    detail: dict[str, Any]
    opened_at: datetime
    resolved_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order with everything about it."""

    summary: Summary
    customer_ref: str | None
    customer_phone: str | None
    ship_to: dict[str, Any] | None
    bill_to: dict[str, Any] | None
    prices_include_tax: bool
    items_net_minor: int
    items_tax_minor: int
    shipping_net_minor: int
    shipping_tax_minor: int
    stated_total_minor: int | None
    groups: tuple[Group, ...]
    lines: tuple[Line, ...]
    changes: tuple[Change, ...]
    events: tuple[Event, ...]
    exceptions: tuple[OrderException, ...]
