"""Guards: the calendar, against Python's own and the rule of the retail year written down again."""

from datetime import date, timedelta

from tests.warehouse.conftest import Followed


def retail_start(year: int) -> date:
    """Return the Monday nearest to 1 February."""
    first = date(year, 2, 1)
    return min(
        (first + timedelta(days=shift) for shift in range(-3, 4)),
        key=lambda day: day.weekday(),
    )


class TestCalendar:
    def test_agrees_with_python_on_every_day(self, followed: Followed) -> None:
        with followed.warehouse.open() as connection:
            rows = connection.execute(
                "select date_on, year, quarter, month, month_name, iso_year, iso_week, day_of_week,"
                " day_name, is_weekend from marts.marts.dim_dates order by date_on"
            ).fetchall()
        assert rows[0][0] == date(2010, 1, 1)
        assert rows[-1][0] == date(2040, 12, 31)
        for index, row in enumerate(rows):
            day = date(2010, 1, 1) + timedelta(days=index)
            iso = day.isocalendar()
            assert row == (
                day, day.year, (day.month + 2) // 3, day.month, day.strftime("%B"), iso.year,
                iso.week, iso.weekday, day.strftime("%A"), iso.weekday >= 6,
            )  # fmt: skip

    def test_divides_each_retail_quarter_into_4_4_and_5_weeks(self, followed: Followed) -> None:
        with followed.warehouse.open() as connection:
            rows = connection.execute(
                "select date_on, retail_year, retail_period, retail_week from marts.marts.dim_dates"
            ).fetchall()
        ends = [4, 8, 13, 17, 21, 26, 30, 34, 39, 43, 47, 53]
        for day, year, period, week in rows:
            start = retail_start(year)
            assert start <= day < retail_start(year + 1)
            assert week == (day - start).days // 7 + 1
            assert week <= ends[period - 1]
            assert period == 1 or week > ends[period - 2]
