"""What orders are searched by, beside them."""

from oms.ledger.migrations.script import run_beside

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the words, their tables, and the indexes of lists."""
    run_beside(__file__)
