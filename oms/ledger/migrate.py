"""Bringing a ledger's schema up to date."""

import logging
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from sqlalchemy import text

from oms.ledger.database import Ledger

# Any number, as long as everybody who migrates takes the same: "oms" on a telephone keypad.
MIGRATION_LOCK: Final = 667


def migrate(ledger: Ledger) -> None:
    """Apply the migrations a ledger lacks, once, however many processes ask at the same time."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    # Alembic tells everybody's log of its plugins.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    with ledger.transaction() as tx:
        tx.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
        config.attributes["connection"] = tx
        command.upgrade(config, "head")
