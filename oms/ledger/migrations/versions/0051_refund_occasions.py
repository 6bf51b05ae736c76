"""What is owed has an occasion."""

from oms.ledger.migrations.script import run_beside

revision = "0051"
down_revision = "0050"


def upgrade() -> None:
    """Add its column."""
    run_beside(__file__)
