"""Change orders, and what of an order is ours to say."""

from oms.ledger.migrations.script import run_beside

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    """Add a table, and what keeps what was changed from what a channel repeats."""
    run_beside(__file__)
