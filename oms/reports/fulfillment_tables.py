"""The fulfillment reports as tables."""

from typing import Final

from oms.reports import fulfillment
from oms.reports.facts import facts
from oms.reports.fulfillment import Group, Subject
from oms.reports.measures import columns
from oms.reports.model import Filters
from oms.reports.published import Publication
from oms.reports.sheet import Held, Sheet

_NEVER: Final = frozenset({"Basis", "Currency", "Product types", "Categories", "Brands", "SKUs"})
_NOT_OF: Final = {
    Subject.TRANSFERS: _NEVER | {"Channels"},
    Subject.HOLDS: _NEVER | {"Locations"},
}
_DATED: Final = {
    Subject.FLOW: "By the day of the order",
    Subject.HOLDS: "By the day of the hold",
    Subject.TRANSFERS: "By the day the transfer was asked for",
    Subject.CARRIERS: "By the day of the label",
}


def fulfillment_by(
    publication: Publication, filters: Filters, subject: Subject, group: Group
) -> Sheet:
    """Make the table of a subject, group by group."""
    frame = fulfillment.rows(publication, filters, subject, group)
    dated = _DATED.get(subject, "By the day a location was asked")
    return Sheet(
        name=f"fulfillment_{subject.value}_by_{group.value}",
        title=f"Fulfillment: {subject.value} by {group.value}",
        columns=columns(frame.columns),
        frames=Held(frame),
        facts=(("Counted", dated), *facts(publication, filters, _NOT_OF.get(subject, _NEVER))),
        total=fulfillment.totals(publication, filters, subject),
    )
