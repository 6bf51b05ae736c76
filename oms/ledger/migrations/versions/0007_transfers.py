"""Transfers."""

from oms.ledger.migrations.script import run_beside

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Create their tables."""
    run_beside(__file__)
