"""Every measure and dimension of the reports: one title and one definition each."""

from collections.abc import Iterable
from typing import Final

import polars as pl

from oms.reports.fulfillment_measures import FULFILLMENT
from oms.reports.money_measures import MONEY
from oms.reports.return_measures import RETURNED
from oms.reports.sheet import TYPES, Column, Unit

_SALES: Final = (
    ("orders_count", "Orders", Unit.COUNT, "Orders placed in the period, canceled ones included."),
    (
        "units",
        "Units",
        Unit.COUNT,
        "Units sold, less canceled and returned ones.",
    ),
    (
        "gross_amount",
        "Gross sales",
        Unit.MONEY,
        "Net sales plus discounts: list price times units, without tax and shipping.",
    ),
    ("discount_amount", "Discounts", Unit.MONEY, "What was taken off the list price, without tax."),
    (
        "demand_amount",
        "Ordered",
        Unit.MONEY,
        "What customers ordered after discounts, without tax and shipping, "
        "including what was canceled or returned later.",
    ),
    (
        "canceled_amount",
        "Canceled",
        Unit.MONEY,
        "Canceled before shipping, without tax; negative.",
    ),
    ("returned_amount", "Returned", Unit.MONEY, "Sent or brought back, without tax; negative."),
    (
        "net_amount",
        "Net sales",
        Unit.MONEY,
        "Ordered less canceled and returned, after discounts, without tax and shipping.",
    ),
    ("tax_amount", "Tax", Unit.MONEY, "Tax on net sales."),
)
_RATIOS: Final = (
    (
        "order_value_amount",
        "Average order value",
        Unit.MONEY,
        "Net sales divided by the orders placed in the period.",
    ),
    ("unit_price_amount", "Average price", Unit.MONEY, "Net sales divided by units."),
    (
        "return_ratio",
        "Return ratio",
        Unit.RATIO,
        "Returned divided by ordered, by amount, both as counted in this period.",
    ),
    ("share_ratio", "Share", Unit.RATIO, "Part of the net sales of everything shown."),
    (
        "compared_net_amount",
        "Net sales before",
        Unit.MONEY,
        "Net sales of the period it is compared with.",
    ),
    (
        "change_ratio",
        "Change",
        Unit.RATIO,
        "Difference of net sales to the period it is compared with, as a part of the latter.",
    ),
)
_CASH: Final = (
    (
        "cash_amount",
        "Cash",
        Unit.MONEY,
        "Captured, refunded and charged back added up, with tax and shipping.",
    ),
    ("captured_amount", "Captured", Unit.MONEY, "Taken, with whatever tender."),
    (
        "refunded_amount",
        "Refunded",
        Unit.MONEY,
        "Given back, less refunds that came back to us; negative as a rule.",
    ),
    (
        "charged_back_amount",
        "Charged back",
        Unit.MONEY,
        "Taken from us by banks, less what they gave back; negative as a rule.",
    ),
    ("transactions_count", "Transactions", Unit.COUNT, "Everything that moved money."),
)
_STOCK: Final = (
    ("on_hand", "On hand", Unit.COUNT, "Physically there, in any condition."),
    ("unavailable", "Unavailable", Unit.COUNT, "On hand but not for sale: damaged, on display …"),
    ("allocated", "Allocated", Unit.COUNT, "Promised to placed orders and not yet shipped."),
    ("queued", "Queued", Unit.COUNT, "Ordered units that no location can supply yet."),
    ("safety_stock", "Safety stock", Unit.COUNT, "Units a location never offers."),
    (
        "available_to_fulfill",
        "Available",
        Unit.COUNT,
        "On hand less unavailable, allocated, held and safety stock; what can be shipped now.",
    ),
    ("locations_count", "Locations", Unit.COUNT, "Locations that hold or held it."),
    ("units_sold_28d", "Sold in 28 days", Unit.COUNT, "Units sold in the last 28 days."),
    (
        "cover_days",
        "Cover (days)",
        Unit.NUMBER,
        "Days the stock on hand lasts at the pace of the last 28 days; empty: nothing sold.",
    ),
    ("products_count", "Products", Unit.COUNT, "Different SKUs."),
)
_FEEDS: Final = (
    ("payloads_count", "Payloads", Unit.COUNT, "Files, pages and requests received."),
    ("documents_count", "Documents", Unit.COUNT, "Orders, counts … found in them."),
    ("captured_count", "Captured", Unit.COUNT, "New documents written to the ledger."),
    ("updated_count", "Updated", Unit.COUNT, "Newer versions of documents already known."),
    ("duplicate_count", "Duplicates", Unit.COUNT, "Already known in exactly this version."),
    ("stale_count", "Stale", Unit.COUNT, "Older than what is already known."),
    ("quarantined_count", "Quarantined", Unit.COUNT, "Not taken; they wait with a reason."),
    ("failed_count", "Failed", Unit.COUNT, "Payloads that could not be read at all."),
    ("size_bytes", "Bytes", Unit.COUNT, "Size of the payloads."),
    ("lag_seconds", "Lag", Unit.SECONDS, "From the newest payload to the publication, in seconds."),
    ("last_received_at", "Last received", Unit.INSTANT, "Newest payload ever, in UTC."),
    ("open_count", "Open", Unit.COUNT, "Documents that still wait."),
    ("oldest_at", "Oldest open", Unit.INSTANT, "Since when the oldest of them waits, in UTC."),
    ("line", "Line", Unit.COUNT, "Line of the file the document starts on."),
    ("position", "Position", Unit.COUNT, "Number of the document in its payload, from 1."),
    ("problems_count", "Problems", Unit.COUNT, "Everything wrong with the document."),
    ("attempts", "Attempts", Unit.COUNT, "How often it was tried."),
    ("first_seen_at", "First seen", Unit.INSTANT, "In UTC."),
    ("resolved_at", "Resolved", Unit.INSTANT, "In UTC."),
    ("transport", "Way in", Unit.TEXT, "File, pull or push."),
    ("topic", "Topic", Unit.TEXT, "What the payload holds."),
    ("file_name", "File", Unit.TEXT, "The name it came under."),
    ("external_ref", "Their reference", Unit.TEXT, "The sender's id of the document."),
    ("code", "Code", Unit.TEXT, "The first problem's stable name."),
    ("field", "Field", Unit.TEXT, "Where in the document the first problem is."),
    ("detail", "Reason", Unit.TEXT, "What is wrong, for a person."),
    ("state", "State", Unit.TEXT, "Open, resolved or dismissed."),
)
_LINES: Final = (
    ("line_no", "Line", Unit.COUNT, ""),
    ("event_kind", "Event", Unit.TEXT, "Sale, edit, cancel or return."),
    ("event_on", "Event date", Unit.DATE, "In the calendar of the channel."),
    ("quantity", "Quantity", Unit.COUNT, "Signed: canceled and returned units are negative."),
    ("reason", "Reason", Unit.TEXT, ""),
)
_DIMENSIONS: Final = (
    ("channel_name", "Channel", Unit.TEXT, "Where the order came from."),
    ("channel_code", "Channel code", Unit.TEXT, ""),
    ("product_type", "Product type", Unit.TEXT, ""),
    ("category", "Category", Unit.TEXT, ""),
    ("brand", "Brand", Unit.TEXT, ""),
    ("sku", "SKU", Unit.TEXT, ""),
    ("title", "Product", Unit.TEXT, ""),
    ("location_code", "Location code", Unit.TEXT, ""),
    ("location_name", "Location", Unit.TEXT, ""),
    ("sold_on", "Date", Unit.DATE, "In the calendar of each channel."),
    ("occurred_on", "Date", Unit.DATE, "In the calendar of each channel."),
    ("placed_on", "Placed on", Unit.DATE, "In the calendar of the channel."),
    ("order_number", "Order", Unit.TEXT, "Our number of the order."),
    ("external_number", "Their number", Unit.TEXT, "The number the customer knows."),
    ("order_state", "State", Unit.TEXT, ""),
    ("total_amount", "Order total", Unit.MONEY, "The whole order with shipping and tax."),
)

COLUMNS: Final = {
    name: Column(name=name, title=title, unit=unit, definition=definition)
    for name, title, unit, definition in (
        *_SALES,
        *_RATIOS,
        *_CASH,
        *_STOCK,
        *_FEEDS,
        *_LINES,
        *_DIMENSIONS,
        *FULFILLMENT,
        *MONEY,
        *RETURNED,
    )
}
SALES: Final = tuple(name for name, *_ in _SALES)
CASH: Final = tuple(name for name, *_ in _CASH)
# In the order of a table: what it is about first, what it is made of after.
HEADLINES: Final = ("net_amount", "orders_count", "units")
PARTS: Final = (
    *("gross_amount", "discount_amount", "demand_amount", "canceled_amount", "returned_amount"),
    "tax_amount",
)
AMOUNTS: Final = tuple(name for name, _, unit, _ in _SALES if unit is Unit.MONEY)


def columns(names: Iterable[str]) -> tuple[Column, ...]:
    """Return the columns of these names. Raises KeyError for one that has no definition."""
    return tuple(COLUMNS[name] for name in names)


def type_of(measure: str) -> pl.DataType:
    """Return the type of a measure's values."""
    return TYPES[COLUMNS[measure].unit]


def with_ratios(frame: pl.DataFrame) -> pl.DataFrame:
    """Add what follows from the sums of each row: averages and the return ratio."""
    ordered = pl.col("demand_amount").cast(pl.Float64)
    returned = (-pl.col("returned_amount")).cast(pl.Float64)
    return frame.with_columns(
        order_value_amount=_average("net_amount", "orders_count"),
        unit_price_amount=_average("net_amount", "units"),
        return_ratio=pl.when(ordered > 0).then(returned / ordered),
    )


def _average(amount: str, count: str) -> pl.Expr:
    """Divide money by a count, exactly, rounded where amounts are: at the third decimal."""
    divided = pl.col(amount).cast(pl.Decimal(38, 9)) / pl.col(count).cast(pl.Decimal(38, 0))
    return pl.when(pl.col(count) != 0).then(divided.round(3)).cast(pl.Decimal(38, 3))
