"""What the statistics know of a search: how many orders may have its words, or meet it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import text

from oms.kernel.limits import FACET_ORDERS_MAX
from oms.ledger.database import Tx
from oms.orders.words import Term

# The statistics know the most frequent words only. As so frequent counts at least a word whose
# beginning is this short, and one of letters: many that are not known may begin so.
SHORT_FREQUENCY: Final = 0.02
SHORT_CHARACTERS_MAX: Final = 5
LETTERS_FREQUENCY: Final = 0.005
FIRST_ORDER_ID: Final = 100_000_001
# What it costs about, in microseconds: to go to an order, sorted with others like it; to go to one
# by a list that is sorted; to look whether one on the way meets a condition of another table.
SORT: Final = 6.0
GO: Final = 4.0
LOOK: Final = 1.5
PAID_SO: Final = (
    "o.order_id in (select b.order_id from order_balances b"
    " where b.payment_state = any (:payment_states))"
)
# The same for what many orders meet: looked at on the way through them.
MANY_PAID_SO: Final = (
    "(select b.payment_state from order_balances b where b.order_id = o.order_id)"
    " = any (:payment_states)"
)
# Conditions of when an order was placed.
PLACED: Final = ("o.placed_at ", "(o.placed_at, o.order_id) ")


@dataclass(slots=True, kw_only=True)
class Search:
    """Filters as SQL: what an order's words must meet, and what the order itself.

    Conditions are such of orders (o) and such of what they are searched by (s). How frequent a
    term is, how many orders there are and how many of them meet the conditions, the statistics
    tell; words of one letter are too broad to be looked up: `letters`. Of the terms, `months` are
    those of the period, which is a condition as well: the index leads to fewer orders by them.
    Where it `is_paid_first`, most that are paid as is asked for meet the rest, too: these are gone
    through as they were placed. While it `is_behind`, what orders are counted by is not beside
    every order yet.
    """

    terms: list[Term] = field(default_factory=list)
    frequencies: list[float] = field(default_factory=list)
    months: Term | None = None
    orders_count: float = 0
    met_count: float = 0
    letters: list[Term] = field(default_factory=list)
    is_paid_first: bool = False
    is_behind: bool = False
    conditions: list[str] = field(default_factory=list)
    search_conditions: list[str] = field(default_factory=list)
    parameters: dict[str, Any] = field(default_factory=dict)


# The share of orders with a tag, or a word that begins so, from the thousand most frequent words.
_STATISTICS: Final = text("""
    with known as materialized (
        select k.word, k.frequency
        from pg_stats s
        cross join unnest(s.most_common_elems::text::text[], s.most_common_elem_freqs)
            as k (word, frequency)
        where s.schemaname = current_schema and s.tablename = 'order_search'
          and s.attname = 'words' and k.word is not null
    )
    select
        (select reltuples from pg_class where oid = to_regclass('orders')) as orders_count,
        (select max(order_id) from orders) as newest_id,
        array(
            select coalesce((
                select sum(frequency) from known
                where known.word = b.word or not b.is_tag and starts_with(known.word, b.word)
            ), 0)
            from unnest(cast(:beginnings as text[]), cast(:are_tags as boolean[]))
                with ordinality as b (word, is_tag, n)
            order by n
        ) as frequencies
""")

_BEHIND: Final = text("select exists (select from order_search where channel_id is null)")


def estimate(tx: Tx, found: Search) -> None:
    """Let a search know how many orders there are, and what share of them meets each term."""
    beginnings = [word for term in found.terms for word in term.beginnings]
    are_tags = [term.is_tag for term in found.terms for _ in term.beginnings]
    row = tx.execute(_STATISTICS, {"beginnings": beginnings, "are_tags": are_tags}).one()
    found.orders_count = max(row.orders_count, 1)
    found.met_count = met_count(tx, found)
    known = iter(
        max(frequency, _numbered(word, row.newest_id or 0) / found.orders_count)
        for word, frequency in zip(beginnings, row.frequencies, strict=True)
    )
    found.frequencies = [
        min(max(_least(term), sum(next(known) for _ in term.beginnings)), 1) for term in found.terms
    ]


def met_count(tx: Tx, found: Search) -> float:
    """Return how many orders meet the conditions, as the planner sees it."""
    if not found.conditions:
        return found.orders_count
    return _planned_rows(tx, " and ".join(found.conditions), found.parameters)


def is_many(tx: Tx, condition: str, parameters: dict[str, Any]) -> bool:
    """Tell whether so many orders meet a condition that some of the newest soon do.

    Then it costs less to look at every one on the way than to sort all that meet it. Of n orders
    m meet it: FACET_ORDERS_MAX of them are found among FACET_ORDERS_MAX * n / m.
    """
    met = _planned_rows(tx, condition, parameters)
    everything = _planned_rows(tx, "true", {})
    return met * SORT > FACET_ORDERS_MAX * everything / max(met, 1) * LOOK


def is_soon_met(tx: Tx, found: Search, conditions: Sequence[str]) -> bool:
    """Tell whether of the orders that meet some conditions so many meet all that some soon do.

    Then it costs less to go to one after the other than to all that meet everything.
    """
    some = _planned_rows(tx, " and ".join(conditions), found.parameters)
    met = max(met_count(tx, found), 1)
    return min(FACET_ORDERS_MAX * some / met, some) * GO < met * SORT


def is_behind(tx: Tx) -> bool:
    """Tell whether the follower has not looked at every order since more is kept beside them."""
    return bool(tx.execute(_BEHIND).scalar_one())


def _planned_rows(tx: Tx, condition: str, parameters: dict[str, Any]) -> float:
    planned = text(f"explain (format json) select from orders o where {condition}")
    plan: list[dict[str, Any]] = tx.execute(planned, parameters).scalar_one()
    return float(plan[0]["Plan"]["Plan Rows"])


def _least(term: Term) -> float:
    if term.is_tag:
        return 0
    if term.characters <= SHORT_CHARACTERS_MAX:
        return SHORT_FREQUENCY
    return LETTERS_FREQUENCY if term.beginnings[0].isalpha() else 0


def _numbered(word: str, newest_id: int) -> float:
    """Return how many orders' own numbers begin so: each is one word, which no statistics know."""
    digits = word.removeprefix("r")
    ending = len(str(newest_id)) - len(digits)
    if not digits.isdecimal() or ending < 0:
        return 0
    first, beyond = (n * 10.0**ending for n in (int(digits), int(digits) + 1))
    return max(0, min(beyond, newest_id + 1) - max(first, FIRST_ORDER_ID))
