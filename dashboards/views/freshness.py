"""How fresh the numbers are, what came in, and what could not be taken."""

import streamlit as st

from dashboards.charts import feeds as charts
from dashboards.queries import choices as options
from dashboards.queries import feeds as queries
from dashboards.widgets import chart, choice, filters, numbers, page, table
from dashboards.widgets.filters import Part
from oms.reports.published import Publication

_HIDDEN = frozenset({"channel_code", "size_bytes"})
_FEED_LEAD = ("topic", "lag_seconds", "documents_count", "quarantined_count", "failed_count")
_QUARANTINE_LEAD = ("detail", "line", "field", "code")
_STATES = {"open": "Open", "resolved": "Resolved", "dismissed": "Dismissed", "all": "All"}


@page.page("Freshness", "How old the numbers are, what came in, and what waits in quarantine.")
def render(publication: Publication) -> None:
    """Draw the page."""
    asked = filters.bar(
        options.choices_of_feeds(publication),
        Part.PERIOD | Part.CHANNELS,
        counted_from="the day of the publication",
    )
    totals = queries.totals(publication, asked)
    codes = queries.quarantine_codes(publication, asked)
    numbers.cards(
        [
            numbers.age(publication.stamp),
            numbers.lag(queries.lag_seconds(publication, asked)),
            *numbers.measured(("documents_count",), totals),
            numbers.waiting(codes),
        ]
    )
    page.provenance(publication.stamp)

    st.subheader("What came in", anchor=False)
    chart.show(charts.by_day(queries.by_day(publication, asked)), "feeds", "Documents by day")
    sheet = queries.feed_table(publication, asked)
    table.show(sheet, "feed_table", hidden=_HIDDEN, lead=_FEED_LEAD)
    table.downloads(sheet, asked)

    st.subheader("Quarantine", anchor=False)
    chart.show(charts.by_code(codes), "codes", "Open documents by what is wrong with them")
    with st.container(horizontal=True, gap="small"):
        state = choice.select("State", "state", _STATES, "open")
        known = {code: code for code in codes["code"]}
        chosen = choice.chosen_many("code", list(known))
        choice.several("Codes", "code", known, "All codes")
    newest, listed = queries.quarantine(publication, asked, state, chosen)
    table.show(listed, "quarantine_table", frame=newest, lead=_QUARANTINE_LEAD)
    table.downloads(listed, asked)
