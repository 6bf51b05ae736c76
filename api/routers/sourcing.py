"""Sourcing: the rules in their versions, and why an order is supplied from where it is."""

from itertools import islice
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query

from api.dependencies import Now, Snapshot, Tx
from api.idempotency import OncePerKey, OncePerKeyIfGiven
from api.paging import Page, number_of
from api.problems import FieldProblem, Refused
from api.routes import LedgerRoute
from api.schemas.sourcing import (
    DecisionOut,
    DecisionQuery,
    DecisionsOut,
    ListedDecisionOut,
    RehearsalPost,
    RehearsedOut,
    RuleSetOut,
    RuleSetsOut,
    RulesPost,
)
from api.security import OrdersRead, SourcingRead, SourcingWrite
from oms.orders import queries as orders
from oms.orders.model import OrderNotFound
from oms.sourcing import messages, operations, queries
from oms.sourcing.model import BadRules, Rules
from oms.workflows.rehearsal import Comparison, rehearse

router: Final = APIRouter(prefix="/v1", tags=["sourcing"], route_class=LedgerRoute)

# Planning takes a fraction of a millisecond: so many keep a request short.
REPLAYED_MAX: Final = 5_000

Version = Annotated[int, Path(ge=1, le=2**31 - 1)]


@router.get("/sourcing/rules")
def list_rules(_caller: SourcingRead, tx: Snapshot) -> RuleSetsOut:
    """List every version of the rules, the newest first."""
    return RuleSetsOut(items=[RuleSetOut.of(each) for each in queries.rule_sets(tx)])


@router.get("/sourcing/rules/{version}")
def get_rules(version: Version, _caller: SourcingRead, tx: Snapshot) -> RuleSetOut:
    """Return a version of the rules."""
    return RuleSetOut.of(queries.rule_set(tx, version))


@router.post("/sourcing/rules", status_code=201)
def draft_rules(
    body: RulesPost, caller: SourcingWrite, tx: Tx, now: Now, _once: OncePerKey
) -> RuleSetOut:
    """Keep a new version of the rules, as a draft; everything wrong is named by its place."""
    version = operations.draft(tx, _rules(body), by=caller.name, at=now)
    return RuleSetOut.of(queries.rule_set(tx, version))


@router.post("/sourcing/rules/{version}/activate")
def activate_rules(
    version: Version, caller: SourcingWrite, tx: Tx, now: Now, _once: OncePerKeyIfGiven
) -> RuleSetOut:
    """Let a draft decide from now on; what was active before is archived."""
    operations.activate(tx, version, by=caller.name, at=now)
    return RuleSetOut.of(queries.rule_set(tx, version))


@router.post("/sourcing/rules:replay")
def replay_rules(
    body: RehearsalPost, _caller: SourcingRead, tx: Snapshot, now: Now
) -> RehearsedOut:
    """Plan recorded decisions again by rules nobody has kept yet; nothing is written.

    Each with what was known then, the oldest of the time first. Of very many a page at a time: go
    on with `after`, and add the pages up.
    """
    rules, compared, after = _rules(body), Comparison(), int(body.after or 0)
    span = {"from_at": body.from_at, "to_at": body.to_at}
    for each in islice(rehearse(tx, rules, **span, at=now, after=after), REPLAYED_MAX):
        compared.add(each)
    left = queries.count_between(tx, **span, after=max(after, compared.last_id))
    return RehearsedOut.of(compared, left_count=left)


@router.get("/sourcing/decisions")
def list_decisions(
    query: Annotated[DecisionQuery, Query()], caller: OrdersRead, tx: Snapshot
) -> Page[ListedDecisionOut]:
    """List who was to supply what and why, the newest first."""
    found, cursor = queries.page(
        tx, location_code=query.location, only_left=query.only_left,
        channel_codes=caller.visible(None), after=number_of(query.after), limit=query.limit,
    )  # fmt: skip
    items = [ListedDecisionOut.of_order(number, each) for number, each in found]
    return Page(items=items, next_after=None if cursor is None else str(cursor))


@router.get("/orders/{number}/sourcing")
def list_order_decisions(number: str, caller: OrdersRead, tx: Snapshot) -> DecisionsOut:
    """Return why an order is supplied from where it is: each decision, with every candidate."""
    summary = orders.order(tx, number).summary
    if not caller.may_see(summary.channel_code):
        raise OrderNotFound
    found = queries.of_order(tx, summary.order_number)
    return DecisionsOut(items=[DecisionOut.of(each) for each in found])


def _rules(body: RulesPost) -> Rules:
    try:
        return messages.read_rules(body.rules)
    except BadRules as error:
        raise Refused(
            FieldProblem(location="body", pointer=f"/rules{path}", code="VALIDATION", detail=said)
            for path, said in error.problems
        ) from None
