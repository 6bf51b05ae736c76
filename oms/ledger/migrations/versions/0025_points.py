"""Pick-up points: what parcels are addressed to, and that they lie there."""

from oms.ledger.migrations.script import run_beside

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    """Add a state and three columns."""
    run_beside(__file__)
