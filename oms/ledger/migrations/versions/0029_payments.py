"""Payments and their transactions."""

from oms.ledger.migrations.script import run_beside

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    """Create their tables."""
    run_beside(__file__)
