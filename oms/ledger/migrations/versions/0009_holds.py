"""Holds of orders."""

from oms.ledger.migrations.script import run_beside

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Create their table, and the flag of an order."""
    run_beside(__file__)
