"""Opening hours: when a place is open by its own clock, as arithmetic on values.

A week is `{"mon": [["09:30", "18:00"]], …}` in local time. A day that is not named, or has no
spans, is closed; a date, `{"2026-12-25": []}`, has its own hours, whatever day of the week it is.
A span that ends at or before its beginning ends the next day. The hour a clock skips in spring
opens and closes nothing twice, the one it repeats in autumn counts in full.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# A place that is not open within this time is not open at all.
DAYS_AHEAD_MAX: Final = 60

_CLOCK: Final = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]|24:00")

Week = Mapping[str, Sequence[Sequence[str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A time a place is open, from an instant up to another."""

    opens_at: datetime
    closes_at: datetime


def faults_of(week: Week) -> Iterator[str]:
    """Say what is wrong with the hours of a week, each in a sentence."""
    for day, spans in week.items():
        if day not in DAYS and not _is_date(day):
            yield (
                f"{day[:10]!r} is no day of opening_hours: they are {', '.join(DAYS)},"
                " or a date such as 2026-12-25."
            )
        elif not all(len(span) == 2 and all(map(_CLOCK.fullmatch, span)) for span in spans):  # noqa: PLR2004 - from, to
            yield f"opening_hours on {day} must be times such as 09:30 and 18:00."


def spans_of(week: Week, time_zone: str, day: date) -> list[Span]:
    """Return when a place opens on a day of its own calendar, in UTC, earliest first."""
    zone = ZoneInfo(time_zone)
    found = []
    for opens, closes in _hours_of(week, day):
        begins, ends = _time(opens), _time(closes)
        last = day + timedelta(days=1) if ends <= begins else day
        # Of an hour that is there twice the first opens, and the second closes.
        opens_at = datetime.combine(day, begins, zone).astimezone(UTC)
        closes_at = datetime.combine(last, ends, zone).replace(fold=1).astimezone(UTC)
        if closes_at > opens_at:
            found.append(Span(opens_at=opens_at, closes_at=closes_at))
    return sorted(found, key=lambda span: span.opens_at)


def is_open(week: Week, time_zone: str, at: datetime) -> bool:
    """Tell whether a place is open at an instant."""
    span = next(_spans_from(week, time_zone, at), None)
    return span is not None and span.opens_at <= at


def next_open(week: Week, time_zone: str, at: datetime) -> datetime | None:
    """Return the first instant from one on at which a place is open; None when it never is."""
    span = next(_spans_from(week, time_zone, at), None)
    return None if span is None else max(span.opens_at, at)


def after_open(week: Week, time_zone: str, at: datetime, lasting: timedelta) -> datetime | None:
    """Return when a place will have been open for so long, from an instant on.

    None when that is further away than anybody plans.
    """
    left = lasting
    for span in _spans_from(week, time_zone, at):
        begins = max(span.opens_at, at)
        if begins + left <= span.closes_at:
            return begins + left
        left -= span.closes_at - begins
    return None


def opens_on(week: Week, day: date) -> bool:
    """Tell whether a place opens on a day of its own calendar."""
    return bool(_hours_of(week, day))


def closes_after(week: Week, time_zone: str, at: datetime, days: int) -> datetime:
    """Return when a place closes on the n-th day it opens, after the day it is there now.

    What never opens, as far as anybody plans, has no hours to go by: its days end at midnight.
    """
    today = local_day(time_zone, at)
    ahead = (today + timedelta(days=n) for n in range(1, DAYS_AHEAD_MAX + 1))
    open_days = [day for day in ahead if spans_of(week, time_zone, day)]
    if len(open_days) >= days:
        return max(span.closes_at for span in spans_of(week, time_zone, open_days[days - 1]))
    midnight = datetime.combine(today + timedelta(days=days + 1), time(), ZoneInfo(time_zone))
    return midnight.astimezone(UTC)


def local_day(time_zone: str, at: datetime) -> date:
    """Return the day a place's calendar shows at an instant."""
    return at.astimezone(ZoneInfo(time_zone)).date()


def _spans_from(week: Week, time_zone: str, at: datetime) -> Iterator[Span]:
    """Give what is open after an instant, earliest first, each moment once."""
    first = local_day(time_zone, at) - timedelta(days=1)  # it may last past midnight
    upto = at
    for ahead in range(DAYS_AHEAD_MAX + 2):
        for span in spans_of(week, time_zone, first + timedelta(days=ahead)):
            if span.closes_at > upto:
                yield Span(opens_at=max(span.opens_at, upto), closes_at=span.closes_at)
                upto = span.closes_at


def _hours_of(week: Week, day: date) -> Sequence[Sequence[str]]:
    return week.get(day.isoformat(), week.get(DAYS[day.weekday()], ()))


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _time(text: str) -> time:
    hour, _, minute = text.partition(":")
    return time(int(hour) % 24, int(minute or 0))
