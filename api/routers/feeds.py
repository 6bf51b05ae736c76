"""Feeds: what a channel may sell, to be followed; switched off, held, released, told anew."""

from typing import Annotated, Final

from fastapi import APIRouter, Query

from api.dependencies import Now, Snapshot, Tx
from api.idempotency import OncePerKeyIfGiven
from api.routes import LedgerRoute
from api.schemas.feeds import (
    AvailabilityFeedOut,
    AvailabilityOut,
    AvailabilityQuery,
    ComparedOut,
    CompareIn,
    DifferenceOut,
    FeedOut,
    FeedPost,
)
from api.security import StockRead, WebhooksRead, WebhooksWrite
from oms.access.model import Caller
from oms.channels.model import UnknownChannel
from oms.feeds import operations, queries
from oms.feeds.model import Feed
from oms.kernel.limits import PAGE_ROWS_MAX
from oms.ledger.database import Tx as Transaction

router: Final = APIRouter(prefix="/v1", tags=["feeds"], route_class=LedgerRoute)


@router.get("/channels/{channel}/availability")
def list_availability(
    channel: str, query: Annotated[AvailabilityQuery, Query()], caller: StockRead, tx: Snapshot
) -> AvailabilityFeedOut:
    """List what changed of what a channel may sell, oldest change first, each SKU once."""
    feed = _feed(tx, channel, caller)
    found = []
    if feed.is_open:
        found = queries.after(tx, feed.channel_id, query.after, limit=query.limit + 1)
    items = [AvailabilityOut.of(item) for item in found[: query.limit]]
    return AvailabilityFeedOut(
        channel_code=channel, is_open=feed.is_open, items=items,
        next_after=items[-1].version if items else query.after, has_more=len(found) > len(items),
    )  # fmt: skip


@router.post("/channels/{channel}/availability:compare")
def compare_availability(
    channel: str, body: CompareIn, caller: StockRead, tx: Snapshot, now: Now
) -> ComparedOut:
    """Tell where what a channel says it may sell is not what we say."""
    _feed(tx, channel, caller)
    theirs = body.theirs()
    found = [DifferenceOut.of(each) for each in queries.differences(tx, channel, theirs)]
    return ComparedOut(as_of=now, compared_count=len(theirs), differences=found)


@router.get("/channels/{channel}/feed")
def get_feed(channel: str, caller: WebhooksRead, tx: Snapshot) -> FeedOut:
    """Return how a channel is told of what it may sell, and what is refused of it."""
    return _out(tx, channel, caller)


@router.post("/channels/{channel}/feed")
def set_feed(
    channel: str, body: FeedPost, caller: WebhooksWrite, tx: Tx, _once: OncePerKeyIfGiven
) -> FeedOut:
    """Switch a channel's feed off or on, or set what it is guarded by."""
    operations.switch(tx, _feed(tx, channel, caller), **body.model_dump())
    return _out(tx, channel, caller)


@router.post("/channels/{channel}/feed:release")
def release_feed(
    channel: str, caller: WebhooksWrite, tx: Tx, now: Now, _once: OncePerKeyIfGiven
) -> FeedOut:
    """Go on telling a channel that was held because too much of the catalog went to none."""
    operations.release(tx, _feed(tx, channel, caller), at=now)
    return _out(tx, channel, caller)


@router.post("/channels/{channel}/feed:reconcile", status_code=202)
def reconcile_feed(
    channel: str, caller: WebhooksWrite, tx: Tx, now: Now, _once: OncePerKeyIfGiven
) -> FeedOut:
    """Work everything out anew and tell the channel's subscribers all of it."""
    operations.reconcile(tx, _feed(tx, channel, caller).channel_id, at=now)
    return _out(tx, channel, caller)


def _feed(tx: Transaction, channel: str, caller: Caller) -> Feed:
    if not caller.may_see(channel):
        raise UnknownChannel
    return queries.feed(tx, channel)


def _out(tx: Transaction, channel: str, caller: Caller) -> FeedOut:
    feed = _feed(tx, channel, caller)
    return FeedOut.of(feed, queries.refusals(tx, channel, limit=PAGE_ROWS_MAX))
