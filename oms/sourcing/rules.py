"""Planning by rules, as a pure function of what is known: who supplies what, and why."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from oms.sourcing.model import (
    Candidate,
    Demand,
    DemandLine,
    Group,
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
    known = sorted(candidates, key=lambda each: each.code)
    work = _Work(lines=tuple(sorted(demand.lines, key=lambda line: line.line_no)))
    may_split = _may_split(demand, group)
    if group.split.whole_first or not may_split:
        _take_whole(work, group, known)
    if may_split and not work.parts:
        _take_parts(work, group, known)
    left = work.open()
    work.is_done = not left
    return Plan(
        group=group.name, parts=tuple(work.parts), left=left,
        verdicts=tuple(_verdict(each, group, work, may_split=may_split) for each in known),
    )  # fmt: skip


def group_of(demand: Demand, rules: Rules) -> Group | None:
    """Return the first group of rules a delivery group matches."""
    return next((group for group in rules.groups if _matches(group.when, demand)), None)


@dataclass(slots=True)
class _Work:
    """A plan being made."""

    lines: tuple[DemandLine, ...]
    parts: list[Part] = field(default_factory=list)
    is_done: bool = False
    wanted: Mapping[int, int] = field(default_factory=dict)
    skus: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        """Keep what is asked of every candidate."""
        self.wanted = {line.line_no: line.quantity for line in self.lines}
        self.skus = frozenset(line.sku for line in self.lines)

    def open(self) -> dict[int, int]:
        """Return how much of each line nobody supplies yet."""
        taken: dict[int, int] = {}
        for part in self.parts:
            for line_no, quantity in part.quantities.items():
                taken[line_no] = taken.get(line_no, 0) + quantity
        left = {each.line_no: each.quantity - taken.get(each.line_no, 0) for each in self.lines}
        return {line_no: quantity for line_no, quantity in left.items() if quantity}


def _matches(when: Match, demand: Demand) -> bool:
    return (
        _is_among(demand.channel_code, when.channels)
        and _is_among(demand.method, when.methods)
        and _is_among(demand.country_code, when.countries)
        and _is_among(demand.currency, when.currencies)
        and demand.value_minor >= (when.value_from_minor or 0)
        and (when.value_below_minor is None or demand.value_minor < when.value_below_minor)
        and all(_is_among(line.product_type, when.product_types) for line in demand.lines)
        and all(_is_among(line.category, when.categories) for line in demand.lines)
    )


def _is_among(value: str | None, wanted: Sequence[str]) -> bool:
    return not wanted or value in wanted


def _may_split(demand: Demand, group: Group) -> bool:
    return group.split.parts_max > 1 and demand.value_minor >= group.split.no_split_below_minor


def _take_whole(work: _Work, group: Group, known: Sequence[Candidate]) -> None:
    """Give all of it to the first who has all of it."""
    wanted = work.open()
    for rule, candidate in _in_turn(group, known, work):
        quantities = _filled(candidate, rule, work.lines, wanted)
        if quantities == wanted:
            work.parts.append(Part(code=candidate.code, rule=rule.name, quantities=quantities))
            return


def _take_parts(work: _Work, group: Group, known: Sequence[Candidate]) -> None:
    """Give to one after another what they have of it, as long as it may be spread further."""
    for rule, candidate in _in_turn(group, known, work):
        wanted = work.open()
        if not wanted or len(work.parts) == group.split.parts_max:
            return
        if any(part.code == candidate.code for part in work.parts):
            continue
        if quantities := _filled(candidate, rule, work.lines, wanted):
            work.parts.append(Part(code=candidate.code, rule=rule.name, quantities=quantities))


def _in_turn(
    group: Group, known: Sequence[Candidate], work: _Work
) -> Iterator[tuple[Rule, Candidate]]:
    """Give who may supply, rule by rule, each in the order of the rule."""
    for rule in group.rules:
        able = [each for each in known if _is_of(rule, each) and not _hindrance(rule, each)]
        for candidate in sorted(able, key=lambda each: _rank(rule, each, work)):
            yield rule, candidate


def _is_of(rule: Rule, candidate: Candidate) -> bool:
    return (
        _is_among(candidate.kind, rule.kinds)
        and _is_among(candidate.code, rule.locations)
        and candidate.code not in rule.but_locations
    )


def _hindrance(rule: Rule, candidate: Candidate) -> str | None:
    """Say why a location cannot be asked at all."""
    if not candidate.is_enabled:
        return "is disabled"
    if candidate.has_rejected:
        return "has rejected this order before"
    if rule.only_open and not candidate.is_open:
        return "is closed at this time"
    if rule.only_before_cut_off and not candidate.is_before_cut_off:
        return "is past its cut-off"
    if rule.only_with_capacity and candidate.capacity_left == 0:
        return "has no capacity left today"
    return _too_far(rule, candidate)


def _too_far(rule: Rule, candidate: Candidate) -> str | None:
    if rule.distance_km_max is None:
        return None
    if candidate.distance_km is None:
        return "is at a distance nobody knows"
    if candidate.distance_km > rule.distance_km_max:
        return f"is {candidate.distance_km:g} km away, more than {rule.distance_km_max:g}"
    return None


def _buffer(rule: Rule, candidate: Candidate) -> int:
    return max(rule.stock_buffer, candidate.shipping_buffer)


def _filled(
    candidate: Candidate, rule: Rule, lines: Sequence[DemandLine], wanted: Mapping[int, int]
) -> dict[int, int]:
    """Return what a location has of what is wanted; lines of one article share its stock."""
    buffer, used, found = _buffer(rule, candidate), dict[str, int](), dict[int, int]()
    for line in lines:
        free = candidate.stock.get(line.sku, 0) - buffer - used.get(line.sku, 0)
        quantity = min(wanted.get(line.line_no, 0), max(0, free))
        if quantity:
            found[line.line_no] = quantity
            used[line.sku] = used.get(line.sku, 0) + quantity
    return found


def _scores(candidate: Candidate, work: _Work) -> dict[str, float | None]:
    """Return what a candidate is sorted by; None: not known, or of capacity no limit."""
    left = sum(candidate.stock.get(sku, 0) for sku in work.skus)
    return {
        Sort.DISTANCE: candidate.distance_km,
        Sort.STOCK_LEFT: left - sum(work.wanted.values()),
        Sort.CAPACITY_LEFT: candidate.capacity_left,
        Sort.PRIORITY: candidate.priority,
        Sort.NODE_COST: candidate.node_cost_minor,
    }


def _rank(rule: Rule, candidate: Candidate, work: _Work) -> tuple[object, ...]:
    scores = _scores(candidate, work)
    keys = [_key(sort, scores[sort]) for sort in rule.sort]
    return (*keys, candidate.priority, candidate.code)


def _key(sort: Sort, score: float | None) -> float:
    """Return what is small for who comes first: unknown is last, no limit of capacity first."""
    if score is None:
        return -_LAST if sort is Sort.CAPACITY_LEFT else _LAST
    return -score if sort in {Sort.STOCK_LEFT, Sort.CAPACITY_LEFT} else score


def _verdict(candidate: Candidate, group: Group, work: _Work, *, may_split: bool) -> Verdict:
    part = next((each for each in work.parts if each.code == candidate.code), None)
    if part is None:
        said = _passed_over(candidate, group, work, may_split=may_split)
    else:
        said = _taken(part, group, work, candidate)
    scores = {str(name): score for name, score in _scores(candidate, work).items()}
    return Verdict(code=candidate.code, is_taken=part is not None, scores=scores, reason=said)


def _taken(part: Part, group: Group, work: _Work, candidate: Candidate) -> str:
    taken, wanted = sum(part.quantities.values()), sum(work.wanted.values())
    rule = next(each for each in group.rules if each.name == part.rule)
    much = "all of it" if taken == wanted else f"{taken} of {wanted}"
    by = ", ".join(sort.replace("_", " ") for sort in rule.sort)
    far = "" if candidate.distance_km is None else f" ({candidate.distance_km:g} km)"
    return f"{rule.name}: supplies {much}, first by {by}{far}"


def _passed_over(candidate: Candidate, group: Group, work: _Work, *, may_split: bool) -> str:
    said: list[str] = []
    for rule in group.rules:
        if _is_of(rule, candidate):
            why = _hindrance(rule, candidate) or _lack(candidate, rule, work, may_split=may_split)
            said.append(f"{rule.name}: {why}")
    return "; ".join(said) or "is of no rule's locations"


def _lack(candidate: Candidate, rule: Rule, work: _Work, *, may_split: bool) -> str:
    """Say why a location that could be asked was not."""
    has = sum(_filled(candidate, rule, work.lines, work.wanted).values())
    buffer = _buffer(rule, candidate)
    beyond = f" beyond its buffer of {buffer}" if buffer else ""
    if not has:
        return f"has none of it{beyond}"
    total = sum(work.wanted.values())
    if has < total and not may_split:
        return f"has {has} of {total}{beyond}, and it is not to be split"
    if work.is_done:
        return f"has {has} of {total}{beyond}; others come first"
    return f"has {has} of {total}{beyond}; it is spread over as many as it may be"
