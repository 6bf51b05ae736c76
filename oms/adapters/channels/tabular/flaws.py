"""What is wrong with documents: the sentences for people, written only for rows that failed."""

from collections.abc import Iterable, Iterator
from typing import Final

from oms.adapters.channels.tabular.expressions import column_of
from oms.adapters.channels.tabular.orders import agreed, needed, summed
from oms.adapters.channels.tabular.plan import Plan
from oms.adapters.channels.tabular.records import RECORD_BYTES_MAX, Wrong
from oms.adapters.channels.tabular.rows import literal
from oms.kernel.limits import AMOUNT_MINOR_MAX, ORDER_LINES_MAX

TABLE: Final = """
    create table flaws (
        position bigint, line bigint, field varchar, code varchar, detail varchar
    )
"""
_WRONG: Final = {
    Wrong.FIELDS: "'it has ' || fields || ' fields'",
    Wrong.QUOTES: "'its quotes do not match'",
    Wrong.CONTROLS: "'it holds control characters'",
    Wrong.ENCODING: "'it holds bytes that are not of the encoding'",
    Wrong.SIZE: f"'it has ' || size || ' bytes; at most {RECORD_BYTES_MAX}'",
}


def is_bad(plan: Plan) -> str:
    """Return the condition that a row fails a check or could not be read."""
    return " or ".join(["wrong <> 0", *(check.when for check in plan.checks)])


def of_rows(plan: Plan, fields_count: int) -> str:
    """Write down what is wrong with the rows that failed; `places` has their documents."""
    wrong = " ".join(f"when {int(w)} then {detail}" for w, detail in _WRONG.items())
    of = f" (the header has {fields_count})"
    unreadable = f"case wrong {wrong} end || case wrong when 1 then {literal(of)} else '' end"
    cells = "ord, line, size, wrong, fields" + "".join(
        f", raw[{number + 1}] as c{number}" for number in range(len(plan.columns))
    )
    findings = [_finding("wrong <> 0", "", "MALFORMED", unreadable)]
    findings += [
        _finding(f"wrong = 0 and {c.when}", c.column, c.code, c.detail) for c in plan.checks
    ]
    return f"""
        insert into flaws
        select distinct p.position, f.line, f.finding.field, f.finding.code,
            'line ' || f.line || ': ' || f.finding.detail
        from (
            select ord, line, unnest({_listed(findings)}) as finding
            from {plan.rows.sql(f"(select {cells} from cells where is_bad)")}
        ) f
        join places p using (ord)
        order by all
    """


def _finding(when: str, column: str, code: str, detail: str) -> str:
    return (
        f"case when {when} then {{'field': {literal(column)}, 'code': '{code}',"
        f" 'detail': {detail}}} end"
    )


def of_orders(plan: Plan) -> Iterator[str]:
    """Write down what is wrong with orders whose rows are each right."""
    yield f"""
        insert into flaws
        select h.position, null, h.finding.field, h.finding.code, h.finding.detail
        from (
            select h.position, unnest({_listed(_of_heads(plan))}) as finding
            from heads h
            where not h.is_bad and h.sales_count > 0
        ) h
    """
    yield from _of_lines(plan)
    if plan.spec.rows.has_changes:
        yield from _of_changes(plan)
    if plan.spec.payments:
        yield from _of_payments(plan)


def _of_heads(plan: Plan) -> Iterator[str]:
    yield _finding(
        "h.places is null", _column(plan, "o_currency"), "UNKNOWN_CURRENCY",
        "'\"' || left(h.currency, 8) || '\" is not a currency of ISO 4217'",
    )  # fmt: skip
    currency = ["o_currency"] if "o_currency" in plan.values else []
    for name in [*currency, *agreed(plan)]:
        detail = literal(f"the rows of the order disagree ({name[2:]})")
        yield _finding(f"h.{name}_x", _column(plan, name), "VALIDATION", detail)
    for name in needed(plan):
        detail = literal(f"it is empty ({name[2:]})")
        yield _finding(f"h.{name} is null", _column(plan, name), "VALIDATION", detail)
    detail = literal(f"an order has at most {ORDER_LINES_MAX} lines")
    yield _finding(f"h.sales_count > {ORDER_LINES_MAX}", "", "VALIDATION", detail)


def _listed(findings: Iterable[str]) -> str:
    return f"list_filter([{', '.join(findings)}], lambda x: x is not null)"


def _of_lines(plan: Plan) -> Iterator[str]:
    amounts = ["total_minor", "tax_minor", *(f"{name}_minor" for name in summed(plan))]
    yield _of_table("lines", _column(plan, "l_total"), _TOO_LARGE, " or ".join([
        *(f"coalesce(l.{name}, {AMOUNT_MINOR_MAX + 1}) > {AMOUNT_MINOR_MAX}" for name in amounts),
        f"greatest(l.unit_price_minor, l.discount_minor) > {AMOUNT_MINOR_MAX}",
    ]))  # fmt: skip
    if "l_line_ref" in plan.values:
        yield _twice(plan, "lines", "line_ref", "l_line_ref")


def _of_changes(plan: Plan) -> Iterator[str]:
    yield _of_table("changes", _column(plan, "l_total"), _TOO_LARGE, " or ".join(
        f"l.{name} > {AMOUNT_MINOR_MAX}" for name in ("total_minor", "tax_minor")
    ))  # fmt: skip
    yield _of_table(
        "changes", _column(plan, "c_line_ref"),
        "the order has no line here that it can be about; changes.line_ref may say which",
        "l.line_ref is null",
    )  # fmt: skip
    if "c_change_ref" in plan.values:
        yield _twice(plan, "changes", "kind, change_ref, line_ref", "c_change_ref")


def _of_payments(plan: Plan) -> Iterator[str]:
    amounts = ("amount_minor", "authorized_minor", "captured_minor", "refunded_minor")
    most = f"greatest({', '.join(f'l.{name}' for name in amounts)})"
    column = _column(plan, "y_captured") or _column(plan, "y_amount")
    yield _of_table("payments", column, _TOO_LARGE, f"{most} > {AMOUNT_MINOR_MAX}")
    nothing = "a payment is of something: an amount, or what was captured"
    yield _of_table("payments", column, nothing, f"coalesce({most}, 0) < 1")
    yield _of_table(
        "payments", _column(plan, "y_ref"), "a payment's ref does not begin with a star: ours do",
        "starts_with(l.external_ref, '*')",
    )  # fmt: skip


_TOO_LARGE: Final = f"an amount has at most {AMOUNT_MINOR_MAX} minor units"


def _twice(plan: Plan, table: str, key: str, name: str) -> str:
    return f"""
        insert into flaws
        select position, max(line), {literal(_column(plan, name))}, 'VALIDATION',
            'line ' || max(line) || {literal(f": the {key} is there twice in the order")}
        from {table}
        group by position, {key}
        having count(*) > 1
    """


def _column(plan: Plan, name: str) -> str:
    return column_of(plan.sources[name]) if name in plan.sources else ""


def _of_table(table: str, column: str, detail: str, when: str) -> str:
    return f"""
        insert into flaws
        select l.position, l.line, {literal(column)}, 'VALIDATION',
            'line ' || l.line || {literal(": " + detail)}
        from {table} l
        join heads h using (position)
        where h.places is not null and ({when})
    """
