"""Orders a follower could not take in, and authorizations that end."""

from oms.ledger.migrations.script import run_beside

revision = "0041"
down_revision = "0040"


def upgrade() -> None:
    """Create the table and the index."""
    run_beside(__file__)
