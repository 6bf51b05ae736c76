"""Opening hours: by the place's own clock, over midnight, closed days and changes of the clock."""

from datetime import UTC, date, datetime, timedelta

import pytest

from oms.locations.hours import (
    DAYS,
    Week,
    after_open,
    closes_after,
    faults_of,
    is_open,
    next_open,
    spans_of,
)

ZONE = "Europe/Amsterdam"
SHOP: Week = {
    **{day: [["09:00", "18:00"]] for day in ("mon", "tue", "wed", "fri", "sat")},
    "thu": [["09:00", "12:30"], ["13:30", "21:00"]],
}
NIGHT: Week = {"sat": [["20:00", "04:00"]]}
ALWAYS: Week = {day: [["00:00", "24:00"]] for day in DAYS}


def at(text: str) -> datetime:
    """Return an instant in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class TestOpen:
    @pytest.mark.parametrize(
        ("moment", "expected"),
        [
            ("2026-01-05 07:59", False), ("2026-01-05 08:00", True), ("2026-01-05 16:59", True),
            ("2026-01-05 17:00", False), ("2026-07-06 07:00", True), ("2026-07-06 16:00", False),
            ("2026-01-08 11:45", False), ("2026-01-08 12:30", True), ("2026-01-11 10:00", False),
        ],
    )  # fmt: skip
    def test_is_by_the_clock_on_its_wall(self, moment: str, *, expected: bool) -> None:
        assert is_open(SHOP, ZONE, at(moment)) is expected

    def test_lasts_past_midnight(self) -> None:
        assert is_open(NIGHT, ZONE, at("2026-01-11 02:59"))
        assert not is_open(NIGHT, ZONE, at("2026-01-11 03:00"))
        assert not is_open(NIGHT, ZONE, at("2026-01-10 02:59"))

    def test_a_place_without_hours_never_is(self) -> None:
        assert not is_open({}, ZONE, at("2026-01-05 10:00"))
        assert next_open({}, ZONE, at("2026-01-05 10:00")) is None
        assert after_open({}, ZONE, at("2026-01-05 10:00"), timedelta(hours=1)) is None


class TestFaults:
    def test_are_said_of_days_and_times_that_are_none(self) -> None:
        assert list(faults_of({**SHOP, **NIGHT, "sun": []})) == []
        wrong: Week = {"monday": [], "tue": [["9:00", "18:00"]], "wed": [["09:00"]]}
        assert len(list(faults_of(wrong))) == 3
        assert list(faults_of({"2026-12-25": []})) == []
        assert len(list(faults_of({"2026-02-30": [], "20261225": []}))) == 2


class TestClosesAfter:
    """When a place closes on the n-th day it opens, after the day it is there now."""

    @pytest.mark.parametrize(
        ("moment", "days", "expected"),
        [
            ("2026-01-05 16:00", 1, "2026-01-06 17:00"),
            ("2026-01-07 10:00", 1, "2026-01-08 20:00"),  # late on Thursdays
            ("2026-01-09 10:00", 2, "2026-01-12 17:00"),  # closed on Sundays
            ("2026-01-05 23:30", 1, "2026-01-07 17:00"),  # its Tuesday has begun
            ("2026-03-27 10:00", 2, "2026-03-30 16:00"),  # the clock has changed
        ],
    )
    def test_is_by_its_own_calendar(self, moment: str, days: int, expected: str) -> None:
        assert closes_after(SHOP, ZONE, at(moment), days) == at(expected)

    def test_passes_over_holidays_and_knows_special_hours(self) -> None:
        week: Week = {**SHOP, "2026-01-06": [], "2026-01-11": [["12:00", "16:00"]]}
        assert closes_after(week, ZONE, at("2026-01-05 10:00"), 1) == at("2026-01-07 17:00")
        assert closes_after(week, ZONE, at("2026-01-10 10:00"), 1) == at("2026-01-11 15:00")

    def test_of_a_place_without_hours_is_midnight(self) -> None:
        assert closes_after({}, ZONE, at("2026-01-05 10:00"), 2) == at("2026-01-07 23:00")


class TestNextOpen:
    def test_is_now_where_it_is_open(self) -> None:
        assert next_open(SHOP, ZONE, at("2026-01-05 10:00")) == at("2026-01-05 10:00")

    def test_passes_over_closed_days(self) -> None:
        assert next_open(SHOP, ZONE, at("2026-01-10 17:00")) == at("2026-01-12 08:00")

    def test_knows_when_the_clock_has_changed(self) -> None:
        assert next_open(SHOP, ZONE, at("2026-03-28 18:00")) == at("2026-03-30 07:00")
        assert next_open(SHOP, ZONE, at("2026-10-24 18:00")) == at("2026-10-26 08:00")


class TestAfterOpen:
    def test_counts_only_while_it_is_open(self) -> None:
        hours = timedelta(hours=10)
        assert after_open(SHOP, ZONE, at("2026-01-05 16:00"), hours) == at("2026-01-06 17:00")
        assert after_open(SHOP, ZONE, at("2026-01-10 16:30"), timedelta(hours=1)) == (
            at("2026-01-12 08:30")
        )

    def test_ends_as_it_closes_rather_than_as_it_opens_again(self) -> None:
        assert after_open(SHOP, ZONE, at("2026-01-05 16:00"), timedelta(hours=1)) == (
            at("2026-01-05 17:00")
        )

    def test_passes_over_a_break(self) -> None:
        assert after_open(SHOP, ZONE, at("2026-01-08 11:00"), timedelta(hours=1)) == (
            at("2026-01-08 13:00")
        )

    @pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25)])
    def test_a_day_of_another_length_counts_as_long_as_it_is(self, day: str, hours: int) -> None:
        (span,) = spans_of(ALWAYS, ZONE, date.fromisoformat(day))
        assert span.closes_at - span.opens_at == timedelta(hours=hours)
        begins = span.opens_at
        assert after_open(ALWAYS, ZONE, begins, timedelta(hours=30)) == (
            begins + timedelta(hours=30)
        )

    @pytest.mark.parametrize(
        ("day", "opens", "hours"),
        [("2026-03-29", "01:00", 2), ("2026-10-25", "00:00", 4)],
    )
    def test_an_hour_that_is_skipped_or_repeated_counts_as_it_passes(
        self, day: str, opens: str, hours: int
    ) -> None:
        week: Week = {"sun": [["02:00", "05:00"]]}
        (span,) = spans_of(week, ZONE, date.fromisoformat(day))
        assert span.opens_at == at(f"{day} {opens}")
        assert span.closes_at - span.opens_at == timedelta(hours=hours)
