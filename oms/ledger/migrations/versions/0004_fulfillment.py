"""Fulfillment orders."""

from oms.ledger.migrations.script import run_beside

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create their tables."""
    run_beside(__file__)
