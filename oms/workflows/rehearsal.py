"""Rehearsal: recorded decisions planned again under other rules, beside what really happened."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from oms.ledger.database import Tx
from oms.sourcing import queries
from oms.sourcing.model import Decision, Happening, Outcome, Plan, Rules, outcome_of
from oms.sourcing.rules import plan, urgency


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsed:
    """A decision, and what it would have been; a draft without a group for it has no outcome.

    What really happened goes with the first decision on a delivery group in the time at hand.
    """

    decision: Decision
    recorded: Outcome
    plan: Plan
    drafted: Outcome | None
    happening: Happening | None
    happened: Outcome | None


@dataclass(slots=True, kw_only=True)
class Totals:
    """What decisions come to together."""

    parts: int = 0
    splits: int = 0
    cost_minor: int = 0
    distance_km: float = 0.0
    late_parts: int = 0
    transfers: int = 0
    stock_outs: int = 0
    left_units: int = 0

    def add(self, outcome: Outcome) -> None:
        """Count a decision."""
        self.parts += outcome.parts
        self.splits += outcome.parts > 1
        self.cost_minor += outcome.cost_minor
        self.distance_km = round(self.distance_km + outcome.distance_km, 1)
        self.late_parts += outcome.late_parts
        self.transfers += outcome.transfers
        self.stock_outs += outcome.left_units > 0
        self.left_units += outcome.left_units


@dataclass(slots=True, kw_only=True)
class Comparison:
    """All sides of a rehearsal, over the decisions the draft has rules for.

    What was decided and what would have been are of each decision, what really happened of each
    delivery group: one that was rejected was decided on twice, and sent once.
    """

    count: int = 0
    unmatched_count: int = 0
    changed_count: int = 0
    group_count: int = 0
    rejection_count: int = 0
    last_id: int = 0
    recorded: Totals = field(default_factory=Totals)
    drafted: Totals = field(default_factory=Totals)
    happened: Totals = field(default_factory=Totals)

    def add(self, each: Rehearsed) -> None:
        """Count a decision on every side."""
        self.count += 1
        self.last_id = each.decision.decision_id
        if each.drafted is None:
            self.unmatched_count += 1
            return
        self.changed_count += _supply(each.decision.plan) != _supply(each.plan)
        self.recorded.add(each.recorded)
        self.drafted.add(each.drafted)
        if each.happening is not None and each.happened is not None:
            self.group_count += 1
            self.rejection_count += each.happening.rejection_count
            self.happened.add(each.happened)


def rehearse(
    tx: Tx, rules: Rules, from_at: datetime, to_at: datetime, *, at: datetime, after: int = 0
) -> Iterator[Rehearsed]:
    """Plan decisions again with what was known then, oldest first; all sides keep one promise.

    It is the draft's. What is still to be done by then is late from that moment on.
    """
    while found := queries.between(tx, from_at, to_at, after=after):
        groups = {_group(each) for each, is_first in found if is_first}
        happened = queries.happened(tx, groups)
        for decision, is_first in found:
            yield _rehearsed(decision, rules, happened[_group(decision)] if is_first else None, at)
        after = found[-1][0].decision_id


def _rehearsed(
    decision: Decision, rules: Rules, happening: Happening | None, at: datetime
) -> Rehearsed:
    promised_by = urgency(decision.demand, rules)[1]
    made = plan(decision.demand, decision.candidates, rules)
    return Rehearsed(
        decision=decision, plan=made, happening=happening,
        recorded=outcome_of(decision.plan, decision.candidates, promised_by),
        drafted=None if made.group is None
        else outcome_of(made, decision.candidates, promised_by),
        happened=None if happening is None
        else happening.outcome(decision, promised_by, at=at),
    )  # fmt: skip


def _supply(made: Plan) -> tuple[object, ...]:
    return made.hub, [(part.code, dict(part.quantities)) for part in made.parts]


def _group(decision: Decision) -> tuple[int, int]:
    return decision.demand.order_id, decision.demand.group_no
