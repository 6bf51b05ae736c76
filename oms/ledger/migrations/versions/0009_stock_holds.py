"""Holds of stock."""

from oms.ledger.migrations.script import run_beside

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Create their table."""
    run_beside(__file__)
