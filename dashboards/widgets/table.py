"""A report on the screen: a table with its totals, and its files."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import polars as pl
import streamlit as st

from dashboards import format as written
from oms.kernel.money import EXPONENTS
from oms.reports import files
from oms.reports.model import Filters
from oms.reports.sheet import Column, Sheet, Unit

# Bold totals are styled cell by cell; a table larger than this is shown plain and loads lazily.
STYLED_ROWS_MAX: Final = 2_000
ROWS_IN_SIGHT_MAX: Final = 20
HEIGHT_PX: Final = 640
# What Streamlit gives a column, measured on its own tables; the page is 1400 px wide, less the
# navigation and the margins.
WIDTH_PX: Final = 968
CHARACTER_PX: Final = 5.6
CELL_PX: Final = 18
COLUMN_PX_MAX: Final = 400
_OTHERS_CHARACTERS: Final = {
    Unit.RATIO: 6, Unit.NUMBER: 7, Unit.SECONDS: 10, Unit.DATE: 10, Unit.INSTANT: 19,
}  # fmt: skip
_STRONG: Final = "font-weight: 650; background-color: rgba(120, 135, 150, 0.12)"
_LAST_PART: Final = r".*/([^/]+)$"
_NUMBERS: Final = frozenset({Unit.MONEY, Unit.COUNT, Unit.NUMBER, Unit.RATIO, Unit.SECONDS})
_DAY: Final = "YYYY-MM-DD"
_INSTANT: Final = "YYYY-MM-DD HH:mm:ss"
_ICONS: Final = {files.Form.CSV: ":material/csv:", files.Form.XLSX: ":material/table_view:"}


def show(
    sheet: Sheet,
    key: str,
    *,
    frame: pl.DataFrame | None = None,
    strong: Sequence[int] = (),
    hidden: frozenset[str] = frozenset(),
    links: Mapping[str, Callable[[str], str]] | None = None,
    lead: Sequence[str] = (),
    on_select: Callable[[], None] | None = None,
) -> None:
    """Show a table with its totals; `strong` rows are set in bold, `lead` columns come first.

    The totals are the last row, or the first of a table too tall to be seen whole.
    """
    columns = _in_order([each for each in sheet.columns if each.name not in hidden], lead)
    rows = sheet.frame if frame is None else frame
    for name, address_of in (links or {}).items():
        linked = pl.col(name).map_elements(address_of, return_dtype=pl.String)
        rows = rows.with_columns(linked)
    shown = _shown(rows, columns, sheet)
    bold = _bold(sheet, shown, strong)
    options: dict[str, Any] = (
        {"on_select": on_select, "selection_mode": "single-cell"} if on_select else {}
    )
    st.dataframe(
        _styled(shown, bold),
        key=key,
        hide_index=True,
        height=HEIGHT_PX if shown.height > ROWS_IN_SIGHT_MAX else "content",
        column_config={
            column.name: _config(
                column, sheet.currency, is_link=column.name in (links or {}), pinned=not at
            )
            for at, column in enumerate(columns)
        },
        placeholder="",
        **options,
    )
    if beyond := _beyond(shown, columns):
        st.caption(f"The table goes on to the right: {', '.join(beyond)}.")


def is_tall(rows_count: int) -> bool:
    """Tell whether a table of so many rows and its totals is too tall to be seen whole."""
    return rows_count + 1 > ROWS_IN_SIGHT_MAX


def downloads(sheet: Sheet, filters: Filters) -> None:
    """Offer a report as CSV and as XLSX; a file is made when it is asked for."""
    name = f"{sheet.name}_{filters.period.from_on}_{filters.period.last_on}"
    with st.container(horizontal=True, gap="xsmall", key=f"downloads_{sheet.name}"):
        for form in files.Form:
            st.download_button(
                form.value.upper(),
                data=partial(files.as_bytes, sheet, form),
                file_name=f"{name}.{form.value}",
                mime=form.media_type,
                key=f"download_{sheet.name}_{form.value}",
                icon=_ICONS[form],
                on_click="ignore",
                help=f"{sheet.title}: all rows with totals, filters, time zone and stamp.",
            )


def _shown(rows: pl.DataFrame, columns: Sequence[Column], sheet: Sheet) -> pl.DataFrame:
    """Return what the browser gets: it knows no decimals, and the totals are one of its rows."""
    names = [column.name for column in columns]
    all_rows = [rows.select(names)]
    total_at = 0 if is_tall(rows.height) else rows.height
    if sheet.total is not None:
        all_rows.insert(min(total_at, 1), sheet.total_row.select(names))
    shown = pl.concat(all_rows, how="vertical_relaxed").select(_screen(c) for c in columns)
    if sheet.total is None:
        return shown
    first = pl.col(names[0]).cast(pl.String)
    is_total = pl.int_range(pl.len()) == total_at
    return shown.with_columns(
        pl.when(is_total).then(pl.lit(files.TOTAL)).otherwise(first).alias(names[0])
    )


def _in_order(columns: Sequence[Column], lead: Sequence[str]) -> tuple[Column, ...]:
    """Put what tells most right behind the first column: a narrow screen shows no more."""
    first, *others = columns
    known = {column.name: column for column in others}
    leading = [known[name] for name in lead if name in known]
    return (first, *leading, *(each for each in others if each not in leading))


def _bold(sheet: Sheet, shown: pl.DataFrame, strong: Sequence[int]) -> tuple[int, ...]:
    if sheet.total is None:
        return tuple(strong)
    if is_tall(shown.height - 1):
        return (0, *(row + 1 for row in strong))
    return (*strong, shown.height - 1)


def _beyond(shown: pl.DataFrame, columns: Sequence[Column]) -> list[str]:
    """Name the columns that lie beyond the right edge of a window of the usual width."""
    edge_px, beyond = 0.0, []
    for column in columns:
        values = shown.head(ROWS_IN_SIGHT_MAX)[column.name]
        characters = max([len(column.title), *(_characters(each, column.unit) for each in values)])
        edge_px += min(characters * CHARACTER_PX + CELL_PX, COLUMN_PX_MAX)
        if edge_px > WIDTH_PX:
            beyond.append(column.title)
    return beyond


def _characters(value: Any, unit: Unit) -> int:
    """Count the characters a value is written with, near enough."""
    if value is None:
        return 0
    if isinstance(value, str):
        return len(value)
    if unit is Unit.MONEY:
        return len(f"{value:,.2f}")
    if unit is Unit.COUNT:
        return len(f"{value:,}")
    return _OTHERS_CHARACTERS.get(unit, len(str(value)))


def _screen(column: Column) -> pl.Expr:
    value = pl.col(column.name)
    if column.unit is Unit.MONEY:
        return value.cast(pl.Float64)
    # A printf format writes no percentages by itself.
    return value * 100 if column.unit is Unit.RATIO else value


def _styled(shown: pl.DataFrame, bold: Sequence[int]) -> Any:
    if shown.height > STYLED_ROWS_MAX or not bold:
        return shown
    strong = set(bold)
    frame = shown.to_pandas()

    def style(row: Any) -> list[str]:
        return [_STRONG if row.name in strong else ""] * len(row)

    return frame.style.apply(style, axis=1)


def _config(column: Column, currency: str | None, *, is_link: bool, pinned: bool) -> Any:
    config = st.column_config
    title, meant = column.title, column.definition or None
    if is_link:
        return config.LinkColumn(title, help=meant, display_text=_LAST_PART, pinned=pinned)
    if column.unit in _NUMBERS:
        shown = _number_format(column, currency)
        return config.NumberColumn(title, help=meant, format=shown, pinned=pinned)
    if column.unit is Unit.INSTANT:
        return config.DatetimeColumn(title, help=meant, format=_INSTANT, timezone="UTC")
    # The first column has the word for the totals in it, so its days are texts by then.
    if column.unit is Unit.DATE and not pinned:
        return config.DateColumn(title, help=meant, format=_DAY)
    return config.TextColumn(title, help=meant, pinned=pinned)


def _number_format(column: Column, currency: str | None) -> str:
    places = EXPONENTS.get(currency or "", written.EXPONENT_UNKNOWN)
    return {
        Unit.MONEY: f"%,.{places}f",
        Unit.COUNT: "%,d",
        Unit.NUMBER: "%,.1f",
        Unit.RATIO: "%.1f%%",
        Unit.SECONDS: "duration",
    }[column.unit]
