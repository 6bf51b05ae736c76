"""One shape of what moved before its place was counted."""

from oms.ledger.migrations.script import run_beside

revision = "0040"
down_revision = "0039"


def upgrade() -> None:
    """Create the function."""
    run_beside(__file__)
