"""Who lets refunds go, so that people have limits over refunds, orders and days."""

from oms.ledger.migrations.script import run_beside

revision = "0050"
down_revision = "0049"


def upgrade() -> None:
    """Add its columns."""
    run_beside(__file__)
