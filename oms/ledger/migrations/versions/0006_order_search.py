"""What orders are searched by, beside them."""

from oms.ledger.migrations.script import run_beside

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Create the words, their tables, and the indexes of lists."""
    run_beside(__file__)
