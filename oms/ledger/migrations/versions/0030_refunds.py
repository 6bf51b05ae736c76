"""Refunds."""

from oms.ledger.migrations.script import run_beside

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    """Create their tables."""
    run_beside(__file__)
