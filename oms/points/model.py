"""Pick-up points as values: what they are, what they take, and why they do not."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Self

from oms.kernel.errors import Conflict, Rejected, Unavailable
from oms.locations.hours import DAYS_AHEAD_MAX, Week, opens_on
from oms.locations.model import Point, point

# So many other points are named to whoever chose one that takes nothing.
ALTERNATIVES_MAX: Final = 3
ALTERNATIVES_KM: Final = 25.0


class PointKind(StrEnum):
    """What a pick-up point is."""

    LOCKER = "locker"
    COUNTER = "counter"  # of a shop


class PointStatus(StrEnum):
    """Whether a pick-up point takes parcels."""

    OPEN = "open"
    FULL = "full"
    CLOSED = "closed"  # for some time, or for good; not only for the night
    GONE = "gone"  # its carrier knows it no longer


class CarrierAway(Unavailable):
    """The carrier does not answer; try again later."""

    code = "CARRIER_AWAY"


class NoPickupPoints(Rejected):
    """The pick-up points of this carrier are not known here."""

    code = "NO_PICKUP_POINTS"


class UnknownPickupPoint(Rejected):
    """The carrier has no such pick-up point."""

    code = "UNKNOWN_PICKUP_POINT"


class PickupPointUnavailable(Conflict):
    """The pick-up point takes no parcels now; `alternatives` names the nearest that do."""

    code = "PICKUP_POINT_UNAVAILABLE"


@dataclass(frozen=True, slots=True, kw_only=True)
class PickupPoint:
    """A place of a carrier where customers collect their parcels."""

    provider: str  # the carrier's code
    point_id: str  # the carrier's own
    kind: PointKind
    name: str
    street: str
    postcode: str
    city: str
    country_code: str
    latitude: float
    longitude: float
    time_zone: str
    opening_hours: Week
    status: PointStatus
    weight_grams_max: int
    length_mm_max: int  # of a parcel's longest side
    checks_age: bool  # whether somebody there looks at an identity card

    @property
    def is_open(self) -> bool:
        """Whether it takes parcels."""
        return self.status is PointStatus.OPEN

    @property
    def place(self) -> Point | None:
        """Where it is on the globe."""
        return point(self.latitude, self.longitude)

    def opens_from(self, day: date) -> date | None:
        """Return the first day from one on at which it can be gone to; None when it never is."""
        ahead = (day + timedelta(days=n) for n in range(DAYS_AHEAD_MAX))
        return next((each for each in ahead if opens_on(self.opening_hours, each)), None)

    def too_much(self, *, weight_grams: int | None, sides_mm: tuple[int | None, ...]) -> str | None:
        """Say why a parcel does not fit; None for one that does, as far as it was measured."""
        if (weight_grams or 0) > self.weight_grams_max:
            return f"the pick-up point takes parcels of up to {self.weight_grams_max} grams"
        if max((side or 0 for side in sides_mm), default=0) > self.length_mm_max:
            return f"the pick-up point takes parcels of up to {self.length_mm_max} mm"
        return None

    def snapshot(self, *, at: datetime) -> dict[str, Any]:
        """Return what an order keeps of it, as it was when its carrier was asked."""
        names = (
            "provider", "point_id", "name", "street", "postcode", "city", "country_code",
            "latitude", "longitude", "time_zone", "weight_grams_max", "length_mm_max",
        )  # fmt: skip
        return {
            **{name: getattr(self, name) for name in names}, "kind": self.kind.value,
            "opening_hours": dict(self.opening_hours), "checked_at": at.isoformat(),
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Which point a delivery group goes to; what else is known of it was told or asked."""

    provider: str
    point_id: str
    is_checked: bool  # whether its carrier was asked

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Self:
        """Read it from what is kept of it."""
        return cls(
            provider=str(kept["provider"]), point_id=str(kept["point_id"]),
            is_checked=kept.get("checked_at") is not None,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """Near what points are looked for: a place on the globe, or a postcode of a country."""

    latitude: float | None = None
    longitude: float | None = None
    country_code: str | None = None
    postcode: str | None = None
    radius_km: float
    limit: int
    only_open: bool = True
    weight_grams: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """A point, and how far it is from what was asked."""

    point: PickupPoint
    distance_km: float
