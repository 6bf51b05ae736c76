"""How long orders take on their way, what goes wrong, and where units go."""

import streamlit as st

from dashboards.charts import fulfillment as charts
from dashboards.queries import choices as options
from dashboards.queries import fulfillment as queries
from dashboards.widgets import chart, choice, filters, numbers, page, table
from dashboards.widgets.filters import Part
from oms.reports.fulfillment import Group, Subject
from oms.reports.published import Publication

_SUBJECTS = {subject.value: subject.label for subject in Subject}
_HIDDEN = frozenset({"channel_code", "location_code"})
_NUMBERS = {
    Subject.TIMES: ("fulfillments_count", "work_p50_seconds", "work_p90_seconds", "on_time_ratio"),
    Subject.SPLITS: ("groups_count", "split_ratio", "shipments_average", "rerouted_ratio"),
    Subject.REJECTIONS: ("fulfillments_count", "rejection_ratio", "short_ratio", "short_units"),
    Subject.COLLECTION: (
        *("ready_on_time_ratio", "collect_ratio", "no_show_ratio", "shelf_p50_seconds"),
    ),
    Subject.FLOW: (
        *("flow_units", "omnichannel_ratio", "store_supplied_ratio", "returned_elsewhere_ratio"),
    ),
    Subject.TRANSFERS: (
        *("transfers_count", "transit_p50_seconds", "discrepancy_ratio", "missing_units"),
    ),
    Subject.CARRIERS: (
        *("parcels_count", "transit_p50_seconds", "transit_p90_seconds", "failed_parcels_ratio"),
    ),
    Subject.HOLDS: ("holds_count", "open_holds_count", "held_p50_seconds", "held_p90_seconds"),
}
# With locations there is no meaning in a hold, with channels none in a transfer.
_PARTS = {
    Subject.HOLDS: Part.PERIOD | Part.CHANNELS,
    Subject.TRANSFERS: Part.PERIOD | Part.LOCATIONS,
}
_ALL_PARTS = Part.PERIOD | Part.CHANNELS | Part.LOCATIONS


@page.page("Fulfillment", "How long it takes, what goes wrong, and where units go.")
def render(publication: Publication) -> None:
    """Draw the page."""
    choices = options.choices_of_work(publication)
    if choices is None:
        page.no_work()
        return
    subject = Subject(choice.chosen_one("subject", list(_SUBJECTS), Subject.TIMES.value))
    parts = _PARTS.get(subject, _ALL_PARTS)
    asked = filters.bar(choices, parts, counted_from="the newest day with work")
    choice.segments("Subject", "subject", _SUBJECTS, Subject.TIMES.value)
    totals = queries.totals(publication, asked, subject)
    numbers.cards(numbers.measured(_NUMBERS[subject], totals))
    if not totals[subject.sorted_by]:
        page.none_of_it(choices, subject.label)

    group = _group(subject)
    sheet = queries.table_by(publication, asked, subject, group)
    drawn = charts.drawn(subject, group, sheet.frame)
    chart.show(drawn, "fulfillment_chart", f"{subject.label} by {group.value}")
    lead = (*group.columns[1:], *_NUMBERS[subject])
    table.show(sheet, "fulfillment_table", hidden=_HIDDEN, lead=lead)
    table.downloads(sheet, asked)


def _group(subject: Subject) -> Group:
    """Let people choose what a subject is divided by, where there is a choice."""
    names = {group.value: f"By {group.value}" for group in subject.groups}
    usual = subject.groups[0]
    if len(names) == 1:
        return usual
    with st.container(key="group"):
        return Group(choice.segments("By", f"{subject.value}_by", names, usual.value))
