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
    on_select: Callable[[], None] | None = None,
) -> None:
    """Show a table with its totals in the last row; `strong` rows are set in bold."""
    columns = tuple(column for column in sheet.columns if column.name not in hidden)
    rows = sheet.frame if frame is None else frame
    for name, address_of in (links or {}).items():
        linked = pl.col(name).map_elements(address_of, return_dtype=pl.String)
        rows = rows.with_columns(linked)
    shown = _shown(rows, columns, sheet)
    bold = (*strong, shown.height - 1) if sheet.total is not None else tuple(strong)
    options: dict[str, Any] = (
        {"on_select": on_select, "selection_mode": "single-cell"} if on_select else {}
    )
    st.dataframe(
        _styled(shown, bold),
        key=key,
        hide_index=True,
        height="content" if shown.height <= ROWS_IN_SIGHT_MAX else HEIGHT_PX,
        column_config={
            column.name: _config(
                column, sheet.currency, is_link=column.name in (links or {}), pinned=not at
            )
            for at, column in enumerate(columns)
        },
        placeholder="",
        **options,
    )


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
    """Return what the browser gets: it knows no decimals, and the totals are its last row."""
    names = [column.name for column in columns]
    all_rows = [rows.select(names)]
    if sheet.total is not None:
        all_rows.append(sheet.total_row.select(names))
    shown = pl.concat(all_rows, how="vertical_relaxed").select(_screen(c) for c in columns)
    if sheet.total is None:
        return shown
    first = pl.col(names[0]).cast(pl.String)
    is_total = pl.int_range(pl.len()) == pl.len() - 1
    return shown.with_columns(
        pl.when(is_total).then(pl.lit(files.TOTAL)).otherwise(first).alias(names[0])
    )


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
