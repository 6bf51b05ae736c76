"""Customers over channels: who they are, whose an order is, who was erased."""

from oms.ledger.migrations.script import run_beside

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Create their tables."""
    run_beside(__file__)
