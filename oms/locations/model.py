"""Locations as values."""

from dataclasses import dataclass, field
from typing import Any

from oms.kernel.errors import NotFound


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
