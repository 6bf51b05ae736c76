"""Which channels sell how much, and how that changes."""

import streamlit as st

from dashboards.charts import sales as charts
from dashboards.queries import choices as options
from dashboards.queries import sales as queries
from dashboards.widgets import chart, choice, filters, numbers, page, table
from oms.reports.published import Publication

_NUMBERS = ("net_amount", "orders_count", "order_value_amount", "return_ratio")
_SHOWN = {"time": "Over time", "ranking": "Ranking"}


@page.page("Sales by channel", "Where orders come from: each channel's part, and how it changes.")
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

    sheet = queries.channel_table(publication, asked)
    if choice.segments("Chart", "show", _SHOWN, "time") == "time":
        grain = asked.period.grain
        drawn = charts.by_channel_over_time(
            queries.by_channel_and_time(publication, asked, grain),
            channels=choices.channels,
            period=asked.period,
            grain=grain,
            currency=asked.currency,
        )
    else:
        drawn = charts.channel_ranking(
            sheet.frame, channels=choices.channels, currency=asked.currency
        )
    chart.show(drawn, "by_channel", "Net sales by channel")

    st.subheader("Channels", anchor=False)
    table.show(sheet, "channel_table", hidden=frozenset({"channel_code"}))
    table.downloads(sheet, asked)
