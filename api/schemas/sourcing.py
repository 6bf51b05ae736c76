"""Rules of sourcing and decisions on the wire."""

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from api.paging import Paging
from api.schemas.common import Moment, Out, Wire, Words, values_of
from oms.sourcing.messages import rules_values, unreadable
from oms.sourcing.model import Decision, RuleSet, RuleSetState
from oms.workflows.rehearsal import Comparison

EXAMPLE = {
    "name": "near first",
    "groups": [{"name": "all", "rules": [{"name": "nearest", "sort": ["distance"]}]}],
}  # fmt: skip


def _readable(content: dict[str, Any]) -> dict[str, Any]:
    if any(unreadable(content, "")):
        raise PydanticCustomError("text", "a text holds control characters")
    return content


class RulesPost(Wire):
    """A new version of the rules, as a draft."""

    rules: Annotated[
        dict[str, Any],
        AfterValidator(_readable),
        Field(description="as docs/sourcing.md has them, in JSON", examples=[EXAMPLE]),
    ]


class RuleSetOut(Out):
    """A version of the rules."""

    version: int
    state: RuleSetState
    rules: dict[str, Any]
    created_by: str
    created_at: datetime
    activated_at: datetime | None
    archived_at: datetime | None

    @classmethod
    def of(cls, rule_set: RuleSet) -> Self:
        """Write a version of the rules."""
        return cls(**{**values_of(rule_set), "rules": rules_values(rule_set.rules)})


class RuleSetsOut(Out):
    """Every version of the rules, the newest first."""

    items: list[RuleSetOut]


class PartOut(Out):
    """What one location was given: how much of which line."""

    location_code: str
    rule: str
    quantities: Annotated[dict[int, int], Field(description="by line number")]


class CandidateOut(Out):
    """A location that could have supplied it, as it was known then, and why it did or did not."""

    location_code: str
    is_taken: bool
    reason: str
    scores: Annotated[
        dict[str, float | None],
        Field(description="what locations are sorted by; null: not known, or no limit"),
    ]
    stock: Annotated[dict[str, int], Field(description="by SKU")]
    ready_at: datetime


class DecisionOut(Out):
    """Who was to supply a delivery group, by which rules, and why."""

    decision_id: int
    group_no: int
    decided_at: datetime
    version: Annotated[int, Field(description="of the rules")]
    rule_group: str | None
    parts: list[PartOut]
    hub_location_code: Annotated[
        str | None, Field(description="where the parts are gathered, to leave together")
    ]
    hub_reason: Annotated[str | None, Field(description="why there, or why they leave apart")]
    left: Annotated[dict[int, int], Field(description="by line: given to nobody, planned again")]
    cost_minor: int
    candidates: list[CandidateOut]

    @classmethod
    def of(cls, decision: Decision) -> Self:
        """Write a decision."""
        plan, at = decision.plan, {each.node.code: each for each in decision.candidates}
        return cls(
            decision_id=decision.decision_id, group_no=decision.demand.group_no,
            decided_at=decision.decided_at, version=decision.version, rule_group=plan.group,
            hub_location_code=plan.hub, hub_reason=plan.hub_reason,
            left=dict(plan.left), cost_minor=decision.outcome.cost_minor,
            parts=[
                PartOut(
                    location_code=part.code, rule=part.rule, quantities=dict(part.quantities)
                )
                for part in plan.parts
            ],
            candidates=[
                CandidateOut(
                    location_code=each.code, is_taken=each.is_taken, reason=each.reason,
                    scores=at[each.code].scores(decision.demand),
                    stock=dict(at[each.code].stock),
                    ready_at=at[each.code].node.ready_at,
                )
                for each in plan.verdicts
            ],
        )  # fmt: skip


class DecisionQuery(Paging):
    """Which decisions to list."""

    location: Annotated[Words | None, Field(description="that was given some of it")] = None
    only_left: Annotated[bool, Field(description="of which something was given to nobody")] = False


class ListedDecisionOut(DecisionOut):
    """A decision, and the order it is on."""

    order_number: str
    channel_code: str

    @classmethod
    def of_order(cls, order_number: str, decision: Decision) -> Self:
        """Write a decision with its order."""
        return cls(
            **DecisionOut.of(decision).model_dump(), order_number=order_number,
            channel_code=decision.demand.channel_code,
        )  # fmt: skip


class RehearsalPost(RulesPost):
    """Rules to plan decisions of some time again by."""

    from_at: Moment
    to_at: Annotated[Moment, Field(description="before this instant")]
    after: Annotated[
        str | None, Field(pattern=r"^[0-9]{1,18}$", description="`next_after` of the page before")
    ] = None


class TotalsOut(Out):
    """What decisions come to together."""

    parts: Annotated[
        int, Field(description="what leaves to customers by itself, over all decisions")
    ]
    splits: Annotated[int, Field(description="decisions by which more than one part leaves")]
    cost_minor: int
    distance_km: float
    late_parts: int
    transfers: Annotated[int, Field(description="to hubs, where parts are gathered")]
    stock_outs: Annotated[int, Field(description="decisions that gave something to nobody")]
    left_units: int


class RehearsedOut(Out):
    """What was decided, what these rules would have done, and what really happened."""

    count: Annotated[int, Field(description="decisions looked at, the oldest of the time first")]
    is_complete: Annotated[bool, Field(description="false: there are more of that time")]
    left_count: Annotated[int, Field(description="decisions of that time that are still to come")]
    next_after: Annotated[
        str | None, Field(description="where to go on; every number of all pages is to be added up")
    ]
    unmatched_count: Annotated[int, Field(description="these rules have no group for them")]
    changed_count: int
    group_count: Annotated[int, Field(description="delivery groups `happened` is of")]
    rejection_count: Annotated[
        int, Field(description="works locations rejected or picked short, of these groups")
    ]
    recorded: Annotated[TotalsOut, Field(description="as it was decided")]
    drafted: Annotated[TotalsOut, Field(description="as these rules would have decided")]
    happened: Annotated[
        TotalsOut,
        Field(description="what locations really did by now; late by the promise of these rules"),
    ]

    @classmethod
    def of(cls, compared: Comparison, *, left_count: int) -> Self:
        """Write a comparison, and whether it is the last page."""
        values: dict[str, Any] = values_of(compared)
        last_id = values.pop("last_id")
        for side in ("recorded", "drafted", "happened"):
            values[side] = TotalsOut(**values_of(values[side]))
        return cls(
            **values, left_count=left_count, is_complete=not left_count,
            next_after=str(last_id) if left_count else None,
        )  # fmt: skip


class DecisionsOut(Out):
    """The decisions on an order, oldest first."""

    items: list[DecisionOut]
