"""What a mapping can fill: the canonical fields of each kind of document, and their types."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from oms.kernel.limits import NOTE_CHARACTERS_MAX, REF_CHARACTERS_MAX
from oms.orders.model import FulfillmentMethod
from oms.payments.model import Tender
from oms.stock.model import MOVEMENT_SIGNS

TEXT_CHARACTERS_MAX: Final = 500


class Kind(StrEnum):
    """What a value of a field is."""

    TEXT = "text"
    CODE = "code"  # one of a closed list
    MONEY = "money"
    QUANTITY = "quantity"
    INTEGER = "integer"
    INSTANT = "instant"
    BOOLEAN = "boolean"
    DEGREES = "degrees"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A canonical field: its name, its type, and what it must be."""

    name: str
    kind: Kind = Kind.TEXT
    is_required: bool = False
    is_personal: bool = False  # its values never appear in a message
    characters_max: int = TEXT_CHARACTERS_MAX
    codes: tuple[str, ...] = ()
    pattern: str = ""  # what a text must look like


def _ref(name: str, *, required: bool = False) -> Field:
    return Field(name=name, is_required=required, characters_max=REF_CHARACTERS_MAX)


def _text(name: str, *, required: bool = False, personal: bool = False) -> Field:
    return Field(name=name, is_required=required, is_personal=personal)


def _typed(name: str, kind: Kind, *, required: bool = False) -> Field:
    return Field(name=name, kind=kind, is_required=required)


def _code(name: str, *codes: str, required: bool = False) -> Field:
    return Field(name=name, kind=Kind.CODE, is_required=required, codes=codes)


ADDRESS: Final = tuple(
    f"{side}.{part}"
    for side in ("ship_to", "bill_to")
    for part in ("name", "street", "postcode", "city", "region", "country_code", "vat_id")
)

COORDINATES: Final = tuple(
    Field(name=f"{side}.{part}", kind=Kind.DEGREES, is_personal=True)
    for side in ("ship_to", "bill_to")
    for part in ("latitude", "longitude")
)

ORDER: Final = (
    _ref("external_ref", required=True),
    _ref("external_number"),
    _typed("version", Kind.INTEGER),
    _typed("updated_at", Kind.INSTANT),
    _typed("placed_at", Kind.INSTANT, required=True),
    _ref("currency"),
    _typed("prices_include_tax", Kind.BOOLEAN),
    _code("order_type", "sale", "exchange", "replacement"),
    _code("fulfillment_method", *FulfillmentMethod),
    _ref("location_code"),
    _ref("customer_ref"),
    *(_text(f"customer_{part}", personal=True) for part in ("name", "email", "phone")),
    *(_text(name, personal=True) for name in ADDRESS),
    *COORDINATES,
    _ref("country_code"),
    _typed("shipping_net", Kind.MONEY),
    _typed("shipping_tax", Kind.MONEY),
    _typed("total", Kind.MONEY),
    _typed("is_test", Kind.BOOLEAN),
    _typed("is_historical", Kind.BOOLEAN),
    _typed("canceled_at", Kind.INSTANT),
    _text("cancel_reason"),
    Field(name="note", is_personal=True, characters_max=NOTE_CHARACTERS_MAX),
)

LINE: Final = (
    _ref("line_ref"),
    _ref("sku", required=True),
    _text("title"),
    _typed("quantity", Kind.QUANTITY, required=True),
    _typed("unit_price", Kind.MONEY),
    _typed("discount", Kind.MONEY),
    _typed("total", Kind.MONEY, required=True),
    _typed("tax", Kind.MONEY, required=True),
)

CHANGE: Final = (
    _ref("change_ref"),
    _ref("line_ref"),
    _typed("occurred_at", Kind.INSTANT, required=True),
    _typed("total", Kind.MONEY),
    _typed("tax", Kind.MONEY),
    _ref("location_code"),
    _typed("restock", Kind.BOOLEAN),
    _text("reason"),
)

# A payment as its channel has it: totals so far, of what was done with it.
PAYMENT: Final = (
    _ref("ref"),
    _code("tender", *Tender, required=True),
    _ref("psp"),
    _ref("psp_reference"),
    _text("brand"),
    Field(name="last4", pattern="[0-9]{4}"),
    *(_typed(name, Kind.MONEY) for name in ("amount", "authorized", "captured", "refunded")),
    _typed("occurred_at", Kind.INSTANT),
)

PRODUCT: Final = (
    _ref("sku", required=True),
    _ref("gtin"),
    _text("title", required=True),
    _text("product_type"),
    _text("category"),
    _text("brand"),
    _ref("tax_class"),
    _typed("is_sellable", Kind.BOOLEAN),
)

# A product made of an order's rows has the line's SKU, and its title unless another is given.
PRODUCT_OF_ROW: Final = (
    _text("title"),
    *(field for field in PRODUCT if field.name not in {"sku", "title"}),
)

COUNT: Final = (
    _ref("count_ref"),
    _ref("sku", required=True),
    _ref("location_code", required=True),
    _typed("counted", Kind.INTEGER, required=True),
    _typed("counted_at", Kind.INSTANT, required=True),
)

MOVEMENT: Final = (
    _ref("movement_ref"),
    _code("kind", *MOVEMENT_SIGNS, required=True),
    _ref("sku", required=True),
    _ref("location_code", required=True),
    _typed("quantity", Kind.INTEGER, required=True),
    _typed("occurred_at", Kind.INSTANT, required=True),
    _text("reason"),
)

ROW_KINDS: Final = ("sale", "cancel", "ship", "return", "ignore")
# What a row may be where a mapping says what payments are.
PAID_ROW_KINDS: Final = (*ROW_KINDS, "payment")

# The sections of a mapping, by what its documents are.
SECTIONS: Final[dict[str, dict[str, tuple[Field, ...]]]] = {
    "orders": {
        "order": ORDER,
        "lines": LINE,
        "changes": CHANGE,
        "payments": PAYMENT,
        "products": PRODUCT_OF_ROW,
    },
    "products": {"products": PRODUCT},
    "counts": {"counts": COUNT},
    "movements": {"movements": MOVEMENT},
}
