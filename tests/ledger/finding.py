"""What the tests of the order list share: the follower caught up, and who is found."""

from typing import Any

from oms.ledger.database import Ledger
from oms.orders import search
from oms.orders.cursors import Sort
from oms.orders.filters import Filters
from oms.worker import index_orders
from tests.ledger.shop import Shop


def indexed(ledger: Ledger) -> None:
    """Index every order; the first look of a follower only begins."""
    index_orders(ledger)
    while index_orders(ledger):
        pass


def found(
    shop: Shop, limit: int = 100, after: str | None = None, sort: Sort = Sort.PLACED_AT_DOWN,
    **asked: Any,
) -> list[str]:  # fmt: skip
    """Ask for a page; return the references of its orders."""
    with shop.ledger.snapshot() as tx:
        page, _ = search.page(tx, Filters(**asked), after=after, limit=limit, sort=sort)
    return [each.external_ref for each in page]
