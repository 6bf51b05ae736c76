"""What the marts of settlements, taxes and returns are made of is journaled."""

from oms.ledger.migrations.script import run_beside

revision = "0052"
down_revision = "0051"


def upgrade() -> None:
    """Stamp the rows with the transaction that wrote them, and say of documents where they tax."""
    run_beside(__file__)
