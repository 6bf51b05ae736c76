"""How the orders of a search are found: by the index of their words, or by going through them."""

from collections.abc import Sequence
from typing import Any, Final

from oms.orders.filters import Search
from oms.orders.words import Term, all_of

SEARCHED: Final = "join order_search s using (order_id)"
FEW: Final = "(select count(*) from hits) < :hits_max"
# Called as a function it is no condition an index could be used for.
_CHECK: Final = "ts_match_vq(s.words, cast(:checked as tsquery))"


def lookups(search: Search) -> list[list[Term]]:
    """Return which terms to look up first, and which when that is too much.

    No terms stand for looking up the orders by what is not words.
    """
    if not search.terms:
        return [[]] if search.letters or search.search_conditions else []
    first = [] if search.rarest in ([], search.terms) else [search.rarest]
    return [*first, search.terms, *([[]] if search.conditions else [])]


def is_broad(search: Search) -> bool:
    """Tell whether so many orders may have the words that looking them up is not worth it."""
    return bool(search.terms or search.letters) and not search.is_selective


def hits_of(search: Search, terms: Sequence[Term]) -> str:
    """Return the common table `hits`: up to :hits_max orders that may be the ones.

    By the words' index and no other way where there are terms to look up (migration 0006).
    """
    if terms:
        hits = "order_search_hits(cast(:lookup as tsquery), cast(:hits_max as bigint)) h (order_id)"
        return f"hits as materialized (select order_id from {hits})"
    tables, where = "orders o", " and ".join(search.conditions) or "true"
    if not search.terms:
        tables, where = f"orders o {joined(search, [])}", where_of(search, [])
    return f"hits as materialized (select o.order_id from {tables} where {where} limit :hits_max)"


def found_by(search: Search, columns: str, terms: Sequence[Term]) -> str:
    """Return common tables, the last of them `found`: what meets everything of `hits`.

    It is empty when there are too many of those.
    """
    return (
        f"{hits_of(search, terms)}, found as materialized (select {columns} from hits join orders o"
        f" using (order_id) {joined(search, terms)} where {FEW} and {where_of(search, terms)})"
    )


def parameters_of(search: Search, terms: Sequence[Term], **more: int) -> dict[str, Any]:
    """Return what a statement is asked with when some terms are looked up."""
    return {
        **search.parameters, "lookup": all_of(terms), "checked": all_of(_left(search, terms)),
        **more,
    }  # fmt: skip


def where_of(search: Search, terms: Sequence[Term]) -> str:
    """Return all conditions, but for the terms that are looked up."""
    checks = [_CHECK] if _left(search, terms) else []
    return " and ".join([*search.conditions, *search.search_conditions, *checks]) or "true"


def joined(search: Search, terms: Sequence[Term]) -> str:
    """Return the join with what orders are searched by, where anything of it is needed."""
    return SEARCHED if search.search_conditions or _left(search, terms) else ""


def _left(search: Search, terms: Sequence[Term]) -> list[Term]:
    return [each for each in (*search.terms, *search.letters) if each not in terms]
