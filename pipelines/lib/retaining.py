"""Retaining: what the ledger keeps for a time only is removed after it, a part at a time."""

from datetime import datetime

from oms.access import operations
from oms.ledger.database import Ledger
from oms.webhooks import operations as webhooks


def forget_answers(ledger: Ledger, *, at: datetime) -> int:
    """Remove every answer kept longer than it has to be; return how many.

    Each part is a transaction of its own, so that nobody waits and a run that breaks off has
    done what it has done.
    """
    count = 0
    while removed := ledger.run(lambda tx: operations.forget_answers(tx, at=at)):
        count += removed
    return count


def forget_deliveries(ledger: Ledger, *, at: datetime) -> int:
    """Remove every message to a subscriber that is over for longer than it is kept, likewise."""
    count = 0
    while removed := ledger.run(lambda tx: webhooks.forget_deliveries(tx, at=at)):
        count += removed
    return count
