"""What comes by transfers is asked for by product."""

from oms.ledger.migrations.script import run_beside

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """Index the lines of transfers by product."""
    run_beside(__file__)
