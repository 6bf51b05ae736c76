"""A mapping made ready for one file: which columns it reads, what it makes of a row."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Final

from oms.adapters.channels.tabular.arithmetic import NotCalculable, Number, sign_of
from oms.adapters.channels.tabular.expressions import Compiler, column_of
from oms.adapters.channels.tabular.fields import (
    LINE,
    ORDER,
    PAID_ROW_KINDS,
    ROW_KINDS,
    SECTIONS,
    Field,
    Kind,
)
from oms.adapters.channels.tabular.rows import Check, Rows
from oms.adapters.channels.tabular.spec import Expression, Section, Spec
from oms.workflows.documents import ChannelFacts

# What the checks of a row are about: every row, goods, sales, what happened to them, or money.
_EVERY: Final = "true"
_GOODS: Final = "{kind} <> 'payment'"
_SALE: Final = "{kind} = 'sale'"
_CHANGE: Final = "{kind} not in ('sale', 'payment')"
_PAYMENT: Final = "{kind} = 'payment'"

_ROW_KIND: Final = Field(name="kind", kind=Kind.CODE, codes=ROW_KINDS)
_PAID_ROW_KIND: Final = replace(_ROW_KIND, codes=PAID_ROW_KINDS)


# What a line is worth, of which a change has its part.
_WORTH: Final = frozenset({"total", "tax"})


@dataclass(slots=True, kw_only=True)
class Plan:
    """What is computed of each row: named values, amounts, checks, and which rows count."""

    spec: Spec
    facts: ChannelFacts
    columns: tuple[str, ...]
    rows: Rows
    checks: list[Check]
    ignored: str
    kind: str = "'sale'"
    values: dict[str, str] = field(default_factory=dict)  # o_placed_at: its name in SQL
    amounts: dict[str, Number] = field(default_factory=dict)  # l_total, with names of cells
    sources: dict[str, Expression] = field(default_factory=dict)
    defaults: dict[str, str] = field(default_factory=dict)  # of header values

    @property
    def header(self) -> list[str]:
        """The values of the order, in their order."""
        return [name for name in (*self.values, *self.amounts) if name.startswith("o_")]


def cell_name(section: str, field_name: str) -> str:
    """Name a value: o_ of the order, l_ line, c_ change, y_ payment, p_ product."""
    letter = "y" if section == "payments" else section[0]
    return f"{letter}_{field_name.replace('.', '_')}"


def columns_of(spec: Spec) -> tuple[str, ...]:
    """Return every column a mapping reads, in the order it names them."""
    names = dict.fromkeys(
        name
        for section in spec.sections
        for expression in spec.section(section).values()
        for name in _columns(expression)
    )
    names |= dict.fromkeys(condition.column for condition in spec.ignore)
    if spec.rows.kind is not None:
        names |= dict.fromkeys(_columns(spec.rows.kind))
    return tuple(names)


def taken_of(spec: Spec) -> dict[str, tuple[str, ...]]:
    """Return the columns taken from each look-up."""
    taken: dict[str, dict[str, None]] = {name: {} for name in spec.look_ups}
    expressions = [e for section in spec.sections for e in spec.section(section).values()]
    for expression in [*expressions, *([spec.rows.kind] if spec.rows.kind else [])]:
        for inner in _flat(expression):
            for step in inner.then:
                if step.look_up is not None:
                    taken[step.look_up.in_][step.look_up.take] = None
    return {name: tuple(columns) for name, columns in taken.items() if columns}


def make_plan(spec: Spec, facts: ChannelFacts) -> Plan:
    """Compile a mapping. Raises NotCalculable when it asks for what cannot be exact."""
    columns = columns_of(spec)
    rows = Rows(
        cells={name: f"c{number}" for number, name in enumerate(columns)},
        look_ups={
            name: (table_of(spec, name), {take: f"v{n}" for n, take in enumerate(takes)})
            for name, takes in taken_of(spec).items()
        },
    )
    compiler = Compiler(spec=spec, time_zone=facts.time_zone, rows=rows)
    ignored = " or ".join(compiler.holds(condition) for condition in spec.ignore) or "false"
    plan = Plan(
        spec=spec, facts=facts, columns=columns, rows=rows, checks=compiler.checks, ignored=ignored
    )
    if spec.documents == "orders":
        _plan_orders(plan, compiler)
    else:
        section = spec.documents
        _plan_section(plan, compiler, section, SECTIONS[section][section])
        _refuse_counts(plan, compiler)
    return plan


def table_of(spec: Spec, look_up: str) -> str:
    """Name the table of a look-up."""
    return f"look_up_{list(spec.look_ups).index(look_up)}"


def _flat(expression: Expression) -> Iterator[Expression]:
    yield expression
    for operand in expression.operands:
        yield from _flat(operand)


def _columns(expression: Expression) -> Iterator[str]:
    for inner in _flat(expression):
        if inner.column is not None:
            yield inner.column
        if inner.when is not None:
            yield inner.when.column


def _plan_orders(plan: Plan, compiler: Compiler) -> None:
    spec = plan.spec
    quantity = _plan_kind(plan, compiler)
    plan.ignored += f" or {plan.kind} = 'ignore'"
    everywhere = {"external_ref", "currency", "sku"}
    for section, fields, whole in (("order", ORDER, _EVERY), ("lines", LINE, _GOODS)):
        for scope, part in (
            (whole, [f for f in fields if f.name in everywhere]),
            (_SALE, [f for f in fields if f.name not in everywhere]),
        ):
            compiler.scope = scope.format(kind=plan.kind)
            _plan_section(plan, compiler, section, part)
    if spec.rows.has_changes:
        compiler.scope = _CHANGE.format(kind=plan.kind)
        _plan_section(plan, compiler, "changes", SECTIONS["orders"]["changes"])
        _check_worth(compiler)
    if spec.payments:
        compiler.scope = _PAYMENT.format(kind=plan.kind)
        _plan_section(plan, compiler, "payments", SECTIONS["orders"]["payments"])
    compiler.scope = _SALE.format(kind=plan.kind)
    _plan_section(plan, compiler, "products", SECTIONS["orders"]["products"])
    _refuse_signs(plan, compiler, quantity)


def _check_worth(compiler: Compiler) -> None:
    """Check what a change is worth: it may be left out, but not be something else than a number."""
    for target in LINE:
        if target.name in _WORTH and target.name in compiler.spec.lines:
            with _placed(f"lines.{target.name}"):
                compiler.money(replace(target, is_required=False), compiler.spec.lines[target.name])


def _plan_kind(plan: Plan, compiler: Compiler) -> str:
    """Plan what a row is; return its quantity, which may decide that and which payments lack."""
    spec = plan.spec
    if spec.rows.kind is not None:
        compiler.scope = _EVERY
        plan.kind = compiler.value(_PAID_ROW_KIND if spec.payments else _ROW_KIND, spec.rows.kind)
        plan.kind = plan.rows.add(f"coalesce({plan.kind}, 'sale')")
    compiler.scope = _GOODS.format(kind=plan.kind) if spec.payments else _EVERY
    target = next(f for f in LINE if f.name == "quantity")
    with _placed("lines.quantity"):
        quantity = compiler.value(target, spec.lines["quantity"])
    if spec.rows.negative_quantity != "refuse":
        becomes = f"'{spec.rows.negative_quantity}'"
        plan.kind = plan.rows.add(
            f"case when {plan.kind} = 'sale' and {quantity} < 0 then {becomes} else {plan.kind} end"
        )
    return quantity


def _plan_section(plan: Plan, compiler: Compiler, section: str, fields: Sequence[Field]) -> None:
    expressions: Section = plan.spec.section(section)
    for target in fields:
        expression = expressions.get(target.name)
        if expression is None:
            continue
        with _placed(f"{section}.{target.name}"):
            if section == "order" and target.name != "external_ref":
                _plan_header(plan, compiler, target, expression)
            else:
                _plan_value(plan, compiler, cell_name(section, target.name), target, expression)


@contextmanager
def _placed(place: str) -> Iterator[None]:
    """Say where in the mapping it is that something cannot be calculated."""
    try:
        yield
    except NotCalculable as error:
        raise NotCalculable(f"{place}: {error.detail}") from None


def _plan_header(plan: Plan, compiler: Compiler, target: Field, expression: Expression) -> None:
    """Plan a value that some row of the order has: its default is for when none has it."""
    name = cell_name("order", target.name)
    if expression.default is not None and target.kind is not Kind.INSTANT:
        plan.defaults[name] = expression.default
        expression = expression.model_copy(update={"default": None})
    _plan_value(plan, compiler, name, replace(target, is_required=False), expression)


def _plan_value(
    plan: Plan, compiler: Compiler, name: str, target: Field, expression: Expression
) -> None:
    plan.sources[name] = expression
    if target.kind is Kind.MONEY:
        plan.amounts[name] = compiler.money(target, expression)
    else:
        plan.values[name] = compiler.value(target, expression)


def _refuse_signs(plan: Plan, compiler: Compiler, quantity: str) -> None:
    """Check that a sale has units, a change, too, and that no amount of them is negative."""
    column = column_of(plan.spec.lines["quantity"])
    compiler.scope = _SALE.format(kind=plan.kind)
    compiler.refuse(
        f"{quantity} < 1", column, "VALIDATION",
        f"'the quantity is ' || {quantity} || '; a sale has at least 1'",
    )  # fmt: skip
    for name in plan.amounts:
        if name[0] in "ly":
            scope = _SALE if name[0] == "l" else _PAYMENT
            compiler.scope = scope.format(kind=plan.kind)
            compiler.refuse(
                f"{sign_of(plan.amounts[name])} < 0",
                column_of(plan.sources[name]) or name[2:], "VALIDATION",
                f"'the amount is negative ({name[2:]})'",
            )  # fmt: skip
    if plan.spec.rows.has_changes:
        compiler.scope = _CHANGE.format(kind=plan.kind)
        compiler.refuse(f"{quantity} = 0", column, "VALIDATION", "'the quantity is 0'")


def _refuse_counts(plan: Plan, compiler: Compiler) -> None:
    """Check that counts are not negative, and that movements move something the right way."""
    if "c_counted" in plan.values:
        compiler.refuse(
            f"{plan.values['c_counted']} < 0", column_of(plan.sources["c_counted"]), "VALIDATION",
            "'a count is not negative'",
        )  # fmt: skip
    if "m_quantity" in plan.values:
        quantity, column = plan.values["m_quantity"], column_of(plan.sources["m_quantity"])
        compiler.refuse(f"{quantity} = 0", column, "VALIDATION", "'the quantity is 0'")
        compiler.refuse(
            f"{quantity} < 0 and {plan.values['m_kind']} <> 'adjust'", column, "VALIDATION",
            "'only an adjust is signed'",
        )  # fmt: skip
