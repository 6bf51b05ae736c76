"""Parcels, and what carriers tell of them."""

from oms.ledger.migrations.script import run_beside

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Create their tables, and let those tell of parcels who may do everything."""
    run_beside(__file__)
