"""Writes on sourcing: versions of the rules, decisions, and the queue of what is to be planned."""

import csv
import io
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from oms.ledger.copying import copy_in
from oms.ledger.database import Tx
from oms.sourcing import messages, store
from oms.sourcing.model import (
    Node,
    OrderGroup,
    Rules,
    RuleSetNotDraft,
    RuleSetNotFound,
    RuleSetState,
    Wait,
)

PLANNED_AGAIN_AFTER: Final = timedelta(minutes=5)
_DECISION: Final = (
    "order_id", "group_no", "version", "moment_id", "decided_at", "demand", "candidates", "plan",
    "outcome",
)  # fmt: skip
_DEMAND, _PLAN = 0, 2  # of what messages.kept writes


def draft(tx: Tx, rules: Rules, *, by: str, at: datetime) -> int:
    """Keep a new version of the rules, as a draft; return its number."""
    kept = messages.rules_json(rules)
    version: int = store.SQL.run(tx, "draft", rules=kept, by=by, at=at).scalar_one()
    return version


def activate(tx: Tx, version: int, *, by: str, at: datetime) -> None:
    """Let a draft decide from now on; what was active is archived.

    Raises RuleSetNotFound, and RuleSetNotDraft for one that is or was active.
    """
    state = store.SQL.run(tx, "hold_rule_set", version=version).scalar()
    if state is None:
        raise RuleSetNotFound
    if state != RuleSetState.DRAFT:
        raise RuleSetNotDraft(state=state)
    store.SQL.run(tx, "archive", at=at)
    store.SQL.run(tx, "activate", version=version, by=by, at=at)


def record(
    tx: Tx, decisions: Sequence[tuple[OrderGroup, Sequence[str]]], nodes: Iterable[Node], *,
    idle: Collection[OrderGroup] = (), version: int, at: datetime,
) -> None:  # fmt: skip
    """Keep decisions with everything they were made of, as messages.kept writes it.

    Those that gave nothing to anybody, the `idle` groups', are kept once: who waits is planned
    again and again, and is not told the same each time.
    """
    told = _told_already(tx, [each for each in decisions if each[0] in idle], version=version)
    fresh = [each for each in decisions if each[0] not in told]
    if not fresh:
        return
    moment_id = store.SQL.run(tx, "note_moment", nodes=messages.kept_nodes(nodes)).scalar_one()
    rows = io.StringIO()
    writer = csv.writer(rows, lineterminator="\n")
    decided_at = at.isoformat()
    writer.writerows([*group, version, moment_id, decided_at, *kept] for group, kept in fresh)
    copy_in(tx, "sourcing_decisions", _DECISION, rows.getvalue().encode())


def _told_already(
    tx: Tx, decisions: Sequence[tuple[OrderGroup, Sequence[str]]], *, version: int
) -> frozenset[OrderGroup]:
    if not decisions:
        return frozenset()
    rows = store.SQL.run(
        tx, "told_already", order_ids=[group[0] for group, _ in decisions],
        group_nos=[group[1] for group, _ in decisions], version=version,
        demands=[kept[_DEMAND] for _, kept in decisions],
        plans=[kept[_PLAN] for _, kept in decisions],
    )  # fmt: skip
    return frozenset(map(tuple, rows))


def hold_limited(tx: Tx, location_ids: Iterable[int]) -> None:
    """Hold those of these locations that have a limit a day, before their levels are held."""
    store.SQL.run(tx, "hold_limited", location_ids=sorted(location_ids))


def hold_limited_of(tx: Tx, order_ids: Collection[int]) -> None:
    """Hold those with a limit a day that a plan of these orders may ask, which are held.

    Whoever changes levels and has the orders planned in the same transaction does this first: a
    plan holds limits before levels.
    """
    store.SQL.run(tx, "hold_limited_of", order_ids=sorted(order_ids))


def queue(tx: Tx, after: int, upto: int) -> bool:
    """Queue the orders of which units are newly kept, and those for whom supply came.

    What was written by transactions from one up to another is looked at. Tells whether there is
    anybody now.
    """
    bounds = {"after": str(after), "upto": str(upto)}
    count: int = store.SQL.run(tx, "queue_written", **bounds).rowcount
    if store.SQL.run(tx, "has_waiting").scalar():
        count += store.SQL.run(tx, "wake_supplied", **bounds).rowcount
    return bool(count)


def take_due(tx: Tx, *, at: datetime, limit: int) -> list[int]:
    """Hold the orders that are to be planned next, and return them, the most urgent first."""
    store.SQL.run(tx, "wake_due", at=at)
    return list(store.SQL.run(tx, "due", limit=limit).scalars())


def wake(tx: Tx, product_ids: Collection[int]) -> None:
    """Have the orders planned again that wait for these products."""
    if product_ids:
        store.SQL.run(tx, "wake_products", product_ids=sorted(product_ids))


def settle_queue(
    tx: Tx, order_ids: Collection[int], waits: Mapping[int, Wait], *, at: datetime
) -> None:
    """Note what of orders no rule gave out; the others have nothing to be planned."""
    store.SQL.run(tx, "leave_queue", order_ids=sorted({*order_ids} - waits.keys()))
    if waits:
        told = [
            {
                "order_id": order_id, "reservation_ids": wait.reservation_ids,
                "priority": wait.priority, "promised_by": wait.promised_by.isoformat(),
                "placed_at": wait.placed_at.isoformat(),
            }
            for order_id, wait in waits.items()
        ]  # fmt: skip
        store.SQL.run(tx, "wait", waits=json.dumps(told), again_at=at + PLANNED_AGAIN_AFTER)
