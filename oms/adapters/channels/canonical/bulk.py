"""The fast lane: many order documents at once, checked and mapped by DuckDB.

It takes only what is certainly right, by rules no laxer than the model's, and leaves the rest
to the model, which alone says what is wrong. So a document is never refused here, and whatever
the lane takes is what the model would have made of it (a test holds the two against each other).
DuckDB reads JSON more kindly than the model does, so first come rules about the text itself:
which escapes, commas and types may stand in it, and that each key of it is known and there once.
"""

import hashlib
import io
from array import array
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Final, get_args

import duckdb
import pyarrow as pa
from pyarrow import csv as csv_writer

from oms.adapters.channels.canonical.fields import TenderName
from oms.adapters.channels.canonical.schema import CHANGES_MAX, PAYMENTS_MAX
from oms.kernel.limits import (
    AMOUNT_MINOR_MAX,
    NOTE_CHARACTERS_MAX,
    ORDER_LINES_MAX,
    QUANTITY_MAX,
    REF_CHARACTERS_MAX,
)
from oms.kernel.money import EXPONENTS

# Below this many documents the model alone is faster than DuckDB's first query.
DOCUMENTS_MIN: Final = 200
_CHUNK_ROWS: Final = 1024  # two threads share a block by its chunks

# Fields by the rule their values follow; those after the bar may be null or left out.
_ADDRESS: Final = {
    **dict.fromkeys(("name", "street", "postcode", "city", "region"), "text"),
    "country_code": "country", "latitude": "latitude", "longitude": "longitude",
    "vat_id": "text",
}  # fmt: skip
_LINE: Final = {
    "line_ref": "ref!", "sku": "ref!", "title": "text", "quantity": "quantity!",
    "unit_price": "amount", "discount": "amount", "total": "amount!", "tax": "amount!",
}  # fmt: skip
_CHANGE: Final = {
    "kind": "kind!", "change_ref": "ref!", "line_ref": "ref!", "quantity": "quantity!",
    "occurred_at": "instant!", "total": "amount", "tax": "amount", "location_code": "ref",
    "restock": "flag", "reason": "text",
}  # fmt: skip
_PAYMENT: Final = {
    "ref": "ref!", "tender": "tender!", "amount": "amount!", "authorized": "amount",
    "captured": "amount", "refunded": "amount", "psp": "ref", "psp_reference": "ref",
    "managed_by": "manager", "brand": "text", "last4": "last4", "authorized_until_at": "instant",
}  # fmt: skip
_ORDER: Final = {
    "external_ref": "ref!", "external_number": "ref", "version": "version",
    "updated_at": "instant", "placed_at": "instant!", "currency": "currency!",
    "prices_include_tax": "flag", "order_type": "type", "fulfillment_method": "method",
    "location_code": "ref", "customer_ref": "ref", "customer_name": "text",
    "customer_email": "email", "customer_phone": "text", "country_code": "country",
    "shipping_net": "amount", "shipping_tax": "amount", "total": "amount", "is_test": "flag",
    "is_historical": "flag", "canceled_at": "instant", "cancel_reason": "text", "note": "note",
}  # fmt: skip
# What the model gives a default, and so does not let be null.
_NOT_NULL: Final = (
    "order_type", "fulfillment_method", "shipping_net", "shipping_tax", "is_test",
    "is_historical", "changes", "payments",
)  # fmt: skip
_NESTED: Final = ("ship_to", "bill_to", "lines", "changes", "payments")
# Too seldom to be worth a rule here: a document that has it is left to the model.
LEFT: Final = ("groups",)
_PATHS: Final = [
    *(f"$.{name}" for name in (*_ORDER, *_NESTED)),
    *(f"$.{side}.{name}" for side in ("ship_to", "bill_to") for name in _ADDRESS),
]
_TYPES: Final = {
    "flag": "BOOLEAN", "quantity": "BIGINT", "version": "BIGINT", "latitude": "DOUBLE",
    "longitude": "DOUBLE",
}  # fmt: skip


def _shape(fields: dict[str, str]) -> str:
    pairs = (
        f'"{name}":"{_TYPES.get(rule.strip("!"), "VARCHAR")}"' for name, rule in fields.items()
    )
    return "{" + ",".join(pairs) + "}"


_SHAPE: Final = (
    _shape(_ORDER)[:-1] + f',"ship_to":{_shape(_ADDRESS)},"bill_to":{_shape(_ADDRESS)}'
    f',"lines":[{_shape(_LINE)}],"changes":[{_shape(_CHANGE)}]'
    f',"payments":[{_shape(_PAYMENT)}]}}'
)


def _keys(*kinds: str) -> str:
    every = [
        *_ORDER.items(), *_LINE.items(), *_CHANGE.items(), *_PAYMENT.items(), *_ADDRESS.items(),
    ]  # fmt: skip
    names = {name for name, rule in every if (_TYPES.get(rule.strip("!")) or "VARCHAR") in kinds}
    return "|".join(sorted(names))


# A text is taken when none of these is in it. Escapes are of characters beyond ASCII only, so
# that every quote is a string's own and every key is spelled as it is.
_FORBIDDEN: Final = "|".join([
    r"\\([^u]|u00[0-7])", r",\s*[\]}]", r"\x{7f}",
    rf'"({_keys("VARCHAR")})"\s*:\s*([^"n\s]|n[^u])',
    rf'"({_keys("BOOLEAN")})"\s*:\s*[^tfn\s]',
    rf'"({_keys("BIGINT")})"\s*:\s*([^0-9n\s]|[0-9]+[.eE])',
    rf'"({_keys("DOUBLE")})"\s*:\s*[^-0-9n\s]',
])  # fmt: skip
_SPACES: Final = r"\s\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}"
_RULES: Final = {
    "ref": f"length(<field>) between 1 and {REF_CHARACTERS_MAX}"
    f" and not regexp_matches(<field>, '^[{_SPACES}]|[{_SPACES}]$')",
    "text": "length(<field>) <= 500",
    "note": f"length(<field>) <= {NOTE_CHARACTERS_MAX}",
    "email": "length(<field>) <= 254"
    f" and regexp_full_match(<field>, '[^@{_SPACES}]+[@][^@{_SPACES}]+')",
    "country": "regexp_full_match(<field>, '[A-Z]{2}')",
    "currency": "<field> is not null",  # it was joined to the known ones
    "amount": "regexp_full_match(<field>, '[0-9]{1,13}([.][0-9]{1,3})?')"
    " and length(split_part(<field>, '.', 2)) <= exponent"
    f" and try(try_cast(<field> as decimal(18, 3)) * power) <= {AMOUNT_MINOR_MAX}",
    "instant": "regexp_full_match(<field>, '(19|20|21)[0-9]{2}-[01][0-9]-[0-3][0-9]T"
    "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,6})?(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])')"
    " and try_cast(<field> as timestamptz) is not null",
    "quantity": f"<field> between 1 and {QUANTITY_MAX}",
    "version": f"<field> between 0 and {2**62}",
    # What is this small is written in two ways.
    "latitude": "abs(<field>) between 0.001 and 90",
    "longitude": "abs(<field>) between 0.001 and 180",
    "flag": "<field> is not null",
    "kind": "<field> in ('cancel', 'ship', 'return')",
    "tender": f"<field> in ({', '.join(repr(name) for name in get_args(TenderName))})",
    "manager": "<field> in ('oms', 'channel')",
    "last4": "regexp_full_match(<field>, '[0-9]{4}')",
    "type": "<field> in ('sale', 'exchange', 'replacement')",
    "method": "<field> in ('carry_out', 'ship_home', 'pickup_point', 'collect_store',"
    " 'ship_from_store', 'reserve')",
}


def _checks(fields: dict[str, str], at: str) -> str:
    """Return the condition that every field of an object follows its rule."""
    return " and ".join(_check(f"{at}.{name}", rule) for name, rule in fields.items())


def _check(field: str, rule: str) -> str:
    follows = f"coalesce({_RULES[rule.strip('!')].replace('<field>', field)}, false)"
    return follows if rule.endswith("!") else f"({field} is null or {follows})"


def _located(at: str) -> str:
    return f"({at}.latitude is null) = ({at}.longitude is null)"


def _count(fields: dict[str, str], at: str) -> str:
    return " + ".join(f"({at}.{name} is not null)::int" for name in fields)


_PLACES: Final = {path: number + 1 for number, path in enumerate(_PATHS)}
_TOP: Final = len(_ORDER) + len(_NESTED)


def _type(name: str, missing: str) -> str:
    return f"coalesce(types[{_PLACES[f'$.{name}']}], '{missing}')"


_KNOWN: Final = f"""
    len(keys) = list_count(types[:{_TOP}])
    and {_type("lines", "")} = 'ARRAY' and {_type("changes", "ARRAY")} = 'ARRAY'
    and {_type("payments", "ARRAY")} = 'ARRAY'
    and {_type("ship_to", "NULL")} in ('OBJECT', 'NULL')
    and {_type("bill_to", "NULL")} in ('OBJECT', 'NULL')
    and {" and ".join(f"{_type(name, 'missing')} <> 'NULL'" for name in _NOT_NULL)}
"""
# Materialized, because a condition on what was read would be pushed down and read it again.
# Every '":' is a key's, so their number less the keys that are known to be there is what the
# lines, changes and payments must account for: a key that is unknown, null or there twice is
# one too many.
_PARSE: Final = f"""
    create or replace temp table parsed as
    with read as materialized (
        select position, doc, digest, json_keys(doc) as keys, json_type(doc, $paths) as types,
            json_transform(doc, '{_SHAPE}') as d
        from block
        where json_valid(doc) and not regexp_matches(doc, $forbidden)
    )
    select p.position, p.digest, p.d, e.exponent, e.power,
        (length(p.doc) - length(replace(p.doc, '":', '"'))) - len(p.keys)
            - list_count(p.types[{_TOP + 1}:]) as inner_keys
    from read p
    join exponents e on e.currency = p.d.currency
    where {_KNOWN}
"""


def _inner(name: str, fields: dict[str, str], key: str, rule: str = "true") -> str:
    """Return what is to be known of an order's lines, changes or payments, one row an order."""
    return f"""
        select position, count(*) as count, count(distinct {key}) as refs,
            sum({_count(fields, "l")}) as keys,
            bool_and({_checks(fields, "l")} and {rule}) as is_good
        from (
            select position, exponent, power, unnest(d.{name}) as l
            from parsed where len(d.{name}) > 0
        )
        group by position
    """


# A payment is of something, under a ref that is the channel's; what is ours is known by its
# service.
_PAYABLE: Final = """(
    coalesce(try(try_cast(l.amount as decimal(18, 3))) > 0, false) and not starts_with(l.ref, '*')
    and (coalesce(l.managed_by, 'channel') = 'channel'
        or (l.psp is not null and l.psp_reference is not null))
)"""
_GOOD: Final = f"""
    create or replace temp table good as
    with lines as ({_inner("lines", _LINE, "l.line_ref")}),
    changes as ({_inner("changes", _CHANGE, "(l.kind, l.change_ref, l.line_ref)")}),
    payments as ({_inner("payments", _PAYMENT, "l.ref", _PAYABLE)})
    select p.position
    from parsed p
    join lines n using (position)
    left join changes c using (position)
    left join payments y using (position)
    where n.is_good and n.count = n.refs and n.count <= {ORDER_LINES_MAX}
        and coalesce(c.is_good and c.count = c.refs and c.count <= {CHANGES_MAX}, true)
        and coalesce(y.is_good and y.count = y.refs and y.count <= {PAYMENTS_MAX}, true)
        and p.inner_keys = n.keys + coalesce(c.keys, 0) + coalesce(y.keys, 0)
        and {_checks(_ORDER, "d")}
        and {_checks(_ADDRESS, "d.ship_to")} and {_checks(_ADDRESS, "d.bill_to")}
        and {_located("d.ship_to")} and {_located("d.bill_to")}
"""


# Casts are tries throughout: a condition may be computed for rows another one leaves out.


def _minor(field: str) -> str:
    return f"try((try_cast({field} as decimal(18, 3)) * power)::bigint)"


def _instant(field: str) -> str:
    utc = f"try_cast({field} as timestamptz) at time zone 'UTC'"
    return f"strftime({utc}, '%Y-%m-%dT%H:%M:%S.%fZ')"


def _address(side: str) -> str:
    pairs = ", ".join(f"'{name}', d.{side}.{name}" for name in _ADDRESS)
    return (
        f"case when d.{side} is not null"
        f" then json_merge_patch('{{}}', json_object({pairs}))::varchar end"
    )


_TAKEN: Final = """(
    select * from parsed
    where position between $first and $last and position in (select position from good)
)"""
_ORDERS: Final = f"""
    select
        position, d.external_ref, d.external_number,
        coalesce(d.version, epoch_us(try_cast(d.updated_at as timestamptz))),
        {_instant("d.updated_at")}, {_instant("d.placed_at")}, d.currency,
        coalesce(d.prices_include_tax, $is_gross), coalesce(d.order_type, 'sale'),
        coalesce(d.fulfillment_method, 'ship_home'), d.location_code, d.customer_ref,
        d.customer_name, d.customer_email, d.customer_phone, {_address("ship_to")},
        {_address("bill_to")},
        coalesce(d.country_code, case when d.ship_to is not null then d.ship_to.country_code
            else d.bill_to.country_code end),
        coalesce({_minor("d.shipping_net")}, 0), coalesce({_minor("d.shipping_tax")}, 0),
        {_minor("d.total")}, coalesce(d.is_test, false), coalesce(d.is_historical, false), false,
        {_instant("d.canceled_at")}, d.cancel_reason, d.note, digest
    from {_TAKEN} order by position
"""
_LINES: Final = f"""
    select position, l.line_ref, l.sku, l.title, l.quantity, {_minor("l.unit_price")},
        coalesce({_minor("l.discount")}, 0), {_minor("l.total")}, {_minor("l.tax")}
    from (
        select position, power, unnest(d.lines) as l, generate_subscripts(d.lines, 1) as place
        from {_TAKEN}
    )
    order by position, place
"""
_CHANGES: Final = f"""
    select position, l.kind, l.change_ref, l.line_ref, l.quantity, {_instant("l.occurred_at")},
        {_minor("l.total")}, {_minor("l.tax")}, l.location_code, coalesce(l.restock, false),
        l.reason
    from (
        select position, power, unnest(d.changes) as l, generate_subscripts(d.changes, 1) as place
        from {_TAKEN}
    )
    order by position, place
"""
_PAYMENTS: Final = f"""
    select position, l.ref, l.tender, l.psp, l.psp_reference, coalesce(l.managed_by, 'channel'),
        l.brand, l.last4, {_minor("l.amount")}, coalesce({_minor("l.authorized")}, 0),
        coalesce({_minor("l.captured")}, 0), coalesce({_minor("l.refunded")}, 0),
        {_instant("l.authorized_until_at")}, case when l.psp is null then location_code end,
        null
    from (
        select position, power, d.location_code, unnest(d.payments) as l,
            generate_subscripts(d.payments, 1) as place
        from {_TAKEN}
    )
    order by position, place
"""
_TABLES: Final = {
    "orders": _ORDERS, "lines": _LINES, "changes": _CHANGES, "payments": _PAYMENTS,
}  # fmt: skip
_CSV: Final = csv_writer.WriteOptions(include_header=False, quoting_style="needed")


class FastLane:
    """A private DuckDB, and the block of documents in it."""

    def __init__(self, *, is_gross: bool) -> None:
        """Open it; `is_gross` is what the channel's prices are."""
        self._is_gross = is_gross
        self._con = duckdb.connect(":memory:", config={"threads": 2})
        self._con.execute("set timezone = 'UTC'")
        powers = ", ".join(f"('{code}', {e}, {10**e})" for code, e in EXPONENTS.items())
        self._con.execute(
            "create temp table exponents as select currency, exponent, power::bigint as power"
            f" from (values {powers}) e(currency, exponent, power)"
        )

    def close(self) -> None:
        """Let go of the memory."""
        self._con.close()

    def take(self, documents: Sequence[tuple[int, bytes]]) -> frozenset[int]:
        """Check a block of documents; return the positions of those it takes."""
        self._con.register("block", _texts(documents))
        try:
            self._con.execute(_PARSE, {"paths": _PATHS, "forbidden": _FORBIDDEN})
            self._con.execute(_GOOD)
            taken = self._con.execute("select position from good").fetchall()
        except duckdb.Error:
            return frozenset()  # the model reads them all
        finally:
            self._con.unregister("block")
        return frozenset(position for (position,) in taken)

    def tables(self, first: int, last: int) -> Iterator[tuple[str, bytes]]:
        """Return the drafts of the documents taken, from one position to another."""
        facts = {"$first": first, "$last": last, "$is_gross": str(self._is_gross).lower()}
        for name, query in _TABLES.items():
            for mark, value in facts.items():
                query = query.replace(mark, str(value))  # noqa: PLW2901  # filled step by step
            sink = io.BytesIO()
            csv_writer.write_csv(self._con.sql(query).to_arrow_table(), sink, _CSV)
            yield name, sink.getvalue()


def _texts(documents: Sequence[tuple[int, bytes]]) -> pa.Table:
    """Return the documents that are UTF-8, in chunks.

    Built of buffers: pa.array would import pandas to have a look at a list of bytes.
    """
    bodies = [body for _, body in documents]
    ends = array("i", accumulate(map(len, bodies), initial=0))
    joined = pa.py_buffer(b"".join(bodies))
    texts = pa.StringArray.from_buffers(len(bodies), pa.py_buffer(ends), joined)
    try:
        texts.validate(full=True)
    except pa.ArrowInvalid:
        return _texts([(position, body) for position, body in documents if _is_utf8(body)])
    numbers = array("q", (position for position, _ in documents))
    positions = pa.Array.from_buffers(pa.int64(), len(bodies), [None, pa.py_buffer(numbers)])
    # hashlib uses the processor's own SHA: three times DuckDB's speed.
    hexes = "".join(hashlib.sha256(body).hexdigest() for body in bodies).encode()
    places = array("i", range(0, len(hexes) + 1, 64))
    digests = pa.StringArray.from_buffers(len(bodies), pa.py_buffer(places), pa.py_buffer(hexes))
    table = pa.table({"position": positions, "doc": texts, "digest": digests})
    return pa.Table.from_batches(table.to_batches(max_chunksize=_CHUNK_ROWS), table.schema)


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True
