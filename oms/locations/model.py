"""Locations as values."""

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from oms.kernel.errors import NotFound

# The mean radius R1 of the earth (IUGG).
EARTH_KM: Final = 6371.0088
Point = tuple[float, float, float]
"""A place on a globe of radius 1."""


class LocationNotFound(NotFound):
    """There is no such location."""

    code = "LOCATION_NOT_FOUND"


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """A place that holds stock or hands it over."""

    code: str
    name: str
    kind: str  # dc, store, pickup_point
    country_code: str
    time_zone: str
    street: str | None = None
    postcode: str | None = None
    city: str | None = None
    region: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    opening_hours: dict[str, Any] = field(default_factory=dict)
    is_enabled: bool = True
    capacity_per_day: int | None = None  # fulfillment orders; None: without limit
    cut_off: str | None = None  # "16:00", local; what comes later is of the next day
    lead_time_hours: int = 0  # until goods asked for are ready to leave
    shipping_buffer: int = 0  # units of each article that are not sent away
    node_cost_minor: int = 0  # of one part supplied from here
    transit_days: int = 1  # working days from here to a customer, or a store, in its country
    transit_days_abroad: int = 3
    collect_lead_minutes: int = 120  # of its opening hours, until something lies at its counter
    accept_minutes: int | None = None  # of its opening hours, to accept work; None: no limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A location, and the channels that are supplied from it."""

    location: Location
    channel_codes: tuple[str, ...]


def is_before_cut_off(cut_off: time | None, time_zone: str, at: datetime) -> bool:
    """Tell whether what comes now is still of today's work."""
    return cut_off is None or at.astimezone(ZoneInfo(time_zone)).time() < cut_off


def ready_at(
    time_zone: str, lead_time_hours: int, at: datetime, *, is_before_cut_off: bool
) -> datetime:
    """Return when goods asked for now are ready to leave: after the cut-off it is tomorrow's."""
    begin = at
    if not is_before_cut_off:
        local = at.astimezone(ZoneInfo(time_zone)) + timedelta(days=1)
        begin = local.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)
    return begin + timedelta(hours=lead_time_hours)


def point(latitude: float | None, longitude: float | None) -> Point | None:
    """Return a place on the globe; None where it is not known."""
    if latitude is None or longitude is None:
        return None
    up, around = math.radians(latitude), math.radians(longitude)
    return math.cos(up) * math.cos(around), math.cos(up) * math.sin(around), math.sin(up)


def distance_km(one: Point | None, other: Point | None) -> float | None:
    """Return the great circle between two places; None where either is not known."""
    if one is None or other is None:
        return None
    half = math.dist(one, other) / 2
    return round(2 * EARTH_KM * math.asin(min(1.0, half)), 1)
