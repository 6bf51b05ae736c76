"""Writes on feeds: availability worked out and guarded, feeds switched, tellings noted."""

from datetime import datetime, timedelta
from typing import Final

from oms.feeds.model import (
    RECOMPUTED_SKUS_MAX,
    RECONCILE_EVERY,
    ZEROED_COUNT_MIN,
    ZEROED_WINDOW,
    Availability,
    Feed,
    FeedNotHeld,
    Target,
    zeroed_ratio,
)
from oms.feeds.store import SQL
from oms.ledger.database import Tx
from oms.stock.availability import available_to_sell

FOLLOWER: Final = "availability"
REFUSED_PAUSES_SECONDS: Final = (5, 30, 300, 3_600)


def mark_changed(tx: Tx, after: int, upto: int) -> bool:
    """Note the products that changed between two horizons; the step of the follower."""
    return SQL.run(tx, "mark_changed", after=str(after), upto=str(upto)).rowcount > 0


def recompute(tx: Tx, *, at: datetime, limit: int = RECOMPUTED_SKUS_MAX) -> int:
    """Work out what every channel may sell of some of the products that changed.

    Returns how many products those were: ask again until there are none. None, too, while
    another process is at it: versions are numbered by one at a time.
    """
    if SQL.run(tx, "hold_follower", follower=FOLLOWER).scalar() is None:
        return 0
    SQL.run(tx, "begin_holds", at=at)
    SQL.run(tx, "mark_expired", at=at)
    skus = list(SQL.run(tx, "take_due", limit=limit).scalars())
    if not skus:
        return 0
    found = available_to_sell(tx, skus, channel_codes=None, at=at)
    changed = SQL.run(
        tx, "write", at=at, skus=[each.sku for each in found],
        channels=[each.channel_code for each in found],
        values=[each.available_to_sell for each in found],
    ).all()  # fmt: skip
    for row in changed:
        if row.zeroed_count:
            _guard(tx, row.channel_id, at=at)
    return len(skus)


def _guard(tx: Tx, channel_id: int, *, at: datetime) -> None:
    """Hold a feed in which too much of the catalog went to none at once: it may be a mistake."""
    row = SQL.run(tx, "zeroed", channel_id=channel_id, since=at - ZEROED_WINDOW).one()
    ratio = zeroed_ratio(zeroed=row.zeroed_count, in_stock=row.in_stock_count)
    if row.zeroed_count < ZEROED_COUNT_MIN or ratio <= row.ratio_max:
        return
    total = row.zeroed_count + row.in_stock_count
    reason = f"{row.zeroed_count:,} of {total:,} products went to none within minutes"
    SQL.run(tx, "hold", channel_id=channel_id, reason=reason, at=at)


def switch(
    tx: Tx, feed: Feed, *, is_enabled: bool | None, few_units: int | None,
    zeroed_ratio_max: float | None,
) -> None:  # fmt: skip
    """Set what a channel's feed is to be like; None leaves it as it is."""
    SQL.run(
        tx, "set_feed", channel_id=feed.channel_id, is_enabled=is_enabled, few_units=few_units,
        zeroed_ratio_max=zeroed_ratio_max,
    )  # fmt: skip


def release(tx: Tx, feed: Feed, *, at: datetime) -> None:
    """Go on telling a channel that was held; raises FeedNotHeld."""
    if SQL.run(tx, "release", channel_id=feed.channel_id, at=at).rowcount != 1:
        raise FeedNotHeld


def reconcile(tx: Tx, channel_id: int, *, at: datetime) -> None:
    """Work everything out anew and tell a channel's subscribers all of it."""
    SQL.run(tx, "mark_everything")
    SQL.run(tx, "tell_everything", channel_id=channel_id)
    SQL.run(tx, "note_reconciled", channel_id=channel_id, at=at)


def reconcile_due(tx: Tx, *, at: datetime) -> int:
    """Reconcile every channel whose time has come; return how many."""
    channels = SQL.run(tx, "unreconciled", before=at - RECONCILE_EVERY).all()
    for row in channels:
        if row.is_new:
            SQL.run(tx, "note_reconciled", channel_id=row.channel_id, at=at)
        else:
            reconcile(tx, row.channel_id, at=at)
    return len(channels)


def note_told(tx: Tx, target: Target, version: int, *, at: datetime) -> None:
    """Note how far a subscription was told; one set back meanwhile begins anew."""
    SQL.run(
        tx, "told", subscription_id=target.subscription_id, channel_id=target.channel_id,
        version=version, before=target.version, at=at,
    )  # fmt: skip


def note_refused(
    tx: Tx, target: Target, item: Availability, *, status_code: int | None, at: datetime
) -> None:
    """Set a refused value aside, to be tried alone after a growing pause."""
    key = {
        "subscription_id": target.subscription_id, "channel_id": target.channel_id,
        "product_id": item.product_id,
    }  # fmt: skip
    count = int(SQL.run(tx, "refusal_count", **key).scalar_one())
    pause = REFUSED_PAUSES_SECONDS[min(count, len(REFUSED_PAUSES_SECONDS) - 1)]
    SQL.run(
        tx, "note_refused", **key, version=item.version, status_code=status_code, at=at,
        next_at=at + timedelta(seconds=pause),
    )  # fmt: skip


def note_taken(tx: Tx, target: Target, item: Availability) -> None:
    """Forget that a value was refused."""
    SQL.run(
        tx, "note_taken", subscription_id=target.subscription_id, channel_id=target.channel_id,
        product_id=item.product_id,
    )  # fmt: skip
