"""Promises as values: places and what they can give, what is sent and by when."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum

from oms.locations.hours import Span, Week
from oms.points.model import PickupPoint


class StockStatus(StrEnum):
    """Whether a place has what is wanted."""

    IN_STOCK = "in_stock"
    LOW = "low"  # it has, but hardly more
    OUT = "out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A point on the earth, in degrees."""

    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Handling:
    """How a place handles what it supplies: the settings of the location, sourcing goes by too."""

    cut_off: time | None  # by the place's clock; None: when it closes
    lead_time_hours: int
    shipping_buffer: int
    node_cost_minor: int
    transit_days: int  # working days within its country
    transit_days_abroad: int
    collect_lead_minutes: int  # while it is open, until something lies ready at its counter


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A location that can be gone to, and how far away it is."""

    location_code: str
    name: str
    street: str | None
    postcode: str | None
    city: str | None
    country_code: str
    latitude: float | None
    longitude: float | None
    time_zone: str
    opening_hours: Week
    handling: Handling
    available: Mapping[str, int]  # by SKU


@dataclass(frozen=True, slots=True, kw_only=True)
class LineAt:
    """What a place has of one SKU that is wanted."""

    sku: str
    wanted: int
    status: StockStatus
    quantity: int | None  # where the channel shows it
    at_least: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreAnswer:
    """What a store can give of a basket, and when."""

    place: Place
    distance_km: float | None
    hours_today: tuple[Span, ...]
    is_open: bool
    status: StockStatus
    can_serve_all: bool
    ready_by: datetime | None
    transfers: tuple["Shipment", ...]  # what would be sent to it, where it lacks something
    by_transfer_at: datetime | None  # when all of it can lie ready there, with these
    cost_minor: int
    lines: tuple[LineAt, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where a basket is to go."""

    country_code: str
    point: Point | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipment:
    """What leaves one location for the customer, and every number its date is made of."""

    location_code: str
    quantities: Mapping[str, int]
    cut_off_at: datetime
    ships_on: date
    transit_days: int
    arrives_on: date
    cost_minor: int
    gathers: tuple["Shipment", ...] = ()  # what is sent to it first, to leave together


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathering:
    """Where parts are gathered to be sent together: the first that supplies, from how many on."""

    at: tuple[str, ...]
    parts_min: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PointAnswer:
    """What can be collected at a pick-up point, and from which day on."""

    point: PickupPoint
    distance_km: float
    shipments: tuple[Shipment, ...]
    ready_on: date
    cost_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What a channel may promise of a basket, until when."""

    shipments: tuple[Shipment, ...]  # none: it cannot be shipped whole
    stores: tuple[StoreAnswer, ...]  # those that can serve all of it
    points: tuple[PointAnswer, ...]  # none where it cannot be shipped whole
    available: Mapping[str, int]  # what the channel may sell of each SKU
    expires_at: datetime
