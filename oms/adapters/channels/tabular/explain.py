"""What a mapping would make of a file: told to a person, without changing anything."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Final

from oms.adapters.channels.tabular.loading import load
from oms.adapters.channels.tabular.plan import Plan, make_plan
from oms.adapters.channels.tabular.spec import Expression, Spec, StepSpec
from oms.adapters.channels.tabular.workspace import Workspace, open_workspace
from oms.kernel import clock
from oms.kernel.money import text_from_minor
from oms.workflows.documents import ChannelFacts, Source

EXAMPLES_MAX: Final = 3
# What a channel would say; a sample has none.
NOBODY: Final = ChannelFacts(
    code="sample", currency="EUR", prices_include_tax=False, time_zone="UTC"
)
_SIGNS: Final = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/"}
_SECTIONS: Final = {
    "o": "order", "l": "lines", "c": "changes", "y": "payments", "p": "products",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldTold:
    """Where a canonical field comes from, with values of it."""

    field: str
    source: str
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why documents would be refused, how many, and one of them."""

    code: str
    column: str
    count: int
    example: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What the lines of one currency come to, as decimal texts."""

    currency: str
    total: str
    tax: str
    shipping: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What a mapping makes of a file."""

    spec: Spec
    facts: ChannelFacts
    file_name: str
    columns: tuple[str, ...]
    unused: tuple[str, ...]
    counts: dict[str, int]
    totals: tuple[Totals, ...]
    fields: tuple[FieldTold, ...]
    refusals: tuple[Refusal, ...]

    @property
    def usable_count(self) -> int:
        """How many documents are not refused."""
        return self.counts["documents"] - self.counts["refused"]

    def __str__(self) -> str:
        """Tell it to somebody who sees a mapping for the first time."""
        return "\n".join(line.rstrip() for line in _told(self))


def check(file: Path, sample: Path) -> str:
    """Tell what a mapping file makes of a sample. Raises BadMapping or Unreadable."""
    return str(explain(load(file), sample, folder=file.parent))


def explain(
    spec: Spec, sample: Path, *, facts: ChannelFacts = NOBODY, folder: Path | None = None
) -> Explanation:
    """Map a sample and look at what came of it. Raises BadMapping or Unreadable."""
    plan = make_plan(spec, facts)
    source = Source(
        topic=spec.documents, content_type="", received_at=clock.now(), channel=facts,
        path=sample, file_name=sample.name,
    )  # fmt: skip
    with open_workspace(plan, source, (folder,) if folder else ()) as workspace:
        workspace.build()
        columns = tuple(workspace.reading.columns)
        return Explanation(
            spec=spec,
            facts=facts,
            file_name=sample.name,
            columns=columns,
            unused=tuple(name for name in columns if name not in plan.columns),
            counts=_counts(workspace),
            totals=tuple(_totals(workspace)) if spec.documents == "orders" else (),
            fields=tuple(_fields(workspace, plan)),
            refusals=tuple(_refusals(workspace)),
        )


def _counts(workspace: Workspace) -> dict[str, int]:
    queries = {
        "rows": "select count(*) from cells",
        "documents": "select count(*) from heads",
        "refused": "select count(*) from rejected",
    }
    if workspace.plan.spec.documents == "orders":
        kept = "where position not in (select position from rejected)"
        queries |= {
            "lines": f"select count(*) from lines {kept}",
            "changes": f"select count(*) from changes {kept}",
            "products": f"select count(distinct sku) from lines {kept}",
        }
    if workspace.plan.spec.payments:
        queries["payments"] = f"select count(*) from payments {kept}"
    return {name: workspace.rows_of(query)[0][0] for name, query in queries.items()}


def _totals(workspace: Workspace) -> Iterator[Totals]:
    for currency, total, tax, shipping in workspace.rows_of(workspace.totals_query()):
        yield Totals(
            currency=currency,
            total=text_from_minor(total or 0, currency),
            tax=text_from_minor(tax or 0, currency),
            shipping=text_from_minor(shipping or 0, currency),
        )


def _fields(workspace: Workspace, plan: Plan) -> Iterator[FieldTold]:
    for name, expression in plan.sources.items():
        section = _SECTIONS[name[0]] if plan.spec.documents == "orders" else plan.spec.documents
        yield FieldTold(
            field=f"{section}.{name[2:].replace('_to_', '_to.')}",
            source=described(expression),
            examples=_examples(workspace, name),
        )


def _examples(workspace: Workspace, name: str) -> tuple[str, ...]:
    """Return the first different values of a field."""
    number = workspace.plan.amounts.get(name)
    den = f"{name}_d" if number and number.den else "1"
    rows = workspace.rows_of(f"""
        select {name}, {den} from cells where {name} is not null and not is_bad
        group by all order by min(ord) limit {EXAMPLES_MAX}
    """)
    if number is None:
        return tuple(str(value).replace("\n", " ")[:40] for value, _ in rows)
    scale = number.scale
    return tuple(_decimal(Decimal(num).scaleb(-scale) / Decimal(den_)) for num, den_ in rows)


def _decimal(value: Decimal) -> str:
    return f"{round(value, 6).normalize():f}"


def _refusals(workspace: Workspace) -> Iterator[Refusal]:
    rows = workspace.rows_of("""
        select code, field, count(distinct position), arg_min(detail, position)
        from flaws group by code, field order by 3 desc, 1, 2
    """)
    for code, column, count, example in rows:
        yield Refusal(code=code, column=column, count=count, example=example)


def described(expression: Expression) -> str:
    """Say where an expression takes its value from."""
    if expression.column is not None:
        text = f"column {expression.column!r}"
    elif expression.constant is not None:
        text = f"always {expression.constant}"
    elif expression.source in _SIGNS:
        text = f" {_SIGNS[expression.source]} ".join(map(described, expression.operands))
        text = f"({text})"
    else:
        inner = ", ".join(described(operand) for operand in expression.operands)
        text = f"{expression.source.replace('_', ' ')} ({inner})"
    for step in expression.then:
        text += f" → {_step(step)}"
    if expression.format:
        text += f", as {' or '.join(expression.format)}"
    if expression.when is not None:
        text += f", only where {expression.when.column!r} " + (
            f"is {' or '.join(expression.when.is_)}" if expression.when.is_ else "is empty"
        )
    if expression.default is not None:
        text += f", else {expression.default!r}"
    return text + ("" if expression.take == "same" else f", {expression.take} of the order's rows")


def _step(step: StepSpec) -> str:
    if step.look_up is not None:
        return f"{step.look_up.take} in {step.look_up.in_}"
    if step.codes is not None:
        return f"codes {step.codes}" if isinstance(step.codes, str) else "codes"
    if step.extract is not None:
        return f"what fits {step.extract}"
    if step.replace is not None:
        return f"{step.replace.text!r} as {step.replace.by!r}"
    if step.split is not None:
        return f"part {step.split.part} between {step.split.by!r}"
    return str(step.word)


def _told(told: Explanation) -> Iterator[str]:
    spec, file = told.spec, told.spec.file
    yield f"Mapping {spec.mapping}, version {spec.version}, for {spec.documents}"
    if spec.about:
        yield f"  {' '.join(spec.about.split())}"
    yield ""
    yield f"File {told.file_name}"
    dialect = "Parquet" if file.format == "parquet" else (
        f"CSV in {file.encoding}, delimiter {file.delimiter!r}, decimal mark {file.decimal_mark!r}"
    )  # fmt: skip
    yield f"  {dialect}; {told.counts['rows']:,} rows, {len(told.columns)} columns"
    yield f"  not read: {', '.join(told.unused) or 'nothing, every column is used'}"
    yield (
        f"  a time without an offset is local time in {told.facts.time_zone}; the channel's "
        f"currency would be {told.facts.currency} where the mapping names none"
    )
    yield ""
    yield from _told_counts(told)
    yield ""
    yield "Fields, where they come from, and their first values"
    for field in told.fields:
        yield f"  {field.field:<28} {field.source}"
        yield f"  {'':<28} {' | '.join(field.examples) or '(empty)'}"


def _told_counts(told: Explanation) -> Iterator[str]:
    counts = dict(told.counts)
    documents, refused = counts.pop("documents"), counts.pop("refused")
    counts.pop("rows")
    yield "What becomes of it"
    yield f"  {documents:,} documents: {told.usable_count:,} usable, {refused:,} refused"
    if counts:
        yield "  " + ", ".join(f"{count:,} {name}" for name, count in counts.items())
    for sums in told.totals:
        yield (
            f"  {sums.currency}: lines {sums.total}, tax of them {sums.tax}, "
            f"shipping without tax {sums.shipping}"
        )
    for refusal in told.refusals:
        where = f" in {refusal.column!r}" if refusal.column else ""
        yield f"  refused: {refusal.count:,} times {refusal.code}{where}, as {refusal.example}"
