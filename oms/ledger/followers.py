"""Followers: what keeps in step with the ledger by reading its journal, each at its own pace.

A follower has a name and a watermark. It reads what was written since, below the horizon, and
its watermark moves in the same transaction as whatever it writes itself: a change is taken in
exactly once, whichever process does it and however often one of them is killed.
"""

from collections.abc import Callable
from typing import Final

from sqlalchemy import text

from oms.ledger import journal
from oms.ledger.database import Ledger, Tx

Step = Callable[[Tx, int, int], bool]
"""Take in what was written from one transaction up to another; tell whether there was any."""

_HOLD: Final = text(
    "select watermark from followers where follower = :follower for update skip locked"
)
_BEGIN: Final = text(
    "insert into followers (follower, watermark) values (:follower, 0) on conflict do nothing"
)
_ADVANCE: Final = text("update followers set watermark = :upto where follower = :follower")


Stop = Callable[[Tx, int, int], int]
"""Say how far to go in one step, from one transaction up to another: a step is a transaction."""


def follow(ledger: Ledger, follower: str, step: Step, *, stop: Stop | None = None) -> bool:
    """Let a follower take in what is new to it; tell whether there was anything.

    False, too, when another process is at it just now. Where nothing was found the watermark
    stays: moving it would be a transaction, and the next thing to look at.
    """

    def work(tx: Tx) -> bool:
        after = tx.execute(_HOLD, {"follower": follower}).scalar()
        if after is None:
            tx.execute(_BEGIN, {"follower": follower})
            return False
        upto = journal.horizon(tx)
        if stop is not None and upto > after:
            upto = stop(tx, after, upto)
        if upto <= after or not step(tx, after, upto):
            return False
        tx.execute(_ADVANCE, {"follower": follower, "upto": upto})
        return True

    return ledger.run(work)
