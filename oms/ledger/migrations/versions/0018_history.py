"""What steps of orders' stories were told for."""

from oms.ledger.migrations.script import run_beside

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Add the correlation id."""
    run_beside(__file__)
