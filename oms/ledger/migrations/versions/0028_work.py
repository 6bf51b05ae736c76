"""Work of locations: how long they have to accept it."""

from oms.ledger.migrations.script import run_beside

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    """Add what the work of locations goes by."""
    run_beside(__file__)
