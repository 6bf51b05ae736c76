"""Hubs: parts of an order are gathered there before they are sent together."""

from oms.ledger.migrations.script import run_beside

revision = "0035"
down_revision = "0034"


def upgrade() -> None:
    """Let units of an order be on their way to a hub."""
    run_beside(__file__)
