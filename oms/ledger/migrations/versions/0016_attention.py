"""Attention."""

from oms.ledger.migrations.script import run_beside

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Index what needs a person."""
    run_beside(__file__)
