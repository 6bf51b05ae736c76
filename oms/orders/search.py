"""The list of orders: a page of what was asked for, in any order, and what is in all of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, text

from oms.kernel.limits import FACET_ORDERS_MAX, SEARCH_HITS_MAX
from oms.ledger.database import Tx
from oms.orders.cursors import Sort, cursor_of, digest_of, read_cursor
from oms.orders.filters import Filters, Search, search_of
from oms.orders.model import Summary
from oms.orders.queries import SUMMARY, summary_of

FACET_VALUES_MAX: Final = 50
EXPORT_PAGE_ROWS: Final = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How many orders have a value."""

    value: str
    orders_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Facets:
    """What is in a result. Not complete: in the newest orders of it that were looked through."""

    orders_count: int
    is_complete: bool
    counts: dict[str, list[Count]]


# Called as a function it is no condition an index could be used for: what is known to be met
# by many orders is looked for by going through them.
_CHECK: Final = "ts_match_vq(s.words, cast(:{} as tsquery))"
_HITS: Final = """
    hits as materialized (
        select order_id
        from order_search_hits(cast(:lookup as tsquery), :hits_max) as h (order_id)
    )
"""
_FEW: Final = "(select count(*) from hits) < :hits_max"
_SHOWN: Final = """
    join channels c using (channel_id)
    left join locations x on x.location_id = o.location_id
"""
_COUNTED: Final = """
    o.order_id, o.channel_id, o.order_state, o.fulfillment_state, o.fulfillment_method,
    o.country_code
"""
FACETS: Final = (
    "channel", "order_state", "fulfillment_state", "method", "country", "product_type",
)  # fmt: skip
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


def page(
    tx: Tx, filters: Filters, *, after: str | None, limit: int, sort: Sort = Sort.PLACED_AT_DOWN
) -> tuple[list[Summary], str | None]:
    """Return a page of orders and the cursor of the next one.

    Raises BadCursor.
    """
    digest = digest_of(filters, sort)
    search = search_of(tx, filters)
    if after is not None:
        _go_on(search, read_cursor(after, digest, sort), sort)
    rows = _listed(tx, search, sort, limit + 1)
    found = [summary_of(row) for row in rows[:limit]]
    return found, cursor_of(rows[limit - 1], digest, sort) if len(rows) > limit else None


def pages(
    tx: Tx, filters: Filters, *, sort: Sort = Sort.PLACED_AT_DOWN, limit: int = EXPORT_PAGE_ROWS
) -> Iterator[list[Summary]]:
    """Yield all orders, page by page."""
    after = None
    while True:
        found, after = page(tx, filters, after=after, limit=limit, sort=sort)
        yield found
        if after is None:
            return


def facets(tx: Tx, filters: Filters) -> Facets:
    """Count the orders, and those of each channel, state, method, country and type of product.

    Where there are more than SEARCH_HITS_MAX, the newest FACET_ORDERS_MAX that meet all but the
    words are looked through instead.
    """
    search = search_of(tx, filters)
    parameters = {**search.parameters, "hits_max": SEARCH_HITS_MAX + 1}
    found = _counted(tx, found_by(search, _COUNTED), is_capped(search), parameters)
    if found.is_complete:
        return found
    parameters |= {"orders_max": FACET_ORDERS_MAX}
    return _counted(tx, _newest_by(search), "true", parameters)


def found_by(search: Search, columns: str) -> str:
    """Return common tables, the last of them `found`: up to :hits_max orders, in any order."""
    if search.lookup is None:
        return (
            f"found as materialized (select {columns} from orders o {_searched(search)}"
            f" where {_where(search)} limit :hits_max)"
        )
    return (
        f"{_HITS}, found as materialized (select {columns} from hits join orders o"
        f" using (order_id) {_searched(search)} where {_FEW} and {_where(search)})"
    )


def is_capped(search: Search) -> str:
    """Return the condition that what was found by `found_by` is not everything."""
    return f"(select count(*) from {'found' if search.lookup is None else 'hits'}) >= :hits_max"


def _newest_by(search: Search) -> str:
    """Return `found` of the newest orders only, as many as can be looked through."""
    checks = [*search.search_conditions, *_checks(search, "lookup", "checked")]
    return (
        "newest as materialized (select o.* from orders o"
        f" where {' and '.join(search.conditions) or 'true'}"
        " order by o.placed_at desc, o.order_id desc limit :orders_max),"
        f" found as materialized (select {_COUNTED} from newest o"
        f" {'join order_search s using (order_id)' if checks else ''}"
        f" where {' and '.join(checks) or 'true'})"
    )


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
        if len(counts[row.name]) < FACET_VALUES_MAX:
            counts[row.name].append(Count(value=row.value, orders_count=row.orders_count))
    return Facets(
        orders_count=rows[0].orders_count, is_complete=not rows[0].is_capped, counts=counts
    )


def _listed(tx: Tx, search: Search, sort: Sort, rows_max: int) -> list[Row[Any]]:
    """Find the first orders: among what the words' index has, or by going through them."""
    parameters = {**search.parameters, "rows": rows_max, "hits_max": SEARCH_HITS_MAX + 1}
    if search.lookup is not None:
        rows = tx.execute(text(_few(search, sort)), parameters).all()
        if rows[0].is_few:
            return [row for row in rows if row.order_id is not None]
    return list(tx.execute(text(_many(search, sort)), parameters).all())


def _few(search: Search, sort: Sort) -> str:
    """Sort all that the words' index finds, unless it is too much: one row says so, at least."""
    needs = _searched(search, sort)
    return (
        f"with {_HITS}, listed as materialized (select o.*, {_keys(sort)} from hits"
        f" join orders o using (order_id) {needs} where {_FEW} and {_where(search)}"
        f" {_order(sort)} limit :rows)"
        f" select {_FEW} as is_few, f.* from (values (1)) as one (n) left join"
        f" (select {SUMMARY}, {_named(sort)} from listed o {_SHOWN}) f on true"
        f" order by {_named(sort, _direction(sort))}"
    )


def _many(search: Search, sort: Sort) -> str:
    """Go through the orders as they are sorted until enough are found."""
    conditions = " and ".join([_where(search), *_checks(search, "lookup")])
    return (
        f"select {SUMMARY}, {_keys(sort)} from orders o"
        f" {_searched(search, sort, with_words=search.lookup is not None)} {_SHOWN}"
        f" where {conditions} {_order(sort)} limit :rows"
    )


def _searched(search: Search, sort: Sort | None = None, *, with_words: bool = False) -> str:
    by_key = sort is not None and any(key.column.startswith("s.") for key in sort.keys)
    is_needed = with_words or by_key or search.checked or search.search_conditions
    return "join order_search s using (order_id)" if is_needed else ""


def _where(search: Search) -> str:
    conditions = [*search.conditions, *search.search_conditions, *_checks(search, "checked")]
    return " and ".join(conditions) or "true"


def _checks(search: Search, *names: str) -> list[str]:
    return [_CHECK.format(name) for name in names if getattr(search, name) is not None]


def _keys(sort: Sort) -> str:
    return ", ".join(f"{key.column} as key_{n}" for n, key in enumerate(sort.keys))


def _named(sort: Sort, direction: str = "") -> str:
    return ", ".join(f"key_{n} {direction}" for n in range(len(sort.keys)))


def _direction(sort: Sort) -> str:
    return "desc" if sort.is_down else "asc"


def _order(sort: Sort) -> str:
    return "order by " + ", ".join(f"{key.column} {_direction(sort)}" for key in sort.keys)


def _go_on(search: Search, values: list[Any], sort: Sort) -> None:
    """Let a search begin after the order a cursor names."""
    columns = ", ".join(key.column for key in sort.keys)
    given = ", ".join(f"cast(:after_{n} as {key.type})" for n, key in enumerate(sort.keys))
    condition = f"({columns}) {'<' if sort.is_down else '>'} ({given})"
    is_searched = any(key.column.startswith("s.") for key in sort.keys)
    (search.search_conditions if is_searched else search.conditions).append(condition)
    search.parameters |= {f"after_{n}": value for n, value in enumerate(values)}
