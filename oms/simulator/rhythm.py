"""When people buy: the year, the week, paydays, sale weeks, growth, and the hours of a day."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from oms.simulator.streams import Wheel

if TYPE_CHECKING:
    import random

    from oms.simulator.model import Place

EPOCH = date(2020, 1, 1)  # day 0 in order numbers
_EPOCH_ORDINAL = EPOCH.toordinal()
SALE_DAYS = 14  # from the first of January and of July
GROWTH_PER_YEAR = 0.12

_MONTHS = (0.92, 0.84, 0.92, 0.95, 0.98, 0.96, 0.93, 0.88, 1.0, 1.04, 1.22, 1.36)
_WEEKDAYS = {
    "webshop": (1.12, 1.02, 1.0, 1.0, 0.9, 0.85, 1.11),
    "store": (0.72, 0.8, 0.86, 1.1, 1.06, 1.7, 0.76),
    "phone": (1.45, 1.3, 1.25, 1.25, 1.15, 0.6, 0.0),
}
_HOURS = {
    "webshop": (2, 1, 0.5, 0.3, 0.3, 0.6, 1.5, 3, 4, 5, 5.5, 5.5, 5.5, 5, 5, 5, 5, 5, 5.5, 7.5, 9.5,
                9.5, 6.5, 4),
    "store": (0,) * 9 + (1.5, 4, 6.5, 8, 9, 9.5, 10, 9, 6, 2.5, 2.5, 1.5, 0, 0, 0),
    "phone": (0,) * 9 + (9, 11, 10, 6, 8, 9, 8, 6, 0, 0, 0, 0, 0, 0, 0),
}  # fmt: skip

_WHEELS = {kind: Wheel(tuple(range(24)), hours) for kind, hours in _HOURS.items()}
_RHYTHMS = {"pos": "store", "kiosk": "store", "phone": "phone"}


def rhythm_of(kind: str) -> str:
    """Name the rhythm of a kind of channel: webshop, store or phone."""
    return _RHYTHMS.get(kind, "webshop")


def day_number(on: date) -> int:
    """Count the days since the retailer's epoch."""
    return (on - EPOCH).days


def date_of(day: int) -> date:
    """Return the date of a day counted since the retailer's epoch."""
    return date.fromordinal(_EPOCH_ORDINAL + day)


def is_payday(on: date) -> bool:
    """Tell whether most people were paid in these days."""
    return on.day in {24, 25, 26}


def markdown_percent(on: date) -> int:
    """Say what the sale of the day takes off: the week of Black Friday, January and July."""
    november = date(on.year, 11, 1)
    fourth_friday = november + timedelta(days=(4 - november.weekday()) % 7 + 21)
    if on - timedelta(days=on.weekday()) == fourth_friday - timedelta(days=4):
        return 25
    return 40 if on.month in {1, 7} and on.day <= SALE_DAYS else 0


def busyness(on: date, kind: str, first: date) -> float:
    """Compare a day with an average one, for a kind of channel."""
    growth: float = (1 + GROWTH_PER_YEAR) ** ((on - first).days / 365)
    markdown = markdown_percent(on)
    sale = {0: 1.0, 25: 1.7, 40: 1.2}[markdown]
    payday = 1.12 if is_payday(on) else 1.0
    return _MONTHS[on.month - 1] * _WEEKDAYS[rhythm_of(kind)][on.weekday()] * growth * sale * payday


def minutes_open(place: Place, on: date) -> tuple[int, int]:
    """Say from and to which minute of a day a place is open; equal ones: it is closed."""
    return place.minutes[on.weekday()]


def local(on: date, minute: int, second: int, zone: str) -> datetime:
    """Turn a wall clock's minute of a day into an instant."""
    wall = datetime.combine(on, time(minute // 60, minute % 60, second), ZoneInfo(zone))
    return wall.astimezone(UTC)


def moment(rng: random.Random, on: date, kind: str, zone: str, place: Place | None) -> datetime:
    """Draw when on a day somebody buys; in a store only while it is open."""
    minute = _WHEELS[rhythm_of(kind)].spin(rng) * 60 + int(rng.random() * 60)
    if place is not None:
        opens, closes = minutes_open(place, on)
        if not opens <= minute < closes:
            minute = opens + int(rng.random() * (closes - opens))
    return local(on, minute, int(rng.random() * 60), zone)


def working(place: Place, at: datetime, minutes: int) -> datetime:
    """Return the moment at which a place has been open for so many minutes more."""
    wall = at.astimezone(ZoneInfo(place.time_zone))
    on, minute = wall.date(), wall.hour * 60 + wall.minute
    while True:
        opens, closes = minutes_open(place, on)
        minute = max(minute, opens)
        if minute + minutes < closes:
            return local(on, minute + minutes, wall.second, place.time_zone)
        minutes -= max(0, closes - minute)
        on, minute = on + timedelta(days=1), 0


def open_day(place: Place, on: date) -> date:
    """Return the first day from one on that a place is open."""
    while minutes_open(place, on) == (0, 0):
        on += timedelta(days=1)
    return on
