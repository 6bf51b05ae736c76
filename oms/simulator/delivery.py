"""How what happened reaches the platform: in files of a whole window, or moment by moment."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from oms.simulator.formats import (
    callcenter_parquet,
    canonical,
    marketplace_tsv,
    pos_csv,
    shopify,
)
from oms.simulator.model import Payload
from oms.simulator.streams import stream
from oms.simulator.tellings import tellings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from oms.simulator.book import Expected
    from oms.simulator.model import Plan
    from oms.simulator.retailer import Happening
    from oms.simulator.snapshot import Snapshot

T = TypeVar("T")

JSON = "application/json"
NDJSON = "application/x-ndjson"
CSV = "text/csv; charset=windows-1252"
TSV = "text/tab-separated-values; charset=utf-8"
PARQUET = "application/vnd.apache.parquet"

NDJSON_DOCUMENTS_MAX = 5000
_DELAYS = {
    "pos": timedelta(minutes=5),
    "webshop-eu": timedelta(minutes=10),
    "webshop-uk": timedelta(minutes=12),
    "kiosk": timedelta(minutes=15),
    "phone": timedelta(minutes=20),
    "marketplace": timedelta(minutes=40),
}
_GONE = frozenset({"cancel", "return"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A stretch of time that is told in one go after its end."""

    label: str
    end: datetime
    length: timedelta


def chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Cut a sequence into pieces of at most a size."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


class Courier:
    """The one who brings documents, and keeps the answer book about them."""

    def __init__(self, plan: Plan, book: Expected) -> None:
        """Know how often things go wrong on the way, and where to note it."""
        self._plan, self._book = plan, book
        self._windows: dict[
            str, Callable[[Sequence[Happening], Window, datetime], Iterator[Payload]]
        ] = {
            "webshop-eu": self._bulk,
            "webshop-uk": self._pages,
            "pos": self._till_files,
            "kiosk": self._kiosk_batch,
            "marketplace": self._report,
            "phone": self._export,
        }
        self._moments: dict[str, Callable[[Snapshot, datetime], Iterator[Payload]]] = {
            "webshop-eu": _webhooks,
            "webshop-uk": _changed_page,
            "kiosk": _kiosk_post,
        }

    def window(self, code: str, happenings: Sequence[Happening], window: Window) -> list[Payload]:
        """Bring what happened in a channel within a window."""
        if not happenings:
            return []
        at = window.end + _DELAYS[code] * (window.length / timedelta(days=1))
        return self._noted(self._windows[code](happenings, window, at))

    def moment(self, code: str, happening: Happening) -> list[Payload]:
        """Bring one happening by itself, seconds later."""
        payloads: list[Payload] = []
        at = happening.at + timedelta(seconds=2)
        for snapshot in tellings([happening], self._book):
            payloads.extend(self._moments[code](snapshot, at))
            at += timedelta(seconds=1)
        return self._noted(payloads)

    def has_moments(self, code: str) -> bool:
        """Tell whether a channel can tell its happenings one by one."""
        return code in self._moments

    def _noted(self, payloads: Sequence[Payload] | Iterator[Payload]) -> list[Payload]:
        """Count payloads in the book."""
        noted = list(payloads)
        for payload in noted:
            self._book.payloads[payload.channel_code, payload.transport, payload.topic] += 1
        return noted

    def _bulk(
        self, happenings: Sequence[Happening], window: Window, at: datetime
    ) -> Iterator[Payload]:
        """Export the orders of the European shop, one JSON object a line."""
        told = tellings(happenings, self._book)
        for number, part in enumerate(chunks(told, shopify.BULK_ORDERS_MAX), 1):
            body = shopify.bulk(map(shopify.body, part))
            name = f"orders_{window.label}_{number:03d}.jsonl"
            yield Payload("webshop-eu", "file", "orders", NDJSON, name, body, at)

    def _pages(
        self, happenings: Sequence[Happening], _window: Window, at: datetime
    ) -> Iterator[Payload]:
        """Pull the pages of the British shop's orders that changed."""
        told = tellings(happenings, self._book)
        for part in chunks(told, shopify.PAGE_ORDERS_MAX):
            yield Payload("webshop-uk", "pull", "orders", JSON, None, shopify.page(part), at)

    def _till_files(
        self, happenings: Sequence[Happening], window: Window, at: datetime
    ) -> Iterator[Payload]:
        """Drop the file of each store, or of all of them once the head office gathered a day."""
        stores: defaultdict[str, list[Happening]] = defaultdict(list)
        is_day = window.length >= timedelta(days=1)
        for happening in happenings:
            store = pos_csv.store_of(happening)
            stores["all" if is_day else str(store.number)].append(happening)
        for store_name in sorted(stores):
            self._tell_each(stores[store_name])
            name = f"POS_{store_name}_{window.label}.csv"
            body = pos_csv.till_file(stores[store_name])
            yield from self._dropped(Payload("pos", "file", "orders", CSV, name, body, at), window)

    def _kiosk_batch(
        self, happenings: Sequence[Happening], _window: Window, at: datetime
    ) -> Iterator[Payload]:
        """Push what the kiosks gathered, one canonical document a line."""
        told = tellings(happenings, self._book)
        for part in chunks(told, NDJSON_DOCUMENTS_MAX):
            body = b"".join(canonical.order(snapshot) + b"\n" for snapshot in part)
            yield Payload("kiosk", "push", "orders", NDJSON, None, body, at)

    def _report(
        self, happenings: Sequence[Happening], window: Window, at: datetime
    ) -> Iterator[Payload]:
        """Drop the marketplace's report."""
        self._tell_each(happenings)
        name = f"order_report_{window.label}.tsv"
        body = marketplace_tsv.report(happenings)
        yield from self._dropped(
            Payload("marketplace", "file", "orders", TSV, name, body, at), window
        )

    def _export(
        self, happenings: Sequence[Happening], window: Window, at: datetime
    ) -> Iterator[Payload]:
        """Drop the call center's export."""
        self._tell_each(happenings)
        name = f"calls_{window.label}.parquet"
        body = callcenter_parquet.export(happenings)
        yield from self._dropped(
            Payload("phone", "file", "orders", PARQUET, name, body, at), window
        )

    def _tell_each(self, happenings: Sequence[Happening]) -> None:
        """Note rows: each tells one thing that happened."""
        for happening in happenings:
            self._book.tell(happening.order, happening.upto)

    def _dropped(self, payload: Payload, window: Window) -> Iterator[Payload]:
        """Drop a file: mostly once and in time."""
        rates = self._plan.rates
        rng = stream(self._plan.seed, "files", payload.file_name)
        if rng.random() < rates.file_late:
            self._book.late_payloads[payload.channel_code] += 1
            payload = payload._replace(at=payload.at + window.length * 0.6)
        yield payload
        if rng.random() < rates.file_twice:
            self._book.repeated_payloads[payload.channel_code] += 1
            yield payload._replace(at=payload.at + window.length * 0.1)


def _webhooks(snapshot: Snapshot, at: datetime) -> Iterator[Payload]:
    """Push one order's news; money that goes back is told by itself first."""
    order = snapshot.order
    last = snapshot.changes[-1] if snapshot.upto else None
    if last is not None and last.kind in _GONE and not last.closes:
        body = shopify.refund_body(order, last)
        yield Payload("webshop-eu", "push", "refunds/create", JSON, None, body, at)
    topic = "orders/create" if last is None else "orders/updated"
    if last is not None and last.closes:
        topic = "orders/cancelled"
    yield Payload("webshop-eu", "push", topic, JSON, None, shopify.body(snapshot), at)


def _changed_page(snapshot: Snapshot, at: datetime) -> Iterator[Payload]:
    """Answer a pull with the one order that changed."""
    yield Payload("webshop-uk", "pull", "orders", JSON, None, shopify.page([snapshot]), at)


def _kiosk_post(snapshot: Snapshot, at: datetime) -> Iterator[Payload]:
    """Push one canonical document."""
    yield Payload("kiosk", "push", "orders", JSON, None, canonical.order(snapshot), at)
