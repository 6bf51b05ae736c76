"""Exporting: the reports of the last weeks as files for people, each replaced as a whole."""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from oms.reports import choices, exports, files
from oms.reports.files import Form
from oms.reports.model import Filters, Period
from oms.reports.published import Publication, Publications

DAYS: Final = 28
REPORTS: Final = (
    "sales_by_day", "sales_by_channel", "sales_by_category", "sales_by_sku", "channel_by_product",
    "stock_by_product", "cash_by_day", "cash_by_tender", "documents_by_day",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """A file that was written."""

    path: Path
    rows_count: int


def export(report: str, exports_dir: Path, published_dir: Path, *, today: date) -> list[Exported]:
    """Write a report of the last four weeks per currency and form.

    Raises NothingPublished or UnknownReport.
    """
    publication = Publications(published_dir).current()
    folder = exports_dir / report
    folder.mkdir(parents=True, exist_ok=True)
    period = Period(from_on=today - timedelta(days=DAYS), to_on=today)
    return [
        _write(report, folder, publication, Filters(period=period, currency=currency), form)
        for currency in choices.choices(publication).currencies
        for form in Form
    ]


def _write(
    report: str, folder: Path, publication: Publication, filters: Filters, form: Form
) -> Exported:
    sheet = exports.report(report, publication, filters)
    path = folder / f"{report}-{filters.currency}-{filters.period.last_on}.{form}"
    part = path.with_name(f".{path.name}.part")
    with part.open("wb") as file:
        rows_count = files.write(sheet, file, form)
    part.replace(path)
    return Exported(path=path, rows_count=rows_count)
