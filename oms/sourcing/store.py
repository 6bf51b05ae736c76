"""Rule sets and decisions in the database: their statements, and rows as values."""

from pathlib import Path
from typing import Any, Final

from oms.ledger.statements import Statements
from oms.sourcing import messages
from oms.sourcing.model import Decision, RuleSet, RuleSetState

SQL: Final = Statements(Path(__file__).with_name("sourcing.sql"))


def rule_set(row: Any) -> RuleSet:
    """Make a version of the rules of its row."""
    return RuleSet(
        version=row.version, state=RuleSetState(row.state), created_by=row.created_by,
        rules=messages.read_rules(row.rules), created_at=row.created_at,
        activated_at=row.activated_at, archived_at=row.archived_at,
    )  # fmt: skip


def decision(row: Any) -> Decision:
    """Make a decision of its row."""
    return Decision(
        decision_id=row.decision_id, version=row.version, decided_at=row.decided_at,
        **messages.read_kept(row),
    )  # fmt: skip
