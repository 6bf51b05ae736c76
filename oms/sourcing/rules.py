"""Planning by rules, as a pure function of what is known: who supplies what, and why."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from oms.sourcing import hubs
from oms.sourcing.hubs import moment
from oms.sourcing.model import (
    Candidate,
    Demand,
    DemandLine,
    Group,
    InTime,
    Lines,
    Match,
    Part,
    Plan,
    Rule,
    Rules,
    Sort,
    Verdict,
)

_LAST: Final = float("inf")


def plan(demand: Demand, candidates: Iterable[Candidate], rules: Rules) -> Plan:
    """Say which locations supply a delivery group, and of each candidate why or why not.

    The same is planned in whatever order candidates and lines are given.
    """
    group = group_of(demand, rules)
    if group is None:
        return Plan(group=None)
    known = sorted(candidates, key=lambda each: each.node.code)
    promised_by = _promised_by(demand, group, rules)
    by = None if group.split.in_time is InTime.IGNORE else promised_by
    work = _worked(demand, known, group, rules, ready_by=by)
    if group.split.in_time is InTime.PREFER and work.open():
        work = _worked(demand, known, group, rules, ready_by=None)
    left = work.open()
    hub, why = hubs.chosen(demand, work.parts, known, group, promised_by)
    return Plan(
        group=group.name, parts=tuple(work.parts), left=left, hub=hub, hub_reason=why,
        verdicts=tuple(_verdicts(known, group, work, promised_by, hub)),
    )  # fmt: skip


def _worked(
    demand: Demand, known: Sequence[Candidate], group: Group, rules: Rules, *,
    ready_by: datetime | None,
) -> "_Work":  # fmt: skip
    """Give out what can be, by who is ready in time where that is asked."""
    work = _Work(
        lines=tuple(sorted(demand.lines, key=lambda line: line.line_no)),
        asked=[_asked(rule, known, rules, ready_by) for rule in group.rules],
        may_split=_may_split(demand, group),
    )
    if group.split.whole_first or not work.may_split:
        _take_whole(work)
    if work.may_split and not work.parts:
        _take_parts(work, group.split.parts_max)
    return work


def group_of(demand: Demand, rules: Rules) -> Group | None:
    """Return the first group of rules a delivery group matches."""
    return next((group for group in rules.groups if _matches(group.when, demand)), None)


def urgency(demand: Demand, rules: Rules) -> tuple[int, datetime]:
    """Return a delivery group's priority, and until when its goods are to be ready to leave."""
    group = group_of(demand, rules)
    return 0 if group is None else group.priority, _promised_by(demand, group, rules)


def _promised_by(demand: Demand, group: Group | None, rules: Rules) -> datetime:
    hours = None if group is None else group.promise_hours
    return demand.placed_at + timedelta(hours=hours or rules.promise_hours)


@dataclass(slots=True)
class _Work:
    """A plan being made; what is asked of every candidate is worked out once."""

    lines: tuple[DemandLine, ...]
    asked: Sequence["_Asked"]
    may_split: bool
    parts: list[Part] = field(default_factory=list)
    wanted: Mapping[int, int] = field(default_factory=dict)
    total: int = 0
    skus: Sequence[str] = ()
    filled: dict[tuple[str, int], dict[int, int]] = field(default_factory=dict)
    lacks: dict[tuple[str, int], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Keep what is asked of every candidate."""
        self.wanted = {line.line_no: line.quantity for line in self.lines}
        self.total = sum(self.wanted.values())
        self.skus = list({line.sku: None for line in self.lines})

    def open(self) -> dict[int, int]:
        """Return how much of each line nobody supplies yet."""
        left = dict(self.wanted)
        for part in self.parts:
            for line_no, quantity in part.quantities.items():
                left[line_no] -= quantity
        return {line_no: quantity for line_no, quantity in left.items() if quantity}

    def of_all(self, candidate: Candidate, rule: Rule) -> dict[int, int]:
        """Return what a location has of all that is asked for, beyond its buffer."""
        key = candidate.node.code, _buffer(rule, candidate)
        known = self.filled.get(key)
        if known is None:
            known = self.filled[key] = _filled(candidate, key[1], self.lines, self.wanted)
        return known


@dataclass(frozen=True, slots=True)
class _Asked:
    """Whom a rule is about: who may supply, and of the others why not."""

    rule: Rule
    able: Sequence[Candidate]
    hindered: Mapping[str, str]


def _asked(
    rule: Rule, known: Sequence[Candidate], rules: Rules, ready_by: datetime | None
) -> _Asked:
    able, hindered = [], {}
    kinds = rule.kinds
    among = _named(rules, rule.locations, rule.in_groups)
    but = _named(rules, rule.but_locations, rule.but_groups)
    for each in known:
        node = each.node
        if (kinds and node.kind not in kinds) or (among and node.code not in among):
            continue
        if but and node.code in but:
            continue
        if why := _hindrance(rule, each, ready_by):
            hindered[node.code] = why
        else:
            able.append(each)
    return _Asked(rule, able, hindered)


def _named(rules: Rules, codes: Sequence[str], groups: Sequence[str]) -> Sequence[str]:
    """Return the locations that are named, by themselves or by a group they are in."""
    if not groups:
        return codes
    return (*codes, *(code for name in groups for code in rules.location_groups[name]))


def _matches(when: Match, demand: Demand) -> bool:
    return (
        _is_among(demand.channel_code, when.channels)
        and _is_among(demand.method, when.methods)
        and _is_among(demand.country_code, when.countries)
        and _is_among(demand.currency, when.currencies)
        and demand.value_minor >= (when.value_from_minor or 0)
        and (when.value_below_minor is None or demand.value_minor < when.value_below_minor)
        and (when.has_account is None or demand.has_account is when.has_account)
        and _OF_LINES[when.lines](_is_of(line, when) for line in demand.lines)
    )


_OF_LINES: Final[Mapping[Lines, Callable[[Iterable[bool]], bool]]] = {
    Lines.ALL: all, Lines.ANY: any,
}  # fmt: skip


def _is_of(line: DemandLine, when: Match) -> bool:
    return (
        _is_among(line.sku, when.skus)
        and _is_among(line.brand, when.brands)
        and _is_among(line.product_type, when.product_types)
        and _is_among(line.category, when.categories)
    )


def _is_among(value: str | None, wanted: Sequence[str]) -> bool:
    return not wanted or value in wanted


def _may_split(demand: Demand, group: Group) -> bool:
    return group.split.parts_max > 1 and demand.value_minor >= group.split.no_split_below_minor


def _take_whole(work: _Work) -> None:
    """Give all of it to the first who has all of it."""
    for rule, candidate in _in_turn(work):
        quantities = work.of_all(candidate, rule)
        if quantities == work.wanted:
            work.parts.append(_part(candidate, rule, quantities))
            return


def _take_parts(work: _Work, parts_max: int) -> None:
    """Give to one after another what they have of it, as long as it may be spread further."""
    for rule, candidate in _in_turn(work):
        wanted = work.open()
        if not wanted or len(work.parts) == parts_max:
            return
        if any(part.code == candidate.node.code for part in work.parts):
            continue
        buffer = _buffer(rule, candidate)
        if quantities := _filled(candidate, buffer, work.lines, wanted):
            work.parts.append(_part(candidate, rule, quantities))


def _part(candidate: Candidate, rule: Rule, quantities: Mapping[int, int]) -> Part:
    return Part(
        code=candidate.node.code, rule=rule.name, quantities=quantities,
        buffer=_buffer(rule, candidate),
    )  # fmt: skip


def _in_turn(work: _Work) -> Iterator[tuple[Rule, Candidate]]:
    """Give who may supply, rule by rule, each in the order of the rule."""
    for asked in work.asked:
        for candidate in sorted(asked.able, key=lambda each: _rank(asked.rule, each, work)):
            yield asked.rule, candidate


def _hindrance(rule: Rule, candidate: Candidate, ready_by: datetime | None) -> str | None:
    """Say why a location cannot be asked at all."""
    if not candidate.node.is_enabled:
        return "is disabled"
    if candidate.has_rejected:
        return "has rejected this order before"
    if rule.only_open and not candidate.node.is_open:
        return "is closed at this time"
    if rule.only_before_cut_off and not candidate.node.is_before_cut_off:
        return "is past its cut-off"
    if rule.only_with_capacity and candidate.capacity_left == 0:
        return "has no capacity left today"
    return (ready_by and _too_late(candidate, ready_by)) or (
        None if rule.distance_km_max is None else _too_far(candidate, rule, rule.distance_km_max)
    )


def _too_late(candidate: Candidate, ready_by: datetime) -> str | None:
    ready_at = candidate.node.ready_at
    if ready_at <= ready_by:
        return None
    return f"would be ready {moment(ready_at)}, promised was {moment(ready_by)}"


def _too_far(candidate: Candidate, rule: Rule, distance_km_max: float) -> str | None:
    if candidate.distance_km is None:
        return None if rule.allows_unknown_distance else "is at a distance nobody knows"
    if candidate.distance_km > distance_km_max:
        return f"is {candidate.distance_km:g} km away, more than {distance_km_max:g}"
    return None


def _buffer(rule: Rule, candidate: Candidate) -> int:
    return max(rule.stock_buffer, candidate.node.shipping_buffer)


def _filled(
    candidate: Candidate, buffer: int, lines: Sequence[DemandLine], wanted: Mapping[int, int]
) -> dict[int, int]:
    """Return what a location has of what is wanted; lines of one article share its stock."""
    stock, used, found = candidate.stock, dict[str, int](), dict[int, int]()
    for line in lines:
        sku, line_no = line.sku, line.line_no
        taken = used.get(sku, 0)
        free = stock.get(sku, 0) - buffer - taken
        quantity = wanted.get(line_no, 0)
        if quantity > free:  # noqa: PLR1730 - for as many as there are, min() takes twice as long
            quantity = free
        if quantity > 0:
            found[line_no] = quantity
            used[sku] = taken + quantity
    return found


def _rank(rule: Rule, candidate: Candidate, work: _Work) -> tuple[object, ...]:
    keys = [_KEYS[sort](candidate, work) for sort in rule.sort]
    return (*keys, candidate.priority, candidate.node.code)


def _distance(candidate: Candidate, _work: _Work) -> float:
    return _LAST if candidate.distance_km is None else candidate.distance_km


def _stock_left(candidate: Candidate, work: _Work) -> float:
    return -sum([candidate.stock.get(sku, 0) for sku in work.skus])


def _capacity_left(candidate: Candidate, _work: _Work) -> float:
    return -_LAST if candidate.capacity_left is None else -candidate.capacity_left


# What is small for who comes first: unknown is last, no limit of capacity first.
_KEYS: Final[Mapping[Sort, Callable[[Candidate, _Work], float]]] = {
    Sort.DISTANCE: _distance,
    Sort.STOCK_LEFT: _stock_left,
    Sort.CAPACITY_LEFT: _capacity_left,
    Sort.PRIORITY: lambda candidate, _work: candidate.priority,
    Sort.NODE_COST: lambda candidate, _work: candidate.node.node_cost_minor,
    Sort.READY_AT: lambda candidate, _work: candidate.node.ready_at.timestamp(),
}


def _verdicts(
    known: Sequence[Candidate], group: Group, work: _Work, promised_by: datetime, hub: str | None
) -> Iterator[Verdict]:
    """Say of each candidate why it was taken or passed over."""
    is_done = not work.open()
    taken = {part.code: part for part in work.parts}
    said: dict[str, list[str]] = {}
    for asked in work.asked:
        name = asked.rule.name
        for code, why in asked.hindered.items():
            said.setdefault(code, []).append(f"{name}: {why}")
        for each in asked.able:
            if (code := each.node.code) not in taken:
                lack = _lack(each, asked.rule, work, is_done=is_done)
                said.setdefault(code, []).append(f"{name}: {lack}")
    for each in known:
        code = each.node.code
        part = taken.get(code)
        if part is not None:
            reason = _taken(part, group, work, each) + _goes(each, promised_by, hub)
        else:
            reason = "; ".join(said.get(code, ())) or "is of no rule's locations"
        gathers = "; gathers the parts" if code == hub else ""
        yield Verdict(code=code, is_taken=part is not None, reason=reason + gathers)


def _goes(candidate: Candidate, promised_by: datetime, hub: str | None) -> str:
    """Say where a part goes from its location, or that it leaves late."""
    node = candidate.node
    if hub is not None:
        return "" if node.code == hub else f"; sends it to {hub}"
    if node.ready_at <= promised_by:
        return ""
    return f"; late: ready {moment(node.ready_at)}, promised {moment(promised_by)}"


def _taken(part: Part, group: Group, work: _Work, candidate: Candidate) -> str:
    taken = sum(part.quantities.values())
    rule = next(each for each in group.rules if each.name == part.rule)
    much = "all of it" if taken == work.total else f"{taken} of {work.total}"
    by = ", ".join(sort.replace("_", " ") for sort in rule.sort)
    far = "" if candidate.distance_km is None else f" ({candidate.distance_km:g} km)"
    return f"{rule.name}: supplies {much}, first by {by}{far}"


def _lack(candidate: Candidate, rule: Rule, work: _Work, *, is_done: bool) -> str:
    """Say why a location that could be asked was not; rules of the same buffer say the same."""
    key = candidate.node.code, _buffer(rule, candidate)
    lack = work.lacks.get(key)
    if lack is None:
        lack = work.lacks[key] = _lacking(candidate, rule, work, is_done=is_done)
    return lack


def _lacking(candidate: Candidate, rule: Rule, work: _Work, *, is_done: bool) -> str:
    has = sum(work.of_all(candidate, rule).values())
    buffer = _buffer(rule, candidate)
    beyond = f" beyond its buffer of {buffer}" if buffer else ""
    if not has:
        return f"has none of it{beyond}"
    if has < work.total and not work.may_split:
        return f"has {has} of {work.total}{beyond}, and it is not to be split"
    if is_done:
        return f"has {has} of {work.total}{beyond}; others come first"
    return f"has {has} of {work.total}{beyond}; it is spread over as many as it may be"
