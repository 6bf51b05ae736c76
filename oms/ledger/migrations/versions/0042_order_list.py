"""More that the list of orders is searched and sorted by."""

from oms.ledger.migrations.script import run_beside

revision = "0042"
down_revision = "0041"


def upgrade() -> None:
    """Add what was promised and who supplies, and have every order looked at again."""
    run_beside(__file__)
