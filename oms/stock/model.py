"""Stock as values: levels, availability, movements, shortages."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from oms.kernel.errors import Conflict, NotFound

COUNT_DRAFT: Final = ("position", "count_ref", "sku", "location_code", "counted", "counted_at")
MOVEMENT_DRAFT: Final = (
    "position", "movement_ref", "kind", "sku", "location_code", "quantity", "occurred_at",
    "reason",
)  # fmt: skip

# How a movement's quantity moves what is on hand: +1 adds, -1 takes, None: the sign is given.
MOVEMENT_SIGNS: Final[dict[str, int | None]] = {
    "receipt": 1,
    "return_restock": 1,
    "transfer_in": 1,
    "write_off": -1,
    "transfer_out": -1,
    "adjust": None,
}


class InsufficientStock(Conflict):
    """There is not enough stock for this."""

    code = "INSUFFICIENT_STOCK"


class UnknownSku(NotFound):
    """There is no such SKU."""

    code = "UNKNOWN_SKU"


class UnknownLocation(NotFound):
    """There is no such location."""

    code = "UNKNOWN_LOCATION"


class StockHoldNotFound(NotFound):
    """There is no such hold of stock."""

    code = "STOCK_HOLD_NOT_FOUND"


class StockHoldExpired(Conflict):
    """The hold's time is over: its units may be anybody's."""

    code = "STOCK_HOLD_EXPIRED"


class StockHoldEnded(Conflict):
    """The hold was released, or is an order already."""

    code = "STOCK_HOLD_ENDED"


class StockHoldState(StrEnum):
    """Whether a hold still keeps its units, and what became of it."""

    ACTIVE = "active"
    CONVERTED = "converted"
    RELEASED = "released"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """The stock of one SKU at one location, in the stock unit."""

    location_code: str
    location_kind: str
    on_hand: int
    unavailable: int
    allocated: int
    reserved_soft: int
    safety_stock: int
    available_to_fulfill: int
    is_oversold: bool
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelStock:
    """What one channel may sell of one SKU now, and why."""

    sku: str
    channel_code: str
    available_to_fulfill: int
    queued: int
    threshold: int
    available_to_sell: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldUnits:
    """Units of a SKU held at a location."""

    sku: str
    location_code: str
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StockHold:
    """Stock kept for a short time without an order, and how it ended."""

    hold_ref: str
    channel_code: str
    state: StockHoldState
    created_at: datetime
    expires_at: datetime
    order_number: str | None
    units: tuple[HeldUnits, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortage:
    """How much of a line could not be allocated."""

    sku: str
    requested: int
    available: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    """Units of an order's line kept at a location, that nobody has been asked to pick yet."""

    reservation_id: int
    order_id: int
    line_no: int
    product_id: int
    location_id: int
    quantity: int
    place_id: int | None = None  # where they are collected
    hub_id: int | None = None  # where they are to be sent, to leave with others

    @property
    def goes_to(self) -> int:
        """Where they leave to their customer from."""
        return self.place_id or self.hub_id or self.location_id

    @property
    def is_movable(self) -> bool:
        """Whether they may be kept elsewhere: what is collected is supplied by its own rules."""
        return self.place_id is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A movement of a SKU, what was on hand there after it, and what caused it."""

    movement_id: int
    location_code: str
    kind: str
    on_hand_delta: int
    unavailable_delta: int
    on_hand_after: int
    cause_type: str
    cause: str
    order_number: str | None
    channel_code: str | None
    occurred_at: datetime
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedSum:
    """What movements of one kind at a location come to."""

    location_code: str
    kind: str
    on_hand: int
    unavailable: int
    movements_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Units kept of a SKU, or wanted of it and nowhere to be had."""

    reservation_id: int
    kind: str
    state: str
    quantity: int
    location_code: str | None
    channel_code: str | None
    order_number: str | None
    line_no: int | None
    fulfillment_number: str | None
    transfer_number: str | None
    expires_at: datetime | None
    wanted_at: datetime
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptSum:
    """What reservations of one kind and state at a location come to."""

    location_code: str | None
    kind: str
    state: str
    quantity: int
    reservations_count: int


class Correction(StrEnum):
    """How units a location cannot supply change what its stock says, as kinds of movement."""

    NONE = ""
    MISSING = "adjust"  # they are not there
    UNSELLABLE = "regrade"  # they are, and not for sale
    HELD = "return_unsellable"  # they came back, and are not for sale


@dataclass(frozen=True, slots=True, kw_only=True)
class Moving:
    """Goods that go from one location to another: which, and between which."""

    transfer_id: int
    number: str
    from_id: int
    to_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """What came of a line: in good order, and not for sale."""

    line_no: int
    product_id: int
    received: int
    damaged: int


Queued = dict[tuple[int, int], int]
"""How much of each (order, line) is queued, because nobody can supply it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What settling found: how much waits, and goods that left a level below its promises."""

    queued: Queued
    oversold: tuple[tuple[int, str, str, int], ...]  # order, sku, location, on hand


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What became of counts and movements: positions refused, and places where stock rose."""

    problems: tuple[tuple[int, str, str, str], ...]  # position, field, code, detail
    changed_count: int
    risen: frozenset[tuple[int, int]]  # (product, location)


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenBack:
    """Units that came back: of what, where and when, and whether they may be sold again."""

    cause_line: str
    product_id: int
    location_id: int
    quantity: int
    is_for_sale: bool
    occurred_at: datetime
