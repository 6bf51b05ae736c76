"""How values are written."""

from datetime import date
from decimal import Decimal

import pytest

from dashboards import format as written
from oms.reports.model import Period


class TestMoney:
    @pytest.mark.parametrize(
        ("amount", "currency", "text"),
        [
            ("1234.5", "EUR", "€1,234.50"),
            ("-1234.5", "USD", "-$1,234.50"),
            ("1234", "JPY", "¥1,234"),
            ("1.234", "KWD", "1.234 KWD"),
            ("-0.001", "EUR", "€0.00"),
            ("99.9", "CHF", "99.90 CHF"),
        ],
    )
    def test_has_the_decimals_and_the_sign_of_its_currency(
        self, amount: str, currency: str, text: str
    ) -> None:
        assert written.money(Decimal(amount), currency) == text

    @pytest.mark.parametrize(
        ("amount", "currency", "text"),
        [
            ("999999.99", "EUR", "€999,999.99"),
            ("1234567.89", "EUR", "€1.23M"),
            ("-2500000000", "EUR", "-€2.50B"),
            ("12345678", "JPY", "¥12,345,678"),
            ("123456.789", "KWD", "123,456.79 KWD"),
        ],
    )
    def test_is_short_where_it_is_long(self, amount: str, currency: str, text: str) -> None:
        assert written.money_short(Decimal(amount), currency) == text

    def test_without_a_value_is_a_dash(self) -> None:
        assert written.money(None, "EUR") == written.NOTHING


class TestTime:
    @pytest.mark.parametrize(
        ("first", "last", "text"),
        [
            (date(2025, 9, 1), date(2025, 9, 28), "1 \u2013 28 Sep 2025"),
            (date(2025, 8, 31), date(2025, 9, 1), "31 Aug \u2013 1 Sep 2025"),
            (date(2024, 12, 31), date(2025, 1, 1), "31 Dec 2024 \u2013 1 Jan 2025"),
            (date(2025, 9, 1), date(2025, 9, 1), "1 Sep 2025"),
        ],
    )
    def test_a_period_repeats_nothing(self, first: date, last: date, text: str) -> None:
        period = Period(from_on=first, to_on=date.fromordinal(last.toordinal() + 1))
        assert written.days(period) == text

    @pytest.mark.parametrize(
        ("seconds", "text"),
        [(-5, "0 s"), (59, "59 s"), (60, "1 min"), (3_599, "59 min"), (3_660, "1 h 1 min"),
         (172_799, "47 h 59 min"), (172_800, "2 days")],
    )  # fmt: skip
    def test_an_age_is_in_its_largest_units(self, seconds: int, text: str) -> None:
        assert written.age(seconds) == text


class TestColors:
    def test_a_new_channel_changes_no_color(self) -> None:
        before = written.channel_colors(["webshop", "stores"])
        after = written.channel_colors(["webshop", "stores", "kiosk"])
        assert after.items() >= before.items()

    def test_the_first_twenty_differ(self) -> None:
        assert len(set(written.channel_colors(f"c{at}" for at in range(20)).values())) == 20


class TestPlain:
    def test_data_is_no_markdown(self) -> None:
        assert written.plain("*$5$* [x](y) :smile:") == "\\*\\$5\\$\\* \\[x\\]\\(y\\) \\:smile\\:"
