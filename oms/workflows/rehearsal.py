"""Rehearsal: recorded decisions planned again under other rules, beside what really happened."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from oms.sourcing.model import Decision, Outcome, Plan, Rules, outcome_of
from oms.sourcing.rules import plan, urgency


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsed:
    """A decision, and what it would have been; a draft without a group for it has no outcome."""

    decision: Decision
    recorded: Outcome
    plan: Plan
    drafted: Outcome | None


@dataclass(slots=True, kw_only=True)
class Totals:
    """What decisions come to together."""

    parts: int = 0
    splits: int = 0
    cost_minor: int = 0
    distance_km: float = 0.0
    late_parts: int = 0
    stock_outs: int = 0
    left_units: int = 0

    def add(self, outcome: Outcome) -> None:
        """Count a decision."""
        self.parts += outcome.parts
        self.splits += outcome.parts > 1
        self.cost_minor += outcome.cost_minor
        self.distance_km = round(self.distance_km + outcome.distance_km, 1)
        self.late_parts += outcome.late_parts
        self.stock_outs += outcome.left_units > 0
        self.left_units += outcome.left_units


@dataclass(slots=True, kw_only=True)
class Comparison:
    """Both sides of a rehearsal, over the decisions the draft has rules for."""

    count: int = 0
    unmatched_count: int = 0
    changed_count: int = 0
    recorded: Totals = field(default_factory=Totals)
    drafted: Totals = field(default_factory=Totals)

    def add(self, each: Rehearsed) -> None:
        """Count a decision on both sides."""
        self.count += 1
        if each.drafted is None:
            self.unmatched_count += 1
            return
        before = [(part.code, dict(part.quantities)) for part in each.decision.plan.parts]
        self.changed_count += before != [
            (part.code, dict(part.quantities)) for part in each.plan.parts
        ]
        self.recorded.add(each.recorded)
        self.drafted.add(each.drafted)


def rehearse(decisions: Iterable[Decision], rules: Rules) -> Iterator[Rehearsed]:
    """Plan decisions again with what was known then; both sides keep the draft's promise."""
    for each in decisions:
        promised_by = urgency(each.demand, rules)[1]
        made = plan(each.demand, each.candidates, rules)
        yield Rehearsed(
            decision=each, plan=made,
            recorded=outcome_of(each.plan, each.candidates, promised_by),
            drafted=None if made.group is None
            else outcome_of(made, each.candidates, promised_by),
        )  # fmt: skip
