"""What tests say of how money is given back, and decide of what waits."""

from dataclasses import replace

from oms.kernel import clock
from oms.ledger.database import Tx
from oms.refunds import operations, queries
from oms.refunds.model import Mode, Policy, RefundAction, RefundKind, RefundState
from oms.refunds.rules import Rules
from oms.workflows import refunds
from tests.builders import NOW
from tests.ledger.shop import Shop


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


def let_go(shop: Shop, kind: RefundKind, mode: Mode) -> None:
    """Say whether a kind of refund needs somebody's leave, however much it is."""
    policy = Policy(mode=mode, limit_minor=None)
    shop.ledger.run(lambda tx: set_policy(tx, None, kind, policy))


def reject(shop: Shop) -> None:
    """Have somebody reject the one refund that waits for leave."""
    with shop.ledger.snapshot() as tx:
        found, _ = queries.page(tx, queries.Sought(), after=0, limit=10)
    (held,) = [each for each in found if each.state is RefundState.AWAITING_APPROVAL]
    shop.ledger.run(lambda tx: refunds.act(
        tx, held.refund_number, RefundAction.REJECT, version=held.version, by="bob",
        at=clock.now(),
    ))  # fmt: skip
