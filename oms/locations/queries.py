"""Reads of locations."""

from sqlalchemy import text

from oms.ledger.database import Tx


def codes(tx: Tx) -> frozenset[str]:
    """Return the code of every location."""
    return frozenset(tx.execute(text("select location_code from locations")).scalars())
