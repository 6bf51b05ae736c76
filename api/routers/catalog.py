"""The catalog: products looked at and written down."""

from typing import Annotated, Final

from fastapi import APIRouter, Query

from api.dependencies import Now, Snapshot, Tx
from api.idempotency import OncePerKeyIfGiven
from api.paging import Page, number_of
from api.problems import Refused, field_problem
from api.routes import LedgerRoute
from api.schemas.catalog import CatalogedOut, ProductOut, ProductQuery, ProductsIn
from api.security import CatalogRead, CatalogWrite
from oms.catalog import operations, queries
from oms.stock.model import UnknownSku

router: Final = APIRouter(prefix="/v1", tags=["catalog"], route_class=LedgerRoute)


@router.get("/products")
def list_products(
    query: Annotated[ProductQuery, Query()], _caller: CatalogRead, tx: Snapshot
) -> Page[ProductOut]:
    """List products by SKU, those of some words, a type, a category or a brand."""
    found, cursor = queries.products(
        tx, query.sought(), after=number_of(query.after), limit=query.limit
    )
    items = [ProductOut.of(each) for each in found]
    return Page(items=items, next_after=None if cursor is None else str(cursor))


@router.get("/products/{sku:path}")
def get_product(sku: str, _caller: CatalogRead, tx: Snapshot) -> ProductOut:
    """Return the product of a SKU."""
    product = queries.product(tx, sku)
    if product is None:
        raise UnknownSku
    return ProductOut.of(product)


@router.post("/products")
def record_products(
    body: ProductsIn, _caller: CatalogWrite, tx: Tx, now: Now, _once: OncePerKeyIfGiven
) -> CatalogedOut:
    """Write products down, new or changed, all or none; each change is a version."""
    changed, problems = operations.record(tx, body.drafts(), at=now)
    if problems:
        raise Refused(
            field_problem(code, f"/products/{position - 1}{field}")
            for position, field, code, _ in problems
        )
    return CatalogedOut(received_count=len(body.products), changed_count=changed)
