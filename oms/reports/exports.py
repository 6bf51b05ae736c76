"""Every report by its name, for whoever writes one to a file."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from oms.kernel.errors import NotFound, Rejected
from oms.reports.cash import cash_by_channel, cash_by_day
from oms.reports.coming_back import Subject as BackSubject
from oms.reports.coming_back import coming_back_by
from oms.reports.fulfillment import Subject
from oms.reports.fulfillment_tables import fulfillment_by
from oms.reports.model import Filters, Grain, Level
from oms.reports.money import Group as MoneyGroup
from oms.reports.money import Subject as MoneySubject
from oms.reports.money import money_by
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
from oms.reports.vat import vat_return

Report = Callable[[Publication, Filters], Sheet]

_OF_WORK: Final[Mapping[str, Report]] = {
    f"fulfillment_{subject.value}_by_{group.value}": partial(
        fulfillment_by, subject=subject, group=group
    )
    for subject in Subject for group in subject.groups
}  # fmt: skip
# Cash by day and by channel are tables of their own, finer than these.
_OF_MONEY: Final[Mapping[str, Report]] = {
    f"{subject.value}_by_{group.value}": partial(money_by, subject=subject, group=group)
    for subject in MoneySubject for group in subject.groups
    if subject is not MoneySubject.CASH or group is MoneyGroup.TENDER
}  # fmt: skip
_OF_RETURNS: Final[Mapping[str, Report]] = {
    f"coming_back_{subject.value}_by_{group.value}": partial(
        coming_back_by, subject=subject, group=group
    )
    for subject in BackSubject for group in subject.groups
}  # fmt: skip
REPORTS: Final[Mapping[str, Report]] = {
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
    "cash_by_day": cash_by_day,
    "cash_by_channel": cash_by_channel,
    **_OF_MONEY,
    "vat_return": vat_return,
    "stock_by_product": stock_by_product,
    "stock_by_location": stock_by_location,
    "feeds": feeds_by_channel,
    "quarantine": quarantined,
    **_OF_WORK,
    **_OF_RETURNS,
}
_WITHOUT_AMOUNTS: Final = frozenset({
    "stock_by_product", "stock_by_location", "feeds", "quarantine", *_OF_WORK, *_OF_RETURNS,
})  # fmt: skip


class UnknownReport(NotFound):
    """There is no report of this name."""

    code = "UNKNOWN_REPORT"


class NoSuchFilter(Rejected):
    """The report knows nothing of what was asked for."""

    code = "NO_SUCH_FILTER"


def has_amounts(name: str) -> bool:
    """Tell whether a report counts money, and so one currency only."""
    return name in REPORTS and name not in _WITHOUT_AMOUNTS


def report(name: str, publication: Publication, filters: Filters) -> Sheet:
    """Make a report by its name. Raises UnknownReport, or NoSuchFilter for what it cannot tell."""
    try:
        make = REPORTS[name]
    except KeyError:
        raise UnknownReport(f"{name[:40]!r} is none of {', '.join(REPORTS)}") from None
    sheet = make(publication, filters)
    # A filter that does nothing would be taken for one that finds everything.
    for label, asked in (("Channels", filters.channels), ("Locations", filters.locations)):
        if asked and label not in dict(sheet.facts):
            raise NoSuchFilter(f"{name} has no {label.lower()} to choose from; leave them out.")
    return sheet
