"""The marketplace's order report: tab-separated, one row per item and per change of its status."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oms.simulator.formats.texts import amount, utc
from oms.simulator.snapshot import Snapshot
from oms.simulator.tenders import payments_of
from oms.simulator.trouble import (
    BAD_DATE,
    NO_SUCH_CURRENCY,
    NO_SUCH_DATE,
    NO_SUCH_SKU,
    UNKNOWN_CURRENCY,
    UNKNOWN_SKU,
    WRONG_COLUMNS,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from oms.simulator.model import Change, Order
    from oms.simulator.retailer import Happening

HEADER = (
    "order-id", "order-item-id", "order-status", "purchase-date", "status-date", "status-id",
    "sku", "product-name", "quantity", "currency", "item-price", "item-promotion-discount",
    "item-total", "item-tax", "shipping-price", "shipping-tax", "buyer-email", "buyer-name",
    "ship-address", "ship-postal-code", "ship-city", "ship-country", "status-reason", "restocked",
    "location", "payment-id", "paid-total", "refunded-total",
)  # fmt: skip
STATUSES = {
    "sale": "Unshipped", "ship": "Shipped", "cancel": "Cancelled", "return": "Returned",
    "pay": "Paid",
}  # fmt: skip
_NOT_PAID = ("",) * 3


def order_ref(order: Order) -> str:
    """Say the marketplace's order number: three groups of digits."""
    text = f"4{order.number:016d}"
    return f"{text[:3]}-{text[3:10]}-{text[10:]}"


def item_ref(order: Order, index: int) -> str:
    """Say the marketplace's number of an item."""
    return f"{order.number:012d}{index + 1:02d}"


def report(happenings: Iterable[Happening]) -> bytes:
    """Write the report of some time: new items, and items whose status changed."""
    rows = ["\t".join(HEADER)]
    for happening in happenings:
        order = happening.order
        if happening.upto:
            rows.extend(_status_rows(order, order.changes[happening.upto - 1]))
        else:
            rows.extend(_item_rows(order))
        rows.extend(_payment_rows(Snapshot(order, happening.upto)))
    return ("\n".join(rows) + "\n").encode()


def _item_rows(order: Order) -> Iterator[str]:
    """Write the items of a new order; the shipping stands on its first item."""
    broken, who, to = order.trouble.broken, order.customer, order.ship_to
    assert who is not None, "a marketplace knows the buyer"
    assert to is not None, "a marketplace order is sent somewhere"
    placed_at = f"{NO_SUCH_DATE}T12:00:00Z" if broken == BAD_DATE else utc(order.placed_at)
    for index, line in enumerate(order.lines):
        is_first = index == 0
        fields = (
            order_ref(order), item_ref(order, index), STATUSES["sale"], placed_at,
            utc(order.placed_at), "",
            NO_SUCH_SKU if broken == UNKNOWN_SKU and is_first else line.product.sku, line.title,
            str(line.quantity),
            NO_SUCH_CURRENCY if broken == UNKNOWN_CURRENCY else order.currency,
            amount(line.unit_price), amount(line.discount), amount(line.total), amount(line.tax),
            amount(order.shipping if is_first else 0),
            amount(order.shipping_tax if is_first else 0), order.email, who.name, to.street,
            to.postcode, to.city, to.country_code, "", "", "", *_NOT_PAID,
        )  # fmt: skip
        yield "\t".join((*fields, "", "") if broken == WRONG_COLUMNS else fields)


def _status_rows(order: Order, change: Change) -> Iterator[str]:
    """Write the items that were shipped, canceled or returned, and what they are worth."""
    place = change.place.code if change.place and change.kind != "cancel" else ""
    for part in change.parts:
        line = order.lines[part.line]
        yield "\t".join(
            (
                order_ref(order), item_ref(order, part.line), STATUSES[change.kind],
                utc(order.placed_at), utc(change.at), f"{order_ref(order)}/{change.number}",
                line.product.sku, line.title, str(part.quantity), order.currency,
                amount(line.unit_price), "0.00", amount(part.total), amount(part.tax), "0.00",
                "0.00", "", "", "", "", "", order.country_code, change.reason,
                "yes" if change.restock and change.kind == "return" else "no", place, *_NOT_PAID,
            )
        )  # fmt: skip


def _payment_rows(snapshot: Snapshot) -> Iterator[str]:
    """Write what the buyer has paid the marketplace: again where something went back."""
    order, last = snapshot.order, snapshot.changes[-1] if snapshot.upto else None
    if order.trouble.broken == WRONG_COLUMNS or (last is not None and last.kind == "ship"):
        return
    at = utc(last.at if last else order.placed_at)
    if order.trouble.broken == BAD_DATE:
        at = f"{NO_SUCH_DATE}T12:00:00Z"
    currency = NO_SUCH_CURRENCY if order.trouble.broken == UNKNOWN_CURRENCY else order.currency
    for paid in payments_of(snapshot):
        yield "\t".join(
            (
                order_ref(order), "", STATUSES["pay"], utc(order.placed_at), at, *[""] * 4,
                currency, *[""] * 15, payment_ref(order), amount(paid.captured),
                amount(paid.refunded),
            )
        )  # fmt: skip


def payment_ref(order: Order) -> str:
    """Say the marketplace's number of what was paid for an order."""
    return f"MP{order.number:012d}"
