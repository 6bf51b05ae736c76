"""Returns: what was asked to come back, what came, and what was made of it."""

from oms.ledger.migrations.script import run_beside

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    """Make the tables of returns."""
    run_beside(__file__)
