"""The platform's own JSON documents: the kiosks' orders, the catalogue, counts and movements."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oms.simulator.formats.texts import amount, compact, local, utc
from oms.simulator.refs import kiosk_ref
from oms.simulator.tenders import payments_of
from oms.simulator.trouble import (
    BAD_DATE,
    NO_SUCH_CURRENCY,
    NO_SUCH_DATE,
    NO_SUCH_SKU,
    NO_SUCH_STORE,
    TRUNCATED,
    UNKNOWN_CURRENCY,
    UNKNOWN_SKU,
    UNKNOWN_STORE,
    cut,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from oms.simulator.model import Address, Change, Line, Order, Product
    from oms.simulator.snapshot import Snapshot
    from oms.simulator.stock import Count, Movement
    from oms.simulator.tenders import Paid

PSP = "sandbox"
_TOLD = frozenset({"ship", "cancel", "return"})


def order(snapshot: Snapshot) -> bytes:
    """Write one order with all that happened to it so far."""
    written = compact(_document(snapshot))
    return cut(written) if snapshot.order.trouble.broken == TRUNCATED else written


def _document(snapshot: Snapshot) -> dict[str, Any]:
    sold, channel = snapshot.order, snapshot.order.channel
    assert sold.store is not None, "a kiosk stands in a store"
    broken = sold.trouble.broken
    placed_at = local(sold.placed_at, channel.time_zone)
    closing = snapshot.closing
    net = sold.shipping - sold.shipping_tax if channel.prices_include_tax else sold.shipping
    return {
        "external_ref": kiosk_ref(sold),
        "external_number": f"K{sold.store.number}-{sold.number}",
        "updated_at": utc(snapshot.updated_at),
        "placed_at": f"{NO_SUCH_DATE}T12:00:00+01:00" if broken == BAD_DATE else placed_at,
        "currency": NO_SUCH_CURRENCY if broken == UNKNOWN_CURRENCY else sold.currency,
        "prices_include_tax": channel.prices_include_tax,
        "location_code": NO_SUCH_STORE if broken == UNKNOWN_STORE else sold.store.code,
        **_groups(snapshot),
        **_customer(snapshot),
        "country_code": sold.country_code,
        "shipping_net": amount(net),
        "shipping_tax": amount(sold.shipping_tax),
        "total": amount(snapshot.stated_total),
        "canceled_at": utc(closing.at) if closing else None,
        "cancel_reason": closing.reason if closing else None,
        "note": "Address corrected by the customer" if snapshot.has_new_address else None,
        "lines": [
            _line(index, line, is_unknown=broken == UNKNOWN_SKU and index == 0)
            for index, line in enumerate(snapshot.lines)
        ],
        "changes": [
            change
            for told in snapshot.changes
            if told.kind in _TOLD
            for change in _changes(sold, told)
        ],
        "payments": [_payment(sold, paid) for paid in payments_of(snapshot)],
    }


def _payment(sold: Order, paid: Paid) -> dict[str, Any]:
    """Write one payment; what is ours to capture is known by its service's id."""
    written = {
        "ref": str(paid.no), "tender": paid.tender, "amount": amount(paid.amount),
        "authorized": amount(paid.amount), "brand": paid.brand, "last4": paid.last4,
    }  # fmt: skip
    if sold.is_captured_here:
        reference = f"{kiosk_ref(sold)}-{paid.no}"
        return {**written, "psp": PSP, "psp_reference": reference, "managed_by": "oms"}
    return {**written, "captured": amount(paid.amount), "refunded": amount(paid.refunded)}


def _groups(snapshot: Snapshot) -> dict[str, Any]:
    """Write how it is handed over: in groups where it is collected, or goes two ways."""
    sold = snapshot.order
    refs = [str(index + 1) for index in range(len(snapshot.lines))]
    if sold.carried:
        groups = [
            {"method": "carry_out", "line_refs": refs[: sold.carried]},
            {"method": "ship_home", "line_refs": refs[sold.carried :]},
        ]
        return {"groups": groups}
    if sold.pickup is None:
        return {"fulfillment_method": sold.method}
    collected = {"method": sold.method, "line_refs": refs, "location_code": sold.pickup.code}
    return {"fulfillment_method": sold.method, "groups": [collected]}


def _customer(snapshot: Snapshot) -> dict[str, Any]:
    """Write who ordered and where it goes; a kiosk may be used without saying who one is."""
    sold, who = snapshot.order, snapshot.order.customer
    if who is None:
        return {}
    apartment = ", Apt. 2" if snapshot.has_new_address else ""
    return {
        "customer_ref": who.ref,
        "customer_name": who.name,
        "customer_email": sold.email,
        "customer_phone": who.phone,
        "ship_to": _address(sold.ship_to, apartment) if sold.ship_to else None,
        "bill_to": _address(who.address, ""),
    }


def _address(address: Address, apartment: str) -> dict[str, Any]:
    return {
        "name": address.name,
        "street": address.street + apartment,
        "postcode": address.postcode,
        "city": address.city,
        "region": address.region,
        "country_code": address.country_code,
    }


def _line(index: int, line: Line, *, is_unknown: bool) -> dict[str, Any]:
    return {
        "line_ref": str(index + 1),
        "sku": NO_SUCH_SKU if is_unknown else line.product.sku,
        "title": line.title,
        "quantity": line.quantity,
        "unit_price": amount(line.unit_price),
        "discount": amount(line.discount),
        "total": amount(line.total),
        "tax": amount(line.tax),
    }


def _changes(sold: Order, told: Change) -> Iterator[dict[str, Any]]:
    """Write one change as one entry per line; what is shipped has no money of its own."""
    for part in told.parts:
        entry = {
            "kind": told.kind,
            "change_ref": f"{kiosk_ref(sold)}/{told.number}",
            "line_ref": str(part.line + 1),
            "quantity": part.quantity,
            "occurred_at": utc(told.at),
        }
        if told.kind != "ship":
            entry |= {"total": amount(part.total), "tax": amount(part.tax)}
        if told.place is not None and told.kind != "cancel":
            entry["location_code"] = told.place.code
        if told.kind == "return":
            entry["restock"] = told.restock
        if told.reason:
            entry["reason"] = told.reason
        yield entry


def product(article: Product, title: str, product_type: str) -> bytes:
    """Write one article of the catalogue under the title and type it has now."""
    return compact(
        {
            "sku": article.sku,
            "gtin": article.gtin,
            "title": title,
            "product_type": product_type,
            "category": article.category,
            "brand": article.brand,
            "tax_class": article.tax_class,
            "is_sellable": True,
        }
    )


def count(counted: Count) -> bytes:
    """Write what was counted of one product at one place."""
    return compact(
        {
            "count_ref": counted.ref,
            "sku": counted.product.sku,
            "location_code": counted.place.code,
            "counted": counted.counted,
            "counted_at": utc(counted.at),
        }
    )


def movement(moved: Movement) -> bytes:
    """Write one movement of stock."""
    document = {
        "movement_ref": moved.ref,
        "kind": moved.kind,
        "sku": moved.product.sku,
        "location_code": moved.place.code,
        "quantity": moved.quantity,
        "occurred_at": utc(moved.at),
    }
    return compact(document | ({"reason": moved.reason} if moved.reason else {}))
