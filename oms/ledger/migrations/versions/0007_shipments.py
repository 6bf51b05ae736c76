"""Parcels, and what carriers tell of them."""

from oms.ledger.migrations.script import run_beside

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Create their tables, and let those tell of parcels who may do everything."""
    run_beside(__file__)
