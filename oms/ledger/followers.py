"""Followers: what keeps in step with the ledger by reading its journal, each at its own pace.

A follower has a name and a watermark. It reads what was written since, below the horizon, and
its watermark moves in the same transaction as whatever it writes itself: a change is taken in
exactly once, whichever process does it and however often one of them is killed.

What follows orders sets one aside that it fails for: the others go on. It is tried again when it
changes, and by itself now and then, because what was wrong may be elsewhere.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text

from oms.ledger import journal
from oms.ledger.database import Ledger, Tx, ends_transaction

log = logging.getLogger("oms.followers")

Step = Callable[[Tx, int, int], bool]
"""Take in what was written from one transaction up to another; tell whether there was any."""

_HOLD: Final = text(
    "select watermark from followers where follower = :follower for update skip locked"
)
_BEGIN: Final = text(
    "insert into followers (follower, watermark) values (:follower, 0) on conflict do nothing"
)
_ADVANCE: Final = text("update followers set watermark = :upto where follower = :follower")
# What was set aside is tried again so often by itself, so many at once.
AGAIN_AFTER: Final = timedelta(hours=1)
AGAIN_MAX: Final = 20
_AGAIN: Final = text("""
    select order_id from set_aside
    where follower = :follower and tried_at < :before
    order by tried_at, order_id
    limit :limit
""")
_TAKEN: Final = text(
    "delete from set_aside where follower = :follower and order_id = any (:order_ids)"
)
_SET_ASIDE: Final = text("""
    insert into set_aside (follower, order_id, failure, since_at, tried_at)
    values (:follower, :order_id, :failure, :at, :at)
    on conflict (follower, order_id) do update
    set failure = excluded.failure, tried_at = excluded.tried_at,
        attempts = set_aside.attempts + 1
""")


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


def again(tx: Tx, follower: str, *, at: datetime) -> list[int]:
    """Return orders that were set aside and are to be tried once more."""
    names = {"follower": follower, "before": at - AGAIN_AFTER, "limit": AGAIN_MAX}
    return list(tx.execute(_AGAIN, names).scalars())


def take_in(
    tx: Tx, follower: str, order_ids: Sequence[int], work: Callable[[Sequence[int]], object], *,
    at: datetime,
) -> None:  # fmt: skip
    """Do a follower's work for orders at once; where that fails, for each of them alone.

    Those it fails for are set aside. They are held by the caller, who goes on with the others.
    """
    if not order_ids:
        return
    failed: dict[int, str] = {}
    if _failure_of(tx, order_ids, work) is not None:
        for order_id in order_ids:
            failure = _failure_of(tx, [order_id], work)
            if failure is not None:
                log.error("%s: order %s is set aside", follower, order_id, exc_info=failure)
                failed[order_id] = type(failure).__name__
    taken = [order_id for order_id in order_ids if order_id not in failed]
    tx.execute(_TAKEN, {"follower": follower, "order_ids": taken})
    for order_id, name in failed.items():
        names = {"follower": follower, "order_id": order_id, "failure": name, "at": at}
        tx.execute(_SET_ASIDE, names)


def _failure_of(
    tx: Tx, order_ids: Sequence[int], work: Callable[[Sequence[int]], object]
) -> Exception | None:
    """Do the work, or leave nothing of it and return why."""
    try:
        with tx.begin_nested():
            work(order_ids)
    except Exception as error:
        if ends_transaction(error):
            raise
        return error
    return None
