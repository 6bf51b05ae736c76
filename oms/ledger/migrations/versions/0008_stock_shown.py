"""How much a channel shows of the stock of stores."""

from oms.ledger.migrations.script import run_beside

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the column."""
    run_beside(__file__)
