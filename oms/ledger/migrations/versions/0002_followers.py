"""Followers of the journal."""

from oms.ledger.migrations.script import run_beside

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create their table."""
    run_beside(__file__)
