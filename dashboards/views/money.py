"""Where money is: taken and given back, what came back, what was billed, taxed and settled."""

import streamlit as st

from dashboards.charts import money as charts
from dashboards.queries import choices as options
from dashboards.queries import money as queries
from dashboards.widgets import chart, choice, filters, numbers, page, table
from dashboards.widgets.filters import Part
from oms.reports.money import Group, Subject
from oms.reports.published import Publication


@page.page("Money", "What was taken, given back, billed, taxed, and settled by whom.")
def render(publication: Publication) -> None:
    """Draw the page."""
    choices = options.choices(publication)
    if choices.is_empty:
        page.nothing_sold()
        return
    subject = Subject(choice.chosen_one("subject", list(queries.SUBJECTS), Subject.CASH.value))
    asked = filters.bar(choices, Part.PERIOD | Part.CHANNELS | Part.CURRENCY)
    choice.segments("Subject", "subject", queries.SUBJECTS, Subject.CASH.value)
    totals = queries.totals(publication, asked, subject)
    numbers.cards(numbers.measured(queries.NUMBERS[subject], totals, None, asked))

    group = _group(subject)
    sheet = queries.table_by(publication, asked, subject, group)
    drawn = charts.drawn(subject, group, sheet.frame, asked.currency)
    chart.show(drawn, "money_chart", f"{subject.label} by {group.label}")
    table.show(sheet, "money_table", lead=queries.NUMBERS[subject])
    table.downloads(sheet, asked)
    if subject is Subject.TAXES:
        filled = queries.vat_return(publication, asked)
        table.show(filled, "vat_return", lead=queries.NUMBERS[subject])
        table.downloads(filled, asked)


def _group(subject: Subject) -> Group:
    """Let people choose what a subject is divided by."""
    names = {group.value: f"By {group.label}" for group in subject.groups}
    with st.container(key="group"):
        chosen = choice.segments("By", f"{subject.value}_by", names, subject.groups[0].value)
    return Group(chosen)
