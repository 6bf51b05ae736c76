"""The first ledger: access, catalog, locations, channels, inbox, orders, stock."""

from oms.ledger.migrations.script import run_beside

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create every table."""
    run_beside(__file__)
