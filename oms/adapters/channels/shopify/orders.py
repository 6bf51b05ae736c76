"""A Shopify order as draft rows: its header, lines with their money, and what became of them."""

import hashlib
import json
from collections import Counter
from typing import Any, Final

from oms.adapters.channels.shopify.options import Options
from oms.adapters.channels.shopify.payments import payment_rows
from oms.adapters.channels.shopify.reading import Reader
from oms.kernel import clock
from oms.kernel.limits import AMOUNT_MINOR_MAX, NOTE_CHARACTERS_MAX, ORDER_LINES_MAX
from oms.kernel.money import EXPONENTS, share_of_units, split

Row = list[Any]

# What refunded units were: never sent, or brought back (and put on the shelf, or not).
RESTOCKS: Final = {
    "cancel": ("cancel", False),
    "return": ("return", True),
    "legacy_restock": ("return", True),
    "no_restock": ("return", False),
}
COLLECTED: Final = frozenset({"collect_store", "reserve"})
AT_POINT: Final = "pickup_point"
# Pending and open ones are still with whoever packs them, and may be called off.
SHIPPED: Final = frozenset({"success"})


class OrderRows:
    """Collects the draft rows of orders."""

    def __init__(self, options: Options) -> None:
        """Begin with none."""
        self.options = options
        self.tables: dict[str, list[Row]] = {
            "orders": [], "lines": [], "changes": [], "products": [], "groups": [], "payments": [],
        }  # fmt: skip

    def order(self, position: int, reader: Reader, digest: str) -> str | None:
        """Add a full order; return its external ref."""
        ref = reader.ref("id")
        currency = self._currency(reader)
        is_gross = reader.flag("taxes_included")
        shipping = _Shipping(reader, currency, is_gross=is_gross)
        self._lines(position, reader, currency, shipping_tax=shipping.tax)
        for refund in reader.each("refunds"):
            self.refund(position, refund, currency)
        for fulfillment in reader.each("fulfillments"):
            self.fulfillment(position, fulfillment)
        updated_at = reader.instant("updated_at")
        method = self._method(reader, shipping.names)
        self._collected(position, reader, method)
        self.tables["payments"] += payment_rows(
            position, reader, currency, self.options,
            location_code=self._location(reader) if method == "carry_out" else None,
        )  # fmt: skip
        customer = reader.inside("customer")
        ship_to = _address(reader.inside("shipping_address"))
        bill_to = _address(reader.inside("billing_address"))
        self.tables["orders"].append([
            position, ref, reader.text("name"),
            clock.version_of(updated_at) if updated_at else None, updated_at,
            reader.instant("processed_at", "created_at"), currency, is_gross, "sale",
            method, self._location(reader),
            customer.ref("id", is_needed=False) if customer else None,
            _customer_name(customer, bill_to, ship_to),
            reader.text("email") or (customer.text("email") if customer else None),
            reader.text("phone") or (customer.text("phone") if customer else None),
            json.dumps(ship_to) if ship_to else None, json.dumps(bill_to) if bill_to else None,
            (ship_to or bill_to or {}).get("country_code"), shipping.net, shipping.tax,
            reader.amount("total_price", currency), reader.flag("test"),
            self.options.is_historical, False,
            reader.instant("cancelled_at", is_needed=False), reader.text("cancel_reason"),
            reader.text("note", limit=NOTE_CHARACTERS_MAX), digest,
        ])  # fmt: skip
        return ref

    def partial(self, position: int, reader: Reader, digest: str) -> str | None:
        """Add the header of a document that only carries changes of an order."""
        ref = reader.ref("order_id")
        row: Row = [None] * 28
        row[0], row[1], row[23], row[27] = position, ref, True, digest
        self.tables["orders"].append(row)
        return ref

    def refund(self, position: int, reader: Reader, currency: str) -> None:
        """Add the units of a refund; money given back without goods is not a change of lines."""
        ref = reader.ref("id")
        at = reader.instant("processed_at", "created_at")
        reason = reader.text("note")
        for item in reader.each("refund_line_items"):
            restock_type = item.text("restock_type") or "no_restock"
            if restock_type not in RESTOCKS:
                item.refuse("restock_type", "UNMAPPED_CODE", f"{restock_type[:40]!r} is not known")
                continue
            kind, restock = RESTOCKS[restock_type]
            has_money = item.value.get("subtotal") is not None and currency in EXPONENTS
            self.tables["changes"].append([
                position, kind, ref, item.ref("line_item_id"), item.quantity(), at,
                item.amount("subtotal", currency) if has_money else None,
                item.amount("total_tax", currency, default=0) if has_money else None,
                self._location(item), restock, reason,
            ])  # fmt: skip

    def fulfillment(self, position: int, reader: Reader) -> None:
        """Add what was sent, unless the sending failed or was called off."""
        if (reader.text("status") or "success") not in SHIPPED:
            return
        ref = reader.ref("id")
        at = reader.instant("created_at")
        location = self._location(reader)
        for item in reader.each("line_items"):
            self.tables["changes"].append([
                position, "ship", ref, item.ref("id"), item.quantity(), at, None, None, location,
                False, None,
            ])  # fmt: skip

    def _lines(self, position: int, reader: Reader, currency: str, *, shipping_tax: int) -> None:
        items = list(reader.each("line_items"))
        if not 0 < len(items) <= ORDER_LINES_MAX:
            reader.refuse(
                "line_items", "VALIDATION", f"an order has 1 to {ORDER_LINES_MAX:,} lines"
            )
        quantities = [item.quantity() for item in items]
        kept = _kept(reader, items, quantities)
        prices = [item.amount("price", currency) for item in items]
        discounts = self._discounts(reader, items, currency, prices, quantities)
        totals = [
            price * quantity - discount
            for price, quantity, discount in zip(prices, quantities, discounts, strict=True)
        ]
        taxes = _taxes(reader, items, currency, totals, shipping_tax)
        for item, quantity, left, price, discount, total, tax in zip(
            items, quantities, kept, prices, discounts, totals, taxes, strict=True
        ):
            if total < 0 or discount < 0:
                item.refuse("discount_allocations", "VALIDATION", "the discount exceeds the line")
            if total > AMOUNT_MINOR_MAX:
                item.refuse("price", "VALIDATION", "the line is larger than any order")
            title = item.text("title") or item.text("name")
            sku = self._sku(position, item, title)
            money = (share_of_units(minor, quantity, 0, left) for minor in (discount, total, tax))
            if left:
                self.tables["lines"].append([
                    position, item.ref("id"), sku, title, left, price, *money,
                ])  # fmt: skip

    def _discounts(
        self, reader: Reader, items: list[Reader], currency: str, prices: list[int],
        quantities: list[int],
    ) -> list[int]:  # fmt: skip
        """Each line's discount: as allocated, else its own and a share of the order's."""
        if any("discount_allocations" in item.value for item in items):
            return [
                sum(each.amount("amount", currency) for each in item.each("discount_allocations"))
                for item in items
            ]
        own = [item.amount("total_discount", currency, default=0) for item in items]
        rest = reader.amount("total_discounts", currency, default=0) - sum(own)
        left = [p * q - d for p, q, d in zip(prices, quantities, own, strict=True)]
        if rest <= 0 or min(left, default=-1) < 0 or sum(left) < rest:
            return own
        return [d + share for d, share in zip(own, split(rest, left), strict=True)]

    def _sku(self, position: int, item: Reader, title: str | None) -> str | None:
        given = item.ref("sku", is_needed=False)
        ids = (item.ref(f, is_needed=False) for f in ("variant_id", "product_id", "id"))
        sku = given or f"shopify-{next((each for each in ids if each), '')}"
        if given is None or self.options.make_products:
            self.tables["products"].append([
                position, sku, None, title or sku, None, None, item.text("vendor"), None, True,
                False,
            ])  # fmt: skip
        return sku

    def _currency(self, reader: Reader) -> str:
        currency = reader.text("currency") or ""
        if currency not in EXPONENTS:
            reader.refuse("currency", "UNKNOWN_CURRENCY", f"{currency[:8]!r} is not a currency")
        return currency

    def _method(self, reader: Reader, names: list[str]) -> str:
        if reader.text("source_name") == "pos" and not names:
            return "carry_out"
        return next(
            (self.options.methods[n] for n in names if n in self.options.methods), "ship_home"
        )

    def _collected(self, position: int, reader: Reader, method: str) -> None:
        """Add where an order is collected, or which pick-up point it goes to, if the shop says."""
        name = self.options.pickup_attribute if method in COLLECTED else ""
        name = self.options.point_attribute if method == AT_POINT else name
        for attribute in reader.each("note_attributes") if name else ():
            if attribute.text("name") == name:
                refs = [row[1] for row in self.tables["lines"] if row[0] == position]
                is_point = method == AT_POINT
                self.tables["groups"].append([
                    position, 1, method, None if is_point else self._location(attribute, "value"),
                    None, _point(attribute) if is_point else None, json.dumps(refs),
                ])  # fmt: skip
                return

    def _location(self, reader: Reader, field: str = "location_id") -> str | None:
        shop_id = reader.ref(field, is_needed=False)
        if shop_id is None or not self.options.locations:
            return None
        if shop_id not in self.options.locations:
            reader.refuse(field, "UNMAPPED_CODE", f"location {shop_id} is not mapped")
        return self.options.locations.get(shop_id)


def _point(attribute: Reader) -> str | None:
    """Return the pick-up point an attribute names; its carrier knows the rest."""
    provider, _, point_id = (attribute.text("value") or "").partition(":")
    if not provider or not point_id:
        attribute.refuse("value", "VALIDATION", "a pick-up point is carrier:point")
    return json.dumps({"provider": provider, "point_id": point_id})


def _kept(reader: Reader, items: list[Reader], quantities: list[int]) -> list[int]:
    """Return each line's units but those an edit of the order took off it.

    What was refunded stays, for the refund itself takes it off: so what the shop says is left,
    and what its refunds took. Without its refunds an order cannot tell the two apart.
    """
    if not isinstance(reader.value.get("refunds"), list):
        return quantities
    refunded: Counter[str | None] = Counter()
    for refund in reader.each("refunds"):
        for item in refund.each("refund_line_items"):
            refunded[item.ref("line_item_id")] += item.quantity()
    kept = []
    for item, quantity in zip(items, quantities, strict=True):
        left = quantity
        if item.value.get("current_quantity") is not None:
            left = item.quantity("current_quantity", least=0) + refunded[item.ref("id")]
        kept.append(min(quantity, left))
    return kept


class _Shipping:
    """What shipping costs: net, tax, and what the ways are called."""

    def __init__(self, reader: Reader, currency: str, *, is_gross: bool) -> None:
        self.net = self.tax = 0
        self.names: list[str] = []
        for line in reader.each("shipping_lines"):
            if line.flag("is_removed"):
                continue
            price = line.amount("price", currency)
            price -= sum(
                each.amount("amount", currency) for each in line.each("discount_allocations")
            )
            tax = sum(each.amount("price", currency) for each in line.each("tax_lines"))
            self.tax += tax
            self.net += price - tax if is_gross else price
            self.names += [name for f in ("code", "title") if (name := line.text(f))]


def _taxes(
    reader: Reader, items: list[Reader], currency: str, totals: list[int], shipping_tax: int
) -> list[int]:
    """Each line's tax: as the shop says, else its share of the order's."""
    taxes = [
        sum(each.amount("price", currency) for each in item.each("tax_lines")) for item in items
    ]
    stated = reader.amount("total_tax", currency, default=0) - shipping_tax
    if any(taxes) or stated <= 0 or min(totals, default=-1) < 0:
        return taxes
    taxable = [
        total if item.value.get("taxable") is not False else 0
        for item, total in zip(items, totals, strict=True)
    ]
    return split(stated, taxable)


def _address(reader: Reader | None) -> dict[str, Any] | None:
    if reader is None:
        return None
    street = " ".join(part for f in ("address1", "address2") if (part := reader.text(f)))
    given = {
        "name": reader.text("name") or reader.text("company"), "street": street or None,
        "postcode": reader.text("zip"), "city": reader.text("city"),
        "region": reader.text("province"), "country_code": reader.text("country_code"),
    }  # fmt: skip
    told: dict[str, Any] = {name: value for name, value in given.items() if value}
    return told | reader.coordinates() or None


def _customer_name(customer: Reader | None, *addresses: dict[str, Any] | None) -> str | None:
    if customer is not None:
        names = [name for f in ("first_name", "last_name") if (name := customer.text(f))]
        if names:
            return " ".join(names)
    return next((address["name"] for address in addresses if address and "name" in address), None)


def digest_of(document: Any) -> str:
    """Return the digest of what a document says: a webhook and a page write it differently."""
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
