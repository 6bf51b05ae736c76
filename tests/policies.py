"""What tests say of how money is given back."""

from dataclasses import replace

from oms.ledger.database import Tx
from oms.refunds import operations, queries
from oms.refunds.model import Policy
from oms.refunds.rules import Rules
from tests.builders import NOW


def set_rules(tx: Tx, channel_id: int | None, rules: Rules) -> None:
    """Say how a channel, or every other, gives money back."""
    known = queries.versions(tx, channel_id, limit=1)
    version_no = known[0].version_no if known else 0
    operations.set_rules(
        tx, channel_id, rules, version_no=version_no, reason="test", by="test", at=NOW
    )


def set_policy(tx: Tx, channel_id: int | None, name: str, policy: Policy) -> None:
    """Say how a channel, or every other, lets one thing go; what was said of others stays."""
    known = queries.versions(tx, channel_id, limit=1)
    rules = known[0].rules if known else Rules()
    policies = {**rules.policies, name: policy}
    set_rules(tx, channel_id, replace(rules, policies=policies))
