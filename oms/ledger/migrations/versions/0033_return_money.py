"""What returns keep or give beyond the goods."""

from oms.ledger.migrations.script import run_beside

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    """Create the view."""
    run_beside(__file__)
