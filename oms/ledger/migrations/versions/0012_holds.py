"""Holds of orders."""

from oms.ledger.migrations.script import run_beside

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Create their table, and the flag of an order."""
    run_beside(__file__)
