"""How locations handle what they promise."""

from oms.ledger.migrations.script import run_beside

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    """Add what was a constant."""
    run_beside(__file__)
