"""Reads of the catalog."""

from sqlalchemy import text

from oms.catalog.model import Product
from oms.ledger.database import Tx
from oms.ledger.rows import by_name


def product(tx: Tx, sku: str) -> Product | None:
    """Return the product of a SKU, or None."""
    row = tx.execute(
        text(
            "select product_id, sku, gtin, title, product_type, category, brand, tax_class,"
            " is_sellable, updated_at from products where sku = :sku"
        ),
        {"sku": sku},
    ).one_or_none()
    return None if row is None else Product(**by_name(row))
