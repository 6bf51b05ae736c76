"""Reservations that are paid in a store."""

from oms.ledger.migrations.script import run_beside

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Create their table, and what says how long they are kept."""
    run_beside(__file__)
