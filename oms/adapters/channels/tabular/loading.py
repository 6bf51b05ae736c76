"""A mapping file on its way in: YAML without its dangers, then every name checked."""

import re
from collections.abc import Hashable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import duckdb
import yaml
from pydantic import ValidationError

from oms.adapters.channels.tabular.arithmetic import NotCalculable
from oms.adapters.channels.tabular.expressions import constant_text, is_true
from oms.adapters.channels.tabular.fields import SECTIONS, Field, Kind
from oms.adapters.channels.tabular.plan import make_plan
from oms.adapters.channels.tabular.rows import literal
from oms.adapters.channels.tabular.spec import Expression, Spec, StepSpec
from oms.kernel.errors import Rejected
from oms.workflows.documents import ChannelFacts

MAPPING_BYTES_MAX: Final = 1024 * 1024
_WHOLE: Final = re.compile(r"-?[0-9]{1,12}")
_DEGREES: Final = re.compile(r"-?[0-9]{1,3}(\.[0-9]{1,15})?")
_PLAIN_DECIMAL: Final = re.compile(r"-?[0-9]{1,15}\.[0-9]{1,15}")


_ANY_CHANNEL: Final = ChannelFacts(
    code="", currency="EUR", prices_include_tax=False, time_zone="UTC"
)


class BadMapping(Rejected):
    """The mapping is not usable as it is written."""

    code = "BAD_MAPPING"


class _Loader(yaml.SafeLoader):
    """Safe YAML that knows no aliases, no duplicate keys, no floats and no dates."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.events.AliasEvent):
            raise BadMapping(f"line {self.line + 1}: a mapping has no aliases")
        return super().compose_node(parent, index)

    def construct_mapping(
        self,
        node: yaml.MappingNode,
        deep: bool = False,  # noqa: ARG002, FBT001, FBT002  # yaml's signature
    ) -> dict[Hashable, Any]:
        """Construct a mapping whose keys are texts: a code list may well have a key 1 or No."""
        mapping: dict[Hashable, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise BadMapping(f"line {key.start_mark.line + 1}: a key is a text")
            if key.value in mapping:
                raise BadMapping(
                    f"line {key.start_mark.line + 1}: {key.value[:60]!r} is there twice"
                )
            mapping[key.value] = self.construct_object(value, deep=True)
        return mapping


def _decimal(_: yaml.SafeLoader, node: yaml.ScalarNode) -> Decimal | str:
    text = str(node.value)
    return Decimal(text) if _PLAIN_DECIMAL.fullmatch(text) else text


def _text(_: yaml.SafeLoader, node: yaml.ScalarNode) -> str:
    return str(node.value)


def _boolean(_: yaml.SafeLoader, node: yaml.ScalarNode) -> bool | str:
    text = str(node.value)
    return text.lower() == "true" if text.lower() in {"true", "false"} else text


# Of YAML's many ways to say yes, only true and false: a column may be called No or Y.
_Loader.add_constructor("tag:yaml.org,2002:bool", _boolean)
# A float would lose cents and a date its spelling: both stay what was written.
_Loader.add_constructor("tag:yaml.org,2002:float", _decimal)
_Loader.add_constructor("tag:yaml.org,2002:timestamp", _text)


def load(path: Path) -> Spec:
    """Read a mapping file.

    Raises BadMapping, naming the place of everything that is wrong.
    """
    try:
        text = path.read_bytes()
    except OSError:
        raise BadMapping(f"there is no readable mapping {path.name!r}") from None
    return parse(text)


def parse(text: bytes | str) -> Spec:
    """Read the text of a mapping. Raises BadMapping."""
    if len(text) > MAPPING_BYTES_MAX:
        raise BadMapping(f"a mapping has at most {MAPPING_BYTES_MAX} bytes")
    try:
        tree = yaml.load(text, Loader=_Loader)  # noqa: S506  # a SafeLoader with less
    except (yaml.YAMLError, RecursionError, UnicodeDecodeError) as error:
        raise BadMapping(f"it is not YAML: {_one_line(error)}") from None
    try:
        spec = Spec.model_validate(tree)
    except ValidationError as error:
        raise BadMapping("\n".join(_schema_faults(error))) from None
    if faults := list(_faults(spec)):
        raise BadMapping("\n".join(faults))
    try:
        make_plan(spec, _ANY_CHANNEL)
    except NotCalculable as error:
        raise BadMapping(error.detail) from None
    return spec


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]


def _schema_faults(error: ValidationError) -> Iterator[str]:
    for fault in error.errors(include_input=False, include_url=False):
        place = "".join(
            f"[{part}]" if isinstance(part, int) else f".{part}" for part in fault["loc"]
        )
        yield f"{place.lstrip('.') or 'mapping'}: {fault['msg'].removeprefix('Value error, ')}"


def _faults(spec: Spec) -> Iterator[str]:
    """Find what a schema cannot say: names that do not exist, fields that are missing."""
    sections = SECTIONS[spec.documents]
    for name in ("order", "lines", "changes", "payments", "products", "counts", "movements"):
        if name not in sections:
            if spec.section(name):
                yield f"{name}: a mapping of {spec.documents} has no such section"
        elif spec.section(name) or name not in {"changes", "payments", "products"}:
            yield from _section_faults(spec, name, sections[name])
    if spec.rows.has_changes and "occurred_at" not in spec.changes:
        yield "changes.occurred_at: rows become changes of orders, so it must be said when"
    if spec.payments and spec.rows.kind is None:
        yield "rows.kind: payments are rows of their own, so it must be said which are"
    if spec.rows.kind is not None:
        yield from _expression_faults(spec, "rows.kind", spec.rows.kind, is_header=False)


def _section_faults(spec: Spec, section: str, fields: tuple[Field, ...]) -> Iterator[str]:
    known = {field.name: field for field in fields}
    expressions = spec.section(section)
    for name, expression in expressions.items():
        place = f"{section}.{name}"
        if name not in known:
            yield f"{place}: there is no such field; there are {', '.join(known)}"
            continue
        yield from _expression_faults(spec, place, expression, is_header=section == "order")
        yield from _type_faults(place, known[name], expression)
    for field in fields:
        if field.is_required and field.name not in expressions:
            yield f"{section}.{field.name}: it is needed"


def _expression_faults(
    spec: Spec, place: str, expression: Expression, *, is_header: bool
) -> Iterator[str]:
    for number, step in enumerate(expression.then):
        for fault in _step_faults(spec, step):
            yield f"{place}.then[{number}].{fault}"
    for number, text in enumerate(expression.format):
        if refusal := _refused("try_strptime", text):
            yield f"{place}.format[{number}]: {refusal}"
    if expression.take != "same" and not is_header:
        yield f"{place}.take: only fields of the order are taken from many rows"
    for number, operand in enumerate(expression.operands):
        inner = f"{place}.{expression.source}[{number}]"
        yield from _expression_faults(spec, inner, operand, is_header=False)


def _step_faults(spec: Spec, step: StepSpec) -> Iterator[str]:
    if isinstance(step.codes, str) and step.codes not in spec.codes:
        yield f"codes: there are no codes {step.codes!r}"
    if step.look_up is not None and step.look_up.in_ not in spec.look_ups:
        yield f"look_up.in: there is no look-up {step.look_up.in_!r}"
    if step.extract is not None and (fault := _refused("regexp_extract", step.extract)):
        yield f"extract: {fault}"


def _type_faults(place: str, field: Field, expression: Expression) -> Iterator[str]:
    is_number = field.kind in {Kind.MONEY, Kind.QUANTITY, Kind.INTEGER}
    if expression.source in {"add", "subtract", "multiply", "divide", "absolute"} and not is_number:
        yield f"{place}.{expression.source}: the field is not a number"
    if expression.take == "sum" and field.kind is not Kind.MONEY:
        yield f"{place}.take: only money is summed"
    if expression.format and field.kind is not Kind.INSTANT:
        yield f"{place}.format: only an instant has a format"
    if expression.source == "constant" and not expression.then:
        yield from _constant_faults(f"{place}.constant", field, constant_text(expression))
    if expression.default is not None:
        yield from _constant_faults(f"{place}.default", field, expression.default)


def _constant_faults(place: str, field: Field, text: str) -> Iterator[str]:
    if field.kind is Kind.CODE and text not in field.codes:
        yield f"{place}: it is one of {', '.join(field.codes)}"
    if field.kind is Kind.BOOLEAN and is_true(text) is None:
        yield f"{place}: it is neither true nor false"
    if field.kind in {Kind.INTEGER, Kind.QUANTITY} and not _WHOLE.fullmatch(text):
        yield f"{place}: it is not a whole number"
    if field.kind is Kind.DEGREES and not _DEGREES.fullmatch(text):
        yield f"{place}: it is not degrees such as 4.89"


def _refused(function: str, argument: str) -> str | None:
    """Return what the engine has against a pattern or a format."""
    with duckdb.connect(":memory:") as con:
        try:
            con.execute(f"select {function}('', {literal(argument)})").fetchall()
        except duckdb.Error as error:
            return _one_line(error).removeprefix("Invalid Input Error: ")
    return None
