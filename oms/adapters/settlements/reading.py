"""CSV files of others as rows of settlements: columns read at once, wrong cells told by row."""

import io
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import polars as pl

from oms.kernel.money import EXPONENTS
from oms.settlements.model import PROBLEMS_MAX, Unreadable
from oms.settlements.port import SETTLED, Settled

AMOUNT: Final = r"^-?[0-9]{1,15}(\.[0-9]{1,9})?$"
_PLACES: Final = 9
_SCALES: Final = {code: 10**exponent for code, exponent in EXPONENTS.items()}
Problem = tuple[str, str, pl.Series]


class Reader:
    """A file, and what is wrong with it so far."""

    def __init__(self, content: bytes, needed: Collection[str]) -> None:
        """Read a file's cells as texts. Raises Unreadable for what is no table of these columns."""
        self.frame = _table(content)
        missing = [name for name in needed if name not in self.frame.columns]
        if missing:
            raise Unreadable(f"it has no columns {', '.join(missing)}")
        self._problems: list[Problem] = []

    def text(self, name: str) -> pl.Series:
        """Return a column, stripped; an empty cell is null, and so is all of no column."""
        if name not in self.frame.columns:
            return pl.Series(name, [None] * self.frame.height, dtype=pl.String)
        return self.frame[name].str.strip_chars().replace("", None)

    def need(self, name: str, found: pl.Series, sentence: str) -> None:
        """Say that cells of a column must be something, where they are not."""
        self._problems.append((name, sentence, found.fill_null(value=False)))

    def currency(self, name: str) -> pl.Series:
        """Return a column of currencies."""
        found = self.text(name).str.to_uppercase()
        self.need(name, found.is_in(list(EXPONENTS)), "is not a currency")
        return found

    def minor(self, name: str, currency: pl.Series) -> pl.Series:
        """Return a column of amounts in minor units; an empty cell is none."""
        found = self.text(name).fill_null("0")
        is_amount = found.str.contains(AMOUNT)
        digits = pl.select(pl.when(is_amount).then(found).otherwise(pl.lit("0"))).to_series()
        parts = digits.str.strip_prefix("-").str.splitn(".", 2).struct.unnest()
        whole = parts["field_0"].cast(pl.Int64)
        places = parts["field_1"].fill_null("").str.pad_end(_PLACES, "0").cast(pl.Int64)
        scale = currency.replace_strict(_SCALES, default=1, return_dtype=pl.Int64)
        step = 10**_PLACES // scale
        minor = whole * scale + places // step
        self.need(
            name, is_amount & (places % step == 0), "is not an amount with its currency's decimals"
        )
        sign = digits.str.starts_with("-").cast(pl.Int64) * -2 + 1
        return (minor * sign).alias(name)

    def instant(self, name: str, shape: str, *, hours: pl.Series | None = None) -> pl.Series:
        """Return a column of instants, told by clocks so many hours ahead of UTC."""
        cells = self.text(name)
        found = cells.str.to_datetime(shape, time_zone="UTC", strict=False)
        self.need(name, cells.is_null() | found.is_not_null(), "is not a time")
        if hours is None:
            return found
        return pl.select(found - pl.duration(hours=pl.lit(hours))).to_series()

    def settled(self, columns: Mapping[str, pl.Series]) -> Settled:
        """Return the rows. Raises Unreadable with what is wrong, and where."""
        problems = [
            {"row": row + 1, "column": name, "detail": sentence}
            for name, sentence, is_well in self._problems
            for row in (~is_well).arg_true().head(PROBLEMS_MAX)
        ]
        if problems:
            first = sorted(problems, key=lambda each: each["row"])[:PROBLEMS_MAX]
            told = first[0]
            raise Unreadable(
                f"row {told['row']}: {told['column']} {told['detail']}", problems=first
            )
        rows = pl.DataFrame({
            "row_no": pl.int_range(1, self.frame.height + 1, eager=True), **columns,
        }).select(SETTLED)  # fmt: skip
        times = rows["occurred_at"]
        return Settled(
            rows=rows.write_csv(
                include_header=False, datetime_format="%Y-%m-%dT%H:%M:%S%.fZ",
                quote_style="non_numeric",
            ).encode(),
            rows_count=rows.height, first_at=_moment(times.min()), last_at=_moment(times.max()),
        )  # fmt: skip


def kinds(found: pl.Series, meanings: Mapping[str, str]) -> pl.Series:
    """Return what a service's words mean; one nobody knows is `other`."""
    return found.replace_strict(dict(meanings), default="other", return_dtype=pl.String)


def _moment(found: Any) -> datetime | None:
    return found.astimezone(UTC) if isinstance(found, datetime) else None


def _table(content: bytes) -> pl.DataFrame:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable("it is not UTF-8") from error
    if "\x00" in text or not text.strip():
        raise Unreadable("it is no text" if text.strip() else "it is empty")
    try:
        frame = pl.read_csv(io.StringIO(text), infer_schema=False)
    except pl.exceptions.PolarsError as error:
        raise Unreadable(f"it is no CSV: {next(_sentences(error))}") from error
    # A line of nothing is none: some services end their files with one.
    frame = frame.filter(~pl.all_horizontal(pl.all().is_null()))
    return frame.rename({name: name.strip() for name in frame.columns})


def _sentences(error: Exception) -> Iterator[str]:
    yield from (line[:200] for line in str(error).splitlines() if line.strip())
    yield "it cannot be read"
