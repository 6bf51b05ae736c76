"""How sales go: the numbers of a period beside those before, and how they came about."""

import streamlit as st

from dashboards.charts import sales as charts
from dashboards.queries import choices as options
from dashboards.queries import sales as queries
from dashboards.widgets import chart, choice, filters, numbers, page, table
from oms.reports.model import Grain
from oms.reports.published import Publication

_NUMBERS = ("net_amount", "orders_count", "order_value_amount", "units")
_AUTO = "auto"
_STEPS = {_AUTO: "Auto", **{grain.value: grain.value.capitalize() for grain in Grain}}


@page.page("Sales overview", "What was sold in a period, and whether that is more than before.")
def render(publication: Publication) -> None:
    """Draw the page."""
    choices = options.choices(publication)
    if choices.is_empty:
        page.nothing_sold()
        return
    asked = filters.bar(choices, filters.SALES)
    page.notes(asked, choices, options.unknown_skus(publication, asked.skus))
    totals, before = queries.totals(publication, asked)
    numbers.cards(numbers.measured(_NUMBERS, totals, before, asked))

    step = choice.segments("Step", "step", _STEPS, _AUTO)
    grain = asked.period.grain if step == _AUTO else Grain(step)
    now, earlier = queries.by_time(publication, asked, grain)
    drawn = charts.over_time(
        now, earlier, period=asked.period, grain=grain, currency=asked.currency
    )
    chart.show(drawn, "over_time", f"Net sales by {grain.value}")

    st.subheader(f"By {grain.value}", anchor=False)
    sheet = queries.time_table(publication, asked, grain)
    table.show(sheet, "time_table")
    table.downloads(sheet, asked)
