"""Rules of sourcing as values; what is known when a plan is made, and the plan."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Final

from oms.kernel.errors import Conflict, NotFound, Rejected

# Who writes down a name that does not exist is told so.
STRICT: Final = {"extra": "forbid"}
OrderGroup = tuple[int, int]
"""An order, and the number of a delivery group of it."""
Problem = tuple[str, str]
"""Where in a rule set, as a pointer, and what is wrong there."""


class RuleSetNotFound(NotFound):
    """There is no such version of the rules."""


class RuleSetNotDraft(Conflict):
    """Only a draft can be activated: what was active is kept as it was."""

    code = "RULES_NOT_DRAFT"


class BadRules(Rejected):
    """The rules are not usable as they are written."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        """Take what is wrong, each with its place."""
        self.problems = problems
        super().__init__("\n".join(f"{path or '/'}: {said}" for path, said in problems))


class RuleSetState(StrEnum):
    """A draft is written, one set is active, those before it are kept."""

    DRAFT = "draft"
    ACTIVE = "active"
    ARCHIVED = "archived"


class Sort(StrEnum):
    """What puts one location before another."""

    DISTANCE = "distance"  # the nearest
    STOCK_LEFT = "stock_left"  # who keeps most of these goods
    CAPACITY_LEFT = "capacity_left"  # who may still do most today
    PRIORITY = "priority"  # the channel's network
    NODE_COST = "node_cost"  # the cheapest
    READY_AT = "ready_at"  # who has goods ready to leave first


class InTime(StrEnum):
    """What a promise weighs: nothing, more than a split or a better place, or everything."""

    IGNORE = "ignore"
    PREFER = "prefer"  # all of it from who is in time, if that can be; else from anybody
    REQUIRE = "require"  # who would be late is not asked


class Lines(StrEnum):
    """Which lines must be of the articles that are named."""

    ALL = "all"
    ANY = "any"


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Whose rules they are; what is not said is every one."""

    __pydantic_config__: ClassVar = STRICT

    channels: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    skus: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()
    product_types: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    lines: Lines = Lines.ALL  # of articles: each line fits, or one that fits all of it
    currencies: tuple[str, ...] = ()
    value_from_minor: int | None = None
    value_below_minor: int | None = None
    has_account: bool | None = None  # whether it names a customer of the channel's


@dataclass(frozen=True, slots=True, kw_only=True)
class Consolidation:
    """Hubs at which parts are gathered, to leave together: the first that can, from how many on."""

    __pydantic_config__: ClassVar = STRICT

    at: tuple[str, ...]
    parts_min: int = 2  # 1: what a single location supplies goes by way of a hub, too


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Over how many locations a delivery group may be spread, and from what value on."""

    __pydantic_config__: ClassVar = STRICT

    parts_max: int = 1
    no_split_below_minor: int = 0
    whole_first: bool = True
    in_time: InTime = InTime.IGNORE
    consolidate: Consolidation | None = None  # None: each part is sent by itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Locations that are asked together, which of them may supply, and who is asked first."""

    __pydantic_config__: ClassVar = STRICT

    name: str
    kinds: tuple[str, ...] = ()
    locations: tuple[str, ...] = ()
    but_locations: tuple[str, ...] = ()
    in_groups: tuple[str, ...] = ()  # of locations, by their names
    but_groups: tuple[str, ...] = ()
    only_open: bool = False
    only_before_cut_off: bool = False
    only_with_capacity: bool = True
    stock_buffer: int = 0
    distance_km_max: float | None = None
    allows_unknown_distance: bool = False  # within distance_km_max, too
    sort: tuple[Sort, ...] = (Sort.PRIORITY,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Rules in their sequence, for the delivery groups they match; the urgent are first served."""

    __pydantic_config__: ClassVar = STRICT

    name: str
    rules: tuple[Rule, ...]
    when: Match = field(default_factory=Match)
    split: Split = field(default_factory=Split)
    priority: int = 0  # the higher comes first
    promise_hours: int | None = None  # instead of the rule set's


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Groups of rules: the first that matches decides."""

    __pydantic_config__: ClassVar = STRICT

    name: str
    groups: tuple[Group, ...]
    location_groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    promise_hours: int = 48  # after it was placed an order's goods are to be ready to leave


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSet:
    """A version of the rules."""

    version: int
    state: RuleSetState
    rules: Rules
    created_by: str
    created_at: datetime
    activated_at: datetime | None
    archived_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """What of an order no rule gave out, and how urgent it is."""

    reservation_ids: tuple[int, ...]
    priority: int
    promised_by: datetime
    placed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandLine:
    """What of a line is to be supplied."""

    line_no: int
    sku: str
    quantity: int
    product_type: str | None = None
    category: str | None = None
    brand: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What of a delivery group is to be supplied, and whose it is."""

    order_id: int
    group_no: int
    channel_code: str
    method: str
    country_code: str | None
    currency: str
    value_minor: int
    placed_at: datetime
    lines: tuple[DemandLine, ...]
    has_account: bool = False
    hub: str | None = None  # where the rest of it waits for these


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A location as it was at the moment plans were made."""

    code: str
    kind: str
    is_enabled: bool
    is_open: bool
    is_before_cut_off: bool
    shipping_buffer: int
    node_cost_minor: int
    ready_at: datetime
    lead_time_hours: int = 0
    transit_days: int = 0  # of what it sends to a hub


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A location of the network, as a delivery group's plan found it."""

    node: Node
    priority: int
    has_rejected: bool
    capacity_left: int | None  # None: without limit
    distance_km: float | None
    stock: Mapping[str, int]  # by SKU: what is free, and what is kept there for this order

    def scores(self, demand: Demand) -> dict[str, float | None]:
        """Return what it is sorted by; None: not known, or of capacity no limit."""
        wanted = sum(line.quantity for line in demand.lines)
        return {
            Sort.DISTANCE.value: self.distance_km,
            Sort.STOCK_LEFT.value: sum(self.stock.values()) - wanted,
            Sort.CAPACITY_LEFT.value: self.capacity_left,
            Sort.PRIORITY.value: self.priority,
            Sort.NODE_COST.value: self.node.node_cost_minor,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one location is to supply: how much of which line."""

    code: str
    rule: str
    quantities: Mapping[int, int]
    buffer: int = 0  # what had to stay there of each article


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Why a candidate was taken or passed over."""

    code: str
    is_taken: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Who supplies what; without a group nobody's rules match, and all stays where it is."""

    group: str | None
    parts: tuple[Part, ...] = ()
    left: Mapping[int, int] = field(default_factory=dict)
    verdicts: tuple[Verdict, ...] = ()
    hub: str | None = None  # where parts are gathered, to leave together
    hub_reason: str | None = None  # why there, or why they leave apart


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a plan comes to, in numbers: what is gathered leaves as one part."""

    parts: int
    cost_minor: int
    distance_km: float
    late_parts: int
    left_units: int
    transfers: int = 0  # to a hub


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A plan that was carried out, with everything it was made of."""

    decision_id: int
    version: int
    decided_at: datetime
    demand: Demand
    candidates: tuple[Candidate, ...]
    plan: Plan
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What one location really supplied of a delivery group, or has to."""

    code: str
    node_cost_minor: int
    out_at: datetime | None  # when the last of it left or was ready; None: some is still there


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """What really became of a delivery group, as its work tells."""

    works: tuple[Work, ...] = ()
    sent_in: tuple[Work, ...] = ()  # by transfers, to where the works are
    rejection_count: int = 0  # works rejected, or picked short
    left_units: int = 0  # neither sent, nor canceled, nor given to anybody

    def outcome(self, decision: Decision, promised_by: datetime, *, at: datetime) -> Outcome:
        """Say what it comes to by now, at what each location cost and was away when decided."""
        known = {each.node.code: each for each in decision.candidates}
        found = [(each, known.get(each.code)) for each in self.works]
        sent_in = [(each, known.get(each.code)) for each in self.sent_in]
        away = sum((of.distance_km or 0.0) for _, of in found if of is not None)
        return Outcome(
            parts=len(found),
            cost_minor=sum(
                each.node_cost_minor if of is None else of.node.node_cost_minor
                for each, of in (*found, *sent_in)
            ),
            distance_km=round(away, 1),
            late_parts=sum((each.out_at or at) > promised_by for each in self.works),
            left_units=self.left_units, transfers=len(sent_in),
        )  # fmt: skip


def gathered_at(hub: Candidate, senders: Sequence[Candidate]) -> datetime:
    """Return when a hub has ready what these send it, and what it supplies itself."""
    came = [
        each.node.ready_at + timedelta(days=each.node.transit_days)
        for each in senders
        if each.node.code != hub.node.code
    ]
    lead = timedelta(hours=hub.node.lead_time_hours)
    return max([hub.node.ready_at, *(each + lead for each in came)])


def outcome_of(plan: Plan, candidates: tuple[Candidate, ...], promised_by: datetime) -> Outcome:
    """Say what a plan comes to: cost and way of each part, what is late and what is left."""
    at = {each.node.code: each for each in candidates}
    taken = [at[part.code] for part in plan.parts]
    if plan.hub is not None:
        return _gathered(plan, at[plan.hub], taken, promised_by)
    return Outcome(
        parts=len(taken),
        cost_minor=sum(each.node.node_cost_minor for each in taken),
        distance_km=round(sum(each.distance_km or 0.0 for each in taken), 1),
        late_parts=sum(each.node.ready_at > promised_by for each in taken),
        left_units=sum(plan.left.values()),
    )


def _gathered(
    plan: Plan, hub: Candidate, taken: Sequence[Candidate], promised_by: datetime
) -> Outcome:
    """Say what it comes to where one hub sends all of it: who sends to it costs, too."""
    senders = [each for each in taken if each.node.code != hub.node.code]
    return Outcome(
        parts=1, transfers=len(senders),
        cost_minor=sum(each.node.node_cost_minor for each in (hub, *senders)),
        distance_km=round(hub.distance_km or 0.0, 1),
        late_parts=int(gathered_at(hub, senders) > promised_by),
        left_units=sum(plan.left.values()),
    )  # fmt: skip
