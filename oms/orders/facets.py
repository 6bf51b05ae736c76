"""What is in the list of orders: how many of them have which channel, state, type and the like."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import text

from oms.kernel.limits import FACET_HITS_MAX, FACET_ORDERS_MAX
from oms.ledger.database import Tx
from oms.orders.estimates import Search, is_behind
from oms.orders.filters import Filters, search_of
from oms.orders.finding import (
    FEW,
    PASS,
    SEARCHED,
    amounting_to,
    by_placing,
    collecting,
    expected,
    found_by,
    joined,
    kept_conditions,
    lookups,
    parameters_of,
    words_where,
)
from oms.orders.words import Term

FACETS: Final = (
    "channel", "location", "fulfillment_location", "order_state", "fulfillment_state", "method",
    "country", "product_type", "tag",
)  # fmt: skip
VALUES_MAX: Final = 50
# Fewer among the newest are no picture of the whole.
NEWEST_MIN: Final = 100
# So many times what can be counted is too much to try, as far as the planner knows.
PERHAPS: Final = 1.5
# How many times as many orders have several words than would by chance.
TOGETHER: Final = 4

_OF_ORDER: Final = """
    o.order_id, o.channel_id, o.order_state, o.fulfillment_state, o.fulfillment_method,
    o.country_code, o.location_id, o.tags
"""
_KEPT: Final = _OF_ORDER.replace("o.", "s.")
_OF_SEARCH: Final = "s.product_types, s.location_ids"
# Few orders differ in all of it: what is counted by each is counted together first.
_COUNTS: Final = """
    alike as materialized (
        select
            channel_id, order_state, fulfillment_state, fulfillment_method, country_code,
            count(*) as n
        from found group by 1, 2, 3, 4, 5
    ),
    counts (name, value, orders_count) as (
        select 'channel', channel_code, sum(n)
        from alike join channels using (channel_id) group by channel_code
        union all
        select role, location_code, n
        from (
            select 'location', location_id, count(*)
            from found where location_id is not null group by location_id
            union all
            select 'fulfillment_location', value, count(*)
            from (select unnest(location_ids) as value from found) f group by value
        ) as at (role, location_id, n)
        join locations using (location_id)
        union all
        select 'order_state', order_state, sum(n) from alike group by order_state
        union all
        select 'fulfillment_state', fulfillment_state, sum(n) from alike group by fulfillment_state
        union all
        select 'method', method, sum(n) from (
            select fulfillment_method as method, n from alike
            union all
            -- What goes several ways is found by each of them, too.
            select method, count(*) from (
                select distinct order_id, g.method
                from (select order_id from found where fulfillment_method = 'mixed') m
                join order_groups g using (order_id)
            ) g group by method
        ) ways group by method
        union all
        select 'country', country_code, sum(n)
        from alike where country_code is not null group by country_code
        union all
        select 'product_type', value, count(*)
        from (select unnest(product_types) as value from found) t group by value
        union all
        select 'tag', tag, count(*) from (select unnest(tags) as tag from found) t group by tag
        union all
        select '', '', coalesce(sum(n), 0) from alike
    )
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
    all but the words; where hardly any of these do, through some that do. States of what the words
    find are those of a second ago, as the words are.
    """
    search = search_of(tx, filters)
    search.is_behind = is_behind(tx)
    hits_max = FACET_HITS_MAX if search.conditions else FACET_ORDERS_MAX
    newest = None
    if _is_by_search_only(search) and amounting_to(tx, search) > PERHAPS * hits_max:
        return _newest(tx, search)
    if _begins_with_newest(search, hits_max):
        newest = _newest(tx, search)
        if newest.is_complete or _is_large(search, newest):
            return newest
    for terms in lookups(search, met_max=PERHAPS * hits_max):
        found = _looked_up(tx, search, terms, hits_max=hits_max)
        if found.is_complete:
            return found
    newest = newest or _newest(tx, search)
    if newest.is_complete or newest.orders_count >= NEWEST_MIN or not search.terms:
        return newest
    return _looked_up(tx, search, search.terms, hits_max=FACET_ORDERS_MAX, is_sample=True)


def _is_by_search_only(search: Search) -> bool:
    return not (search.terms or search.letters or search.conditions) and bool(
        search.search_conditions
    )


def _begins_with_newest(search: Search, hits_max: int) -> bool:
    """Tell whether to look through the newest before anything is looked up.

    When there are probably too many to count, or hardly more of them anyway, or when what begins
    as the words do is so much that collecting it takes longer. Words that are asked for together
    hang together: there are more with all of them than chance would have.
    """
    if not search.terms:
        return not search.search_conditions or search.met_count > hits_max
    together = TOGETHER if sum(not each.is_tag for each in search.terms) > 1 else 1
    return (
        expected(search) * together > hits_max
        or search.met_count < FACET_ORDERS_MAX < search.orders_count
        or collecting(search) > PASS * FACET_ORDERS_MAX
    )


def _is_large(search: Search, newest: Facets) -> bool:
    """Tell whether there are too many if all orders are like the newest."""
    share = newest.orders_count / FACET_ORDERS_MAX
    if newest.orders_count < NEWEST_MIN:
        return False
    return share * search.met_count > FACET_ORDERS_MAX


def _newest(tx: Tx, search: Search) -> Facets:
    """Count what is found among the newest orders."""
    tables, where, order = by_placing(search)
    found = (
        f"newest as materialized (select {_OF_ORDER} from {tables} where {where}"
        f" {order} limit :orders_max),"
        f" found as materialized (select o.*, {_OF_SEARCH} from newest o"
        f" {joined(search, []) or f'left {SEARCHED}'}"
        f" where {' and '.join(words_where(search, [])) or 'true'})"
    )
    parameters = parameters_of(search, [], orders_max=FACET_ORDERS_MAX)
    return _counted(tx, found, "(select count(*) from newest) >= :orders_max", parameters)


def _looked_up(
    tx: Tx, search: Search, terms: Sequence[Term], *, hits_max: int, is_sample: bool = False
) -> Facets:
    """Count what is found by looking up some terms: nothing, or a sample, where it is too much."""
    more = 0 if is_sample else 1
    kept = kept_conditions(search, terms)
    columns = f"{_OF_ORDER if kept is None else _KEPT}, {_OF_SEARCH}"
    found = found_by(search, columns, terms, with_search=True, kept=kept, is_sample=is_sample)
    parameters = parameters_of(search, terms, hits_max=hits_max + more)
    return _counted(tx, found, f"not {FEW}", parameters)


def _counted(tx: Tx, found: str, capped: str, parameters: dict[str, Any]) -> Facets:
    rows = tx.execute(
        text(
            f"with {found}, {_COUNTS}"
            f" select name, value, orders_count::bigint, {capped} as is_capped"
            " from counts order by name, orders_count desc, value"
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
