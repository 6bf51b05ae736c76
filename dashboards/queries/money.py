"""Questions about money as the pages ask them."""

from typing import Any, Final

from dashboards import warehouse
from oms.reports import money, vat
from oms.reports.model import Filters
from oms.reports.money import Group, Subject
from oms.reports.published import Publication
from oms.reports.sheet import Sheet

SUBJECTS: Final = {subject.value: subject.label for subject in Subject}
# The numbers above the chart, the first one what it shows.
NUMBERS: Final = {
    Subject.CASH: ("cash_amount", "captured_amount", "refunded_amount", "transactions_count"),
    Subject.REFUNDS: ("asked_amount", "paid_back_amount", "open_amount", "refund_p50_seconds"),
    Subject.RETURNS: ("returned_units", "returned_ratio", "returned_net_amount", "owed_amount"),
    Subject.DOCUMENTS: (
        "billed_amount", "invoiced_amount", "credited_amount", "billed_tax_amount",
    ),
    Subject.TAXES: ("vat_amount", "vat_net_amount", "vat_total_amount", "taxed_documents_count"),
    Subject.SETTLEMENTS: (
        "settled_fee_amount", "settled_amount", "payout_p50_seconds", "differing_rows_count",
    ),
    Subject.DIFFERENCES: (
        "differences_count", "open_differences_count", "differs_amount", "explained_p50_seconds",
    ),
}  # fmt: skip


def totals(publication: Publication, filters: Filters, subject: Subject) -> dict[str, Any]:
    """Return the measures of a subject as a whole."""
    return warehouse.answer(money.totals, publication, filters, subject)


def table_by(publication: Publication, filters: Filters, subject: Subject, group: Group) -> Sheet:
    """Return the table of a subject, group by group."""
    return warehouse.answer(money.money_by, publication, filters, subject, group)


def vat_return(publication: Publication, filters: Filters) -> Sheet:
    """Return the table a tax return is filled in from."""
    return warehouse.answer(vat.vat_return, publication, filters)
