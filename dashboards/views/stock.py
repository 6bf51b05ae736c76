"""What is in stock, where, and how long it lasts."""

from dashboards.charts import stock as charts
from dashboards.queries import choices as options
from dashboards.queries import stock as queries
from dashboards.widgets import chart, choice, filters, numbers, page, table
from dashboards.widgets.filters import Part
from oms.reports.published import Publication

_NUMBERS = ("on_hand", "available_to_fulfill", "queued")
_HIDDEN = frozenset({"location_code"})
_LEAD = ("title", "available_to_fulfill", "on_hand", "cover_days", "queued")
_SHOWN = {"location": "By location", "cover": "By cover", "time": "Over time"}
_TABLES = {"product": "Products", "location": "Locations"}


@page.page("Stock", "What is there, what can be shipped now, and how long it lasts.")
def render(publication: Publication) -> None:
    """Draw the page."""
    choices = options.choices(publication)
    shown = choice.chosen_one("stock", list(_SHOWN), "location")
    parts = Part.LOCATIONS | Part.PRODUCTS | (Part.PERIOD if shown == "time" else Part(0))
    asked = filters.bar(choices, parts)
    page.unknown(options.unknown_skus(publication, asked.skus))
    totals = queries.totals(publication, asked)
    if not totals["products_count"]:
        page.no_stock()
        return
    cards = numbers.measured(_NUMBERS, totals)
    numbers.cards([*cards, numbers.out_of_stock(totals)])

    choice.segments("Chart", "stock", _SHOWN, "location")
    if shown == "location":
        drawn = charts.by_location(queries.location_table(publication, asked).frame)
    elif shown == "cover":
        drawn = charts.by_cover(queries.by_cover(publication, asked))
    else:
        drawn = charts.over_time(queries.by_day(publication, asked))
    chart.show(drawn, "stock_chart", f"Stock {_SHOWN[shown].lower()}")

    listed = choice.segments("Table", "list", _TABLES, "product")
    question = queries.product_table if listed == "product" else queries.location_table
    sheet = question(publication, asked)
    table.show(sheet, f"{listed}_table", hidden=_HIDDEN, lead=_LEAD)
    table.downloads(sheet, asked)
