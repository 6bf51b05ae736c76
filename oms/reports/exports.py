"""Every report by its name, for whoever writes one to a file."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from oms.kernel.errors import NotFound
from oms.reports.model import Filters, Grain, Level
from oms.reports.published import Publication
from oms.reports.sales_tables import (
    channel_by_product,
    order_lines,
    orders,
    sales_by_channel,
    sales_by_product,
    sales_by_time,
)
from oms.reports.sheet import Sheet
from oms.reports.stock_tables import (
    feeds_by_channel,
    quarantined,
    stock_by_location,
    stock_by_product,
)

REPORTS: Final[Mapping[str, Callable[[Publication, Filters], Sheet]]] = {
    "sales_by_day": partial(sales_by_time, grain=Grain.DAY),
    "sales_by_week": partial(sales_by_time, grain=Grain.WEEK),
    "sales_by_month": partial(sales_by_time, grain=Grain.MONTH),
    "sales_by_channel": sales_by_channel,
    "sales_by_product_type": partial(sales_by_product, level=Level.PRODUCT_TYPE),
    "sales_by_category": partial(sales_by_product, level=Level.CATEGORY),
    "sales_by_brand": partial(sales_by_product, level=Level.BRAND),
    "sales_by_sku": partial(sales_by_product, level=Level.SKU),
    "channel_by_product": channel_by_product,
    "orders": orders,
    "order_lines": order_lines,
    "stock_by_product": stock_by_product,
    "stock_by_location": stock_by_location,
    "feeds": feeds_by_channel,
    "quarantine": quarantined,
}


class UnknownReport(NotFound):
    """There is no report of this name."""

    code = "UNKNOWN_REPORT"


def report(name: str, publication: Publication, filters: Filters) -> Sheet:
    """Make a report by its name. Raises UnknownReport."""
    try:
        make = REPORTS[name]
    except KeyError:
        raise UnknownReport(f"{name[:40]!r} is none of {', '.join(REPORTS)}") from None
    return make(publication, filters)
