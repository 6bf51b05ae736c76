"""The clock: business dates across daylight saving, versions that rise with time."""

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oms.kernel.clock import business_date, now, version_of

INSTANTS = st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds are naive


def hours_of(day: date, time_zone: str) -> int:
    """Count the hours that have a business date."""
    start = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(days=1)
    hours = (start + timedelta(hours=hour) for hour in range(72))
    return sum(business_date(hour, time_zone) == day for hour in hours)


class TestBusinessDate:
    @pytest.mark.parametrize(
        ("time_zone", "day", "hours"),
        [
            ("Europe/Amsterdam", date(2026, 3, 29), 23),
            ("Europe/Amsterdam", date(2026, 10, 25), 25),
            ("Europe/Amsterdam", date(2026, 7, 1), 24),
            ("America/New_York", date(2026, 3, 8), 23),
            ("America/New_York", date(2026, 11, 1), 25),
            ("Asia/Tokyo", date(2026, 3, 29), 24),
        ],
    )
    def test_a_day_has_the_hours_of_its_calendar(
        self, time_zone: str, day: date, hours: int
    ) -> None:
        assert hours_of(day, time_zone) == hours

    @pytest.mark.parametrize(
        ("at", "time_zone", "day"),
        [
            ("2026-03-28T22:59:59Z", "Europe/Amsterdam", date(2026, 3, 28)),
            ("2026-03-28T23:00:00Z", "Europe/Amsterdam", date(2026, 3, 29)),
            ("2026-03-29T21:59:59Z", "Europe/Amsterdam", date(2026, 3, 29)),
            ("2026-03-29T22:00:00Z", "Europe/Amsterdam", date(2026, 3, 30)),
            ("2026-01-01T00:30:00+14:00", "UTC", date(2025, 12, 31)),
        ],
    )
    def test_midnight_is_the_calendars(self, at: str, time_zone: str, day: date) -> None:
        assert business_date(datetime.fromisoformat(at), time_zone) == day

    @given(INSTANTS, st.integers(-14 * 60, 14 * 60))
    def test_the_offset_an_instant_is_written_in_does_not_matter(
        self, at: datetime, offset_minutes: int
    ) -> None:
        elsewhere = at.astimezone(timezone(timedelta(minutes=offset_minutes)))
        assert business_date(elsewhere, "Europe/Amsterdam") == business_date(at, "Europe/Amsterdam")

    def test_it_refuses_a_time_without_an_offset(self) -> None:
        with pytest.raises(AssertionError):
            business_date(datetime(2026, 1, 1), "UTC")  # noqa: DTZ001 - the naive one


class TestVersionOf:
    @given(INSTANTS, INSTANTS)
    def test_it_rises_with_time(self, one: datetime, other: datetime) -> None:
        assert (version_of(one) < version_of(other)) == (one < other)

    @given(INSTANTS)
    def test_it_is_the_microseconds_since_1970_to_the_last(self, at: datetime) -> None:
        assert datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=version_of(at)) == at

    def test_the_hour_that_comes_twice_still_rises(self) -> None:
        zone = ZoneInfo("Europe/Amsterdam")
        first = datetime(2026, 10, 25, 2, 30, tzinfo=zone)
        assert version_of(first.replace(fold=1)) - version_of(first) == 3_600_000_000

    def test_it_refuses_a_time_without_an_offset(self) -> None:
        with pytest.raises(AssertionError):
            version_of(datetime(2026, 1, 1))  # noqa: DTZ001 - the naive one


def test_now_is_in_utc() -> None:
    assert now().utcoffset() == timedelta(0)
