"""How the orders of a search are found: by the index of their words, or by going through them."""

from collections.abc import Sequence
from math import inf, prod
from typing import Any, Final

from sqlalchemy import text

from oms.kernel.limits import SEARCH_HITS_MAX
from oms.ledger.database import Tx
from oms.orders.estimates import MANY_PAID_SO, PAID_SO, PLACED, Search
from oms.orders.words import Term, all_of

# So many orders are looked through before the words are looked up when many should have them,
# and so many when too many have them.
BROAD_ORDERS_MAX: Final = 5_000
THROUGH_ORDERS_MAX: Final = 30_000
SEARCHED: Final = "join order_search s using (order_id)"
FEW: Final = "(select count(*) from hits) < :hits_max"
# What it costs about, in microseconds: to collect from the index an order with a word that begins
# so, to hold an order the index found to further words, to go to the order itself, to look at one
# on the way through all.
COLLECT: Final = 0.2
CHECK: Final = 1.7
FETCH: Final = 3.0
PASS: Final = 4.0
# So many times too many orders expected are too many whatever the statistics do not know.
SURELY: Final = 4
_HITS: Final = """
    hits as materialized (
        select * from order_search_hits(
            cast(:lookup as tsquery), cast(:checked as tsquery), cast(:hits_from as timestamptz),
            cast(:hits_to as timestamptz), cast(:hits_max as bigint)
        )
    )
"""
# Called as a function it is no condition an index could be used for.
_CHECK: Final = "ts_match_vq(s.words, cast(:checked as tsquery))"
# Conditions of what never changes of an order, which is kept beside it under the same name.
_LASTING: Final = (*PLACED, "o.channel_id ")


def lookups(search: Search, *, met_max: float = inf) -> list[list[Term]]:
    """Return which terms to look up first, and which when that is too much.

    No terms stand for looking up the orders by what is not words. What is sure to be too much is
    not tried: beside words, conditions that more than `met_max` orders meet, too.
    """
    if not search.terms:
        return [[]] if search.letters or search.search_conditions else []
    first = _worthwhile(search)
    return [
        *([first] if first not in ([], search.terms) else []),
        *([search.terms] if expected(search) < SURELY * SEARCH_HITS_MAX else []),
        *([[]] if search.conditions and search.met_count <= met_max else []),
    ]  # fmt: skip


def _worthwhile(search: Search) -> list[Term]:
    """Return the tags, which cost little, and the rarest words whose orders are worth collecting.

    Every word with some beginning is collected before it is known which of them count: a frequent
    one costs more than looking at the few orders that have the others. None, when even the rarest
    is too frequent.
    """
    words = sorted(
        (frequency * search.orders_count, -term.characters, n)
        for n, (frequency, term) in enumerate(_estimated(search))
        if not term.is_tag
    )
    if not words or words[0][0] > SEARCH_HITS_MAX:
        return []
    found = words[0][0]
    taken = {words[0][2]}
    for count, _, n in words[1:]:
        if count * COLLECT > found * CHECK:
            break
        taken.add(n)
        found *= count / search.orders_count
    return [term for n, term in enumerate(search.terms) if term.is_tag or n in taken]


def broad(search: Search, rows: int, *, is_by_search: bool) -> int:
    """Return among how many orders some rows are found sooner than by looking up; 0 for none.

    So many may have the words, or one letter. When the words hang together it is three times as
    many. Sorted by what they are searched by, orders that do not meet the conditions are among
    them.
    """
    if not search.terms:
        return BROAD_ORDERS_MAX if search.letters else 0
    share = prod(search.frequencies)
    among = prod(each for each, term in _estimated(search) if term is not search.months)
    passed = among * search.met_count / search.orders_count if is_by_search else among
    looked_up = collecting(search) + share * FETCH * search.orders_count
    if rows * PASS >= passed * looked_up:
        return 0
    return int(min(max(3 * rows / passed, BROAD_ORDERS_MAX), THROUGH_ORDERS_MAX))


def collecting(search: Search) -> float:
    """Return what it costs to collect from the index all words that begin as they should."""
    words = sum(frequency for frequency, term in _estimated(search) if not term.is_tag)
    return words * search.orders_count * COLLECT


def expected(search: Search) -> float:
    """Return how many orders have the terms, as far as the statistics know."""
    return prod(search.frequencies) * search.orders_count if search.terms else 0


def amounting_to(tx: Tx, search: Search) -> float:
    """Return how many orders meet what orders are searched by, as the planner sees it."""
    where = _all(search.search_conditions)
    planned = text(f"explain (format json) select from order_search s where {where}")
    plan: list[dict[str, Any]] = tx.execute(planned, search.parameters).scalar_one()
    return float(plan[0]["Plan"]["Plan Rows"])


def hits_of(search: Search, terms: Sequence[Term]) -> str:
    """Return the common table `hits`: up to :hits_max orders that may be the ones.

    By the words' index and no other way where there are terms to look up (migrations 0008, 0020);
    then the other words are checked, and everything else orders are searched by is beside them.
    """
    if terms:
        return _HITS
    tables, where = "orders o", _all(search.conditions)
    if not search.terms:
        tables, where = f"orders o {joined(search, [])}", where_of(search, [])
    return f"hits as materialized (select o.order_id from {tables} where {where} limit :hits_max)"


def found_by(
    search: Search, columns: str, terms: Sequence[Term], *, with_search: bool = False,
    kept: Sequence[str] | None = None, is_sample: bool = False,
) -> str:  # fmt: skip
    """Return common tables, the last of them `found`: what meets everything of `hits`.

    It is empty when there are too many of those, unless a sample will do. With `kept` conditions
    it is made of what is kept beside the orders (s), without a look at one of them.
    """
    few = "true" if is_sample else FEW
    if not search.terms:  # hits meet everything, and are fetched once
        tables = f"orders o {SEARCHED if with_search else joined(search, [])}"
        where = where_of(search, [])
        if kept is not None:
            tables, where = "order_search s", _all([*kept, *words_where(search, [])])
        return (
            f"hits as materialized (select {columns} from {tables} where {where}"
            f" limit :hits_max), found as materialized (select * from hits where {few})"
        )
    tables, where = hit(search, terms, with_search=with_search), where_of(search, terms)
    if kept is not None:
        tables, where = "hits s", _all([*kept, *words_where(search, terms)])
    return (
        f"{hits_of(search, terms)}, found as materialized (select {columns} from {tables}"
        f" where {few} and {where})"
    )


def kept_conditions(search: Search, terms: Sequence[Term]) -> list[str] | None:
    """Return the conditions as such of what is kept beside orders; None where it does not do.

    It is late by a second, so no condition of what changes is asked of it.
    """
    is_found_by_search = bool(terms) or not search.terms
    if search.is_behind or not is_found_by_search:
        return None
    if not all(each.startswith(_LASTING) for each in search.conditions):
        return None
    return [each.replace("o.", "s.") for each in search.conditions]


def by_placing(search: Search, *, is_down: bool = True) -> tuple[str, str, str]:
    """Return tables with the orders (o), conditions and order that list them as they were placed.

    Where many are paid as is asked for, only as many orders are gone to as are listed.
    """
    direction = "desc" if is_down else "asc"
    if not search.is_paid_first:
        order = f"order by o.placed_at {direction}, o.order_id {direction}"
        return "orders o", _all(search.conditions), order
    placed = [each for each in search.conditions if each.startswith(PLACED)]
    left = [each for each in search.conditions if each not in (*placed, PAID_SO, MANY_PAID_SO)]
    states: list[str] = search.parameters["payment_states"]
    listed = " union all ".join(
        "select b.order_id, b.placed_at from order_balances b where "
        + _all([f"b.payment_state = (cast(:payment_states as text[]))[{n}]",
                *(each.replace("o.", "b.") for each in placed)])
        for n, state in enumerate(states, start=1)
        if state not in states[: n - 1]
    )  # fmt: skip
    tables = (
        f"({listed} order by placed_at {direction}, order_id {direction}) b"
        " join orders o using (order_id)"
    )
    return tables, _all(left), f"order by b.placed_at {direction}, b.order_id {direction}"


def hit(search: Search, terms: Sequence[Term], *, with_search: bool) -> str:
    """Return `hits` joined with their orders (o), and with what they are searched by (s)."""
    if terms:
        return "hits s join orders o using (order_id)"
    words = SEARCHED if with_search else joined(search, terms)
    return f"hits join orders o using (order_id) {words}"


def parameters_of(search: Search, terms: Sequence[Term], **more: int) -> dict[str, Any]:
    """Return what a statement is asked with when some terms are looked up."""
    return {
        **search.parameters, "lookup": all_of(terms), "checked": all_of(_left(search, terms)),
        "hits_from": search.parameters.get("placed_from"),
        "hits_to": search.parameters.get("placed_to"), **more,
    }  # fmt: skip


def where_of(search: Search, terms: Sequence[Term]) -> str:
    """Return all conditions, but for the words where some are looked up: `hits` meet them all."""
    return _all([*search.conditions, *words_where(search, terms)])


def words_where(search: Search, terms: Sequence[Term]) -> list[str]:
    """Return the conditions of what orders are searched by, but for the words of looked up ones."""
    return [*search.search_conditions, *([_CHECK] if not terms and _left(search, terms) else [])]


def joined(search: Search, terms: Sequence[Term]) -> str:
    """Return the join with what orders are searched by, where anything of it is needed."""
    return SEARCHED if words_where(search, terms) else ""


def _all(conditions: Sequence[str]) -> str:
    return " and ".join(conditions) or "true"


def _estimated(search: Search) -> list[tuple[float, Term]]:
    return list(zip(search.frequencies, search.terms, strict=True))


def _left(search: Search, terms: Sequence[Term]) -> list[Term]:
    said = (each for each in (*search.terms, *search.letters) if each is not search.months)
    return [each for each in said if each not in terms]
