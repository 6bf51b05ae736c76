"""Exchanges: the order that is made of a return, and for which of its lines."""

from oms.ledger.migrations.script import run_beside

revision = "0046"
down_revision = "0045"


def upgrade() -> None:
    """Create their tables."""
    run_beside(__file__)
