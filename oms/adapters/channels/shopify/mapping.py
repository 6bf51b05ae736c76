"""Payloads of a Shopify shop, mapped to drafts."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from itertools import islice
from typing import Any, Final, NoReturn

from oms.adapters.channels.shopify.options import Options
from oms.adapters.channels.shopify.orders import OrderRows, digest_of
from oms.adapters.channels.shopify.reading import Reader
from oms.catalog.model import is_gtin
from oms.kernel.limits import SLICE_DOCUMENTS_MAX
from oms.workflows.documents import (
    Documents,
    Fragment,
    Problem,
    RejectedDocument,
    Source,
    Unreadable,
    csv_rows,
)

ORDERS: Final = frozenset({
    "orders", "orders/create", "orders/updated", "orders/cancelled", "orders/paid",
    "orders/edited", "orders/fulfilled", "orders/partially_fulfilled",
})  # fmt: skip
REFUNDS: Final = frozenset({"refunds", "refunds/create"})
FULFILLMENTS: Final = frozenset({"fulfillments", "fulfillments/create", "fulfillments/update"})
STOCK: Final = frozenset({"inventory_levels", "inventory_levels/update"})
PRODUCTS: Final = frozenset({"products", "products/create", "products/update"})
# A list is wrapped in an object under its plural, one document under its singular.
WRAPPERS: Final = ("orders", "order", "refunds", "refund", "fulfillments", "fulfillment",
                   "inventory_levels", "inventory_level", "products", "product")  # fmt: skip

BOM: Final = b"\xef\xbb\xbf"
_TOO_DEEP: Final = "it is nested too deeply"

Item = tuple[int | None, bytes, Any]
"""A document: its line, its bytes, and what they say."""


@dataclass(frozen=True, slots=True)
class _NotJson:
    """What bytes say that are no JSON: nothing, and why."""

    why: str


class ShopifyMapping:
    """Maps what a Shopify shop sends, by its topic."""

    topics = ORDERS | REFUNDS | FULFILLMENTS | STOCK | PRODUCTS

    def __init__(self, options: Options) -> None:
        """Take what a person says of the shop."""
        self.options = options

    def documents(self, source: Source, *, after: int = 0) -> Iterator[Documents]:
        """Map a payload slice by slice; raises Unreadable when it is no JSON at all."""
        if source.topic not in self.topics:
            raise Unreadable(f"a Shopify shop sends nothing called {source.topic[:60]!r}")
        items = islice(enumerate(_items(source), start=1), after, None)
        while batch := list(islice(items, SLICE_DOCUMENTS_MAX)):
            yield self._slice(source, batch)

    def _slice(self, source: Source, batch: list[tuple[int, Item]]) -> Documents:
        tables: dict[str, list[list[Any]]] = {}
        rejected: list[RejectedDocument] = []
        for position, (_, _, value) in batch:
            rows, ref, problems = self._document(source, position, value)
            if problems:
                rejected.append(
                    RejectedDocument(position=position, external_ref=ref, problems=tuple(problems))
                )
                continue
            for table, found in rows.items():
                tables.setdefault(table, []).extend(found)
        by_position = {position: (line, body) for position, (line, body, _) in batch}

        def fragment(position: int) -> Fragment:
            line, body = by_position[position]
            return Fragment(line=line, body=body)

        return Documents(
            first=batch[0][0], count=len(batch), rejected=tuple(rejected), fragment=fragment,
            tables={table: csv_rows(rows) for table, rows in tables.items() if rows},
        )  # fmt: skip

    def _document(
        self, source: Source, position: int, value: Any
    ) -> tuple[dict[str, list[list[Any]]], str | None, list[Problem]]:
        if isinstance(value, _NotJson):
            return {}, None, [Problem(field="", code="MALFORMED", detail=value.why)]
        reader = Reader(value)
        read = self._reader_of(source.topic)
        try:
            rows, ref = read(source, position, reader)
        except RecursionError:  # just so deep that it can be read but not written
            return {}, None, [Problem(field="", code="MALFORMED", detail=_TOO_DEEP)]
        return rows, ref, list(dict.fromkeys(reader.problems))

    def _reader_of(
        self, topic: str
    ) -> Callable[[Source, int, Reader], tuple[dict[str, list[list[Any]]], str | None]]:
        kinds = (
            (ORDERS, self._order), (REFUNDS, self._refund), (FULFILLMENTS, self._fulfillment),
            (STOCK, self._stock), (PRODUCTS, self._product),
        )  # fmt: skip
        return next(read for topics, read in kinds if topic in topics)

    def _order(
        self, _source: Source, position: int, reader: Reader
    ) -> tuple[dict[str, list[list[Any]]], str | None]:
        rows = OrderRows(self.options)
        ref = rows.order(position, reader, digest_of(reader.value))
        return rows.tables, ref

    def _refund(
        self, source: Source, position: int, reader: Reader
    ) -> tuple[dict[str, list[list[Any]]], str | None]:
        rows = OrderRows(self.options)
        ref = rows.partial(position, reader, digest_of(reader.value))
        transactions = list(reader.each("transactions"))
        currency = transactions[0].text("currency") if transactions else None
        rows.refund(position, reader, currency or source.channel.currency)
        return rows.tables, ref

    def _fulfillment(
        self, _source: Source, position: int, reader: Reader
    ) -> tuple[dict[str, list[list[Any]]], str | None]:
        rows = OrderRows(self.options)
        ref = rows.partial(position, reader, digest_of(reader.value))
        rows.fulfillment(position, reader)
        return rows.tables, ref

    def _stock(
        self, _source: Source, position: int, reader: Reader
    ) -> tuple[dict[str, list[list[Any]]], str | None]:
        item, location = reader.ref("inventory_item_id"), reader.ref("location_id")
        sku = self.options.inventory_items.get(item or "")
        code = self.options.locations.get(location or "")
        if item and sku is None:
            reader.refuse(
                "inventory_item_id", "UNMAPPED_CODE", f"inventory item {item} is not mapped"
            )
        if location and code is None:
            reader.refuse("location_id", "UNMAPPED_CODE", f"location {location} is not mapped")
        counted = reader.quantity("available", least=0)
        at = reader.instant("updated_at")
        return {"counts": [[position, digest_of(reader.value), sku, code, counted, at]]}, item

    def _product(
        self, _source: Source, position: int, reader: Reader
    ) -> tuple[dict[str, list[list[Any]]], str | None]:
        title, kind, brand = (reader.text(f) for f in ("title", "product_type", "vendor"))
        is_sold = (reader.text("status") or "active") == "active"
        rows: list[list[Any]] = []
        for variant in reader.each("variants"):
            sku = variant.ref("sku", is_needed=False) or f"shopify-{variant.ref('id')}"
            barcode = variant.text("barcode") or ""
            name = variant.text("title")
            shown = f"{title} {name}" if name and name != "Default Title" else title
            gtin = barcode if is_gtin(barcode) else None
            rows.append([position, sku, gtin, shown, kind, kind, brand, None, is_sold, True])
        return {"products": rows}, reader.ref("id")


def build(options: dict[str, Any]) -> ShopifyMapping:
    """Make the mapping of a shop; raises pydantic's ValidationError for unknown options."""
    return ShopifyMapping(Options.model_validate(options))


def _items(source: Source) -> Iterator[Item]:
    if "ndjson" in source.content_type or (source.file_name or "").endswith((".ndjson", ".jsonl")):
        yield from _lines(source)
        return
    body = source.read().removeprefix(BOM)
    if not body.strip():
        raise Unreadable("the payload is empty")
    try:
        value = _json(body)
    except ValueError as error:
        # A webhook's body is one document: broken, it is one document in quarantine.
        yield None, body, _NotJson(f"this is not JSON: {error}")
        return
    yield from _unwrapped(body, value)


def _lines(source: Source) -> Iterator[Item]:
    with source.path.open("rb") if source.path else BytesIO(source.read()) as file:
        for number, whole in enumerate(file, start=1):
            line = whole.removeprefix(BOM).strip()
            if not line:
                continue
            try:
                value = _json(line)
            except ValueError as error:
                yield number, line, _NotJson(f"this line is not JSON: {error}")
                continue
            for _, each, inner in _unwrapped(line, value):
                yield number, each, inner


def _unwrapped(body: bytes, value: Any) -> Iterator[Item]:
    if isinstance(value, dict) and len(value) == 1:
        ((name, inner),) = value.items()
        if name in WRAPPERS:
            value = inner
            if isinstance(value, dict):
                yield None, body, value
                return
    if not isinstance(value, list):
        yield None, body, value
        return
    for each in value:
        yield None, json.dumps(each, ensure_ascii=False).encode(errors="replace"), each


def _json(text: bytes) -> Any:
    """Read JSON with amounts left as they are written; raises ValueError."""
    try:
        return json.loads(text, parse_float=str, parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number JSON has")
