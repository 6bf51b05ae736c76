"""How numbers, money, days and ages are written, and which color a channel has."""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from oms.kernel.money import EXPONENTS
from oms.reports.model import Grain, Period
from oms.reports.sheet import Unit

DASH: Final = "\u2013"
NOTHING: Final = DASH
SYMBOLS: Final = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥"}
EXPONENT_UNKNOWN: Final = 2
# Longer amounts do not fit a card on a phone; their exact value is told on hover.
WRITTEN_OUT_MAX: Final = len("999,999.99")
_SCALES: Final = ((Decimal(10**9), "B"), (Decimal(10**6), "M"), (Decimal(1), ""))

# Told apart with every common kind of color vision; the first ones are told apart best.
PALETTE: Final = (
    "#2563a8",
    "#e8833a",
    "#2a9d8f",
    "#b5487b",
    "#e3b23c",
    "#6c5fb8",
    "#7a9e3f",
    "#4fa3d9",
    "#a5673f",
    "#d46a6a",
)
PALETTE_LIGHTER: Final = (
    "#8fb2d9",
    "#f4c19c",
    "#8fcfc7",
    "#dba2be",
    "#f1d99b",
    "#b4add9",
    "#bccf9b",
    "#a6d1ec",
    "#d2b39c",
    "#eab5b5",
)
OTHER_COLOR: Final = "#a9b4c0"
MINUTE_SECONDS: Final = 60
HOUR_SECONDS: Final = 3_600
DAY_SECONDS: Final = 86_400


def money(amount: Decimal | None, currency: str) -> str:
    """Write an amount with all decimals of its currency."""
    if amount is None:
        return NOTHING
    return _signed(amount, currency, _digits(amount, currency))


def money_short(amount: Decimal | None, currency: str) -> str:
    """Write an amount, in millions where it is long."""
    if amount is None or len(_digits(amount, currency)) <= WRITTEN_OUT_MAX:
        return money(amount, currency)
    scale, letter = next(scale for scale in _SCALES if abs(amount) >= scale[0])
    return _signed(amount, currency, f"{abs(amount) / scale:,.2f}{letter}")


def count(value: int | None) -> str:
    """Write a whole number."""
    return NOTHING if value is None else f"{value:,}"


def ratio(value: float | None) -> str:
    """Write a ratio as a percentage."""
    return NOTHING if value is None else f"{value:.1%}"


def number(value: float | None) -> str:
    """Write a number with one decimal."""
    return NOTHING if value is None else f"{value:,.1f}"


def quantity(value: object, unit: Unit, currency: str | None) -> str:
    """Write a value by its unit."""
    if value is None:
        return NOTHING
    if unit is Unit.MONEY:
        return money_short(Decimal(str(value)), currency or "")
    if unit is Unit.RATIO:
        return ratio(float(str(value)))
    if unit is Unit.SECONDS:
        return duration(float(str(value)))
    return count(int(str(value))) if unit is Unit.COUNT else number(float(str(value)))


def day(value: date) -> str:
    """Write a day."""
    return f"{value.day} {value:%b %Y}"


def days(period: Period) -> str:
    """Write a period by its first and last day, each part no more often than needed."""
    first, last = period.from_on, period.last_on
    if first == last:
        return day(last)
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day} {DASH} {day(last)}"
    if first.year == last.year:
        return f"{first.day} {first:%b} {DASH} {day(last)}"
    return f"{day(first)} {DASH} {day(last)}"


def step(value: date, grain: Grain) -> str:
    """Write a step of the time axis."""
    return f"{value:%Y-%m}" if grain is Grain.MONTH else value.isoformat()


def instant(value: datetime) -> str:
    """Write an instant; all of them are UTC."""
    return f"{day(value.date())}, {value:%H:%M:%S} UTC"


def age(seconds: float) -> str:
    """Write how long ago something was."""
    whole = max(0, int(seconds))
    if whole < MINUTE_SECONDS:
        return f"{whole} s"
    if whole < HOUR_SECONDS:
        return f"{whole // MINUTE_SECONDS} min"
    if whole < 2 * DAY_SECONDS:
        return f"{whole // HOUR_SECONDS} h {whole % HOUR_SECONDS // MINUTE_SECONDS} min"
    return f"{whole // DAY_SECONDS} days"


def duration(seconds: float) -> str:
    """Write how long something took: as an age, days with one decimal."""
    if seconds < 2 * DAY_SECONDS:
        return age(seconds)
    return f"{seconds / DAY_SECONDS:,.1f} days"


def channel_colors(channel_codes: Iterable[str]) -> dict[str, str]:
    """Give each channel its color.

    Channels come in the order they were made, so a new one never changes the color of another.
    """
    colors = (*PALETTE, *PALETTE_LIGHTER)
    return {code: colors[at % len(colors)] for at, code in enumerate(channel_codes)}


def plain(text: str) -> str:
    """Write data where Markdown is read, so that it stays text."""
    return "".join(f"\\{sign}" if sign in "\\`*_{}[]()#+-.!$|<>~:" else sign for sign in text)


def _digits(amount: Decimal, currency: str) -> str:
    return f"{abs(amount):,.{EXPONENTS.get(currency, EXPONENT_UNKNOWN)}f}"


def _signed(amount: Decimal, currency: str, digits: str) -> str:
    symbol = SYMBOLS.get(currency)
    sign = "-" if amount < 0 and any(digit in "123456789" for digit in digits) else ""
    return f"{sign}{symbol}{digits}" if symbol else f"{sign}{digits} {currency}".rstrip()
