"""What comes back: why, where, what becomes of it, and how long customers wait for their money."""

import streamlit as st

from dashboards.charts import coming_back as charts
from dashboards.queries import choices as options
from dashboards.queries import coming_back as queries
from dashboards.widgets import chart, choice, filters, numbers, page, table
from dashboards.widgets.filters import Part
from oms.reports.coming_back import Group, Subject
from oms.reports.published import Publication

_SUBJECTS = {subject.value: subject.label for subject in Subject}
_NUMBERS = {
    Subject.RETURNS: (
        "coming_back_count", "came_back_units", "refunded_p50_seconds", "in_time_ratio",
    ),
    Subject.DISPOSITIONS: (
        "looked_at_units", "restocked_ratio", "scrapped_units", "looked_at_p50_seconds",
    ),
}  # fmt: skip
_NOTHING = "nothing"


@page.page("Coming back", "Why and where goods come back, what becomes of them, how fast we pay.")
def render(publication: Publication) -> None:
    """Draw the page."""
    choices = options.choices(publication)
    if choices.is_empty:
        page.nothing_sold()
        return
    subject = Subject(choice.chosen_one("subject", list(_SUBJECTS), Subject.RETURNS.value))
    asked = filters.bar(choices, Part.PERIOD | Part.CHANNELS | Part.LOCATIONS)
    choice.segments("Subject", "subject", _SUBJECTS, Subject.RETURNS.value)
    totals = queries.totals(publication, asked, subject)
    numbers.cards(numbers.measured(_NUMBERS[subject], totals))

    names = {group.value: f"By {group.label}" for group in subject.groups}
    with st.container(key="group"):
        first = subject.groups[0].value
        group = Group(choice.segments("By", f"{subject.value}_by", names, first))
    sheet = queries.table_by(publication, asked, subject, group)
    drawn = charts.drawn(subject, sheet.frame)
    chart.show(drawn, "coming_back_chart", f"{subject.label} by {group.label}")
    table.show(sheet, "coming_back_table", lead=_NUMBERS[subject])
    table.downloads(sheet, asked)

    values = [str(value) for value in sheet.frame.to_series(0)]
    offered = {_NOTHING: "Nothing", **{value: value for value in values}}
    chosen = choice.select("Look at the returns of", f"behind_{group.value}", offered, _NOTHING)
    if chosen != _NOTHING:
        behind = queries.behind(publication, asked, subject, group, chosen)
        table.show(behind, "returns_behind")
        table.downloads(behind, asked)
