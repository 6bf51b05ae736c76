"""Mails that carry documents to their buyers."""

from oms.ledger.migrations.script import run_beside

revision = "0044"
down_revision = "0043"


def upgrade() -> None:
    """Create their table."""
    run_beside(__file__)
