"""Transfers."""

from oms.ledger.migrations.script import run_beside

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Create their tables."""
    run_beside(__file__)
