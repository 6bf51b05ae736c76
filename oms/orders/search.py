"""The list of orders: a page of what was asked for, in any order."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from sqlalchemy import Row, text

from oms.kernel.limits import SEARCH_HITS_MAX
from oms.ledger.database import Tx
from oms.orders.cursors import Sort, cursor_of, digest_of, read_cursor
from oms.orders.estimates import Search
from oms.orders.filters import Filters, narrow_to_open, search_of
from oms.orders.finding import (
    FEW,
    SEARCHED,
    THROUGH_ORDERS_MAX,
    broad,
    by_placing,
    hit,
    hits_of,
    joined,
    lookups,
    parameters_of,
    where_of,
    words_where,
)
from oms.orders.model import Summary
from oms.orders.queries import SUMMARY, summary_of
from oms.orders.words import Term

EXPORT_PAGE_ROWS: Final = 5_000
EVERYTHING: Final = 1 << 40

_PLACED: Final = (Sort.PLACED_AT, Sort.PLACED_AT_DOWN)
_PROMISED: Final = (Sort.PROMISED_AT, Sort.PROMISED_AT_DOWN)
_SHOWN: Final = """
    join channels c on c.channel_id = o.channel_id
    left join locations x on x.location_id = o.location_id
"""


def page(
    tx: Tx, filters: Filters, *, after: str | None, limit: int, sort: Sort = Sort.PLACED_AT_DOWN
) -> tuple[list[Summary], str | None]:
    """Return a page of orders and the cursor of the next one.

    Raises BadCursor.
    """
    digest = digest_of(filters, sort)
    search = search_of(tx, filters)
    if sort in _PROMISED:
        narrow_to_open(search, filters)
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


def _listed(tx: Tx, search: Search, sort: Sort, rows_max: int) -> Sequence[Row[Any]]:
    """Find the first orders.

    Where many orders should have the words, enough of them are among the first; else all that
    the words' index finds is sorted, unless that is too much. What is neither little nor among
    the first is sorted however much it is.
    """
    if not search.terms:
        return _through(tx, search, sort, rows_max)
    orders_max = broad(search, rows_max, is_by_search=_is_by_search(sort))
    if orders_max:
        found = _through(tx, search, sort, rows_max, orders_max=orders_max)
        if len(found) == rows_max:
            return found
    for terms in lookups(search):
        few = _sorted(tx, search, sort, rows_max, terms, hits_max=SEARCH_HITS_MAX + 1)
        if few is not None:
            return few
    found = _through(tx, search, sort, rows_max, orders_max=THROUGH_ORDERS_MAX)
    if len(found) == rows_max:
        return found
    return _sorted(tx, search, sort, rows_max, search.terms, hits_max=EVERYTHING) or []


def _sorted(
    tx: Tx, search: Search, sort: Sort, rows_max: int, terms: Sequence[Term], *, hits_max: int
) -> list[Row[Any]] | None:
    """Sort all that is found by looking up some terms; None when that is too much."""
    statement = (
        f"with {hits_of(search, terms)}, listed as materialized (select o.order_id, {_keys(sort)}"
        f" from {hit(search, terms, with_search=_is_by_search(sort))}"
        f" where {FEW} and {where_of(search, terms)}"
        f" {_order(sort)} limit :rows_max)"
        f" select {FEW} as is_few, f.* from (values (1)) as one (n) left join"
        f" (select {SUMMARY}, {_named(sort)} from listed join orders o using (order_id) {_SHOWN}) f"
        " on true"
        f" order by {_named(sort, _direction(sort))}"
    )
    parameters = parameters_of(search, terms, rows_max=rows_max, hits_max=hits_max)
    rows = tx.execute(text(statement), parameters).all()
    if not rows[0].is_few:
        return None
    return [row for row in rows if row.order_id is not None]


def _through(
    tx: Tx, search: Search, sort: Sort, rows_max: int, *, orders_max: int | None = None
) -> Sequence[Row[Any]]:
    """Go through the orders as they are sorted, at most through so many, until enough are found."""
    if orders_max is not None:
        tables, where, order = _first(search, sort)
    elif _is_by_search(sort):
        tables, where, order = f"orders o {SEARCHED}", where_of(search, []), _order(sort)
    else:
        tables, where, order = _orders(search, sort)
        tables = f"{tables} {joined(search, [])}"
        where = " and ".join([where, *words_where(search, [])])
    statement = (
        f"select {SUMMARY}, {_keys(sort)} from {tables} {_SHOWN} where {where}"
        f" {order} limit :rows_max"
    )
    parameters = parameters_of(search, [], rows_max=rows_max, orders_max=orders_max or 0)
    return tx.execute(text(statement), parameters).all()


def _first(search: Search, sort: Sort) -> tuple[str, str, str]:
    """Write the first :orders_max of the table that is sorted, joined with the other one.

    With what the other one is to meet, and the order of both.
    """
    if _is_by_search(sort):
        where = " and ".join(search.search_conditions) or "true"
        first = f"select s.* from order_search s where {where} {_order(sort)} limit :orders_max"
        return f"({first}) s join orders o using (order_id)", where_of(search, []), _order(sort)
    tables, where, order = _orders(search, sort)
    first = f"select o.* from {tables} where {where} {order} limit :orders_max"
    left = " and ".join(words_where(search, [])) or "true"
    return f"({first}) o {SEARCHED}", left, _order(sort)


def _orders(search: Search, sort: Sort) -> tuple[str, str, str]:
    """Return tables with the orders, their conditions, and the order they are listed in."""
    if sort in _PLACED:
        return by_placing(search, is_down=sort.is_down)
    return "orders o", " and ".join(search.conditions) or "true", _order(sort)


def _is_by_search(sort: Sort) -> bool:
    return sort.keys[0].column.startswith("s.")


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
    conditions = search.search_conditions if _is_by_search(sort) else search.conditions
    conditions.append(condition)
    search.parameters |= {f"after_{n}": value for n, value in enumerate(values)}
