"""The fast lane: many order documents at once, checked and mapped by DuckDB.

It takes only what is certainly right, by rules no laxer than the model's, and leaves the rest
to the model, which alone says what is wrong. So a document is never refused here, and whatever
the lane takes is what the model would have made of it (a test holds the two against each other).
"""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa

from oms.adapters.channels.canonical.schema import AMOUNT, INSTANT
from oms.kernel.limits import (
    AMOUNT_MINOR_MAX,
    ORDER_LINES_MAX,
    QUANTITY_MAX,
    REF_CHARACTERS_MAX,
)
from oms.kernel.money import EXPONENTS

# Below this many documents the model alone is faster than DuckDB's first query.
DOCUMENTS_MIN: Final = 200

_TEXT, _INTEGER, _BOOLEAN = "VARCHAR", "BIGINT", "BOOLEAN"
_ADDRESS: Final = dict.fromkeys(
    ("name", "street", "postcode", "city", "region", "country_code"), _TEXT
)
_PLACE: Final = tuple(name for name in _ADDRESS if name != "country_code")
_LINE: Final[dict[str, Any]] = {
    **dict.fromkeys(("line_ref", "sku", "title", "unit_price", "discount", "total", "tax"), _TEXT),
    "quantity": _INTEGER,
}
# Orders with changes, notes or cancellations take the other lane: they are few.
_ORDER: Final[dict[str, Any]] = {
    **dict.fromkeys(
        (
            "external_ref", "external_number", "updated_at", "placed_at", "currency",
            "fulfillment_method", "location_code", "customer_ref", "customer_name",
            "customer_email", "customer_phone", "country_code", "shipping_net", "shipping_tax",
            "total",
        ),
        _TEXT,
    ),
    "version": _INTEGER, "prices_include_tax": _BOOLEAN, "is_historical": _BOOLEAN,
    "is_test": _BOOLEAN, "ship_to": _ADDRESS, "bill_to": _ADDRESS, "lines": [_LINE],
}  # fmt: skip

_SHAPE: Final = """
    create or replace temp table shaped as
    select position, line, cast(json_structure(line) as varchar) as structure
    from slice
    where json_valid(line)
"""
_PARSE: Final = """
    create or replace temp table parsed as
    select p.position, sha256(p.line) as digest, p.line, e.exponent, p.d
    from (
        select s.position, s.line, json_transform(s.line, $shape) as d
        from shaped s
        where list_contains($structures, s.structure)
          and length(json_keys(s.line)) = length(list_distinct(json_keys(s.line)))
    ) p
    join exponents e on e.currency = p.d.currency
"""
_REF: Final = f"""(length(@) between 1 and {REF_CHARACTERS_MAX}
    and not regexp_matches(@, '[[:cntrl:]]|^\\s|\\s$'))"""
_SHORT: Final = "(length(@) <= 500 and not regexp_matches(@, '[[:cntrl:]]'))"
_MONEY: Final = f"""(regexp_full_match(@, '{AMOUNT.strip("^$")}')
    and length(split_part(@, '.', 2)) <= exponent
    and @::decimal(18, 3) * pow10 <= {AMOUNT_MINOR_MAX})"""
_AT: Final = f"""(regexp_full_match(@, '{INSTANT.pattern}')
    and try_cast(@ as timestamptz) is not null)"""


_COUNTRY: Final = "regexp_full_match(@, '[A-Z]{2}')"
# chr(64) is the sign between name and host, which here stands for the field.
_EMAIL: Final = """(length(@) <= 254 and not regexp_matches(@, '[[:cntrl:][:space:]]')
    and length(string_split(@, chr(64))) = 2 and length(split_part(@, chr(64), 1)) > 0
    and length(split_part(@, chr(64), 2)) > 0)"""
_METHOD: Final = """@ in ('carry_out', 'ship_home', 'pickup_point', 'collect_store',
    'ship_from_store', 'reserve')"""


def _needs(rule: str, *fields: str) -> list[str]:
    return [f"coalesce({rule.replace('@', field)}, false)" for field in fields]


def _allows(rule: str, *fields: str) -> list[str]:
    return [f"({field} is null or {rule.replace('@', field)})" for field in fields]


_LINE_IS_GOOD: Final = " and ".join([
    *_needs(_REF, "l.line_ref", "l.sku"), *_allows(_SHORT, "l.title"),
    *_needs(_MONEY, "l.total", "l.tax"), *_allows(_MONEY, "l.unit_price", "l.discount"),
    *_needs(f"@ between 1 and {QUANTITY_MAX}", "l.quantity"),
])  # fmt: skip
_ORDER_IS_GOOD: Final = " and ".join([
    *_needs(_REF, "d.external_ref"),
    *_allows(_REF, "d.external_number", "d.location_code", "d.customer_ref"),
    *_allows(_SHORT, "d.customer_name", "d.customer_phone"),
    *_allows(_EMAIL, "d.customer_email"),
    *_allows(_COUNTRY, "d.country_code"),
    *_needs(_AT, "d.placed_at"), *_allows(_AT, "d.updated_at"),
    *_allows(_MONEY, "d.shipping_net", "d.shipping_tax", "d.total"),
    *_allows("@ between 0 and 4611686018427387904", "d.version"),
    *_allows(_METHOD, "d.fulfillment_method"),
    *(
        check
        for address in ("ship_to", "bill_to")
        for check in (
            *_allows(_SHORT, *(f"d.{address}.{name}" for name in _PLACE)),
            *_allows(_COUNTRY, f"d.{address}.country_code"),
        )
    ),
    f"coalesce(length(d.lines) between 1 and {ORDER_LINES_MAX}, false)",
    "length(list_distinct([x.line_ref for x in d.lines])) = length(d.lines)",
])  # fmt: skip
_JUDGE: Final = f"""
    create or replace temp table good as
    with lines as (
        select position, exponent, 10 ** exponent as pow10, unnest(d.lines) as l from parsed
    ),
    bad as (select distinct position from lines where not ({_LINE_IS_GOOD}))
    select p.* from (select *, 10 ** exponent as pow10 from parsed) p
    where {_ORDER_IS_GOOD} and p.position not in (select position from bad)
"""


def _minor(field: str) -> str:
    return f"cast({field}::decimal(18, 3) * pow10 as bigint)"


_ADDRESS_TEXT: Final = "case when d.@ is not null then json_merge_patch('{}', to_json(d.@)) end"
_ORDERS: Final = f"""
    select
        position, d.external_ref, d.external_number,
        coalesce(d.version, epoch_us(d.updated_at::timestamptz)), d.updated_at, d.placed_at,
        d.currency, coalesce(d.prices_include_tax, $is_gross), 'sale',
        coalesce(d.fulfillment_method, 'ship_home'), d.location_code, d.customer_ref,
        d.customer_name, d.customer_email, d.customer_phone, {_ADDRESS_TEXT.replace("@", "ship_to")},
        {_ADDRESS_TEXT.replace("@", "bill_to")},
        coalesce(d.country_code, case when d.ship_to is not null then d.ship_to.country_code
            else d.bill_to.country_code end),
        coalesce({_minor("d.shipping_net")}, 0), coalesce({_minor("d.shipping_tax")}, 0),
        {_minor("d.total")}, coalesce(d.is_test, false), coalesce(d.is_historical, false), false,
        null, null, null, digest
    from good
    order by position
"""
_LINES: Final = f"""
    select
        position, l.line_ref, l.sku, l.title, l.quantity, {_minor("l.unit_price")},
        coalesce({_minor("l.discount")}, 0), {_minor("l.total")}, {_minor("l.tax")}
    from (
        select position, pow10, unnest(d.lines) as l, generate_subscripts(d.lines, 1) as place
        from good
    )
    order by position, place
"""


class FastLane:
    """A private DuckDB and what it takes to map slices with it."""

    def __init__(self) -> None:
        """Open it."""
        self._connection = duckdb.connect(":memory:", config={"threads": 2})
        self._connection.execute("set timezone = 'UTC'")
        self._connection.execute("create temp table exponents (currency varchar, exponent integer)")
        self._connection.executemany("insert into exponents values ($1, $2)", [*EXPONENTS.items()])

    def orders(
        self, documents: Sequence[tuple[int, bytes]], *, is_gross: bool
    ) -> tuple[frozenset[int], dict[str, bytes]]:
        """Map what is certainly right of some documents; return its positions and draft tables."""
        lines = _texts(documents)
        self._connection.register("slice", lines)
        self._connection.execute(_SHAPE)
        structures = [
            structure
            for (structure,) in self._connection.execute(
                "select distinct structure from shaped"
            ).fetchall()
            if _fits(json.loads(structure), _ORDER)
        ]
        if not structures:
            return frozenset(), {}
        self._connection.execute(_PARSE, {"shape": json.dumps(_ORDER), "structures": structures})
        self._connection.execute(_JUDGE)
        taken = self._connection.execute("select position from good").fetchall()
        with tempfile.TemporaryDirectory() as folder:
            return frozenset(position for (position,) in taken), {
                "orders": self._copy(_ORDERS, Path(folder), is_gross=is_gross),
                "lines": self._copy(_LINES, Path(folder)),
            }

    def _copy(self, query: str, folder: Path, *, is_gross: bool | None = None) -> bytes:
        if is_gross is not None:
            query = query.replace("$is_gross", str(is_gross).lower())
        target = folder / "rows.csv"
        self._connection.execute(f"copy ({query}) to '{target}' (format csv, header false)")
        return target.read_bytes()


def _texts(documents: Sequence[tuple[int, bytes]]) -> pa.Table:
    positions, lines = [], []
    for position, body in documents:
        try:
            lines.append(body.decode())
        except UnicodeDecodeError:
            continue
        positions.append(position)
    return pa.table(
        {"position": pa.array(positions, pa.int64()), "line": pa.array(lines, pa.string())}
    )


def _fits(structure: Any, shape: Any) -> bool:
    """Tell whether a document's structure is inside a shape: no field more, no other type."""
    if isinstance(shape, dict):
        return isinstance(structure, dict) and all(
            name in shape and _fits(inner, shape[name]) for name, inner in structure.items()
        )
    if isinstance(shape, list):
        return isinstance(structure, list) and _fits(structure[0], shape[0])
    allowed = {"NULL", shape} | ({"UBIGINT"} if shape == _INTEGER else set())
    return isinstance(structure, str) and structure in allowed
