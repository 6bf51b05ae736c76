"""Tags: put on an order or on all orders of a search, and taken off."""

from typing import Final

from fastapi import APIRouter

from api.dependencies import Now, Tx
from api.idempotency import OncePerKey
from api.routers.orders import visible
from api.routes import LedgerRoute
from api.schemas.tags import FoundTagsPost, TaggedOut, TagsOut, TagsPost
from api.security import OrdersWrite
from oms.orders import queries
from oms.tags import operations

router: Final = APIRouter(prefix="/v1", tags=["orders"], route_class=LedgerRoute)


@router.post("/orders/{number}/tags")
def tag_order(
    number: str, body: TagsPost, caller: OrdersWrite, tx: Tx, now: Now, _once: OncePerKey
) -> TagsOut:
    """Put tags on an order and take tags off it; done twice it is as done once."""
    order = visible(tx, number, caller).summary
    operations.change(tx, [order.order_id], body.add, body.remove, by=caller.name, at=now)
    tags = queries.order(tx, order.order_number).summary.tags
    return TagsOut(order_number=order.order_number, tags=tags)


@router.post("/orders:tag")
def tag_found(
    body: FoundTagsPost, caller: OrdersWrite, tx: Tx, now: Now, _once: OncePerKey
) -> TaggedOut:
    """Put tags on every order of a search and take tags off; refused when it is too wide."""
    found, changed = operations.change_found(
        tx, body.query.filters(caller), body.add, body.remove, by=caller.name, at=now
    )
    return TaggedOut(orders_count=found, changed_count=changed)
