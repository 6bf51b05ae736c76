"""The canonical wire format: what a channel without a dialect of its own sends us.

One JSON object is one document. A payload is one object, an array of objects, or NDJSON (one
object a line). Field names are those of the drafts; an order carries its lines and whatever
has happened to them:

    {
      "external_ref": "W-1001", "external_number": "1001",
      "version": 3, "updated_at": "2026-03-02T10:00:00Z",
      "placed_at": "2026-03-01T09:30:00+01:00",
      "currency": "EUR", "prices_include_tax": true,
      "fulfillment_method": "ship_home", "location_code": null,
      "customer_ref": "c-17", "customer_name": "Jo Doe", "customer_email": "jo@example.com",
      "ship_to": {"name": "Jo Doe", "street": "Laan 1", "postcode": "1011 AB",
                  "city": "Amsterdam", "country_code": "NL"},
      "shipping_net": "4.09", "shipping_tax": "0.86", "total": "59.85",
      "lines": [{"line_ref": "1", "sku": "MUG-BLUE", "title": "Blue mug", "quantity": 2,
                 "unit_price": "29.95", "discount": "5.00", "total": "54.90", "tax": "9.53"}],
      "changes": [{"kind": "return", "change_ref": "r-1", "line_ref": "1", "quantity": 1,
                   "occurred_at": "2026-03-09T12:00:00Z", "restock": true, "reason": "too small"}]
    }

An amount is a decimal text in the order's currency ("12.50"), never a JSON number; with
prices_include_tax, line totals, unit prices and discounts contain the tax, without it they do
not; shipping_net never does. An instant is RFC 3339 with its offset. Unknown fields are refused.
"""

from collections.abc import Iterator
from typing import Annotated, Final, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from oms.adapters.channels.canonical.fields import (
    COLLECTED,
    Amount,
    Country,
    Currency,
    Email,
    Instant,
    Last4,
    Method,
    NoteText,
    Quantity,
    Ref,
    TenderName,
    Text,
)
from oms.adapters.channels.canonical.wire import Fault, Located, refuse
from oms.kernel.limits import (
    AMOUNT_MINOR_MAX,
    ORDER_LINES_MAX,
    QUANTITY_MAX,
)
from oms.kernel.money import EXPONENTS, minor_from_text

CHANGES_MAX: Final = ORDER_LINES_MAX * 3
GROUPS_MAX: Final = 50
PAYMENTS_MAX: Final = 20


class _Wire(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AddressIn(Located):
    """Where goods or a bill go; with coordinates rules know how far it is."""

    name: Text | None = None
    street: Text | None = None
    postcode: Text | None = None
    city: Text | None = None
    region: Text | None = None
    country_code: Country | None = None
    vat_id: Text | None = None


class LineIn(_Wire):
    """A line of an order. `total` is what is paid for it, after discount."""

    line_ref: Ref
    sku: Ref
    title: Text | None = None
    quantity: Quantity
    unit_price: Amount | None = None
    discount: Amount = "0"
    total: Amount
    tax: Amount


class PickupPointIn(Located):
    """A parcel locker or service point, as it was when the customer chose it."""

    provider: Ref
    point_id: Ref
    name: Text | None = None
    street: Text | None = None
    postcode: Text | None = None
    city: Text | None = None
    country_code: Country | None = None


class GroupIn(_Wire):
    """A delivery group: the lines of an order that get to the customer in one way."""

    method: Method
    line_refs: Annotated[list[Ref], Field(min_length=1, max_length=ORDER_LINES_MAX)]
    location_code: Annotated[Ref | None, Field(description="where it is collected")] = None
    ship_to: AddressIn | None = None
    pickup_point: PickupPointIn | None = None


class PaymentIn(_Wire):
    """A payment, with what was done with it so far in all: nothing, while it is awaited."""

    ref: Annotated[Ref, Field(description="the channel's id of it")]
    tender: TenderName
    amount: Annotated[Amount, Field(description="what it is meant for")]
    authorized: Amount = "0"
    captured: Amount = "0"
    refunded: Amount = "0"
    psp: Annotated[Ref | None, Field(description="the payment service, where it has one")] = None
    psp_reference: Annotated[Ref | None, Field(description="the service's id of it")] = None
    managed_by: Annotated[
        Literal["oms", "channel"], Field(description="who captures, voids and refunds it")
    ] = "channel"
    brand: Text | None = None
    last4: Last4 | None = None
    authorized_until_at: Instant | None = None


class ChangeIn(_Wire):
    """What happened to a line. Without amounts it is worth its share of the line."""

    kind: Literal["cancel", "ship", "return"]
    change_ref: Ref
    line_ref: Ref
    quantity: Quantity
    occurred_at: Instant
    total: Amount | None = None
    tax: Amount | None = None
    location_code: Ref | None = None
    restock: Annotated[bool, Field(strict=True)] = False
    reason: Text | None = None


class OrderIn(_Wire):
    """An order as it is now, with what happened to its lines so far."""

    external_ref: Ref
    external_number: Ref | None = None
    version: Annotated[int, Field(strict=True, ge=0, le=2**62)] | None = None
    updated_at: Instant | None = None
    placed_at: Instant
    currency: Currency
    prices_include_tax: Annotated[bool, Field(strict=True)] | None = None
    order_type: Literal["sale", "exchange", "replacement"] = "sale"
    fulfillment_method: Method = "ship_home"
    location_code: Ref | None = None
    customer_ref: Ref | None = None
    customer_name: Text | None = None
    customer_email: Email | None = None
    customer_phone: Text | None = None
    ship_to: AddressIn | None = None
    bill_to: AddressIn | None = None
    country_code: Country | None = None
    shipping_net: Amount = "0"
    shipping_tax: Amount = "0"
    total: Amount | None = None
    is_test: Annotated[bool, Field(strict=True)] = False
    is_historical: Annotated[bool, Field(strict=True)] = False
    canceled_at: Instant | None = None
    cancel_reason: Text | None = None
    note: NoteText | None = None
    lines: Annotated[list[LineIn], Field(min_length=1, max_length=ORDER_LINES_MAX)]
    changes: Annotated[list[ChangeIn], Field(max_length=CHANGES_MAX)] = []
    groups: Annotated[
        list[GroupIn],
        Field(
            max_length=GROUPS_MAX,
            description="delivery groups, where the lines go several ways or are collected",
        ),
    ] = []
    payments: Annotated[list[PaymentIn], Field(max_length=PAYMENTS_MAX)] = []

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        refuse(self, _order_faults(self))
        return self


class OrderChangesIn(_Wire):
    """What happened to an order that was sent before. Amounts are in the order's currency."""

    external_ref: Ref
    currency: Currency | None = None
    changes: Annotated[list[ChangeIn], Field(min_length=1, max_length=CHANGES_MAX)]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        refuse(self, _partial_faults(self))
        return self


class ProductIn(_Wire):
    """An article of the catalog."""

    sku: Ref
    gtin: Annotated[str, StringConstraints(strict=True, pattern=r"^[0-9]{8,14}$")] | None = None
    title: Annotated[Text, Field(min_length=1)]
    product_type: Text | None = None
    category: Text | None = None
    brand: Text | None = None
    tax_class: Ref = "standard"
    is_sellable: Annotated[bool, Field(strict=True)] = True


class CountIn(_Wire):
    """How much of a SKU was counted at a location, and when."""

    count_ref: Ref
    sku: Ref
    location_code: Ref
    counted: Annotated[int, Field(strict=True, ge=0, le=QUANTITY_MAX)]
    counted_at: Instant


class MovementIn(_Wire):
    """Stock that came, went or was corrected; signed only for adjust."""

    movement_ref: Ref
    kind: Literal["receipt", "adjust", "write_off", "return_restock", "transfer_out", "transfer_in"]
    sku: Ref
    location_code: Ref
    quantity: Annotated[int, Field(strict=True, ge=-QUANTITY_MAX, le=QUANTITY_MAX)]
    occurred_at: Instant
    reason: Text | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        refuse(self, _movement_faults(self))
        return self


Document = OrderIn | OrderChangesIn | ProductIn | CountIn | MovementIn

# What a topic's documents are.
MODELS: Final[dict[str, type[Document]]] = {
    "orders": OrderIn,
    "changes": OrderChangesIn,
    "products": ProductIn,
    "counts": CountIn,
    "movements": MovementIn,
}


def _order_faults(order: OrderIn) -> Iterator[Fault]:
    if order.currency not in EXPONENTS:
        yield ("currency",), "unknown_currency", "it is not a currency of ISO 4217"
        return
    for name in ("shipping_net", "shipping_tax", "total"):
        yield from _amount_fault(getattr(order, name), order.currency, (name,))
    seen: set[str] = set()
    for number, line in enumerate(order.lines):
        for name in ("unit_price", "discount", "total", "tax"):
            yield from _amount_fault(getattr(line, name), order.currency, ("lines", number, name))
        if line.line_ref in seen:
            yield ("lines", number, "line_ref"), "twice", "the order has this line_ref twice"
        seen.add(line.line_ref)
    yield from _change_faults(order.changes, order.currency)
    if order.groups:
        yield from _group_faults(order)
    yield from _payment_faults(order)


def _payment_faults(order: OrderIn) -> Iterator[Fault]:
    seen: set[str] = set()
    for number, payment in enumerate(order.payments):
        for name in ("amount", "authorized", "captured", "refunded"):
            where = ("payments", number, name)
            yield from _amount_fault(getattr(payment, name), order.currency, where)
        if not minor_from_text(payment.amount, order.currency):
            yield ("payments", number, "amount"), "amount", "a payment is of more than nothing"
        if payment.managed_by == "oms" and None in {payment.psp, payment.psp_reference}:
            yield (
                ("payments", number, "psp_reference"), "missing",
                "what we are to capture is known by its payment service and its id there",
            )  # fmt: skip
        if payment.ref in seen or payment.ref.startswith("*"):
            yield ("payments", number, "ref"), "twice", "each payment has a ref of its own"
        seen.add(payment.ref)


def _group_faults(order: OrderIn) -> Iterator[Fault]:
    left = {line.line_ref for line in order.lines}
    for number, group in enumerate(order.groups):
        if not left.issuperset(group.line_refs) or len(set(group.line_refs)) < len(group.line_refs):
            yield (
                ("groups", number, "line_refs"), "group",
                "each line of the order is in one of its groups",
            )  # fmt: skip
        left.difference_update(group.line_refs)
        if group.method in COLLECTED and group.location_code is None:
            yield ("groups", number, "location_code"), "group", "it is collected at a location"
        if group.method == "pickup_point" and group.pickup_point is None:
            yield ("groups", number, "pickup_point"), "group", "a pick-up point is named"
    if left:
        yield ("groups",), "group", "each line of the order is in one of its groups"


def _partial_faults(partial: OrderChangesIn) -> Iterator[Fault]:
    has_amounts = any(
        change.total is not None or change.tax is not None for change in partial.changes
    )
    if partial.currency is None and has_amounts:
        yield ("currency",), "missing", "amounts need their currency"
    elif partial.currency is not None and partial.currency not in EXPONENTS:
        yield ("currency",), "unknown_currency", "it is not a currency of ISO 4217"
    else:
        yield from _change_faults(partial.changes, partial.currency or "")


def _change_faults(changes: list[ChangeIn], currency: str) -> Iterator[Fault]:
    seen: set[tuple[str, str, str]] = set()
    for number, change in enumerate(changes):
        for name in ("total", "tax"):
            yield from _amount_fault(getattr(change, name), currency, ("changes", number, name))
        key = (change.kind, change.change_ref, change.line_ref)
        if key in seen:
            yield (
                ("changes", number, "change_ref"), "twice",
                "this kind, change_ref and line_ref are there twice",
            )  # fmt: skip
        seen.add(key)


def _amount_fault(text: str | None, currency: str, where: tuple[str | int, ...]) -> Iterator[Fault]:
    if text is None:
        return
    if len(text.partition(".")[2]) > EXPONENTS[currency]:
        yield where, "amount", f"{currency} has {EXPONENTS[currency]} decimals"
    elif minor_from_text(text, currency) > AMOUNT_MINOR_MAX:
        yield where, "amount", f"an amount is at most {AMOUNT_MINOR_MAX} minor units"


def _movement_faults(movement: MovementIn) -> Iterator[Fault]:
    if movement.quantity == 0:
        yield ("quantity",), "quantity", "a movement moves something"
    if movement.quantity < 0 and movement.kind != "adjust":
        yield ("quantity",), "quantity", "only an adjust is signed"
