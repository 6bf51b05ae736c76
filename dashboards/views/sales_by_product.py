"""What sells: product types, categories, brands and single products."""

import streamlit as st

from dashboards.charts import sales as charts
from dashboards.queries import choices as options
from dashboards.queries import sales as queries
from dashboards.widgets import chart, choice, filters, numbers, page, table
from oms.reports.model import Level
from oms.reports.published import Publication

_NUMBERS = ("net_amount", "units", "unit_price_amount", "return_ratio")
_LEVELS = {level.value: level.label for level in Level}


@page.page("Sales by product", "What sells, from whole categories down to single SKUs.")
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

    level = Level(choice.segments("Group by", "by", _LEVELS, Level.CATEGORY.value))
    sheet = queries.product_table(publication, asked, level)
    drawn = charts.product_ranking(sheet.frame, currency=asked.currency)
    chart.show(drawn, "by_product", f"Net sales by {level.label}")

    st.subheader(f"By {level.label if level is Level.SKU else level.label.lower()}", anchor=False)
    table.show(sheet, "product_table")
    table.downloads(sheet, asked)
