"""Promises as values and pure arithmetic: distances, how much is shown, when it is ready."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from math import asin, cos, radians, sin, sqrt
from typing import Final
from zoneinfo import ZoneInfo

from oms.locations.hours import DAYS, Span, Week, after_open, is_open, local_day, spans_of

EARTH_RADIUS_KM: Final = 6371.0088
# From this many on a shelf is not called low any more.
LOW_UNITS_MAX: Final = 2
BANDS: Final = (10, 5, 3, 1)
# How long a store needs, while it is open, to have something ready at its counter.
COLLECT_LEAD: Final = timedelta(hours=2)
# What is promised is rounded up to these, so that one answer serves many who ask.
READY_STEP: Final = timedelta(minutes=15)


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
    lines: tuple[LineAt, ...]


def distance_km(one: Point, other: Point) -> float:
    """Return the great-circle distance of two points (haversine)."""
    rise = radians(other.latitude - one.latitude) / 2
    turn = radians(other.longitude - one.longitude) / 2
    chord = (
        sin(rise) ** 2 + cos(radians(one.latitude)) * cos(radians(other.latitude)) * sin(turn) ** 2
    )
    return 2 * EARTH_RADIUS_KM * asin(min(1.0, sqrt(chord)))


def status_of(available: int, wanted: int) -> StockStatus:
    """Return whether so many units suffice, and whether hardly any more are there."""
    if available < wanted:
        return StockStatus.OUT
    return StockStatus.LOW if available - wanted < LOW_UNITS_MAX else StockStatus.IN_STOCK


def line_at(sku: str, wanted: int, available: int, *, shown: str) -> LineAt:
    """Return what a place has of a SKU, as far as a channel shows it: exact, banded, hidden."""
    band = next((band for band in BANDS if available >= band), 0)
    return LineAt(
        sku=sku, wanted=wanted, status=status_of(available, wanted),
        quantity=available if shown == "exact" else None,
        at_least=None if shown == "hidden" else available if shown == "exact" else band,
    )  # fmt: skip


def ready_by(place: Place, at: datetime, lead: timedelta = COLLECT_LEAD) -> datetime | None:
    """Return when a place will have something ready; None for one that never opens."""
    found = after_open(place.opening_hours, place.time_zone, at, lead)
    return None if found is None else _rounded_up(found)


def answer_of(
    place: Place, wanted: Mapping[str, int], *, near: Point | None, shown: str, at: datetime
) -> StoreAnswer:
    """Return what a store can give of a basket, and when."""
    lines = tuple(
        line_at(sku, quantity, place.available.get(sku, 0), shown=shown)
        for sku, quantity in wanted.items()
    )
    status = _worst([line.status for line in lines])
    can_serve_all = status is not StockStatus.OUT
    return StoreAnswer(
        place=place, distance_km=distance_of(place, near), status=status,
        hours_today=tuple(
            spans_of(place.opening_hours, place.time_zone, local_day(place.time_zone, at))
        ),
        is_open=is_open(place.opening_hours, place.time_zone, at),
        can_serve_all=can_serve_all, ready_by=ready_by(place, at) if can_serve_all else None,
        lines=lines,
    )  # fmt: skip


def distance_of(place: Place, near: Point | None) -> float | None:
    """Return how far a place is from a point, in hundreds of meters; None where nobody knows."""
    if near is None or place.latitude is None or place.longitude is None:
        return None
    here = Point(latitude=place.latitude, longitude=place.longitude)
    return round(distance_km(here, near), 1)


def nearest(
    places: Sequence[Place], near: Point | None, *, radius_km: float, limit: int
) -> list[Place]:
    """Return the nearest places within a radius; without a point the first by their codes."""
    if near is None:
        return sorted(places, key=lambda place: place.location_code)[:limit]
    found = [
        (far, place.location_code, place)
        for place in places
        if (far := distance_of(place, near)) is not None and far <= radius_km
    ]
    return [place for _, _, place in sorted(found, key=lambda each: each[:2])[:limit]]


def _worst(statuses: Sequence[StockStatus]) -> StockStatus:
    return max(statuses, key=list(StockStatus).index)


def _rounded_up(at: datetime) -> datetime:
    midnight = datetime(at.year, at.month, at.day, tzinfo=UTC)
    return midnight - (midnight - at) // READY_STEP * READY_STEP


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a promise of shipping goes by, where nothing else is known of a place."""

    cut_off: time = time(17)  # by the place's clock: what is ordered later leaves the next day
    transit_days: int = 1  # working days within a country
    transit_days_abroad: int = 3
    lasts: timedelta = timedelta(minutes=15)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What a channel may promise of a basket, until when."""

    shipments: tuple[Shipment, ...]  # none: it cannot be shipped whole
    stores: tuple[StoreAnswer, ...]  # those that can serve all of it
    available: Mapping[str, int]  # what the channel may sell of each SKU
    expires_at: datetime


def promise_of(
    wanted: Mapping[str, int], *, available: Mapping[str, int], sources: Sequence[Place],
    stores: Sequence[StoreAnswer], to: Destination, rules: Rules, at: datetime,
) -> Promise:  # fmt: skip
    """Return what may be promised of a basket, from sources best first.

    It expires before the first cut-off it counts on, at the latest when the rules say.
    """
    shipments: tuple[Shipment, ...] = ()
    if all(available.get(sku, 0) >= quantity for sku, quantity in wanted.items()):
        shipments = _shipments(wanted, sources, to, rules, at)
    ends = [at + rules.lasts, *(each.cut_off_at for each in shipments)]
    return Promise(
        shipments=shipments, stores=tuple(store for store in stores if store.can_serve_all),
        available=available, expires_at=min(ends),
    )  # fmt: skip


def _shipments(
    wanted: Mapping[str, int], sources: Sequence[Place], to: Destination, rules: Rules, at: datetime
) -> tuple[Shipment, ...]:
    """Take each SKU from the best sources that have it, as allocation does."""
    left = dict(wanted)
    found = []
    for place in sources:
        taken = {sku: min(n, place.available.get(sku, 0)) for sku, n in left.items()}
        left = {sku: n - taken[sku] for sku, n in left.items()}
        if quantities := {sku: n for sku, n in taken.items() if n}:
            found.append(_shipment(place, quantities, to, rules, at))
    return () if any(left.values()) else tuple(found)


def _shipment(
    place: Place, quantities: Mapping[str, int], to: Destination, rules: Rules, at: datetime
) -> Shipment:
    zone = ZoneInfo(place.time_zone)
    day = local_day(place.time_zone, at)
    cut_off_at = datetime.combine(day, rules.cut_off, zone).astimezone(UTC)
    while not _works(place.opening_hours, day) or cut_off_at <= at:
        day += timedelta(days=1)
        cut_off_at = datetime.combine(day, rules.cut_off, zone).astimezone(UTC)
    is_abroad = place.country_code != to.country_code
    days = rules.transit_days_abroad if is_abroad else rules.transit_days
    arrives_on = day
    for _ in range(days):
        arrives_on += timedelta(days=1)
        while not _works({}, arrives_on):
            arrives_on += timedelta(days=1)
    return Shipment(
        location_code=place.location_code, quantities=quantities, cut_off_at=cut_off_at,
        ships_on=day, transit_days=days, arrives_on=arrives_on,
    )  # fmt: skip


def _works(week: Week, day: date) -> bool:
    """Tell whether goods leave on a day: when the place is open; else from Monday to Friday."""
    if any(week.values()):
        return bool(week.get(DAYS[day.weekday()]))
    return day.weekday() < DAYS.index("sat")
