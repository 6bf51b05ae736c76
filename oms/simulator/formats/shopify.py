"""A web shop's orders as the Shopify Admin REST API and its webhooks write them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oms.simulator.formats.texts import amount, compact, local
from oms.simulator.formats.transactions import transactions
from oms.simulator.network import STOCKED
from oms.simulator.refs import shop_id
from oms.simulator.trouble import (
    BAD_DATE,
    NO_SUCH_CURRENCY,
    NO_SUCH_DATE,
    NO_SUCH_SKU,
    TRUNCATED,
    UNKNOWN_CURRENCY,
    UNKNOWN_SKU,
    cut,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from oms.simulator.model import Address, Change, Line, Order, Place
    from oms.simulator.snapshot import Snapshot

PAGE_ORDERS_MAX = 250
BULK_ORDERS_MAX = 500

# The shop's code and title for each way of handing over, on its shipping line.
SHIPPING = {
    "ship_home": ("home", "Home delivery"),
    "pickup_point": ("point", "Pick-up point"),
    "collect_store": ("collect", "Click & collect"),
    "ship_from_store": ("near", "Sent from a store near you"),
    "reserve": ("reserve", "Reserve and pay in store"),
}
METHODS = {code: method for method, (code, _) in SHIPPING.items()}
COLLECTED = frozenset({"collect_store", "reserve"})
PICKUP_ATTRIBUTE = "Pickup-Location-Id"
POINT_ATTRIBUTE = "Pickup-Point"
# What the sandbox carrier calls the places customers choose.
POINTS = {
    "P-UTRECHT": "SB-NL-3511-1", "P-ARNHEM": "SB-NL-6811-2", "P-BRUSSEL": "SB-BE-1060-1",
    "P-DUESSELDORF": "SB-DE-40223-2", "P-HACKNEY": "SB-GB-E8-3", "P-LEEDS": "SB-GB-LS1-3",
}  # fmt: skip
_GONE = frozenset({"cancel", "return"})
_CANCEL_REASONS = {"customer": "customer", "out_of_stock": "inventory"}


def location_id(place: Place) -> int:
    """Say the shop's id of a location."""
    return 70_000_000_000 + place.number


LOCATION_IDS = {str(location_id(place)): place.code for place in STOCKED}


def line_id(number: int, index: int) -> int:
    """Say the shop's id of a line of an order."""
    return number * 100 + index + 1


def change_id(number: int, change: Change) -> int:
    """Say the shop's id of a fulfillment or refund of an order."""
    return number * 100 + 50 + change.number


def name(order: Order) -> str:
    """Say the number the customer knows."""
    return f"#{order.country_code}{order.number}"


def document(snapshot: Snapshot) -> dict[str, Any]:
    """Write one order as the object that every endpoint and webhook carries."""
    order = snapshot.order
    number = shop_id(order)
    zone = order.channel.time_zone
    updated_at = local(snapshot.updated_at, zone)
    closing = snapshot.closing
    placed_at = local(order.placed_at, zone)
    currency = order.currency
    if order.trouble.broken == UNKNOWN_CURRENCY:
        currency = NO_SUCH_CURRENCY
    if order.trouble.broken == BAD_DATE:
        placed_at = f"{NO_SUCH_DATE}T12:00:00+01:00"
    return {
        "id": number,
        "name": name(order),
        "order_number": order.number,
        "created_at": placed_at,
        "processed_at": placed_at,
        "updated_at": updated_at,
        "cancelled_at": local(closing.at, zone) if closing else None,
        "cancel_reason": _CANCEL_REASONS.get(closing.reason, "other") if closing else None,
        "currency": currency,
        "taxes_included": order.channel.prices_include_tax,
        "test": order.is_test,
        "confirmed": True,
        "source_name": "pos" if order.method == "carry_out" else "web",
        "location_id": location_id(order.store) if order.store else None,
        "financial_status": _financial_status(snapshot),
        "fulfillment_status": _fulfillment_status(snapshot),
        "note": "Address corrected by the customer" if snapshot.has_new_address else None,
        "note_attributes": _attributes(order),
        "tags": "sale" if order.promotion else "",
        **_money(snapshot),
        **_people(snapshot),
        "line_items": [
            _line(snapshot, number, index, line) for index, line in enumerate(snapshot.lines)
        ],
        "shipping_lines": _shipping(order, number),
        "fulfillments": [
            _fulfillment(order, change) for change in snapshot.changes if change.kind == "ship"
        ],
        "transactions": transactions(snapshot),
        "refunds": [
            refund(order, change) for change in snapshot.changes if change.kind in _GONE
        ],
    }  # fmt: skip


def _attributes(order: Order) -> list[dict[str, Any]]:
    """Write where it is collected, as the shop's app for that notes it."""
    if order.method == "pickup_point" and order.pickup is not None:
        return [{"name": POINT_ATTRIBUTE, "value": f"sandbox:{POINTS[order.pickup.code]}"}]
    if order.pickup is None or order.method not in COLLECTED:
        return []
    return [{"name": PICKUP_ATTRIBUTE, "value": str(location_id(order.pickup))}]


def body(snapshot: Snapshot) -> bytes:
    """Write one order as the body of a webhook or a line of an export."""
    written = compact(document(snapshot))
    return cut(written) if snapshot.order.trouble.broken == TRUNCATED else written


def page(snapshots: Iterable[Snapshot]) -> bytes:
    """Write a page of orders as the list endpoint answers."""
    return compact({"orders": [document(snapshot) for snapshot in snapshots]})


def bulk(bodies: Iterable[bytes]) -> bytes:
    """Write orders one per line, as a bulk export does."""
    return b"".join(body + b"\n" for body in bodies)


def refund_body(order: Order, change: Change) -> bytes:
    """Write one refund as the body of the refunds/create webhook."""
    return compact(refund(order, change))


def refund(order: Order, change: Change) -> dict[str, Any]:
    """Write one refund: of units that were canceled, or that came back."""
    at = local(change.at, order.channel.time_zone)
    is_cancel = change.kind == "cancel"
    restock_type = "cancel" if is_cancel else "return" if change.restock else "no_restock"
    location = location_id(change.place) if change.place and restock_type == "return" else None
    number = shop_id(order)
    refund_id = change_id(number, change)
    return {
        "id": refund_id,
        "order_id": number,
        "created_at": at,
        "processed_at": at,
        "note": change.reason,
        "restock": restock_type != "no_restock",
        "refund_line_items": [
            {
                "id": refund_id * 100 + part.line + 1,
                "line_item_id": line_id(number, part.line),
                "quantity": part.quantity,
                "restock_type": restock_type,
                "location_id": location,
                "subtotal": amount(part.total),
                "total_tax": amount(part.tax),
            }
            for part in change.parts
        ],
        "transactions": [
            {
                "id": refund_id + 40,
                "kind": "refund",
                "status": "success",
                "amount": amount(sum(part.total for part in change.parts)),
                "currency": order.currency,
            }
        ],
        "order_adjustments": [],
    }


def _money(snapshot: Snapshot) -> dict[str, Any]:
    """Write the totals of an order, as ordered and as it stands now."""
    order = snapshot.order
    discount = sum(line.discount for line in snapshot.lines)
    gone = sum(p.total for c in snapshot.changes if c.kind in _GONE for p in c.parts)
    items, total = snapshot.items_total, snapshot.stated_total
    code = {"code": order.promotion, "amount": amount(discount), "type": "percentage"}
    return {
        "total_line_items_price": amount(items + discount),
        "total_discounts": amount(discount),
        "subtotal_price": amount(items),
        "total_tax": amount(snapshot.tax),
        "total_price": amount(total),
        "current_total_price": amount(total - gone),
        "discount_codes": [code] if order.promotion else [],
    }


def _people(snapshot: Snapshot) -> dict[str, Any]:
    """Write who bought it and where it goes."""
    order = snapshot.order
    who = order.customer
    if who is None:
        return {"email": "", "phone": None, "customer": None, "billing_address": None,
                "shipping_address": None}  # fmt: skip
    apartment = "Apt. 2" if snapshot.has_new_address else None
    return {
        "email": order.email,
        "phone": who.phone,
        "customer": {
            "id": 6_000_000_000_000 + int(who.ref[2:]) * 10 + order.channel.number,
            "email": order.email,
            "first_name": who.first_name,
            "last_name": who.last_name,
            "phone": who.phone,
        },
        "billing_address": _address(who.address, who.first_name, who.last_name, None)
        if order.pickup
        else None,
        "shipping_address": _address(order.ship_to, who.first_name, who.last_name, apartment)
        if order.ship_to
        else None,
    }


def _address(
    address: Address, first_name: str, last_name: str, apartment: str | None
) -> dict[str, Any]:
    return {
        "first_name": first_name,
        "last_name": last_name,
        "name": address.name,
        "address1": address.street,
        "address2": apartment,
        "zip": address.postcode,
        "city": address.city,
        "province": address.region,
        "country_code": address.country_code,
    }


def _line(snapshot: Snapshot, number: int, index: int, line: Line) -> dict[str, Any]:
    """Write one line item."""
    order, product = snapshot.order, line.product
    gone = snapshot.quantity(index, _GONE) if snapshot.upto else 0
    shipped = snapshot.quantity(index, frozenset({"ship"})) if snapshot.upto else 0
    is_unknown = order.trouble.broken == UNKNOWN_SKU and index == 0
    left = 0 if order.method == "carry_out" else max(0, line.quantity - gone - shipped)
    return {
        "id": line_id(number, index),
        "sku": NO_SUCH_SKU if is_unknown else product.sku,
        "product_id": 8_000_000_000_000 + product.index,
        "variant_id": 9_000_000_000_000 + product.index,
        "title": line.title,
        "vendor": product.brand,
        "quantity": line.quantity,
        "current_quantity": line.quantity - gone,
        "fulfillable_quantity": left,
        "price": amount(line.unit_price),
        "total_discount": "0.00",
        "discount_allocations": [{"amount": amount(line.discount), "discount_application_index": 0}]
        if line.discount
        else [],
        "requires_shipping": order.method != "carry_out",
        "tax_lines": [_tax(line.tax, line.rate_ppt)],
    }


def _tax(minor: int, rate_ppt: int) -> dict[str, Any]:
    """Write one tax; the rate is a fraction of one and no money."""
    return {"title": "VAT", "price": amount(minor), "rate": rate_ppt / 1000}


def _shipping(order: Order, number: int) -> list[dict[str, Any]]:
    """Write how it is handed over: nothing when it was carried out of a shop."""
    if order.method == "carry_out":
        return []
    code, title = SHIPPING[order.method]
    return [
        {
            "id": line_id(number, 97),
            "code": code,
            "title": title,
            "price": amount(order.shipping),
            "discounted_price": amount(order.shipping),
            "tax_lines": [{"title": "VAT", "price": amount(order.shipping_tax)}],
        }
    ]


def _fulfillment(order: Order, change: Change) -> dict[str, Any]:
    """Write one parcel that left, or one hand-over at a counter."""
    at = local(change.at, order.channel.time_zone)
    order_number = shop_id(order)
    number = change_id(order_number, change)
    is_parcel = order.method not in {"collect_store", "reserve"}
    return {
        "id": number,
        "order_id": order_number,
        "status": "success",
        "created_at": at,
        "updated_at": at,
        "location_id": location_id(change.place) if change.place else None,
        "tracking_company": "Parcel Post" if is_parcel else None,
        "tracking_number": f"3S{number}" if is_parcel else None,
        "line_items": [
            {"id": line_id(order_number, part.line), "quantity": part.quantity}
            for part in change.parts
        ],
    }


def _financial_status(snapshot: Snapshot) -> str:
    gone = [change for change in snapshot.changes if change.kind in _GONE]
    if not gone:
        return "pending" if snapshot.order.method == "reserve" else "paid"
    return "refunded" if snapshot.closing else "partially_refunded"


def _fulfillment_status(snapshot: Snapshot) -> str | None:
    shipped = [change for change in snapshot.changes if change.kind == "ship"]
    if snapshot.order.method == "carry_out":
        return "fulfilled"
    if not shipped:
        return None
    units = sum(part.quantity for change in shipped for part in change.parts)
    return "fulfilled" if units >= sum(line.quantity for line in snapshot.lines) else "partial"
