"""What refunds without goods take off which line, and what every line still comes to."""

from oms.ledger.migrations.script import run_beside

revision = "0039"
down_revision = "0038"


def upgrade() -> None:
    """Create the table, the views and the function."""
    run_beside(__file__)
