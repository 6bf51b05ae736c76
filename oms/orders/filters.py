"""What orders may be looked for by: filters as values, and the conditions they become."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import text

from oms.ledger.database import Tx
from oms.orders.estimates import (
    MANY_PAID_SO,
    PAID_SO,
    PLACED,
    Search,
    estimate,
    is_many,
    is_soon_met,
    met_count,
)
from oms.orders.model import OrderState
from oms.orders.words import Term, all_of, any_tag, begins, begins_any, chunks, sentence

WORDS_MAX: Final = 20
MONTHS_MAX: Final = 12
# As `promised_at` is sorted where nothing was promised (migration 0042).
NEVER: Final = "timestamptz '9999-01-01 00:00:00+00'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What orders to list: of several values any, None means all. Periods are half-open."""

    q: str | None = None
    number: str | None = None
    external: str | None = None
    customer: str | None = None
    email: str | None = None
    placed_from: datetime | None = None
    placed_to: datetime | None = None
    updated_from: datetime | None = None
    updated_to: datetime | None = None
    channel_codes: tuple[str, ...] | None = None
    location_codes: tuple[str, ...] | None = None
    fulfillment_location_codes: tuple[str, ...] | None = None
    methods: tuple[str, ...] | None = None
    order_states: tuple[str, ...] | None = None
    fulfillment_states: tuple[str, ...] | None = None
    product_types: tuple[str, ...] | None = None
    categories: tuple[str, ...] | None = None
    brands: tuple[str, ...] | None = None
    skus: tuple[str, ...] | None = None
    country_codes: tuple[str, ...] | None = None
    payment_methods: tuple[str, ...] | None = None
    payment_states: tuple[str, ...] | None = None
    promised_from: datetime | None = None
    promised_to: datetime | None = None
    currency: str | None = None
    total_from_minor: int | None = None
    total_to_minor: int | None = None
    has_exception: bool | None = None
    exception_codes: tuple[str, ...] | None = None
    is_on_hold: bool | None = None
    hold_types: tuple[str, ...] | None = None
    tags: tuple[str, ...] | None = None
    state_from: datetime | None = None
    state_to: datetime | None = None
    note: str | None = None
    note_visibilities: tuple[str, ...] = ()  # whose notes are looked among
    is_test: bool | None = None

    def asked(self) -> dict[str, Any]:
        """Return the filters that are set, by name."""
        known = ((each.name, getattr(self, each.name)) for each in fields(self))
        return {name: value for name, value in known if value is not None}


# One condition per filter; a filter that is not asked for is not in the statement, so that the
# planner sees only what counts. Codes are numbers before it plans (_resolved).
_CONDITIONS: Final[dict[str, str]] = {
    "number": "o.order_number = upper(:number)",
    "external": "(o.external_ref = :external or o.external_number = :external)",
    "email": "lower(o.customer_email) = lower(:email)",
    "placed_from": "o.placed_at >= :placed_from",
    "placed_to": "o.placed_at < :placed_to",
    "updated_from": "o.updated_at >= :updated_from",
    "updated_to": "o.updated_at < :updated_to",
    "state_from": "coalesce(o.state_since, o.placed_at) >= :state_from",
    "state_to": "coalesce(o.state_since, o.placed_at) < :state_to",
    "order_states": "o.order_state = any (:order_states)",
    # With both columns of their index even when only the second is asked for.
    "fulfillment_states": (
        "o.fulfillment_state = any (:fulfillment_states)"
        f" and o.order_state = any ('{{{','.join(OrderState)}}}')"
    ),
    "payment_states": PAID_SO,
    "exception_codes": (
        "o.order_id in (select e.order_id from order_exceptions e"
        " where e.code = any (:exception_codes) and e.resolved_at is null)"
    ),
    "hold_types": (
        "o.is_on_hold and o.order_id in (select h.order_id from order_holds h"
        " where h.type = any (:hold_types) and h.released_at is null)"
    ),
}
# As `is_open` of what orders are searched by has it (migration 0042).
_IS_OPEN: Final = "s.is_open"
_OPEN: Final = frozenset(("placed", "in_progress", "allocated", "backordered", "partially_shipped"))
# How an order nobody paid anything of is paid, which is not written down everywhere.
_UNPAID: Final = "none"
_PAID_SO_OR_NOT: Final = (
    "not exists (select from order_balances b where b.order_id = o.order_id"
    " and b.payment_state <> all (:payment_states))"
)
# Without a parameter, so that a partial index can be seen to do.
_FLAGS: Final[dict[str, tuple[str, str]]] = {
    "has_exception": ("not o.has_exception", "o.has_exception"),
    "is_on_hold": ("not o.is_on_hold", "o.is_on_hold"),
    "is_test": ("not o.is_test", "o.is_test"),
}
_OF_SEARCH: Final[dict[str, str]] = {
    # What is promised by the end of all days is not promised at all.
    "promised_from": f"s.promised_at >= :promised_from and s.promised_at < {NEVER}",
    "promised_to": f"s.promised_at < :promised_to and s.promised_at < {NEVER}",
    "currency": "s.currency = :currency",
    "total_from_minor": "s.total_minor >= :total_from_minor",
    "total_to_minor": "s.total_minor <= :total_to_minor",
}
# What is kept among an order's words under a letter (migration 0008).
_TAGS: Final[dict[str, str]] = {
    "methods": "m", "country_codes": "n", "product_types": "t", "categories": "k", "brands": "b",
    "tags": "g", "payment_methods": "y",
}  # fmt: skip
# Under which letter the words of notes are kept, by whom they are for.
_NOTES: Final[dict[str, str]] = {"internal": "i", "customer": "u", "store": "w", "warehouse": "w"}
# Those whose codes are numbers among the words.
_NUMBERED: Final[dict[str, str]] = {
    "location_codes": "l", "fulfillment_location_codes": "f", "skus": "p",
}  # fmt: skip
_RESOLVED: Final = text("""
    select
        (select coalesce(array_agg(channel_id), '{}') from channels
            where channel_code = any (:channel_codes)) as channel_codes,
        (select coalesce(array_agg(location_id), '{}') from locations
            where location_code = any (:location_codes)) as location_codes,
        (select coalesce(array_agg(location_id), '{}') from locations
            where location_code = any (:fulfillment_location_codes)) as fulfillment_location_codes,
        (select coalesce(array_agg(product_id), '{}') from products
            where sku = any (:skus)) as skus,
        array(select search_fold(chunk) from unnest(cast(:q as text[]))
            with ordinality as c (chunk, n) order by n) as q,
        array(select search_fold(chunk) from unnest(cast(:customer as text[]))
            with ordinality as c (chunk, n) order by n) as customer,
        array(select search_fold(chunk) from unnest(cast(:note as text[]))
            with ordinality as c (chunk, n) order by n) as note
""")
NAMED: Final = "' ' || s.name_key like all (cast(:names as text[]))"
# Nothing as long as there are orders whose month is not among their words yet.
_EXTREMES: Final = text("""
    select min(placed_at), max(placed_at) from orders
    having min(placed_at) is not null
       and not exists (select from order_search where channel_id is null)
""")
# What a search costs hangs on what is asked for: a plan kept for anything was hundreds of
# times slower for what few orders have, once a connection had asked ten times.
_PLAN_EACH: Final = text("set local plan_cache_mode = force_custom_plan")
_FOLDED: Final = text("select search_fold(:words)")


def search_of(tx: Tx, filters: Filters) -> Search:
    """Make filters into what the ledger is asked; each question of the transaction is planned."""
    tx.execute(_PLAN_EACH)
    asked = filters.asked()
    found = Search()
    _add_conditions(found, asked)
    ids = _resolved(tx, asked)
    found.terms = _tags(asked, ids)
    if "channel_codes" in asked:
        found.parameters["channel_ids"] = ids["channel_codes"]
        found.conditions.append(_channels(ids["channel_codes"]))
    if filters.customer is not None:
        _add_name(found, chunks(" ".join(ids["customer"]).replace("-", " ")))
    if filters.note is not None:
        _add_note(found, ids["note"], filters.note_visibilities)
    if filters.q is not None:
        _add_words(found, sentence(filters.q, ids["q"]))
    if not {"promised_from", "promised_to"}.isdisjoint(asked):
        narrow_to_open(found, filters)
    _add_months(tx, found, filters)
    if found.terms or found.letters:
        estimate(tx, found)
    elif found.conditions and found.search_conditions:
        found.met_count = met_count(tx, found)
    _word_paid_so(tx, found)
    return found


def narrow_to_open(found: Search, filters: Filters) -> None:
    """Let an index of promises be of what is open only, where nothing else is asked for."""
    asked = (filters.order_states, filters.fulfillment_states)
    is_open = any(each is not None and _OPEN.issuperset(each) for each in asked)
    if is_open and not found.terms and _IS_OPEN not in found.search_conditions:
        found.search_conditions.append(_IS_OPEN)


def _add_months(tx: Tx, found: Search, filters: Filters) -> None:
    """Look the period up as well, by the months it touches that have orders, if these are few."""
    if not found.terms or (filters.placed_from is None and filters.placed_to is None):
        return
    row = tx.execute(_EXTREMES).one_or_none()
    if row is None:
        return
    first: datetime = row[0].astimezone(UTC)
    last: datetime = row[1].astimezone(UTC)
    if filters.placed_to is not None and filters.placed_to <= last:
        last = max(first, filters.placed_to).astimezone(UTC) - timedelta.resolution
    if filters.placed_from is not None and filters.placed_from > first:
        first = min(filters.placed_from, last + timedelta.resolution).astimezone(UTC)
    turns = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
    months = [f"d:{n // 12:04}-{n % 12 + 1:02}" for n in turns]
    if first <= last and len(months) <= MONTHS_MAX:
        found.months = any_tag(months)
        found.terms.append(found.months)


def _add_conditions(found: Search, asked: dict[str, Any]) -> None:
    for known, conditions in (
        (_CONDITIONS, found.conditions), (_OF_SEARCH, found.search_conditions),
    ):  # fmt: skip
        for name in (each for each in known if each in asked):
            conditions.append(_condition(known, name, asked))
            value = asked[name]
            found.parameters[name] = list(value) if isinstance(value, tuple) else value
    found.conditions += [_FLAGS[name][asked[name]] for name in _FLAGS if name in asked]


def _condition(known: Mapping[str, str], name: str, asked: dict[str, Any]) -> str:
    if name == "payment_states" and _UNPAID in asked[name]:
        return _PAID_SO_OR_NOT
    return known[name]


def _word_paid_so(tx: Tx, found: Search) -> None:
    """Choose how orders are found that are paid as is asked for, by how many are.

    After all is estimated: written for many, the planner does not know how many meet it.
    """
    if PAID_SO not in found.conditions:
        return
    placed = [each for each in found.conditions if each.startswith(PLACED)]
    states = found.parameters["payment_states"]
    found.is_paid_first = bool(states) and is_soon_met(tx, found, [PAID_SO, *placed])
    if is_many(tx, PAID_SO, {"payment_states": states}):
        found.conditions[found.conditions.index(PAID_SO)] = MANY_PAID_SO


def _resolved(tx: Tx, asked: dict[str, Any]) -> dict[str, Any]:
    """Look up what the statement needs to know first; nothing where nothing of it is asked."""
    names = ("channel_codes", *_NUMBERED, "q", "customer", "note")
    if not any(name in asked for name in names):
        return {}
    parameters = {
        name: chunks(given)[:WORDS_MAX]
        if isinstance(given := asked.get(name, ()), str)
        else [*given]
        for name in names
    }
    return dict(tx.execute(_RESOLVED, parameters).one()._mapping)  # noqa: SLF001 - its public name


def _channels(channel_ids: Sequence[int]) -> str:
    """Compare with a list of one as such: then the index has the channel's orders in order."""
    if len(channel_ids) == 1:
        return "o.channel_id = (cast(:channel_ids as integer[]))[1]"
    return "o.channel_id = any (cast(:channel_ids as integer[]))"


def _tags(asked: dict[str, Any], ids: dict[str, Any]) -> list[Term]:
    """Write the filters that are looked up among the words, each as any of its values."""
    tags = [
        any_tag([f"{tag}:{_lower(name, each)}" for each in asked[name]])
        for name, tag in _TAGS.items()
        if name in asked
    ]
    return tags + [
        any_tag([f"{tag}:{each}" for each in ids[name]])
        for name, tag in _NUMBERED.items()
        if name in asked
    ]


def _lower(name: str, value: str) -> str:
    return value if name in {"methods", "country_codes", "payment_methods"} else value.lower()


def named(tx: Tx, words: str) -> tuple[str, list[str]]:
    """Return what looks up whom orders name: a tsquery for `words`, patterns for ` name_key`.

    Every word begins one of the customer's name; elsewhere in the order it does not count.
    """
    folded: str = tx.execute(_FOLDED, {"words": words}).scalar_one()
    found = chunks(folded.replace("-", " "))[:WORDS_MAX]
    terms = [begins(each) for each in found] or [any_tag([])]
    return all_of(terms) or "", [f"% {each}%" for each in found]


def _add_name(found: Search, words: Sequence[str]) -> None:
    """Let every word begin one of the customer's name: elsewhere in the order it does not count."""
    found.terms += [begins(each) for each in words if len(each) > 1]
    found.search_conditions.append(NAMED)
    found.parameters["names"] = [f"% {each}%" for each in words]
    if not words:
        found.conditions.append("false")


def _add_words(found: Search, wanted: Sequence[Term]) -> None:
    found.letters = [each for each in wanted if each.characters == 1]
    found.terms += [each for each in wanted if each.characters > 1]
    if not wanted:
        found.conditions.append("false")


def _add_note(found: Search, folded: Sequence[str], visibilities: Sequence[str]) -> None:
    """Let every word begin one of a note that is for somebody whose notes may be read."""
    letters = sorted({_NOTES[each] for each in visibilities})
    words = chunks(" ".join(folded).replace("-", " "))
    if not words or not letters:
        found.conditions.append("false")
        return
    found.terms += [begins_any([f"{letter}:{each}" for letter in letters]) for each in words]
