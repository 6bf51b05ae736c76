"""Products on the wire."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from api.schemas.common import BATCH_ITEMS_MAX, Out, Wire
from oms.adapters.channels.canonical.rows import ROWS
from oms.adapters.channels.canonical.schema import ProductIn
from oms.catalog.model import Product
from oms.workflows.documents import csv_rows


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
