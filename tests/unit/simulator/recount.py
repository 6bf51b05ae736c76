"""A second opinion on the answer book: everything read back from the payloads' bytes alone.

Nothing of the simulator's formats is used here: what they write wrongly must show.
"""

import csv
import hashlib
import io
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from oms.simulator.model import Payload

ZONES = defaultdict(lambda: ZoneInfo("Europe/Amsterdam"), {
    "webshop-uk": ZoneInfo("Europe/London"), "marketplace": ZoneInfo("Europe/Berlin"),
})  # fmt: skip
RESTOCKS = {"cancel": "cancel", "return": "return", "no_restock": "return"}
TILL_KINDS = {"R": "return", "D": "ship", "X": "cancel"}
REPORT_KINDS = {"Returned": "return", "Shipped": "ship", "Cancelled": "cancel"}
EXPORT_KINDS = {"returned": "return", "shipped": "ship", "canceled": "cancel"}


@dataclass
class Line:
    sku: str
    quantity: int
    net: int
    tax: int


@dataclass
class Order:
    placed_at: datetime
    version: datetime
    currency: str
    lines: dict[str, Line]
    shipping_net: int
    shipping_tax: int
    stated: int | None
    is_test: bool = False

    @property
    def total(self) -> int:
        items = sum(line.net + line.tax for line in self.lines.values())
        return items + self.shipping_net + self.shipping_tax


@dataclass
class Event:
    at: datetime
    quantity: int
    net: int
    tax: int


class Refused(Exception):
    """The document is broken: its argument says how."""


@dataclass
class Recount:
    skus: set[str]
    orders: dict[tuple[str, str], Order] = field(default_factory=dict)
    events: dict[tuple[str, str, str, str, str], Event] = field(default_factory=dict)
    line_told: dict[tuple[str, str], dict[str, datetime | None]] = field(default_factory=dict)
    broken: Counter[tuple[str, str]] = field(default_factory=Counter)
    duplicates: Counter[str] = field(default_factory=Counter)
    stale: Counter[str] = field(default_factory=Counter)
    repeated_payloads: Counter[str] = field(default_factory=Counter)
    orders_read: Counter[str] = field(default_factory=Counter)
    _digests: set[bytes] = field(default_factory=set)

    def read(self, payloads: Iterable[Payload]) -> "Recount":
        """Read payloads in their order."""
        readers = {
            "webshop-eu": self._shop, "webshop-uk": self._shop, "kiosk": self._kiosk,
            "pos": self._tills, "marketplace": self._report, "phone": self._export,
        }  # fmt: skip
        for payload in payloads:
            digest = hashlib.sha256(payload.body).digest()
            if payload.transport == "file" and digest in self._digests:
                self.repeated_payloads[payload.channel_code] += 1
            elif payload.channel_code in readers:
                readers[payload.channel_code](payload)
            self._digests.add(digest)
        return self

    # what every channel shares ------------------------------------------------------------

    def _take(self, channel: str, ref: str, order: Order) -> None:
        known = self.orders.get((channel, ref))
        if known is None:
            self.line_told[channel, ref] = dict.fromkeys(order.lines)
        elif order.version == known.version:
            self.duplicates[channel] += 1
            return
        elif order.version < known.version:
            self.stale[channel] += 1
            return
        for line_ref in order.lines:
            self.line_told[channel, ref].setdefault(line_ref, order.version)
        self.orders[channel, ref] = order

    def _happen(self, channel: str, key: tuple[str, str, str, str], event: Event) -> None:
        known = self.events.setdefault((channel, *key), event)
        assert known == event, f"{key} was told differently before"

    def _check(self, skus: Iterable[str], currency: str, *moments: str) -> None:
        for text in moments:
            try:
                datetime.fromisoformat(text)
            except ValueError:
                raise Refused("bad_date") from None
        if currency not in {"EUR", "GBP"}:
            raise Refused("unknown_currency")
        if not self.skus.issuperset(skus):
            raise Refused("unknown_sku")

    # web shops ----------------------------------------------------------------------------

    def _shop(self, payload: Payload) -> None:
        for text in _texts(payload):
            try:
                document = _json(text)
                if payload.topic == "refunds/create":
                    self._refund(payload.channel_code, document)
                else:
                    self._shop_order(payload.channel_code, document)
            except Refused as reason:
                self.broken[payload.channel_code, str(reason)] += 1

    def _shop_order(self, channel: str, document: dict[str, Any]) -> None:
        items = document["line_items"]
        skus = [item["sku"] for item in items]
        self._check(skus, document["currency"], document["created_at"])
        assert document["taxes_included"]
        shipping = [_cents(line["price"]) for line in document["shipping_lines"]]
        shipping_tax = [
            _cents(t["price"]) for s in document["shipping_lines"] for t in s["tax_lines"]
        ]
        lines = {}
        for item in items:
            off = sum(_cents(each["amount"]) for each in item["discount_allocations"])
            gross = _cents(item["price"]) * item["quantity"] - off
            tax = sum(_cents(each["price"]) for each in item["tax_lines"])
            lines[str(item["id"])] = Line(item["sku"], item["quantity"], gross - tax, tax)
        ref = str(document["id"])
        self._take(channel, ref, Order(
            _at(document["created_at"]), _at(document["updated_at"]), document["currency"], lines,
            sum(shipping) - sum(shipping_tax), sum(shipping_tax), _cents(document["total_price"]),
            document["test"],
        ))  # fmt: skip
        for refund in document["refunds"]:
            self._refund(channel, refund)
        for sent in document["fulfillments"]:
            for item in sent["line_items"]:
                key = (ref, "ship", str(sent["id"]), str(item["id"]))
                self._happen(channel, key, Event(_at(sent["created_at"]), item["quantity"], 0, 0))

    def _refund(self, channel: str, refund: dict[str, Any]) -> None:
        for item in refund["refund_line_items"]:
            kind = RESTOCKS[item["restock_type"]]
            tax = _cents(item["total_tax"])
            key = (str(refund["order_id"]), kind, str(refund["id"]), str(item["line_item_id"]))
            net = _cents(item["subtotal"]) - tax
            self._happen(channel, key, Event(_at(refund["created_at"]), item["quantity"], net, tax))

    # kiosks -------------------------------------------------------------------------------

    def _kiosk(self, payload: Payload) -> None:
        for text in _texts(payload):
            try:
                self._kiosk_order(_json(text))
            except Refused as reason:
                self.broken["kiosk", str(reason)] += 1

    def _kiosk_order(self, document: dict[str, Any]) -> None:
        skus = [line["sku"] for line in document["lines"]]
        self._check(skus, document["currency"], document["placed_at"])
        if document["location_code"] == "S-ATLANTIS":
            raise Refused("unknown_store")
        assert document["prices_include_tax"]
        lines = {
            each["line_ref"]: Line(
                each["sku"], each["quantity"], _cents(each["total"]) - _cents(each["tax"]),
                _cents(each["tax"]),
            )
            for each in document["lines"]
        }  # fmt: skip
        ref = document["external_ref"]
        self._take("kiosk", ref, Order(
            _at(document["placed_at"]), _at(document["updated_at"]), document["currency"], lines,
            _cents(document["shipping_net"]), _cents(document["shipping_tax"]),
            _cents(document["total"]),
        ))  # fmt: skip
        for change in document["changes"]:
            tax = _cents(change.get("tax", "0"))
            key = (ref, change["kind"], change["change_ref"], change["line_ref"])
            net = _cents(change.get("total", "0")) - tax
            self._happen(
                "kiosk", key, Event(_at(change["occurred_at"]), change["quantity"], net, tax)
            )

    # files of rows ------------------------------------------------------------------------

    def _rows(
        self, channel: str, rows: list[dict[str, Any]], ref: str, is_sale: Any
    ) -> Iterator[tuple[str, list[dict[str, Any]]]]:
        """Group the rows of sales by order; those of changes are read by the caller."""
        groups: dict[str, list[dict[str, Any]]] = {}
        for row in rows:
            if is_sale(row):
                groups.setdefault(row[ref], []).append(row)
        yield from groups.items()

    def _tills(self, payload: Payload) -> None:
        rows = list(csv.reader(io.StringIO(payload.body.decode("windows-1252")), delimiter=";"))
        header = rows[0]
        whole = [dict(zip(header, row, strict=True)) for row in rows[1:] if len(row) == len(header)]
        self.broken["pos", "wrong_column_count"] += len(rows) - 1 - len(whole)
        for ref, sold in self._rows("pos", whole, "Receipt", lambda row: row["Type"] == "S"):
            try:
                self._receipt(ref, sold)
            except Refused as reason:
                self.broken["pos", str(reason)] += 1
        for row in whole:
            if row["Type"] in TILL_KINDS:
                tax = -_cents(row["VAT"])
                key = (row["OrigReceipt"], TILL_KINDS[row["Type"]], row["Receipt"], row["OrigLine"])
                quantity = abs(int(row["Qty"]))
                net = -_cents(row["Amount"]) - tax
                self._happen("pos", key, Event(_till_moment(row), quantity, net, tax))

    def _receipt(self, ref: str, sold: list[dict[str, Any]]) -> None:
        at = _till_moment(sold[0])
        self._check([row["Article"] for row in sold], sold[0]["Currency"])
        if sold[0]["Store"] == "999":
            raise Refused("unknown_store")
        lines = {
            row["Line"]: Line(
                row["Article"], int(row["Qty"]), _cents(row["Amount"]) - _cents(row["VAT"]),
                _cents(row["VAT"]),
            )
            for row in sold
        }  # fmt: skip
        self._take("pos", ref, Order(at, at, sold[0]["Currency"], lines, 0, 0, None))

    def _report(self, payload: Payload) -> None:
        rows = [line.split("\t") for line in payload.body.decode().splitlines()]
        header = rows[0]
        whole = [dict(zip(header, row, strict=True)) for row in rows[1:] if len(row) == len(header)]
        self.broken["marketplace", "wrong_column_count"] += len(rows) - 1 - len(whole)
        sales = self._rows(
            "marketplace", whole, "order-id", lambda row: row["order-status"] == "Unshipped"
        )
        for ref, sold in sales:
            try:
                self._market_order(ref, sold)
            except Refused as reason:
                self.broken["marketplace", str(reason)] += 1
        for row in whole:
            if row["order-status"] in REPORT_KINDS:
                tax = _cents(row["item-tax"])
                kind = REPORT_KINDS[row["order-status"]]
                key = (row["order-id"], kind, row["status-id"], row["order-item-id"])
                net = _cents(row["item-total"]) - tax
                event = Event(_at(row["status-date"]), int(row["quantity"]), net, tax)
                self._happen("marketplace", key, event)

    def _market_order(self, ref: str, sold: list[dict[str, Any]]) -> None:
        self._check([row["sku"] for row in sold], sold[0]["currency"], sold[0]["purchase-date"])
        lines = {
            row["order-item-id"]: Line(
                row["sku"], int(row["quantity"]),
                _cents(row["item-total"]) - _cents(row["item-tax"]), _cents(row["item-tax"]),
            )
            for row in sold
        }  # fmt: skip
        at = _at(sold[0]["purchase-date"])
        tax = sum(_cents(row["shipping-tax"]) for row in sold)
        shipping = sum(_cents(row["shipping-price"]) for row in sold) - tax
        self._take(
            "marketplace", ref, Order(at, at, sold[0]["currency"], lines, shipping, tax, None)
        )

    def _export(self, payload: Payload) -> None:
        rows = pl.read_parquet(io.BytesIO(payload.body)).to_dicts()
        for ref, sold in self._rows("phone", rows, "order_no", lambda r: r["event"] == "ordered"):
            try:
                self._check([row["sku"] for row in sold], sold[0]["currency"])
            except Refused as reason:
                self.broken["phone", str(reason)] += 1
                continue
            first = sold[0]
            lines = {
                str(row["line_no"]): Line(
                    row["sku"], row["quantity"], _cents(row["line_net"]), _cents(row["line_tax"])
                )
                for row in sold
            }
            at = first["called_at"]
            self._take("phone", ref, Order(
                at, at, first["currency"], lines, _cents(first["shipping_net"]),
                _cents(first["shipping_tax"]), _cents(first["order_total"]),
            ))  # fmt: skip
        for row in rows:
            if row["event"] in EXPORT_KINDS:
                key = (
                    row["order_no"],
                    EXPORT_KINDS[row["event"]],
                    row["event_no"],
                    str(row["line_no"]),
                )
                net, tax = _cents(row["line_net"] or 0), _cents(row["line_tax"] or 0)
                self._happen("phone", key, Event(row["event_at"], row["quantity"], net, tax))

    # sums ---------------------------------------------------------------------------------

    def order_sums(self) -> dict[tuple[str, str, date, bool], tuple[int, ...]]:
        """Add up orders, lines, shipping and totals per channel, currency, day and test."""
        sums: dict[tuple[str, str, date, bool], list[int]] = defaultdict(lambda: [0] * 5)
        for (channel, _), order in self.orders.items():
            on = order.placed_at.astimezone(ZONES[channel]).date()
            row = sums[channel, order.currency, on, order.is_test]
            parts = (1, len(order.lines), order.shipping_net, order.shipping_tax, order.total)
            for index, part in enumerate(parts):
                row[index] += part
        return {key: tuple(row) for key, row in sums.items()}

    def event_sums(self) -> dict[tuple[str, ...], tuple[int, ...]]:
        """Add up units, net and tax per kind, channel, currency, both days, SKU and test."""
        sums: dict[tuple[Any, ...], list[int]] = defaultdict(lambda: [0] * 4)
        for (channel, ref), order in self.orders.items():
            zone = ZONES[channel]
            placed_on = order.placed_at.astimezone(zone).date()
            for line_ref, line in order.lines.items():
                told_at = self.line_told[channel, ref][line_ref]
                kind = "edit" if told_at else "sale"
                on = told_at.astimezone(zone).date() if told_at else placed_on
                key = (kind, channel, order.currency, placed_on, on, line.sku, order.is_test)
                _add(sums[key], line.quantity, line.net, line.tax)
        for (channel, ref, kind, _, line_ref), event in self.events.items():
            order = self.orders[channel, ref]
            zone = ZONES[channel]
            placed_on, on = (at.astimezone(zone).date() for at in (order.placed_at, event.at))
            sku = order.lines[line_ref].sku
            key = (kind, channel, order.currency, placed_on, on, sku, order.is_test)
            _add(sums[key], event.quantity, event.net, event.tax)
        return {key: tuple(row) for key, row in sums.items()}

    def mismatched(self) -> Counter[str]:
        """Count the orders whose stated total is not the sum of their lines."""
        return Counter(
            channel
            for (channel, _), order in self.orders.items()
            if order.stated is not None and order.stated != order.total
        )


def _add(row: list[int], quantity: int, net: int, tax: int) -> None:
    for index, part in enumerate((1, quantity, net, tax)):
        row[index] += part


def _texts(payload: Payload) -> list[bytes]:
    if payload.content_type.endswith("ndjson"):
        return payload.body.splitlines()
    if payload.transport == "pull":
        return [json.dumps(each).encode() for each in json.loads(payload.body)["orders"]]
    return [payload.body]


def _json(text: bytes) -> dict[str, Any]:
    try:
        document: dict[str, Any] = json.loads(text)
    except ValueError:
        raise Refused("truncated_json") from None
    return document


def _cents(text: Any) -> int:
    minor = Decimal(str(text).replace(",", ".")) * 100
    assert minor == int(minor), f"{text} has more than two decimals"
    return int(minor)


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _till_moment(row: dict[str, Any]) -> datetime:
    try:
        day, month, year = row["Date"].split("-")
        wall = datetime.fromisoformat(f"{year}-{month}-{day}T{row['Time']}")
    except ValueError:
        raise Refused("bad_date") from None
    return wall.replace(tzinfo=ZoneInfo("Europe/Amsterdam")).astimezone(UTC)
