"""Reads of the catalog."""

from typing import Final

from sqlalchemy import text

from oms.catalog.model import Product, Sought
from oms.ledger.database import Tx
from oms.ledger.rows import asked, by_name

_COLUMNS: Final = (
    "product_id, sku, gtin, title, product_type, category, brand, tax_class, is_sellable,"
    " updated_at"
)


def product(tx: Tx, sku: str) -> Product | None:
    """Return the product of a SKU, or None."""
    row = tx.execute(
        text(f"select {_COLUMNS} from products where sku = :sku"),  # noqa: S608 - constant
        {"sku": sku},
    ).one_or_none()
    return None if row is None else Product(**by_name(row))


def products(
    tx: Tx, sought: Sought, *, after: int | None, limit: int
) -> tuple[list[Product], int | None]:
    """Return products by SKU, and behind which one the next page begins."""
    like = None if sought.q is None else f"%{_literally(sought.q)}%"
    conditions, named = asked(
        ("like", like, "(sku ilike :like or title ilike :like or gtin = :q)"),
        ("product_type", sought.product_type, "product_type = :product_type"),
        ("category", sought.category, "category = :category"),
        ("brand", sought.brand, "brand = :brand"),
        ("is_sellable", sought.is_sellable, "is_sellable = :is_sellable"),
        ("after", after, "sku > (select sku from products where product_id = :after)"),
    )
    where = " and ".join(["true", *conditions])
    query = text(f"select {_COLUMNS} from products where {where} order by sku limit :limit")  # noqa: S608 - constants
    named |= {"limit": limit + 1, "q": sought.q}
    found = [Product(**by_name(row)) for row in tx.execute(query, named)]
    return found[:limit], found[limit - 1].product_id if len(found) > limit else None


def _literally(words: str) -> str:
    """Have LIKE's signs mean themselves."""
    return words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
