"""What orders are searched by, beside them."""

from oms.ledger.migrations.script import run_beside

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Create the words, their tables, and the indexes of lists."""
    run_beside(__file__)
