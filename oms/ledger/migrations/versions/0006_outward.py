"""What goes out to channels: subscriptions, deliveries, and what each channel may sell."""

from oms.ledger.migrations.script import run_beside

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Create their tables, and give the keys there are what their roles now may."""
    run_beside(__file__)
