"""Sourcing: rules, decisions, and what a location can do in a day."""

from oms.ledger.migrations.script import run_beside

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Create their tables, and give the keys there are what their roles now may."""
    run_beside(__file__)
