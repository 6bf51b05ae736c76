"""Vocabularies: what channels call our states."""

from oms.ledger.migrations.script import run_beside

revision = "0036"
down_revision = "0035"


def upgrade() -> None:
    """Let a channel have words of its own for states."""
    run_beside(__file__)
