"""Delivery groups."""

from oms.ledger.migrations.script import run_beside

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create their table, and what names them."""
    run_beside(__file__)
