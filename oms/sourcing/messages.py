"""Rule sets as people write them, and what is kept of decisions, read and written as JSON."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

from oms.sourcing.model import (
    BadRules,
    Candidate,
    Consolidation,
    Demand,
    Group,
    Node,
    Outcome,
    Plan,
    Problem,
    Rule,
    Rules,
    Verdict,
)

_RULES: Final = TypeAdapter(Rules)
_DEMAND: Final = TypeAdapter(Demand)
_NODES: Final = TypeAdapter(tuple[Node, ...])
_PLAN: Final = TypeAdapter(Plan)
_OUTCOME: Final = TypeAdapter(Outcome)
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
PRIORITY_MAX: Final = 1_000
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
) -> tuple[str, ...]:
    """Return what is kept of a decision, each as JSON.

    What is said of each candidate is kept by name, in lists that run along their codes: so it
    takes a third of the room.
    """
    by_code = sorted(candidates, key=lambda each: each.node.code)
    skus = {line.sku: None for line in demand.lines}
    columns = {
        "code": [each.node.code for each in by_code],
        "priority": [each.priority for each in by_code],
        "distance_km": [each.distance_km for each in by_code],
        "capacity_left": [each.capacity_left for each in by_code],
        "has_rejected": [int(each.has_rejected) for each in by_code],
        "stock": {sku: [each.stock.get(sku, 0) for each in by_code] for sku in skus},
        "reason": [each.reason for each in plan.verdicts],
    }
    return (
        _DEMAND.dump_json(demand).decode(), to_json(columns).decode(),
        _PLAN.dump_json(plan, exclude={"verdicts"}).decode(), _OUTCOME.dump_json(outcome).decode(),
    )  # fmt: skip


def kept_nodes(nodes: Iterable[Node]) -> str:
    """Return what locations were at a moment, as JSON."""
    return _NODES.dump_json(tuple(nodes)).decode()


def read_kept(row: Any) -> dict[str, Any]:
    """Read what was kept of a decision."""
    nodes = {each.code: each for each in _NODES.validate_python(row.nodes)}
    made, columns = _PLAN.validate_python(row.plan), row.candidates
    taken = {part.code for part in made.parts}
    places = range(len(columns["code"]))
    return {
        "demand": _DEMAND.validate_python(row.demand),
        "candidates": tuple(
            Candidate(
                node=nodes[columns["code"][place]], priority=columns["priority"][place],
                distance_km=columns["distance_km"][place],
                capacity_left=columns["capacity_left"][place],
                has_rejected=bool(columns["has_rejected"][place]),
                stock={sku: each[place] for sku, each in columns["stock"].items()},
            )
            for place in places
        ),
        "plan": replace(
            made,
            verdicts=tuple(
                Verdict(code=code, is_taken=code in taken, reason=reason)
                for code, reason in zip(columns["code"], columns["reason"], strict=True)
            ),
        ),
        "outcome": _OUTCOME.validate_python(row.outcome),
    }  # fmt: skip


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
    for name, codes in rules.location_groups.items():
        if not name.strip() or not codes:
            yield f"/location_groups/{name}", "must have a name and at least one location"
    for number, group in enumerate(rules.groups):
        yield from _group_problems(f"/groups/{number}", group)
        for place, rule in enumerate(group.rules):
            path = f"/groups/{number}/rules/{place}"
            yield from _unknown_groups(f"{path}/in_groups", rule.in_groups, rules)
            yield from _unknown_groups(f"{path}/but_groups", rule.but_groups, rules)


def _unknown_groups(path: str, names: tuple[str, ...], rules: Rules) -> Iterator[Problem]:
    for number, name in enumerate(names):
        if name not in rules.location_groups:
            known = ", ".join(rules.location_groups) or "none"
            yield f"{path}/{number}", f"is not among location_groups: {known}"


def _group_problems(path: str, group: Group) -> Iterator[Problem]:
    if not group.rules:
        yield f"{path}/rules", "must have at least one rule"
    if group.promise_hours is not None and group.promise_hours <= 0:
        yield f"{path}/promise_hours", "must be more than 0"
    if abs(group.priority) > PRIORITY_MAX:
        yield f"{path}/priority", f"must be from -{PRIORITY_MAX} to {PRIORITY_MAX}"
    if group.split.parts_max < 1:
        yield f"{path}/split/parts_max", "must be 1 or more"
    if group.split.consolidate is not None:
        yield from _hub_problems(f"{path}/split/consolidate", group.split.consolidate)
    low, high = group.when.value_from_minor, group.when.value_below_minor
    if low is not None and high is not None and low >= high:
        yield f"{path}/when/value_below_minor", "must be more than value_from_minor"
    yield from _repeated(f"{path}/rules", [rule.name for rule in group.rules])
    for place, rule in enumerate(group.rules):
        yield from _rule_problems(f"{path}/rules/{place}", rule)


def _hub_problems(path: str, rule: Consolidation) -> Iterator[Problem]:
    if not rule.at or not all(code.strip() for code in rule.at):
        yield f"{path}/at", "must name at least one location"
    if rule.parts_min < 1:
        yield f"{path}/parts_min", "must be 1 or more"


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
