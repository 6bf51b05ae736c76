"""Canonical documents as draft rows."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from pydantic import BaseModel

from oms.adapters.channels.canonical.fields import instant_text
from oms.adapters.channels.canonical.schema import (
    ChangeIn,
    CountIn,
    MovementIn,
    OrderChangesIn,
    OrderIn,
    PaymentIn,
    ProductIn,
)
from oms.kernel import clock
from oms.kernel.money import minor_from_text

Tables = dict[str, list[list[Any]]]


def order_rows(order: OrderIn, position: int, digest: str, *, is_gross: bool) -> Tables:
    """Return the draft rows of an order; `is_gross` is what the channel's prices are."""
    currency = order.currency
    updated_at = order.updated_at
    version = order.version
    if version is None and updated_at is not None:
        version = clock.version_of(updated_at)
    address = order.ship_to or order.bill_to
    header = [
        position, order.external_ref, order.external_number, version, _at(updated_at),
        _at(order.placed_at), currency,
        is_gross if order.prices_include_tax is None else order.prices_include_tax,
        order.order_type, _method(order), order.location_code, order.customer_ref,
        order.customer_name, order.customer_email, order.customer_phone,
        _json(order.ship_to), _json(order.bill_to),
        order.country_code or (address.country_code if address else None),
        minor_from_text(order.shipping_net, currency),
        minor_from_text(order.shipping_tax, currency), _minor(order.total, currency),
        order.is_test, order.is_historical, False, _at(order.canceled_at), order.cancel_reason,
        order.note, digest,
    ]  # fmt: skip
    lines = [
        [
            position, line.line_ref, line.sku, line.title, line.quantity,
            _minor(line.unit_price, currency), minor_from_text(line.discount, currency),
            minor_from_text(line.total, currency), minor_from_text(line.tax, currency),
        ]
        for line in order.lines
    ]  # fmt: skip
    changes = [_change(position, change, currency) for change in order.changes]
    groups = [
        [
            position, number, group.method, group.location_code, _json(group.ship_to),
            _json(group.pickup_point), json.dumps(group.line_refs),
        ]
        for number, group in enumerate(order.groups, start=1)
    ]  # fmt: skip
    tables: Tables = {"orders": [header], "lines": lines, "changes": changes}
    if groups:
        tables["groups"] = groups
    if order.payments:
        tables["payments"] = [_payment(position, order, each) for each in order.payments]
    return tables


def _payment(position: int, order: OrderIn, payment: PaymentIn) -> list[Any]:
    currency = order.currency
    return [
        position, payment.ref, payment.tender, payment.psp, payment.psp_reference,
        payment.managed_by, payment.brand, payment.last4,
        *(
            minor_from_text(text, currency)
            for text in (payment.amount, payment.authorized, payment.captured, payment.refunded)
        ),
        _at(payment.authorized_until_at), None if payment.psp else order.location_code, None,
    ]  # fmt: skip


def _method(order: OrderIn) -> str:
    """Return the one way all lines go, if they do."""
    methods = {group.method for group in order.groups} or {order.fulfillment_method}
    return methods.pop() if len(methods) == 1 else "mixed"


def _changes_rows(document: OrderChangesIn, position: int, digest: str) -> Tables:
    header: list[Any] = [None] * 28
    header[0], header[1], header[23], header[27] = position, document.external_ref, True, digest
    currency = document.currency or ""
    changes = [_change(position, change, currency) for change in document.changes]
    return {"orders": [header], "changes": changes}


def _product_rows(product: ProductIn, position: int, _digest: str) -> Tables:
    row = [
        position, product.sku, product.gtin, product.title, product.product_type,
        product.category, product.brand, product.tax_class, product.is_sellable, True,
    ]  # fmt: skip
    return {"products": [row]}


def _count_rows(count: CountIn, position: int, _digest: str) -> Tables:
    row = [
        position, count.count_ref, count.sku, count.location_code, count.counted,
        _at(count.counted_at),
    ]  # fmt: skip
    return {"counts": [row]}


def _movement_rows(movement: MovementIn, position: int, _digest: str) -> Tables:
    row = [
        position, movement.movement_ref, movement.kind, movement.sku, movement.location_code,
        movement.quantity, _at(movement.occurred_at), movement.reason,
    ]  # fmt: skip
    return {"movements": [row]}


ROWS: Final[dict[type[BaseModel], Callable[[Any, int, str], Tables]]] = {
    OrderChangesIn: _changes_rows,
    ProductIn: _product_rows,
    CountIn: _count_rows,
    MovementIn: _movement_rows,
}


def _change(position: int, change: ChangeIn, currency: str) -> list[Any]:
    return [
        position, change.kind, change.change_ref, change.line_ref, change.quantity,
        _at(change.occurred_at), _minor(change.total, currency), _minor(change.tax, currency),
        change.location_code, change.restock, change.reason,
    ]  # fmt: skip


def _at(at: datetime | None) -> str | None:
    return None if at is None else instant_text(at)


def _minor(text: str | None, currency: str) -> int | None:
    return None if text is None else minor_from_text(text, currency)


def _json(value: BaseModel | None) -> str | None:
    return None if value is None else value.model_dump_json(exclude_none=True)
