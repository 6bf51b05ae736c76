"""Payments that are captured once, notices that wait for theirs, rows of batches that fail."""

from oms.ledger.migrations.script import run_beside

revision = "0047"
down_revision = "0046"


def upgrade() -> None:
    """Create their table and columns."""
    run_beside(__file__)
