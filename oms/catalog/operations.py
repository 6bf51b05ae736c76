"""Writes on the catalog."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import text

from oms.catalog import store
from oms.catalog.model import PRODUCT_DRAFT, is_gtin
from oms.ledger.copying import copy_in
from oms.ledger.database import Tx
from oms.ledger.scratch import Scratch

Problems = tuple[tuple[int, str, str, str], ...]

DRAFT_TABLES: Final = {
    "draft_products": "position bigint, sku text, gtin text, title text, product_type text,"
    " category text, brand text, tax_class text, is_sellable boolean, overwrite boolean,"
    " ordinal bigint generated always as identity"
}
_SCRATCH: Final = Scratch(DRAFT_TABLES)


def record(tx: Tx, drafts: Mapping[str, bytes], *, at: datetime) -> tuple[int, Problems]:
    """Write down products given as CSV drafts; return how many changed, and what was refused.

    A draft that overwrites is the catalog's word; one that does not only makes a product whose
    SKU nobody knows. Every change is a new version, so that the past keeps its names. A GTIN
    with a wrong check digit refuses its product.
    """
    rows = drafts.get("products", b"")
    if not rows:
        return 0, ()
    _SCRATCH.clear(tx)
    copy_in(tx, "draft_products", PRODUCT_DRAFT, rows)
    problems = tuple(
        (
            row.position,
            "/gtin",
            "VALIDATION",
            f"{row.gtin[:20]!r} is not a GTIN: its check digit is wrong",
        )
        for row in tx.execute(
            text("select position, gtin from draft_products where gtin is not null")
        )
        if not is_gtin(row.gtin)
    )
    if problems:
        tx.execute(
            text("delete from draft_products where position = any (:positions)"),
            {"positions": [position for position, *_ in problems]},
        )
    return store.SQL.run(tx, "write_products", at=at).rowcount, problems
