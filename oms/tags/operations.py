"""Writes on tags: put on orders, taken off, of one or of all a search finds."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from oms.kernel.limits import PAGE_ROWS_MAX, TAGGED_ORDERS_MAX, TAGS_MAX
from oms.ledger.database import Tx
from oms.orders import operations as orders
from oms.orders import search
from oms.orders.analysis import TooWide
from oms.orders.filters import Filters
from oms.tags import store
from oms.tags.model import TagInvalid, TooManyTags, tags_of


def change(
    tx: Tx, order_ids: Sequence[int], add: Iterable[str], remove: Iterable[str], *, by: str,
    at: datetime,
) -> int:  # fmt: skip
    """Put tags on orders and take tags off them; return how many are tagged otherwise now.

    What is there already, or is not, is no trouble. Raises TagInvalid, too, for a tag that is to
    be put on and taken off; TooManyTags when an order would have more than TAGS_MAX.
    """
    added, removed = tags_of(add), tags_of(remove)
    if set(added) & set(removed):
        raise TagInvalid("a tag is either put on or taken off")
    orders.hold_all(tx, order_ids)
    rows = store.SQL.run(
        tx, "change", order_ids=list(order_ids), added=added, removed=removed
    ).all()  # fmt: skip
    for row in rows:
        if len(row.after) > TAGS_MAX and len(row.after) > len(row.before):
            raise TooManyTags(f"an order has at most {TAGS_MAX} tags")
    told = [(row.order_id, "order.tagged", _difference(row.before, row.after)) for row in rows]
    orders.tell(tx, told, actor_type="user", actor=by, at=at)
    return len(rows)


def change_found(
    tx: Tx, filters: Filters, add: Iterable[str], remove: Iterable[str], *, by: str, at: datetime
) -> tuple[int, int]:
    """Tag all orders of a search; return how many those are, and how many are otherwise now.

    Raises TooWide for more than TAGGED_ORDERS_MAX, and what `change` raises.
    """
    found: list[int] = []
    for page in search.pages(tx, filters, limit=TAGGED_ORDERS_MAX + PAGE_ROWS_MAX):
        found += [each.order_id for each in page]
        if len(found) > TAGGED_ORDERS_MAX:
            raise TooWide(f"at most {TAGGED_ORDERS_MAX:,} orders are tagged at once")
    return len(found), change(tx, sorted(found), add, remove, by=by, at=at)


def _difference(before: Sequence[str], after: Sequence[str]) -> dict[str, Any]:
    return {
        "added": sorted(set(after) - set(before)), "removed": sorted(set(before) - set(after)),
    }  # fmt: skip
