"""Questions about returns as the page asks them."""

from typing import Any

from dashboards import warehouse
from oms.reports import coming_back
from oms.reports.coming_back import Group, Subject
from oms.reports.model import Filters
from oms.reports.published import Publication
from oms.reports.sheet import Sheet


def totals(publication: Publication, filters: Filters, subject: Subject) -> dict[str, Any]:
    """Return the measures of a subject as a whole."""
    return warehouse.answer(coming_back.totals, publication, filters, subject)


def table_by(publication: Publication, filters: Filters, subject: Subject, group: Group) -> Sheet:
    """Return the table of a subject, group by group."""
    return warehouse.answer(coming_back.coming_back_by, publication, filters, subject, group)


def behind(
    publication: Publication, filters: Filters, subject: Subject, group: Group, value: str
) -> Sheet:
    """Return the returns behind a row of the table."""
    return warehouse.answer(coming_back.returns_behind, publication, filters, subject, group, value)
