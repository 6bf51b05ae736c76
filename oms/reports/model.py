"""What a report is asked for: a period, what to compare it with, and a part of the business."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

# The same weekday a year ago: 52 whole weeks.
YEAR_OF_WEEKS_DAYS: Final = 364
DAILY_DAYS_MAX: Final = 62
WEEKLY_DAYS_MAX: Final = 400
NO_VALUE: Final = "(none)"
NO_CURRENCY: Final = "XXX"  # ISO 4217: no currency
# What fits into one cell of a spreadsheet is 32,767 characters; a list is cut well before.
LISTED_CHARACTERS_MAX: Final = 8_000


class Basis(StrEnum):
    """Which date an amount is counted on."""

    EVENT = "event"
    PLACED = "placed"

    @property
    def label(self) -> str:
        """Name it for people."""
        return {"event": "By event date", "placed": "By order date"}[self.value]

    @property
    def definition(self) -> str:
        """Say what it means for the numbers."""
        return {
            "event": (
                "Each sale, cancellation and return counts on the day it happened. "
                "A closed day never changes."
            ),
            "placed": (
                "Cancellations and returns count on the day of the order they belong to. "
                "Past days change while returns come in."
            ),
        }[self.value]


class Comparison(StrEnum):
    """What a period is compared with."""

    PREVIOUS = "previous"
    LAST_YEAR = "last_year"
    NONE = "none"

    @property
    def label(self) -> str:
        """Name it for people."""
        return {
            "previous": "Previous period",
            "last_year": "Same weekdays last year",
            "none": "No comparison",
        }[self.value]

    @property
    def against(self) -> str:
        """Name the other period in two words."""
        return {"previous": "previous", "last_year": "last year", "none": "nothing"}[self.value]


class Grain(StrEnum):
    """How long a step on the time axis is."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Level(StrEnum):
    """What products are grouped by."""

    PRODUCT_TYPE = "product_type"
    CATEGORY = "category"
    BRAND = "brand"
    SKU = "sku"

    @property
    def label(self) -> str:
        """Name it for people."""
        return "SKU" if self is Level.SKU else self.value.replace("_", " ").capitalize()


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Calendar days from the first to before the last: [from_on, to_on)."""

    from_on: date
    to_on: date

    def __post_init__(self) -> None:
        """Refuse a period without a day."""
        assert self.from_on < self.to_on, "a period has at least one day"

    @property
    def days(self) -> int:
        """Count its days."""
        return (self.to_on - self.from_on).days

    @property
    def last_on(self) -> date:
        """Return its last day."""
        return self.to_on - timedelta(days=1)

    @property
    def grain(self) -> Grain:
        """Choose steps that keep a chart of it readable."""
        if self.days <= DAILY_DAYS_MAX:
            return Grain.DAY
        return Grain.WEEK if self.days <= WEEKLY_DAYS_MAX else Grain.MONTH

    def earlier(self, days: int) -> "Period":
        """Return the period some days before it."""
        shift = timedelta(days=days)
        return Period(from_on=self.from_on - shift, to_on=self.to_on - shift)

    def __str__(self) -> str:
        """Write both days it includes."""
        return f"{self.from_on.isoformat()} to {self.last_on.isoformat()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What to report on. An empty choice leaves everything in."""

    period: Period
    currency: str
    basis: Basis = Basis.EVENT
    comparison: Comparison = Comparison.PREVIOUS
    channels: tuple[str, ...] = ()
    product_types: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()
    skus: tuple[str, ...] = ()
    locations: tuple[str, ...] = ()

    @property
    def has_products(self) -> bool:
        """Tell whether only some products are asked for."""
        return bool(self.product_types or self.categories or self.brands or self.skus)

    @property
    def shift_days(self) -> int:
        """Count the days between the period and what it is compared with."""
        if self.comparison is Comparison.LAST_YEAR:
            return YEAR_OF_WEEKS_DAYS
        return self.period.days if self.comparison is Comparison.PREVIOUS else 0

    def compared(self) -> "Filters | None":
        """Return the same question for the period it is compared with."""
        if self.comparison is Comparison.NONE:
            return None
        return replace(self, period=self.period.earlier(self.shift_days))

    def only(self, level: Level, value: str) -> "Filters":
        """Return the same question for one group of products."""
        chosen = (value,)
        match level:
            case Level.PRODUCT_TYPE:
                return replace(self, product_types=chosen)
            case Level.CATEGORY:
                return replace(self, categories=chosen)
            case Level.BRAND:
                return replace(self, brands=chosen)
            case Level.SKU:
                return replace(self, skus=chosen)

    def parameters(self, **more: object) -> dict[str, object]:
        """Return what queries bind."""
        return {
            "from_on": self.period.from_on,
            "to_on": self.period.to_on,
            "currency": self.currency,
            "basis": self.basis.value,
            "channels": list(self.channels),
            "product_types": list(self.product_types),
            "categories": list(self.categories),
            "brands": list(self.brands),
            "skus": list(self.skus),
            "locations": list(self.locations),
            **more,
        }

    def facts(self) -> tuple[tuple[str, str], ...]:
        """Say in words what was chosen, for a screen or the head of a file."""
        return (
            ("Period", f"{self.period} (both days included)"),
            ("Basis", f"{self.basis.label}: {self.basis.definition}"),
            ("Currency", self.currency),
            ("Channels", _listed(self.channels)),
            ("Product types", _listed(self.product_types)),
            ("Categories", _listed(self.categories)),
            ("Brands", _listed(self.brands)),
            ("SKUs", _listed(self.skus)),
            ("Locations", _listed(self.locations)),
        )


def _listed(values: tuple[str, ...]) -> str:
    if not values:
        return "all"
    text = ", ".join(values)
    if len(text) <= LISTED_CHARACTERS_MAX:
        return text
    shown = text[:LISTED_CHARACTERS_MAX].rsplit(", ", 1)[0]
    return f"{shown} … {len(values):,} in all"
