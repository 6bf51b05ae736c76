"""The back office's feeds: the catalogue as it changes, stock movements and counts."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from oms.simulator.delivery import NDJSON, NDJSON_DOCUMENTS_MAX, chunks
from oms.simulator.formats import canonical
from oms.simulator.model import Payload
from oms.simulator.network import BACKOFFICE
from oms.simulator.rhythm import local

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date, datetime

    from oms.simulator.book import Expected
    from oms.simulator.model import Product
    from oms.simulator.retailer import Day

ANNOUNCED_DAYS = 10  # before it is sold a product is in the catalogue, so that stock may come


def announced_on(product: Product, first: date) -> date:
    """Say when a product is told to the platform: at the latest on the story's first day."""
    return max(first, product.launched_on - timedelta(days=ANNOUNCED_DAYS))


def feeds(day: Day, products: Sequence[Product], first: date, book: Expected) -> Iterator[Payload]:
    """Bring the feeds of a day; the catalogue of the first day is set up, not fed."""
    zone = BACKOFFICE.time_zone
    news = _catalogue_news(day, products, first)
    book.products += len(news)
    yield from _files("products", day.on, news, local(day.on, 5 * 60, 0, zone), book)
    moved = [canonical.movement(movement) for movement in day.stock.movements]
    for movement in day.stock.movements:
        book.moved[movement.kind, movement.place.code] += movement.quantity
    hour = 0 if day.on == first else 9
    yield from _files("movements", day.on, moved, local(day.on, hour * 60 + 30, 0, zone), book)
    counted = [canonical.count(count) for count in day.stock.counts]
    for count in day.stock.counts:
        book.counts[count.place.code] += 1
    yield from _files("counts", day.on, counted, local(day.on, 22 * 60 + 30, 0, zone), book)


def _catalogue_news(day: Day, products: Sequence[Product], first: date) -> list[bytes]:
    """Write the products that are new, and those that are told anew."""
    new = [
        canonical.product(product, product.title, product.product_type)
        for product in products
        if announced_on(product, first) == day.on != first
    ]
    anew = [canonical.product(r.product, r.title, r.product_type) for r in day.revised]
    return new + anew


def _files(
    topic: str, on: date, documents: Sequence[bytes], at: datetime, book: Expected
) -> Iterator[Payload]:
    """Drop documents one per line, in files of a bearable size."""
    for number, part in enumerate(chunks(documents, NDJSON_DOCUMENTS_MAX), 1):
        book.payloads[BACKOFFICE.code, "file", topic] += 1
        name = f"{topic}_{on}_{number:03d}.ndjson"
        body = b"".join(document + b"\n" for document in part)
        yield Payload(BACKOFFICE.code, "file", topic, NDJSON, name, body, at)
