"""What a message to a subscriber was refused for its own sake."""

from oms.ledger.migrations.script import run_beside

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Count it."""
    run_beside(__file__)
