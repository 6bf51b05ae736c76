"""More that orders are searched by: parcels, groups, work; and lists of what is open."""

from oms.ledger.migrations.script import run_beside

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Create the indexes of open orders, and have every order indexed anew."""
    run_beside(__file__)
