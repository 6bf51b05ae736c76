"""Periods people ask for by name, counted back from the newest day with sales."""

from datetime import date, timedelta
from typing import Final

from oms.reports.model import Period

PRESETS: Final = {
    "7d": "Last 7 days",
    "28d": "Last 28 days",
    "90d": "Last 90 days",
    "month": "Month to date",
    "last_month": "Last month",
    "ytd": "Year to date",
    "12m": "Last 12 months",
    "all": "Everything",
    "custom": "Custom",
}
DEFAULT: Final = "28d"
CUSTOM: Final = "custom"
FIRST_ON_MIN: Final = date(2000, 1, 1)
LAST_ON_MAX: Final = date(2100, 12, 31)
_DAYS: Final = {"7d": 7, "28d": 28, "90d": 90}
_ONE_DAY: Final = timedelta(days=1)
_BETWEEN: Final = ".."


def period_of(preset: str, newest_on: date, oldest_on: date, custom: tuple[date, ...]) -> Period:
    """Return the days a preset stands for, or the days chosen by hand.

    A preset counted back begins no earlier than the oldest day: what lies before is not empty
    days of a young business, but none.
    """
    if preset == CUSTOM and custom:
        return Period(from_on=min(custom), to_on=max(custom) + _ONE_DAY)
    after = newest_on + _ONE_DAY
    month_on = newest_on.replace(day=1)
    starts = {
        "month": month_on,
        "ytd": newest_on.replace(month=1, day=1),
        "12m": after - timedelta(days=365),
        "all": min(oldest_on, newest_on),
    }
    if preset == "last_month":
        return Period(from_on=(month_on - _ONE_DAY).replace(day=1), to_on=month_on)
    counted = starts.get(preset, after - timedelta(days=_DAYS.get(preset, 28)))
    return Period(from_on=max(counted, min(oldest_on, newest_on)), to_on=after)


def days_from_text(text: str) -> tuple[date, ...]:
    """Read '2025-09-01..2025-09-28'; anything else is no days."""
    try:
        found = tuple(date.fromisoformat(part) for part in text.split(_BETWEEN))
    except ValueError:
        return ()
    first, last = min(found), max(found)
    if {first, last} != set(found) or first < FIRST_ON_MIN or last > LAST_ON_MAX:
        return ()
    return (first, last)


def text_from_days(days: tuple[date, ...]) -> str:
    """Write days as `days_from_text` reads them."""
    return _BETWEEN.join(on.isoformat() for on in days)
