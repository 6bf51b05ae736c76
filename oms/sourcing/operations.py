"""Writes on sourcing: versions of the rules, decisions, and what waits for another plan."""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from oms.ledger.database import Tx
from oms.sourcing import messages, store
from oms.sourcing.model import Rules, RuleSetNotDraft, RuleSetNotFound, RuleSetState

PLANNED_AGAIN_AFTER: Final = timedelta(minutes=5)


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


def record(tx: Tx, decisions: Sequence[Mapping[str, Any]], *, version: int, at: datetime) -> None:
    """Keep decisions with everything they were made of."""
    if decisions:
        store.SQL.run(tx, "record", decisions=json.dumps(list(decisions)), version=version, at=at)


def wait(
    tx: Tx, order_ids: Collection[int], waits: Mapping[int, Sequence[int]], *, at: datetime
) -> None:
    """Note the reservations of orders that no rule gave out; the others wait for nothing."""
    told = [{"order_id": order_id, "reservation_ids": ids} for order_id, ids in waits.items()]
    store.SQL.run(
        tx, "wait", waits=json.dumps(told), order_ids=sorted(order_ids),
        again_at=at + PLANNED_AGAIN_AFTER,
    )  # fmt: skip
