"""The queue of orders whose units are to be given to locations, the most urgent first."""

from oms.ledger.migrations.script import run_beside

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Make a queue of what waited."""
    run_beside(__file__)
