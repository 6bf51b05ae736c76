"""Money that tills give back, and how channels give money back, as data with its versions."""

from oms.ledger.migrations.script import run_beside

revision = "0049"
down_revision = "0048"


def upgrade() -> None:
    """Create their tables and columns, and move what was said of policies."""
    run_beside(__file__)
