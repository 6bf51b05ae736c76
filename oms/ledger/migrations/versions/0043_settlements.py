"""Settlement reports and their differences."""

from oms.ledger.migrations.script import run_beside

revision = "0043"
down_revision = "0042"


def upgrade() -> None:
    """Create the tables of reports, rows and differences."""
    run_beside(__file__)
