"""The one writer of reports as CSV and XLSX files: streamed, labeled, and without formulas."""

import io
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import BinaryIO, Final

import polars as pl
import xlsxwriter
from xlsxwriter.format import Format as Style
from xlsxwriter.worksheet import Worksheet

from oms.kernel.money import EXPONENTS
from oms.reports.sheet import Column, Sheet, Unit

SHEET_ROWS_MAX: Final = 1_048_576
CELL_CHARACTERS_MAX: Final = 32_767
# Marts keep three decimals; a table without a currency shows them all.
EXPONENT_UNKNOWN: Final = 3
TOTAL: Final = "Total"

# What a spreadsheet takes for a formula when it opens a CSV file: these signs, also behind white
# space and in their full-width forms. A plain negative number is one and stays it.
_FORMULA: Final = r"^\s*[=+\-@\x{FF1D}\x{FF0B}\x{FF0D}\x{FF20}]|^[\t\r\n]"
_NEGATIVE: Final = r"^-\d+([.,]\d+)?$"
_CONTROL: Final = r"[\x00-\x1f\x7f]+"
_FORMATS: Final = {
    Unit.COUNT: "#,##0",
    Unit.SECONDS: "#,##0",
    Unit.NUMBER: "#,##0.0",
    Unit.RATIO: "0.0%",
    Unit.DATE: "yyyy-mm-dd",
    Unit.INSTANT: "yyyy-mm-dd hh:mm:ss",
}
_WIDTHS: Final = {Unit.TEXT: 26, Unit.MONEY: 16, Unit.INSTANT: 20}
_WIDTH: Final = 13
_ABOUT_WIDTHS: Final = (18, 100)
_BOOK: Final = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "strings_to_urls": False,
}


class Form(StrEnum):
    """What kind of file."""

    CSV = "csv"
    XLSX = "xlsx"

    @property
    def media_type(self) -> str:
        """Name it for HTTP."""
        xlsx = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        return "text/csv; charset=utf-8" if self is Form.CSV else xlsx


def write(sheet: Sheet, to: BinaryIO, form: Form) -> int:
    """Write a report to an open file and return the number of its rows."""
    return write_csv(sheet, to) if form is Form.CSV else write_xlsx(sheet, to)


def as_bytes(sheet: Sheet, form: Form) -> bytes:
    """Return a report as the content of a file."""
    to = io.BytesIO()
    write(sheet, to, form)
    return to.getvalue()


def write_csv(sheet: Sheet, to: BinaryIO) -> int:
    """Write a report as CSV: facts in lines that begin with #, a head, rows, totals.

    Text is always quoted, so that no row can be taken for a fact; money has the decimals of its
    currency; instants are UTC.
    """
    to.write("\ufeff".encode())  # without it Excel does not read UTF-8
    for label, value in _facts(sheet):
        fact = pl.DataFrame({"label": [f"# {label}"], "value": [value]})
        printed = fact.with_columns(pl.col("value").str.replace_all(_CONTROL, " "))
        harmless = printed.with_columns(_harmless("value"))
        harmless.write_csv(to, include_header=False, quote_style="necessary")
    titles = pl.DataFrame({column.name: [column.title] for column in sheet.columns})
    _append(titles.with_columns(_harmless(column.name) for column in sheet.columns), to)
    rows = 0
    for frame in sheet.frames():
        rows += frame.height
        _append(frame.select(_csv_value(column, sheet) for column in sheet.columns), to)
    if sheet.total is not None:
        _append(_csv_total(sheet), to)
    return rows


def write_xlsx(sheet: Sheet, to: BinaryIO, sheet_rows_max: int = SHEET_ROWS_MAX) -> int:
    """Write a report as a workbook: as many data sheets as the rows need, then one of facts."""
    book = _Book(sheet, to, sheet_rows_max)
    rows = 0
    for frame in sheet.frames():
        for row in frame.select(column.name for column in sheet.columns).iter_rows():
            book.append(row)
        rows += frame.height
    if sheet.total is not None:
        book.append((TOTAL, *sheet.total_row.row(0)[1:]), is_total=True)
    book.close()
    return rows


def exponent(sheet: Sheet) -> int:
    """Return how many decimals the money of a report has."""
    return EXPONENTS.get(sheet.currency or "", EXPONENT_UNKNOWN)


def _facts(sheet: Sheet) -> tuple[tuple[str, str], ...]:
    return (("Report", sheet.title), *sheet.facts)


def _append(frame: pl.DataFrame, to: BinaryIO) -> None:
    frame.write_csv(to, include_header=False, quote_style="non_numeric")


def _harmless(name: str) -> pl.Expr:
    """Put an apostrophe before what a spreadsheet would take for a formula."""
    text = pl.col(name).cast(pl.String)
    dangerous = text.str.contains(_FORMULA) & ~text.str.contains(_NEGATIVE)
    return pl.when(dangerous).then(pl.concat_str(pl.lit("'"), text)).otherwise(text).alias(name)


def _csv_value(column: Column, sheet: Sheet) -> pl.Expr:
    value = pl.col(column.name)
    if column.unit is Unit.TEXT:
        return _harmless(column.name)
    if column.unit is Unit.MONEY:
        return _decimals(value, exponent(sheet))
    if column.unit is Unit.RATIO:
        return value.cast(pl.Float64).round(6)
    if column.unit is Unit.INSTANT:
        return value.dt.convert_time_zone("UTC").dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    return value


def _decimals(value: pl.Expr, places: int) -> pl.Expr:
    return value.cast(pl.Decimal(38, EXPONENT_UNKNOWN)).round(places).cast(pl.Decimal(38, places))


def _csv_total(sheet: Sheet) -> pl.DataFrame:
    first, *others = sheet.columns
    return sheet.total_row.select(
        pl.lit(TOTAL).alias(first.name), *(_csv_value(column, sheet) for column in others)
    )


class _Book:
    """A workbook being written row by row, on as many sheets as the rows need."""

    def __init__(self, sheet: Sheet, to: BinaryIO, sheet_rows_max: int) -> None:
        self._sheet = sheet
        self._rows_max = sheet_rows_max
        self._book = xlsxwriter.Workbook(to, dict(_BOOK))
        self._head = self._book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        self._styles = {False: self._made_styles(), True: self._made_styles(bold=True, top=1)}
        self._pages = 0
        self._page, self._row = self._new_page(), 0

    def append(self, values: tuple[object, ...], *, is_total: bool = False) -> None:
        """Write a row, on a new sheet when the last one is full."""
        self._row += 1
        if self._row == self._rows_max:
            self._page, self._row = self._new_page(), 1
        styles = self._styles[is_total]
        for at, value in enumerate(values):
            _put(self._page, self._row, at, value, styles[at])

    def close(self) -> None:
        """Write the sheet of facts and finish the file."""
        about = self._book.add_worksheet("About")
        for at, width in enumerate(_ABOUT_WIDTHS):
            about.set_column(at, at, width)
        label_style = self._styles[True][0]
        text_style = self._book.add_format({"text_wrap": True, "valign": "top"})
        for at, (label, value) in enumerate(_facts(self._sheet)):
            _put(about, at, 0, label, label_style)
            _put(about, at, 1, value, text_style)
        self._book.close()

    def _new_page(self) -> Worksheet:
        self._pages += 1
        page = self._book.add_worksheet("Data" if self._pages == 1 else f"Data {self._pages}")
        for at, column in enumerate(self._sheet.columns):
            page.set_column(at, at, _WIDTHS.get(column.unit, _WIDTH))
            _put(page, 0, at, column.title, self._head)
        page.freeze_panes(1, 1)
        return page

    def _made_styles(self, **more: object) -> list[Style]:
        return [
            self._book.add_format({**_style(column, self._sheet), **more})
            for column in self._sheet.columns
        ]


def _style(column: Column, sheet: Sheet) -> dict[str, object]:
    if column.unit is Unit.MONEY:
        places = exponent(sheet)
        return {"num_format": f"#,##0.{'0' * places}" if places else "#,##0"}
    shown = _FORMATS.get(column.unit)
    return {"num_format": shown} if shown else {}


def _put(page: Worksheet, row: int, at: int, value: object, style: Style) -> None:
    """Write a cell by the type of its value; text is text whatever it looks like."""
    if value is None:
        page.write_blank(row, at, None, style)
    elif isinstance(value, datetime):
        page.write_datetime(row, at, value.astimezone(UTC).replace(tzinfo=None), style)
    elif isinstance(value, date):
        page.write_datetime(row, at, value, style)
    elif isinstance(value, (int, float, Decimal)):
        page.write_number(row, at, float(value), style)  # the file format has no other number
    else:
        page.write_string(row, at, str(value)[:CELL_CHARACTERS_MAX], style)
