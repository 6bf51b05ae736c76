"""The stock and feed reports as tables."""

from typing import Final

from oms.reports import feeds, stock
from oms.reports.facts import facts
from oms.reports.measures import columns
from oms.reports.model import Filters
from oms.reports.published import Publication
from oms.reports.sheet import Held, Sheet

_NOT_OF_STOCK: Final = frozenset({"Period", "Basis", "Currency", "Channels"})
_NOT_OF_FEEDS: Final = frozenset(
    {"Basis", "Currency", "Product types", "Categories", "Brands", "SKUs", "Locations"}
)
_NOT_OF_QUARANTINE: Final = _NOT_OF_FEEDS | {"Period"}
_LEVELS: Final = ("on_hand", "unavailable", "allocated")
_BY_PRODUCT: Final = (
    *("sku", "title", "product_type", "category", "brand", *_LEVELS),
    *("queued", "available_to_fulfill", "units_sold_28d", "cover_days"),
)
_BY_LOCATION: Final = (
    *("location_name", "location_code", "products_count", *_LEVELS, "available_to_fulfill"),
)
_COUNTS: Final = (
    *("payloads_count", "documents_count", "captured_count", "updated_count"),
    *("duplicate_count", "stale_count", "quarantined_count", "failed_count", "size_bytes"),
)
_BY_FEED: Final = (
    *("channel_name", "channel_code", "transport", "topic", "last_received_at", "lag_seconds"),
    *_COUNTS,
)
_QUARANTINE: Final = (
    *("channel_name", "code", "line", "field", "detail", "external_ref", "file_name"),
    *("position", "topic", "problems_count", "attempts", "state", "first_seen_at", "resolved_at"),
)


def stock_by_product(publication: Publication, filters: Filters) -> Sheet:
    """Make the table of stock by product, the shortest cover first."""
    frame = stock.by_product(publication, filters)
    return Sheet(
        name="stock_by_product",
        title="Stock by product",
        columns=columns(_BY_PRODUCT),
        frames=Held(frame),
        facts=facts(publication, filters, _NOT_OF_STOCK),
        total=stock.totals(publication, filters),
    )


def stock_by_location(publication: Publication, filters: Filters) -> Sheet:
    """Make the table of stock by location."""
    frame = stock.by_location(publication, filters)
    total = stock.totals(publication, filters)
    return Sheet(
        name="stock_by_location",
        title="Stock by location",
        columns=columns(_BY_LOCATION),
        frames=Held(frame),
        facts=facts(publication, filters, _NOT_OF_STOCK),
        total={name: total[name] for name in (*_LEVELS, "available_to_fulfill")},
    )


def feeds_by_channel(publication: Publication, filters: Filters) -> Sheet:
    """Make the table of what came in by channel, way and topic."""
    frame = feeds.by_feed(publication, filters)
    return Sheet(
        name="feeds",
        title="Feeds by channel",
        columns=columns(_BY_FEED),
        frames=Held(frame),
        facts=facts(publication, filters, _NOT_OF_FEEDS),
        total={name: frame.get_column(name).sum() for name in _COUNTS},
    )


def quarantined(
    publication: Publication,
    filters: Filters,
    state: str = "open",
    codes: tuple[str, ...] = (),
) -> Sheet:
    """Make the table of documents that could not be taken, with line, field and reason."""
    asked = (("State", state), ("Codes", ", ".join(codes) or "all"))
    return Sheet(
        name="quarantine",
        title="Quarantine",
        columns=columns(_QUARANTINE),
        frames=lambda: feeds.quarantine_batches(publication, filters, state, codes),
        facts=(*asked, *facts(publication, filters, _NOT_OF_QUARANTINE)),
    )
