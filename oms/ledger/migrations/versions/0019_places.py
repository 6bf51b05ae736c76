"""Keys bound to locations, and what is kept of a product."""

from oms.ledger.migrations.script import run_beside

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Add the column and the index."""
    run_beside(__file__)
