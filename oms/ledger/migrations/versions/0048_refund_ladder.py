"""What of a refund failed or came back is paid otherwise, or given up."""

from oms.ledger.migrations.script import run_beside

revision = "0048"
down_revision = "0047"


def upgrade() -> None:
    """Add what became of each part."""
    run_beside(__file__)
