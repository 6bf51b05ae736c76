"""Rows as orders, in SQL: rows are grouped by order, amounts become money, drafts come out.

cells     one row a row of the file: its values
heads     one row a document: its place among the documents, and the header of the order
lines     one row a sale
changes   one row a cancellation, shipment or return
payments  one row a payment of an order
flaws     what is wrong with a document that no row alone can tell
"""

from collections.abc import Iterator
from typing import Final

from oms.adapters.channels.tabular.arithmetic import Number, minor
from oms.adapters.channels.tabular.fields import ORDER
from oms.adapters.channels.tabular.plan import Plan
from oms.adapters.channels.tabular.rows import literal
from oms.kernel.money import EXPONENTS

INSTANT: Final = "strftime({} at time zone 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ')"
_LINE_AMOUNTS: Final = ("unit_price", "discount", "total", "tax")
_SALE: Final = "filter (kind = 'sale')"
# Only sales say what an order is; one that is not sold here has none that could differ.
_MIXED: Final = f"coalesce(min(header) {_SALE} <> max(header) {_SALE}, false)"


def cells_columns(plan: Plan) -> Iterator[tuple[str, str]]:
    """Return the columns of cells: each name and its SQL over a row's named values."""
    yield "key", f"coalesce({plan.values['o_external_ref']}, chr(1) || ord)"
    yield "kind", plan.kind
    for name, sql in plan.values.items():
        yield name, f"abs({sql})" if name == "l_quantity" else sql
    for name, number in plan.amounts.items():
        yield name, number.num
        if number.den:
            yield f"{name}_d", number.den
    if held := agreed(plan):
        stated = {**plan.values, **{name: n.num for name, n in plan.amounts.items()}}
        yield "header", f"hash({', '.join(stated[name] for name in held)})"


def statements(plan: Plan) -> Iterator[str]:
    """Return what makes documents of the cells, in order."""
    yield from _heads(plan)
    yield _lines(plan)
    yield _changes(plan) if plan.spec.rows.has_changes else _NO_CHANGES
    if plan.spec.payments:
        yield _payments(plan)
    if plan.spec.products:
        yield _first_products(plan)


def money(plan: Plan, name: str, alias: str) -> str:
    """Return an amount of cells (or of heads, which keeps them alike) as minor units."""
    if name not in plan.amounts:
        return "null::bigint"
    den = f"{alias}.{name}_d" if plan.amounts[name].den else None
    number = Number(num=f"{alias}.{name}", den=den, scale=plan.amounts[name].scale)
    return minor(number, "h.places")


def summed(plan: Plan) -> list[str]:
    """Return the header amounts that are the sum of an order's rows."""
    return [n for n in plan.header if n in plan.amounts and plan.sources[n].take == "sum"]


def _heads(plan: Plan) -> Iterator[str]:
    """One row an order: its place, what its rows agree on, and whether they do.

    Where the rows agree, as a hash of the header tells, the first one has it all; value by value
    goes only who must, which is six times slower.
    """
    held = agreed(plan)
    yield f"""
        create table groups as
        select
            key, min(ord) as first_ord, max(ord) as last_ord, bool_or(is_bad) as is_bad,
            count(*) {_SALE} as sales_count, min(ord) {_SALE} as first_sale,
            {_MIXED if held else "false"} as is_mixed
            {"".join(f", {sql} as {name}" for name, sql in _aggregates(plan))}
        from cells
        group by key
    """
    yield f"""
        create table mixed as
        select key {"".join(f", {sql} as {name}" for n in held for name, sql in _by_value(plan, n))}
        from cells
        where key in (select key from groups where is_mixed) and kind = 'sale'
        group by key
    """
    exponents = ", ".join(f"('{code}', {places})" for code, places in EXPONENTS.items())
    values = "".join(f", {_either(name)}" for n in held for name, _ in _by_value(plan, n))
    currency = "g.o_currency" if "o_currency" in plan.values else "null"
    default = literal(plan.defaults.get("o_currency", plan.facts.currency))
    yield f"""
        create table heads as
        select
            row_number() over (order by g.first_ord) as position, g.* {values},
            coalesce({currency}, {default}) as currency, x.places
        from groups g
        left join cells c on c.ord = g.first_sale
        left join mixed m on m.key = g.key
        left join (values {exponents}) x(code, places)
            on x.code = coalesce({currency}, {default})
        order by position
    """


def _either(name: str) -> str:
    """Take a value from the first row, or from where the rows were compared."""
    if name.endswith("_x"):
        return f"coalesce(m.{name}, false) as {name}"
    return f"case when m.key is null then c.{name} else m.{name} end as {name}"


def _by_value(plan: Plan, name: str) -> Iterator[tuple[str, str]]:
    """Return the first value there is, and whether there is another."""
    yield name, f"arg_min({name}, ord)"
    if name in plan.amounts and plan.amounts[name].den:
        yield f"{name}_d", f"arg_min({name}_d, ord)"
    yield f"{name}_x", f"coalesce(min({name}) <> max({name}), false)"


def _aggregates(plan: Plan) -> Iterator[tuple[str, str]]:
    """Return the header values that are not the same in every row by right."""
    if "o_currency" in plan.values:
        yield "o_currency", "any_value(o_currency)"
        yield "o_currency_x", "coalesce(min(o_currency) <> max(o_currency), false)"
    for name in plan.header:
        take = plan.sources[name].take
        if take in {"same", "sum"} or name == "o_currency":
            continue
        wanted = {"smallest": f"min({name})", "largest": f"max({name})"}
        yield name, f"{wanted.get(take, f'arg_min({name}, ord)')} {_SALE}"
        if name in plan.amounts and plan.amounts[name].den:
            yield f"{name}_d", f"arg_min({name}_d, ord) {_SALE}"


def needed(plan: Plan) -> list[str]:
    """Return the header values an order cannot be without, whichever row has them."""
    required = {f"o_{field.name}" for field in ORDER if field.is_required}
    return [name for name in plan.header if name in required - {"o_external_ref"}]


def agreed(plan: Plan) -> list[str]:
    """Return the header values that are one in every row of an order."""
    others = {"o_external_ref", "o_currency"}
    return [n for n in plan.header if plan.sources[n].take == "same" and n not in others]


def _lines(plan: Plan) -> str:
    ref = "c.l_line_ref" if "l_line_ref" in plan.values else "null"
    title = "c.l_title" if "l_title" in plan.values else "null::varchar"
    amounts = "".join(f", {money(plan, f'l_{n}', 'c')} as {n}_minor" for n in _LINE_AMOUNTS)
    amounts += "".join(f", {money(plan, name, 'c')} as {name}_minor" for name in summed(plan))
    return f"""
        create table lines as
        select
            h.position, c.ord, c.line, c.l_sku as sku, {title} as title, c.l_quantity as quantity,
            coalesce({ref}, (row_number() over (partition by h.position order by c.ord))::varchar)
                as line_ref {amounts}
        from cells c
        join heads h using (key)
        where c.kind = 'sale' and not h.is_bad
        order by h.position, c.ord
    """


_NO_CHANGES: Final = """
    create table changes (
        position bigint, ord bigint, line bigint, kind varchar, sku varchar, quantity bigint,
        occurred_at timestamptz, location_code varchar, restock boolean, reason varchar,
        total_minor bigint, tax_minor bigint, line_ref varchar, change_ref varchar
    )
"""


def _changes(plan: Plan) -> str:
    """Say what happened to lines: a change is of the line with its ref, else with its SKU."""
    return f"""
        create table changes as
        with changed as (
            {_changed(plan)}
        ),
        sold as (
            select position, sku, line_ref, quantity, sum(quantity) over (
                partition by position, sku order by ord) as units_upto
            from lines
            where position in (select position from changed)
        ),
        placed as (
            select
                c.* exclude (line_ref, units_before),
                coalesce(c.line_ref, s.line_ref) as line_ref
            from changed c
            left join sold s
                on c.line_ref is null and s.position = c.position and s.sku = c.sku
                and c.units_before >= s.units_upto - s.quantity and c.units_before < s.units_upto
        ),
        named as (
            select *, kind || ':' || {INSTANT.format("occurred_at")} || ':' || sku as stem
            from placed
        )
        select * exclude (stem, change_ref), coalesce(change_ref, stem || '#' || row_number() over (
            partition by position, stem order by ord)) as change_ref
        from named
        order by position, ord
    """


def _changed(plan: Plan) -> str:
    """Rows that are no sale, with how many units of their SKU changed alike before them."""
    value = {
        name: f"c.c_{name}" if f"c_{name}" in plan.values else "null"
        for name in ("change_ref", "line_ref", "occurred_at", "location_code", "restock", "reason")
    }
    total, tax = (
        f"abs({money(plan, f'c_{name}' if f'c_{name}' in plan.amounts else f'l_{name}', 'c')})"
        for name in ("total", "tax")
    )
    # Without a total it is worth its share of the line, and so is its tax.
    amounts = f"{total} as total_minor, case when {total} is not null then {tax} end as tax_minor"
    return f"""
        select
            h.position, c.ord, c.line, c.kind, c.l_sku as sku, c.l_quantity as quantity,
            {value["change_ref"]}::varchar as change_ref,
            {value["line_ref"]}::varchar as line_ref,
            {value["occurred_at"]} as occurred_at,
            {value["location_code"]}::varchar as location_code,
            coalesce({value["restock"]}, false) as restock,
            {value["reason"]}::varchar as reason, {amounts},
            coalesce(sum(c.l_quantity) over (
                partition by h.position, c.kind, c.l_sku order by c.ord
                rows between unbounded preceding and 1 preceding
            ), 0) as units_before
        from cells c
        join heads h using (key)
        where c.kind not in ('sale', 'payment') and not h.is_bad
    """


def _payments(plan: Plan) -> str:
    """Say how orders are paid: of rows about one payment the largest totals are the newest."""
    told = {
        name: f"arg_max(c.y_{name}, c.ord)" if f"y_{name}" in plan.values else "null::varchar"
        for name in ("tender", "psp", "psp_reference", "brand", "last4")
    }
    texts = "".join(f", {sql} as {name}" for name, sql in told.items())
    ref = "coalesce(c.y_ref, '1')" if "y_ref" in plan.values else "'1'"
    at = "max(c.y_occurred_at)" if "y_occurred_at" in plan.values else "null::timestamptz"
    place = "any_value(h.o_location_code)" if "o_location_code" in plan.values else "null::varchar"
    sums = "".join(
        f", coalesce(max({money(plan, f'y_{name}', 'c')}), 0) as {name}_minor"
        for name in ("amount", "authorized", "captured", "refunded")
    )
    return f"""
        create table payments as
        select
            h.position, min(c.ord) as ord, max(c.line) as line, {ref} as external_ref,
            {at} as occurred_at, {place} as location_code {texts} {sums}
        from cells c
        join heads h using (key)
        where c.kind = 'payment' and not h.is_bad
        group by all
        order by h.position, ord
    """


def _first_products(plan: Plan) -> str:
    """Products made of the rows: the first row with a SKU names it."""
    names = [name for name in plan.values if name.startswith("p_") and name != "p_title"]
    title = "p_title" if "p_title" in plan.values else "l_title"
    title = f"arg_min({title}, ord)" if title in plan.values else "null"
    values = "".join(f", arg_min({name}, ord) as {name}" for name in names)
    return f"""
        create table first_products as
        select l_sku as sku, coalesce({title}, l_sku) as p_title {values}
        from cells
        where kind = 'sale' and not is_bad
        group by l_sku
    """
