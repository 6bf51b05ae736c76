"""Notes of more than orders, tags, and since when an order is in its states."""

from oms.ledger.migrations.script import run_beside

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    """Let notes have kinds, parts and older versions; create what orders are tagged with."""
    run_beside(__file__)
