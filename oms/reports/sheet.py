"""A table as people get it: columns with a meaning, rows, totals, and what was asked."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

import polars as pl


class Unit(Enum):
    """What the values of a column are."""

    TEXT = "text"
    COUNT = "count"
    NUMBER = "number"
    MONEY = "money"
    RATIO = "ratio"
    SECONDS = "seconds"
    DATE = "date"
    INSTANT = "instant"


TYPES: Final = {
    Unit.TEXT: pl.String(),
    Unit.COUNT: pl.Int64(),
    Unit.NUMBER: pl.Float64(),
    Unit.MONEY: pl.Decimal(38, 3),
    Unit.RATIO: pl.Float64(),
    Unit.SECONDS: pl.Int64(),
    Unit.DATE: pl.Date(),
    Unit.INSTANT: pl.Datetime("us", "UTC"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column: its name in the data, its title, its unit and what it means."""

    name: str
    title: str
    unit: Unit
    definition: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """Rows that are already here, offered as slices are."""

    frame: pl.DataFrame

    def __call__(self) -> tuple[pl.DataFrame]:
        """Return them as the only slice."""
        return (self.frame,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A table of at most one currency, whose rows come slice by slice as often as asked."""

    name: str
    title: str
    columns: tuple[Column, ...]
    frames: Callable[[], Iterable[pl.DataFrame]]
    facts: tuple[tuple[str, str], ...]
    currency: str | None = None
    total: Mapping[str, object] | None = None

    @property
    def frame(self) -> pl.DataFrame:
        """Return all rows at once, in the order of the columns."""
        names = [column.name for column in self.columns]
        frames = [frame.select(names) for frame in self.frames()]
        return pl.concat(frames) if frames else pl.DataFrame(schema=names)

    @property
    def total_row(self) -> pl.DataFrame:
        """Return the totals as a row of the same columns; a column without one is null."""
        total = self.total or {}
        return pl.DataFrame(
            {
                column.name: pl.Series([total.get(column.name)], dtype=TYPES[column.unit])
                for column in self.columns
            }
        )
