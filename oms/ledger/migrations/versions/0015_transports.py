"""Transports of webhooks."""

from oms.ledger.migrations.script import run_beside

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Let subscriptions have a transport."""
    run_beside(__file__)
