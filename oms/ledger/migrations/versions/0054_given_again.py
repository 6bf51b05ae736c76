"""What came back of a refund and was given up for good is taken off no price."""

from oms.ledger.migrations.script import run_beside

revision = "0054"
down_revision = "0053"


def upgrade() -> None:
    """Count parts that stand in the place of what came back, once they are given up."""
    run_beside(__file__)
