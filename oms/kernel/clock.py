"""The one call to the system clock, and the one rule that turns an instant into a business date."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo


def now() -> datetime:
    """Return the current instant in UTC. Entry points call it and pass it on as `at`."""
    return datetime.now(UTC)


def business_date(at: datetime, time_zone: str) -> date:
    """Return the calendar date an instant has in a time zone."""
    assert at.tzinfo is not None, "an instant has an offset"
    return at.astimezone(ZoneInfo(time_zone)).date()


def version_of(at: datetime) -> int:
    """Return an instant as microseconds since 1970, which rises as a document's version must."""
    assert at.tzinfo is not None, "an instant has an offset"
    since = at - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
