"""Products crossed with channels, down to the orders behind a cell."""

import streamlit as st

from dashboards.charts import sales as charts
from dashboards.queries import choices as options
from dashboards.queries import sales as queries
from dashboards.widgets import chart, choice, crossing, filters, numbers, page, table
from oms.reports.measures import COLUMNS
from oms.reports.published import Publication
from oms.reports.sheet import Unit

_NUMBERS = ("net_amount", "orders_count", "units", "return_ratio")
_MEASURES = (
    *("net_amount", "demand_amount", "gross_amount", "discount_amount", "canceled_amount"),
    *("returned_amount", "tax_amount", "units"),
)


@page.page(
    "Channel by product", "Which channel sells what. Choose a cell to see the orders behind it."
)
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

    with st.container(horizontal=True, gap="small"):
        levels = crossing.levels()
        measure = choice.select(
            "Measure", "measure", {name: COLUMNS[name].title for name in _MEASURES}, "net_amount"
        )
    pivot, sheet = queries.pivot(publication, asked, levels, measure)
    currency = asked.currency if COLUMNS[measure].unit is Unit.MONEY else None
    title = COLUMNS[measure].title
    drawn = charts.crossed(pivot, channels=choices.channels, currency=currency, title=title)
    chart.show(drawn, "crossed", sheet.title)

    st.subheader(sheet.title, anchor=False)
    cell = crossing.show(pivot, sheet, levels)
    table.downloads(sheet, asked)
    if cell is not None:
        narrowed = crossing.narrowed(asked, cell, levels)
        found, listed = queries.orders(publication, narrowed, measure)
        crossing.orders(found, listed, cell, choices.channels)
        table.downloads(listed, narrowed)
