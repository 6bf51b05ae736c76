"""Transfers."""

from oms.ledger.migrations.script import run_beside

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Create their tables."""
    run_beside(__file__)
