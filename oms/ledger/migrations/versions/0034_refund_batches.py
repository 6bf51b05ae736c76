"""Refunds in bulk."""

from oms.ledger.migrations.script import run_beside

revision = "0034"
down_revision = "0033"


def upgrade() -> None:
    """Create the tables of batches and their rows."""
    run_beside(__file__)
