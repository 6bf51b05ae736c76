"""How much a channel shows of the stock of stores."""

from oms.ledger.migrations.script import run_beside

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add the column."""
    run_beside(__file__)
