"""The call center's export: a Parquet file with typed columns, one row per line and event."""

from __future__ import annotations

import io
from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl

from oms.simulator.snapshot import Snapshot
from oms.simulator.tenders import payments_of, service_of
from oms.simulator.trouble import NO_SUCH_CURRENCY, NO_SUCH_SKU, UNKNOWN_CURRENCY, UNKNOWN_SKU

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from oms.simulator.model import Change, Order
    from oms.simulator.retailer import Happening

_AMOUNT = pl.Decimal(14, 2)
_INSTANT = pl.Datetime("us", "UTC")
SCHEMA: dict[str, pl.DataType] = {
    "order_no": pl.String(),
    "line_no": pl.Int32(),
    "event": pl.String(),
    "event_no": pl.String(),
    "event_at": _INSTANT,
    "called_at": _INSTANT,
    "operator": pl.String(),
    "company": pl.String(),
    "company_no": pl.String(),
    "email": pl.String(),
    "phone": pl.String(),
    "street": pl.String(),
    "postcode": pl.String(),
    "city": pl.String(),
    "country": pl.String(),
    "delivery": pl.String(),
    "sku": pl.String(),
    "description": pl.String(),
    "quantity": pl.Int32(),
    "currency": pl.String(),
    "unit_price": _AMOUNT,
    "discount": _AMOUNT,
    "line_net": _AMOUNT,
    "line_tax": _AMOUNT,
    "shipping_net": _AMOUNT,
    "shipping_tax": _AMOUNT,
    "order_total": _AMOUNT,
    "location": pl.String(),
    "reason": pl.String(),
    "restock": pl.Boolean(),
    "tender": pl.String(),
    "service": pl.String(),
    "service_ref": pl.String(),
    "payable_total": _AMOUNT,
    "paid_total": _AMOUNT,
    "refunded_total": _AMOUNT,
}
EVENTS = {
    "sale": "ordered", "ship": "shipped", "cancel": "canceled", "return": "returned",
    "pay": "paid",
}  # fmt: skip
_NOT_PAID = (None,) * 6
DELIVERIES = {"ship_home": "address", "pickup_point": "point"}
_OPERATORS = ("Marleen", "Youssef", "Bas", "Inge")


def order_no(order: Order) -> str:
    """Say the call center's order number."""
    return f"T{order.number}"


def export(happenings: Iterable[Happening]) -> bytes:
    """Write the export of some time: lines ordered, and what happened to lines."""
    rows = [row for happening in happenings for row in _rows(happening)]
    buffer = io.BytesIO()
    columns = dict(zip(SCHEMA, zip(*rows, strict=True), strict=True))
    frame = pl.DataFrame(columns, schema=SCHEMA)
    frame.write_parquet(buffer, compression="zstd")
    return buffer.getvalue()


def _rows(happening: Happening) -> Iterator[tuple[object, ...]]:
    """Write what happened, and how the order is paid then."""
    order, change = happening.order, None
    if happening.upto:
        change = order.changes[happening.upto - 1]
    if change is None:
        yield from _order_rows(order)
    elif change.kind != "pay":
        yield from _change_rows(order, change)
    if change is None or change.kind != "ship":
        yield from _payment_rows(Snapshot(order, happening.upto))


def _payment_rows(snapshot: Snapshot) -> Iterator[tuple[object, ...]]:
    """Write what is to be paid and what was by now: by a link, or by invoice."""
    order, broken = snapshot.order, snapshot.order.trouble.broken
    for paid in payments_of(snapshot):
        service = service_of(order, paid)
        yield (
            order_no(order), None, EVENTS["pay"], None, snapshot.updated_at, order.placed_at,
            *[None] * 13, NO_SUCH_CURRENCY if broken == UNKNOWN_CURRENCY else order.currency,
            *[None] * 10, paid.tender, service, f"{order_no(order)}-{paid.no}" if service else None,
            _units(paid.amount), _units(paid.captured), _units(paid.refunded),
        )  # fmt: skip


def _units(minor: int) -> Decimal:
    return Decimal(minor).scaleb(-2)


def _order_rows(order: Order) -> Iterator[tuple[object, ...]]:
    """Write the lines of a new order, each with the facts of the whole order."""
    who, to, broken = order.customer, order.ship_to, order.trouble.broken
    assert who is not None, "somebody called"
    assert to is not None, "an order by telephone is sent somewhere"
    total = Snapshot(order, 0).stated_total
    for index, line in enumerate(order.lines):
        yield (
            order_no(order), index + 1, EVENTS["sale"], None, order.placed_at, order.placed_at,
            _OPERATORS[order.seq % len(_OPERATORS)], who.name, who.ref, order.email, who.phone,
            to.street, to.postcode, to.city, to.country_code, DELIVERIES[order.method],
            NO_SUCH_SKU if broken == UNKNOWN_SKU and index == 0 else line.product.sku, line.title,
            line.quantity, NO_SUCH_CURRENCY if broken == UNKNOWN_CURRENCY else order.currency,
            _units(line.unit_price), _units(line.discount), _units(line.total), _units(line.tax),
            _units(order.shipping), _units(order.shipping_tax), _units(total), None, None, None,
            *_NOT_PAID,
        )  # fmt: skip


def _change_rows(order: Order, change: Change) -> Iterator[tuple[object, ...]]:
    """Write the lines that were shipped, canceled or returned."""
    place = change.place.code if change.place and change.kind != "cancel" else None
    for part in change.parts:
        line = order.lines[part.line]
        has_money = change.kind != "ship"
        yield (
            order_no(order), part.line + 1, EVENTS[change.kind],
            f"{order_no(order)}/{change.number}", change.at, order.placed_at, None, None, None,
            None, None, None, None, None, order.country_code, DELIVERIES[order.method],
            line.product.sku, line.title, part.quantity, order.currency, None, None,
            _units(part.total) if has_money else None, _units(part.tax) if has_money else None,
            None, None, None, place, change.reason or None,
            change.restock if change.kind == "return" else None, *_NOT_PAID,
        )  # fmt: skip
