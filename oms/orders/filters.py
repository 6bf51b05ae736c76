"""What orders may be looked for by: filters as values, and the conditions they become."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text

from oms.ledger.database import Tx

WORD_CHARACTERS_MAX: Final = 64
TAG_CHARACTERS_MAX: Final = 200
WORDS_MAX: Final = 20
# From so many characters on, what follows leading zeros is looked up by how it begins.
ZEROLESS_MIN: Final = 4
# So many digits of a phone number are kept, its last ones; fewer are none.
PHONE_DIGITS: Final = 9
PHONE_DIGITS_MIN: Final = 7
# A word no order has.
NOBODY: Final = "none:"

_PHONE: Final = re.compile(r"[\d\s()+./-]+")


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
    methods: tuple[str, ...] | None = None
    order_states: tuple[str, ...] | None = None
    fulfillment_states: tuple[str, ...] | None = None
    product_types: tuple[str, ...] | None = None
    categories: tuple[str, ...] | None = None
    brands: tuple[str, ...] | None = None
    skus: tuple[str, ...] | None = None
    country_codes: tuple[str, ...] | None = None
    currency: str | None = None
    total_from_minor: int | None = None
    total_to_minor: int | None = None
    has_exception: bool | None = None
    exception_codes: tuple[str, ...] | None = None
    is_test: bool | None = None

    def asked(self) -> dict[str, Any]:
        """Return the filters that are set, by name."""
        return {
            each.name: value
            for each in fields(self)
            if (value := getattr(self, each.name)) is not None
        }


@dataclass(slots=True, kw_only=True)
class Search:
    """Filters as SQL: what the words' index is asked, and what each order must meet.

    `lookup` is a tsquery of it, or None; `checked` one of what is too short to be looked up.
    Conditions are such of orders (o) and such of what they are searched by (s).
    """

    lookup: str | None = None
    checked: str | None = None
    conditions: list[str] = field(default_factory=list)
    search_conditions: list[str] = field(default_factory=list)
    parameters: dict[str, Any] = field(default_factory=dict)


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
    "order_states": "o.order_state = any (:order_states)",
    # With both columns of their index even when only the second is asked for.
    "fulfillment_states": (
        "o.fulfillment_state = any (:fulfillment_states)"
        " and o.order_state = any ('{placed,in_progress,completed,canceled}')"
    ),
    "exception_codes": (
        "o.order_id in (select e.order_id from order_exceptions e"
        " where e.code = any (:exception_codes) and e.resolved_at is null)"
    ),
}
# Without a parameter, so that a partial index can be seen to do.
_FLAGS: Final[dict[str, tuple[str, str]]] = {
    "has_exception": ("not o.has_exception", "o.has_exception"),
    "is_test": ("not o.is_test", "o.is_test"),
}
_AMOUNTS: Final[dict[str, str]] = {
    "currency": "s.currency = :currency",
    "total_from_minor": "s.total_minor >= :total_from_minor",
    "total_to_minor": "s.total_minor <= :total_to_minor",
}
# What is kept among an order's words under a letter (migration 0003).
_TAGS: Final[dict[str, str]] = {
    "methods": "m", "country_codes": "n", "product_types": "t", "categories": "k", "brands": "b",
}  # fmt: skip
_IDS: Final = text("""
    select
        (select coalesce(array_agg(channel_id), '{}') from channels
            where channel_code = any (:channel_codes)) as channel_codes,
        (select coalesce(array_agg(location_id), '{}') from locations
            where location_code = any (:location_codes)) as location_codes,
        (select coalesce(array_agg(product_id), '{}') from products
            where sku = any (:skus)) as skus,
        array(select search_fold(chunk) from unnest(cast(:q as text[]))
            with ordinality as c (chunk, n) order by n) as q,
        array(select search_fold(chunk) from unnest(cast(:customer as text[]))
            with ordinality as c (chunk, n) order by n) as customer
""")


def search_of(tx: Tx, filters: Filters) -> Search:
    """Make filters into what the ledger is asked."""
    asked = filters.asked()
    found = Search()
    _add_conditions(found, asked)
    ids = _resolved(tx, asked)
    lookups = _tags(asked, ids)
    if "channel_codes" in asked:
        found.parameters["channel_ids"] = ids["channel_codes"]
        # A list of one is compared as such: then the index has the channel's orders in order.
        found.conditions.append(_channels(ids["channel_codes"]))
    if filters.customer is not None:
        words = " ".join(ids["customer"]).replace("-", " ").split()
        lookups += [_prefix(each) for each in words if len(each) > 1] or [_quoted(NOBODY)]
        _add_name(found, words)
    if filters.q is not None:
        wanted = _sentence(filters.q, ids["q"])
        broad = [each for each in wanted if len(each) == len("'x':*")]
        lookups += [each for each in wanted if each not in broad]
        found.checked = " & ".join(broad) or None
        if not wanted:
            found.conditions.append("false")
    found.lookup = " & ".join(f"({each})" for each in lookups) or None
    return found


def _add_conditions(found: Search, asked: dict[str, Any]) -> None:
    for known, conditions in (
        (_CONDITIONS, found.conditions), (_AMOUNTS, found.search_conditions),
    ):  # fmt: skip
        for name in known.keys() & asked.keys():
            conditions.append(known[name])
            value = asked[name]
            found.parameters[name] = list(value) if isinstance(value, tuple) else value
    for name in _FLAGS.keys() & asked.keys():
        found.conditions.append(_FLAGS[name][asked[name]])


def _resolved(tx: Tx, asked: dict[str, Any]) -> dict[str, Any]:
    """Look up what the statement needs to know first; nothing where nothing of it is asked."""
    names = ("channel_codes", "location_codes", "skus", "q", "customer")
    if not any(name in asked for name in names):
        return {}
    parameters = {
        name: asked[name].split()[:WORDS_MAX]
        if isinstance(asked.get(name), str)
        else list(asked.get(name, ()))
        for name in names
    }
    return dict(tx.execute(_IDS, parameters).one()._mapping)  # noqa: SLF001 - its public name


def _channels(channel_ids: Sequence[int]) -> str:
    if len(channel_ids) == 1:
        return "o.channel_id = cast(:channel_ids as integer[])[1]"
    return "o.channel_id = any (cast(:channel_ids as integer[]))"


def _tags(asked: dict[str, Any], ids: dict[str, Any]) -> list[str]:
    """Write the filters that are looked up among the words, each as any of its values."""
    sought = [
        [f"{tag}:{_lower(name, each)[:TAG_CHARACTERS_MAX]}" for each in asked[name]]
        for name, tag in _TAGS.items()
        if name in asked
    ]
    sought += [
        [f"{tag}:{each}" for each in ids[name]]
        for name, tag in (("location_codes", "l"), ("skus", "p"))
        if name in asked
    ]
    # What nobody has is there so that nothing is found.
    return [" | ".join(map(_quoted, each or [NOBODY])) for each in sought]


def _lower(name: str, value: str) -> str:
    return value if name in {"methods", "country_codes"} else value.lower()


def _add_name(found: Search, words: Sequence[str]) -> None:
    """Let every word begin one of the customer's name: elsewhere in the order it does not count."""
    for n, word in enumerate(words):
        found.search_conditions.append(f"' ' || s.name_key like :name_{n}")
        found.parameters[f"name_{n}"] = f"% {word}%"


def _sentence(q: str, folded: Sequence[str]) -> list[str]:
    """Write every word of a text as what is looked for: all of it is to be met."""
    chunks = [
        _prefix(chunk.lower()[:TAG_CHARACTERS_MAX]) if "@" in chunk[1:] else _chunk(words)
        for chunk, words in zip(q.split(), folded, strict=False)
    ]
    wanted = [each for each in chunks if each]
    digits = "".join(filter(str.isdecimal, q))
    if _PHONE.fullmatch(q) and len(wanted) > 1 and len(digits) >= PHONE_DIGITS_MIN:
        together = " & ".join(f"({each})" for each in wanted)
        return [f"({together}) | {' | '.join(_alternatives(digits))}"]
    return wanted


def _chunk(folded: str) -> str:
    """Write what has no space in it: joined, or its parts, of which the last may go on."""
    parts = [each[:WORD_CHARACTERS_MAX] for each in folded.replace(" ", "-").split("-") if each]
    if len(parts) <= 1:
        return " | ".join(_alternatives(parts[0])) if parts else ""
    last = _quoted if len(parts[-1]) == 1 else _prefix
    apart = " & ".join([*map(_quoted, parts[:-1]), last(parts[-1])])
    return f"{_prefix(''.join(parts)[:WORD_CHARACTERS_MAX])} | ({apart})"


def _alternatives(word: str) -> list[str]:
    """Write a word as it begins; a number also without its zeros, or as the end of a phone's."""
    found = [_prefix(word)]
    zeroless = word.lstrip("0")
    if zeroless and zeroless != word:
        found.append(_prefix(zeroless) if len(zeroless) >= ZEROLESS_MIN else _quoted(zeroless))
    if word.isdecimal() and len(word) > PHONE_DIGITS:
        found.append(_quoted(word[-PHONE_DIGITS:]))
    return found


def _prefix(word: str) -> str:
    return f"{_quoted(word)}:*"


def _quoted(word: str) -> str:
    """Quote a word so that no character of it is an operator of a tsquery."""
    escaped = word.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"
