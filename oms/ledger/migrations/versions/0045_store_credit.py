"""Store credit: accounts, their entries, and what is paid and given back with them."""

from oms.ledger.migrations.script import run_beside

revision = "0045"
down_revision = "0044"


def upgrade() -> None:
    """Create the accounts, and let refunds and payments name them."""
    run_beside(__file__)
