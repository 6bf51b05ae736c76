"""Questions about fulfillment as the pages ask them."""

from typing import Any

from dashboards import warehouse
from oms.reports import fulfillment, fulfillment_tables
from oms.reports.fulfillment import Group, Subject
from oms.reports.model import Filters
from oms.reports.published import Publication
from oms.reports.sheet import Sheet


def totals(publication: Publication, filters: Filters, subject: Subject) -> dict[str, Any]:
    """Return the measures of a subject as a whole."""
    return warehouse.answer(fulfillment.totals, publication, filters, subject)


def table_by(publication: Publication, filters: Filters, subject: Subject, group: Group) -> Sheet:
    """Return the table of a subject, group by group."""
    return warehouse.answer(fulfillment_tables.fulfillment_by, publication, filters, subject, group)
