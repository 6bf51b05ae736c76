"""Products as values, and the check digit of a GTIN."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

PRODUCT_DRAFT: Final = (
    "position", "sku", "gtin", "title", "product_type", "category", "brand", "tax_class",
    "is_sellable", "overwrite",
)  # fmt: skip

GTIN_LENGTHS: Final = frozenset({8, 12, 13, 14})


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """One sellable article, identified by its SKU."""

    product_id: int
    sku: str
    gtin: str | None
    title: str
    product_type: str | None
    category: str | None
    brand: str | None
    tax_class: str
    is_sellable: bool
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """Which products are asked for; what is left out is any."""

    q: str | None = None  # a part of the SKU or the title, or the whole GTIN
    product_type: str | None = None
    category: str | None = None
    brand: str | None = None
    is_sellable: bool | None = None


def is_gtin(text: str) -> bool:
    """Tell whether a text is a GTIN with a right check digit (GS1 General Specifications 7.9)."""
    if len(text) not in GTIN_LENGTHS or not (text.isascii() and text.isdigit()):
        return False
    weighted = sum(
        int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(reversed(text))
    )
    return weighted % 10 == 0
