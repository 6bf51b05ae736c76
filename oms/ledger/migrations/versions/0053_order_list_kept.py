"""What orders in a list are counted by is kept beside them, and when they were placed."""

from oms.ledger.migrations.script import run_beside

revision = "0053"
down_revision = "0052"


def upgrade() -> None:
    """Let orders be listed by how they are paid, and counted, without going to each of them."""
    run_beside(__file__)
