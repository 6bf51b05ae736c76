"""What the warehouse needs to follow transfers and parcels."""

from oms.ledger.migrations.script import run_beside

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Let the journal read what it could not."""
    run_beside(__file__)
