"""Products on the wire."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from api.paging import Paging
from api.schemas.common import BATCH_ITEMS_MAX, Out, Wire, Words
from oms.adapters.channels.canonical.rows import ROWS
from oms.adapters.channels.canonical.schema import ProductIn
from oms.catalog.model import Product, Sought
from oms.workflows.documents import csv_rows


class ProductQuery(Paging):
    """Which products to list."""

    q: Annotated[
        Words | None, Field(description="a part of the SKU or the title, or a whole GTIN")
    ] = None
    type: Annotated[Words | None, Field(description="the product type")] = None
    category: Words | None = None
    brand: Words | None = None
    is_sellable: bool | None = None

    def sought(self) -> Sought:
        """Return what is asked for."""
        return Sought(
            q=self.q, product_type=self.type, category=self.category, brand=self.brand,
            is_sellable=self.is_sellable,
        )  # fmt: skip


class ProductOut(Out):
    """One sellable article."""

    sku: str
    gtin: str | None
    title: str
    product_type: str | None
    category: str | None
    brand: str | None
    tax_class: str
    is_sellable: bool
    updated_at: datetime

    @classmethod
    def of(cls, product: Product) -> Self:
        """Write a product."""
        return cls(**{name: getattr(product, name) for name in cls.model_fields})


class ProductsIn(Wire):
    """Products as they are now, all or none."""

    products: Annotated[list[ProductIn], Field(min_length=1, max_length=BATCH_ITEMS_MAX)]

    def drafts(self) -> dict[str, bytes]:
        """Return the products as drafts."""
        rows = [
            ROWS[ProductIn](product, position, "")["products"][0]
            for position, product in enumerate(self.products, start=1)
        ]
        return {"products": csv_rows(rows)}


class CatalogedOut(Out):
    """What became of a batch of products."""

    received_count: int
    changed_count: int
