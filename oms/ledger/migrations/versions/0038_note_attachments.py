"""Attachments of notes."""

from oms.ledger.migrations.script import run_beside

revision = "0038"
down_revision = "0037"


def upgrade() -> None:
    """Create the table."""
    run_beside(__file__)
