"""What is in the list of orders: how many of them have which channel, state, type and the like."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import text

from oms.kernel.limits import ANALYSIS_ORDERS_MAX, FACET_ORDERS_MAX
from oms.ledger.database import Tx
from oms.orders.filters import Filters, Search, search_of
from oms.orders.finding import (
    FEW,
    found_by,
    is_broad,
    joined,
    lookups,
    parameters_of,
    where_of,
)
from oms.orders.words import Term

FACETS: Final = (
    "channel", "order_state", "fulfillment_state", "method", "country", "product_type",
)  # fmt: skip
VALUES_MAX: Final = 50
# Fewer among the newest are no picture of the whole.
NEWEST_MIN: Final = 100

_COUNTED: Final = """
    o.order_id, o.channel_id, o.order_state, o.fulfillment_state, o.fulfillment_method,
    o.country_code
"""
_COUNTS: Final = """
    select 'channel' as name, channel_code as value, count(*) as orders_count
    from found join channels using (channel_id) group by channel_code
    union all
    select 'order_state', order_state, count(*) from found group by order_state
    union all
    select 'fulfillment_state', fulfillment_state, count(*) from found group by fulfillment_state
    union all
    select 'method', fulfillment_method, count(*) from found group by fulfillment_method
    union all
    select 'country', country_code, count(*)
    from found where country_code is not null group by country_code
    union all
    select 'product_type', t.value, count(*)
    from found
    join order_search s using (order_id)
    cross join unnest(s.product_types) as t (value)
    group by t.value
    union all
    select '', '', count(*) from found
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How many orders have a value."""

    value: str
    orders_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Facets:
    """What is in a result; when not complete: in some orders of it, mostly its newest."""

    orders_count: int
    is_complete: bool
    counts: dict[str, list[Count]]


def facets(tx: Tx, filters: Filters) -> Facets:
    """Count the orders of a search, and those of each value.

    Where there are more than FACET_ORDERS_MAX, it looks through as many of the newest that meet
    all but the words; where hardly any of these do, through some that do.
    """
    search = search_of(tx, filters)
    is_simple = not (search.terms or search.search_conditions)
    newest = _newest(tx, search) if is_broad(search) or is_simple else None
    if newest is not None and (newest.is_complete or _is_large(search, newest)):
        return newest
    for terms in lookups(search):
        found = _looked_up(tx, search, terms, hits_max=FACET_ORDERS_MAX + 1)
        if found.is_complete:
            return found
    newest = newest or _newest(tx, search)
    if newest.is_complete or newest.orders_count >= NEWEST_MIN or not search.terms:
        return newest
    return _looked_up(tx, search, search.terms, hits_max=ANALYSIS_ORDERS_MAX + 1)


def _is_large(search: Search, newest: Facets) -> bool:
    """Tell whether there are too many if all orders are like the newest."""
    share = newest.orders_count / FACET_ORDERS_MAX
    return share * search.orders_count > FACET_ORDERS_MAX


def _newest(tx: Tx, search: Search) -> Facets:
    """Count what is found among the newest orders."""
    found = (
        "newest as materialized (select o.* from orders o"
        f" where {' and '.join(search.conditions) or 'true'}"
        " order by o.placed_at desc, o.order_id desc limit :orders_max),"
        f" found as materialized (select {_COUNTED} from newest o"
        f" {joined(search, [])} where {where_of(search, [])})"
    )
    parameters = parameters_of(search, [], orders_max=FACET_ORDERS_MAX)
    return _counted(tx, found, "(select count(*) from newest) >= :orders_max", parameters)


def _looked_up(tx: Tx, search: Search, terms: Sequence[Term], *, hits_max: int) -> Facets:
    """Count what is found by looking up some terms."""
    found = found_by(search, _COUNTED, terms)
    return _counted(tx, found, f"not {FEW}", parameters_of(search, terms, hits_max=hits_max))


def _counted(tx: Tx, found: str, capped: str, parameters: dict[str, Any]) -> Facets:
    rows = tx.execute(
        text(
            f"with {found} select name, value, orders_count, {capped} as is_capped"
            f" from ({_COUNTS}) f order by name, orders_count desc, value"
        ),
        parameters,
    ).all()
    counts: dict[str, list[Count]] = {name: [] for name in FACETS}
    for row in rows[1:]:
        if len(counts[row.name]) < VALUES_MAX:
            counts[row.name].append(Count(value=row.value, orders_count=row.orders_count))
    return Facets(
        orders_count=rows[0].orders_count, is_complete=not rows[0].is_capped, counts=counts
    )
