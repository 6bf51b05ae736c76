"""Rule sets as people write them, and what is kept of decisions, read and written as JSON."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from oms.sourcing.model import BadRules, Candidate, Demand, Outcome, Plan, Problem, Rule, Rules

_RULES: Final = TypeAdapter(Rules)
_DEMAND: Final = TypeAdapter(Demand)
_CANDIDATES: Final = TypeAdapter(tuple[Candidate, ...])
_PLAN: Final = TypeAdapter(Plan)
_OUTCOME: Final = TypeAdapter(Outcome)
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_KINDS: Final = ("dc", "store", "pickup_point")
# Of what is wrong with a value, in a person's words.
_WORDS: Final = {
    "missing": "is missing", "extra_forbidden": "there is no such key here",
    "unexpected_keyword_argument": "there is no such key here",
    "string_type": "must be a text", "int_type": "must be a whole number",
    "int_parsing": "must be a whole number", "int_from_float": "must be a whole number",
    "float_type": "must be a number", "float_parsing": "must be a number",
    "bool_type": "must be true or false", "bool_parsing": "must be true or false",
    "tuple_type": "must be a list", "dataclass_type": "must be a mapping of names to values",
}  # fmt: skip


def read_rules(content: Any) -> Rules:
    """Read a rule set. Raises BadRules with the place of everything that is wrong."""
    if texts := tuple(unreadable(content, "")):
        raise BadRules(texts)
    try:
        rules = _RULES.validate_python(content)
    except ValidationError as error:
        raise BadRules(tuple(_type_problems(error))) from None
    if problems := tuple(_problems(rules)):
        raise BadRules(problems)
    return rules


def rules_json(rules: Rules) -> str:
    """Write a rule set as it is kept."""
    return _RULES.dump_json(rules).decode()


def rules_values(rules: Rules) -> dict[str, Any]:
    """Return a rule set as JSON's values."""
    values: dict[str, Any] = _RULES.dump_python(rules, mode="json")
    return values


def kept(
    demand: Demand, candidates: tuple[Candidate, ...], plan: Plan, outcome: Outcome
) -> dict[str, Any]:
    """Return what is kept of a decision, as JSON's values."""
    return {
        "demand": _DEMAND.dump_python(demand, mode="json"),
        "candidates": _CANDIDATES.dump_python(candidates, mode="json"),
        "plan": _PLAN.dump_python(plan, mode="json"),
        "outcome": _OUTCOME.dump_python(outcome, mode="json"),
    }


def read_kept(row: Any) -> dict[str, Any]:
    """Read what was kept of a decision."""
    return {
        "demand": _DEMAND.validate_python(row.demand),
        "candidates": _CANDIDATES.validate_python(row.candidates),
        "plan": _PLAN.validate_python(row.plan),
        "outcome": _OUTCOME.validate_python(row.outcome),
    }


def unreadable(content: Any, path: str) -> Iterator[Problem]:
    """Give the places of texts the ledger cannot hold."""
    if isinstance(content, str) and _CONTROLS.search(content):
        yield path, "holds control characters"
    elif isinstance(content, dict):
        for name, each in content.items():
            yield from unreadable(str(name), path)
            yield from unreadable(each, f"{path}/{name}")
    elif isinstance(content, list | tuple):
        for number, each in enumerate(content):
            yield from unreadable(each, f"{path}/{number}")


def _type_problems(error: ValidationError) -> Iterator[Problem]:
    for fault in error.errors(include_url=False):
        path = "".join(f"/{each}" for each in fault["loc"])
        allowed = fault.get("ctx", {}).get("expected")
        said = f"must be one of {allowed}" if allowed else _WORDS.get(fault["type"], fault["msg"])
        yield path, said


def _problems(rules: Rules) -> Iterator[Problem]:
    if not rules.groups:
        yield "/groups", "must have at least one group"
    if rules.promise_hours <= 0:
        yield "/promise_hours", "must be more than 0"
    yield from _repeated("/groups", [group.name for group in rules.groups])
    for number, group in enumerate(rules.groups):
        path = f"/groups/{number}"
        if not group.rules:
            yield f"{path}/rules", "must have at least one rule"
        if group.split.parts_max < 1:
            yield f"{path}/split/parts_max", "must be 1 or more"
        low, high = group.when.value_from_minor, group.when.value_below_minor
        if low is not None and high is not None and low >= high:
            yield f"{path}/when/value_below_minor", "must be more than value_from_minor"
        yield from _repeated(f"{path}/rules", [rule.name for rule in group.rules])
        for place, rule in enumerate(group.rules):
            yield from _rule_problems(f"{path}/rules/{place}", rule)


def _rule_problems(path: str, rule: Rule) -> Iterator[Problem]:
    if not rule.name.strip():
        yield f"{path}/name", "must not be empty"
    if rule.stock_buffer < 0:
        yield f"{path}/stock_buffer", "must be 0 or more"
    if rule.distance_km_max is not None and not 0 < rule.distance_km_max <= 21_000:  # noqa: PLR2004 - half around the earth
        yield f"{path}/distance_km_max", "must be more than 0 and at most 21000"
    for number, kind in enumerate(rule.kinds):
        if kind not in _KINDS:
            yield f"{path}/kinds/{number}", f"must be one of {', '.join(_KINDS)}"


def _repeated(path: str, names: list[str]) -> Iterator[Problem]:
    for name, count in Counter(names).items():
        if count > 1:
            yield path, f"has {count} of the name {name[:40]!r}; a decision names its rule"
