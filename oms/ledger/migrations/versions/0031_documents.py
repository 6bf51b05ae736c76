"""Invoices, credit notes and receipts."""

from oms.ledger.migrations.script import run_beside

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    """Create who issues them, their series, and what is never changed again."""
    run_beside(__file__)
