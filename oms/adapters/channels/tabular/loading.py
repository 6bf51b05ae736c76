"""A mapping file on its way in: YAML without its dangers, then every name checked."""

import re
from collections.abc import Hashable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import ValidationError

from oms.adapters.channels.tabular.fields import SECTIONS, Field, Kind
from oms.adapters.channels.tabular.spec import Expression, Spec
from oms.kernel.errors import Rejected

MAPPING_BYTES_MAX: Final = 1024 * 1024
_PLAIN_DECIMAL: Final = re.compile(r"-?[0-9]{1,15}\.[0-9]{1,15}")


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
    for name in ("order", "lines", "changes", "products", "counts", "movements"):
        if name not in sections:
            if spec.section(name):
                yield f"{name}: a mapping of {spec.documents} has no such section"
        elif spec.section(name) or name not in {"changes", "products"}:
            yield from _section_faults(spec, name, sections[name])
    if spec.rows.has_changes and "occurred_at" not in spec.changes:
        yield "changes.occurred_at: rows become changes of orders, so it must be said when"
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
        if isinstance(step.codes, str) and step.codes not in spec.codes:
            yield f"{place}.then[{number}].codes: there are no codes {step.codes!r}"
        if step.look_up is not None and step.look_up.in_ not in spec.look_ups:
            yield f"{place}.then[{number}].look_up.in: there is no look-up {step.look_up.in_!r}"
    if expression.take != "same" and not is_header:
        yield f"{place}.take: only fields of the order are taken from many rows"
    for number, operand in enumerate(expression.operands):
        inner = f"{place}.{expression.source}[{number}]"
        yield from _expression_faults(spec, inner, operand, is_header=False)


def _type_faults(place: str, field: Field, expression: Expression) -> Iterator[str]:
    is_number = field.kind in {Kind.MONEY, Kind.QUANTITY, Kind.INTEGER}
    if expression.source in {"add", "subtract", "multiply", "divide", "absolute"} and not is_number:
        yield f"{place}.{expression.source}: the field is not a number"
    if expression.take == "sum" and field.kind is not Kind.MONEY:
        yield f"{place}.take: only money is summed"
    if expression.format and field.kind is not Kind.INSTANT:
        yield f"{place}.format: only an instant has a format"
    is_code = field.kind is Kind.CODE and expression.source == "constant"
    if is_code and expression.constant not in field.codes:
        yield f"{place}.constant: it is one of {', '.join(field.codes)}"
