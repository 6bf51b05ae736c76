"""Tools of customer service: short-lived tokens, and who speaks for people."""

from oms.ledger.migrations.script import run_beside

revision = "0037"
down_revision = "0036"


def upgrade() -> None:
    """Create the tables."""
    run_beside(__file__)
