"""Documents as drafts: what is copied out of the tables for each slice, in the drafts' columns."""

from collections.abc import Iterator
from typing import Final

from oms.adapters.channels.tabular.arithmetic import constant, minor
from oms.adapters.channels.tabular.expressions import is_true
from oms.adapters.channels.tabular.fields import ORDER, Field, Kind
from oms.adapters.channels.tabular.orders import INSTANT, money, summed
from oms.adapters.channels.tabular.plan import Plan
from oms.adapters.channels.tabular.rows import literal
from oms.orders.model import CHANGE_DRAFT, LINE_DRAFT, ORDER_DRAFT
from oms.payments.model import PAYMENT_DRAFT, ManagedBy

# Where a slice's documents are: positions from and to, of documents nothing is wrong with.
_SLICE: Final = (
    "position between $first and $last and position not in (select position from rejected)"
)
_AMOUNTS: Final = {
    "shipping_net_minor": ("o_shipping_net", "0"),
    "shipping_tax_minor": ("o_shipping_tax", "0"),
    "total_minor": ("o_total", "null::bigint"),
}


def selects(plan: Plan) -> Iterator[tuple[str, str]]:
    """Return each draft table and the query for a slice of it."""
    match plan.spec.documents:
        case "orders":
            yield "orders", _orders(plan)
            yield "lines", _lines()
            if plan.spec.rows.has_changes:
                yield "changes", _changes()
            if plan.spec.payments:
                yield "payments", _payments()
            if plan.spec.products:
                yield "products", _products_of_rows(plan)
        case "products":
            yield "products", _products(plan)
        case "counts":
            yield "counts", _counts(plan)
        case _:
            yield "movements", _movements(plan)


def _digest(columns: list[str]) -> str:
    """Return a SHA-256 over values, told apart from each other and from nothing."""
    texts = ", ".join(f"coalesce({column}::varchar, chr(30))" for column in columns)
    return f"concat_ws(chr(31), {texts})"


def _orders(plan: Plan) -> str:
    values = {
        name: _order_value(plan, name) for name in ORDER_DRAFT if name not in {"position", "sha256"}
    }
    inner = ", ".join(f"{sql} as {name}" for name, sql in values.items())
    return f"""
        select position, {", ".join(values)},
            sha256({_digest([*values, "line_digest", "change_digest"])}) as sha256
        from (
            select h.position, {inner}, l.digest as line_digest, c.digest as change_digest
            from (select * from heads where {_SLICE}) h
            left join (
                select position, string_agg({_digest(list(LINE_DRAFT[1:]))}, chr(29) order by ord)
                    as digest {sums(plan)}
                from lines where {_SLICE} group by position
            ) l using (position)
            left join (
                select position,
                    string_agg({_digest(_CHANGE_VALUES)}, chr(29) order by ord) as digest
                from changes where {_SLICE} group by position
            ) c using (position)
        )
        order by position
    """


def sums(plan: Plan) -> str:
    """Return the sums of the amounts that are summed over an order's rows."""
    return "".join(f", sum({name}_minor)::bigint as {name}_minor" for name in summed(plan))


_CHANGE_VALUES: Final = [name for name in CHANGE_DRAFT if name != "position"]


def _order_value(plan: Plan, name: str) -> str:
    """Return the SQL of one column of an order's draft; a partial one has hardly any."""
    match name:
        case "external_ref":
            return "h.key"
        case "is_partial":
            return "h.sales_count = 0"
        case _:
            return f"case when h.sales_count > 0 then {_full_value(plan, name)} end"


def _full_value(plan: Plan, name: str) -> str:
    if name == "currency":
        return "h.currency"
    if name in _AMOUNTS:
        return amount(plan, name)
    if name in {"ship_to", "bill_to"}:
        return _address(plan, name)
    held = {field.name: _held(plan, field) for field in ORDER if f"o_{field.name}" in plan.values}
    kind = next(field.kind for field in ORDER if field.name == name)
    value = held.get(name, "null")
    if kind is Kind.INSTANT:
        return INSTANT.format(f"{value}::timestamptz")
    default = {
        "prices_include_tax": str(plan.facts.prices_include_tax).lower(),
        "order_type": "'sale'",
        "fulfillment_method": "'ship_home'",
        "is_test": "false",
        "is_historical": "false",
        "country_code": _country(plan),
        "version": f"epoch_us({held['updated_at']})" if "updated_at" in held else "null",
    }.get(name)
    return f"coalesce({value}, {default})" if default else f"{value}"


def _country(plan: Plan) -> str:
    """Return where an order goes, when the mapping does not say its country."""
    target = next(field for field in ORDER if field.name == "ship_to.country_code")
    return _held(plan, target) if "o_ship_to_country_code" in plan.values else "null"


def _held(plan: Plan, field: Field) -> str:
    """Return a value of heads, or what it is where no row of the order has it."""
    name = f"o_{field.name.replace('.', '_')}"
    default = plan.defaults.get(name)
    if default is None:
        return f"h.{name}"
    if field.kind is Kind.BOOLEAN:
        return f"coalesce(h.{name}, {str(is_true(default)).lower()})"
    is_number = field.kind in {Kind.INTEGER, Kind.DEGREES}
    return f"coalesce(h.{name}, {default if is_number else literal(default)})"


def amount(plan: Plan, name: str) -> str:
    """Return the SQL of an amount of an order, from heads h and the sums of its lines l."""
    cell, default = _AMOUNTS[name]
    if cell in plan.defaults:
        default = minor(constant(plan.defaults[cell]), "h.places")
    if cell in summed(plan):
        return f"coalesce(l.{cell}_minor, {default})"
    return f"coalesce({money(plan, cell, 'h')}, {default})"


def _address(plan: Plan, side: str) -> str:
    parts = {
        field.name.split(".")[1]: _held(plan, field)
        for field in ORDER
        if field.name.startswith(f"{side}.") and f"o_{field.name.replace('.', '_')}" in plan.values
    }
    if not parts:
        return "null::varchar"
    pairs = ", ".join(f"{literal(part)}, {value}" for part, value in parts.items())
    there = f"coalesce({', '.join(f'{value}::varchar' for value in parts.values())}) is not null"
    return f"case when {there} then json_object({pairs})::varchar end"


def _lines() -> str:
    columns = ", ".join(
        "coalesce(discount_minor, 0) as discount_minor" if name == "discount_minor" else name
        for name in LINE_DRAFT
    )
    return f"select {columns} from lines where {_SLICE} order by position, ord"


def _changes() -> str:
    instant = INSTANT.format("occurred_at")
    columns = ", ".join(
        f"{instant} as occurred_at" if name == "occurred_at" else name for name in CHANGE_DRAFT
    )
    return f"select {columns} from changes where {_SLICE} order by position, ord"


def _payments() -> str:
    """Select what a channel tells of payments it handles, each of at least what was captured."""
    values = {
        "managed_by": f"'{ManagedBy.CHANNEL}'", "authorized_until_at": "null",
        "amount_minor": "greatest(amount_minor, authorized_minor, captured_minor)",
        "occurred_at": INSTANT.format("occurred_at"),
    }  # fmt: skip
    columns = ", ".join(f"{values.get(name, name)} as {name}" for name in PAYMENT_DRAFT)
    return f"select {columns} from payments where {_SLICE} order by position, ord"


def _products_of_rows(plan: Plan) -> str:
    values = _product_values(plan, "f")
    return f"""
        select l.position, l.sku, {values}, false as overwrite
        from (select position, sku, min(ord) as ord from lines where {_SLICE} group by all) l
        join first_products f using (sku)
        order by l.position, l.ord
    """


# The columns of a product, and what they are where the mapping does not say.
_PRODUCT: Final = {
    "gtin": "null",
    "title": "null",
    "product_type": "null",
    "category": "null",
    "brand": "null",
    "tax_class": "'standard'",
    "is_sellable": "true",
}


def _product_values(plan: Plan, alias: str) -> str:
    values = {
        name: f"{alias}.p_{name}" if f"p_{name}" in plan.values or name == "title" else None
        for name in _PRODUCT
    }
    return ", ".join(
        f"coalesce({values[name]}, {default})" if values[name] else default
        for name, default in _PRODUCT.items()
    )


def _products(plan: Plan) -> str:
    values = _product_values(plan, "h")
    return f"""
        select h.position, h.p_sku, {values}, true as overwrite
        from heads h where {_SLICE} order by h.position
    """


def _counts(plan: Plan) -> str:
    at = INSTANT.format("c_counted_at")
    ref = "c_count_ref" if "c_count_ref" in plan.values else "null"
    return f"""
        select position,
            coalesce({ref}, c_sku || '@' || c_location_code || '@' || {at}) as count_ref,
            c_sku, c_location_code, c_counted, {at} as counted_at
        from heads where {_SLICE} order by position
    """


def _movements(plan: Plan) -> str:
    at = INSTANT.format("m_occurred_at")
    ref = "m_movement_ref" if "m_movement_ref" in plan.values else "null"
    reason = "m_reason" if "m_reason" in plan.values else "null"
    stem = f"concat_ws(':', m_kind, m_sku, m_location_code, m_quantity, {at})"
    return f"""
        select position, coalesce({ref}, stem || '#' || copy_number) as movement_ref,
            m_kind, m_sku, m_location_code, m_quantity, {at} as occurred_at, {reason} as reason
        from (
            select *, {stem} as stem,
                row_number() over (partition by {stem} order by position) as copy_number
            from heads
        )
        where {_SLICE} order by position
    """
