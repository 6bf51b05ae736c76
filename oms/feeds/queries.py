"""Reads of feeds: what a channel may sell after a version, how its feed stands, who is due."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from oms.channels.model import UnknownChannel
from oms.feeds import store
from oms.feeds.model import Availability, Difference, Feed, Refusal, Target, Told
from oms.feeds.store import SQL
from oms.ledger.database import Tx
from oms.ledger.rows import by_name


def feed(tx: Tx, channel_code: str) -> Feed:
    """Return a channel's feed; raises UnknownChannel."""
    row = SQL.run(tx, "feed", channel=channel_code).one_or_none()
    if row is None:
        raise UnknownChannel
    return Feed(**by_name(row))


def is_waiting(tx: Tx, *, at: datetime) -> bool:
    """Tell whether the availability of any product is to be worked out anew."""
    return bool(SQL.run(tx, "is_waiting", at=at).scalar())


def is_open(tx: Tx, channel_id: int) -> bool:
    """Tell whether a channel is told anything just now."""
    return bool(SQL.run(tx, "is_open", channel_id=channel_id).scalar())


def after(tx: Tx, channel_id: int, version: int, *, limit: int) -> list[Availability]:
    """Return what changed for a channel after a version, oldest first."""
    rows = SQL.run(tx, "after", channel_id=channel_id, after=version, limit=limit)
    return [store.availability(row) for row in rows]


def due(tx: Tx, *, at: datetime) -> list[int]:
    """Return the subscriptions that have something of stock to be told now."""
    return list(SQL.run(tx, "due", at=at).scalars())


def targets(tx: Tx, subscription_id: int) -> list[Target]:
    """Return the open feeds a subscription is told of."""
    rows = SQL.run(tx, "targets", subscription_id=subscription_id)
    return [Target(**by_name(row)) for row in rows]


def refused_products(tx: Tx, target: Target) -> frozenset[int]:
    """Return the products whose values an endpoint refuses."""
    rows = SQL.run(
        tx, "refused_products", subscription_id=target.subscription_id,
        channel_id=target.channel_id,
    )  # fmt: skip
    return frozenset(rows.scalars())


def refused_due(tx: Tx, target: Target, *, limit: int, at: datetime) -> list[Availability]:
    """Return refused values whose time has come, as they are now."""
    rows = SQL.run(
        tx, "refused_due", subscription_id=target.subscription_id, channel_id=target.channel_id,
        limit=limit, at=at,
    )  # fmt: skip
    return [store.availability(row) for row in rows]


def refusals(tx: Tx, channel_code: str, *, limit: int) -> list[Refusal]:
    """Return what is refused of a channel's values, longest refused first."""
    rows = SQL.run(tx, "refusals", channel=channel_code, limit=limit)
    return [Refusal(**by_name(row)) for row in rows]


def told(tx: Tx, sku: str, *, channel_codes: Sequence[str] | None) -> list[Told]:
    """Return what each channel may sell of a SKU and who has been told, by channel."""
    channels = None if channel_codes is None else list(channel_codes)
    rows = SQL.run(tx, "told_of_sku", sku=sku, channels=channels)
    return [Told(**by_name(row)) for row in rows]


def differences(tx: Tx, channel_code: str, theirs: Mapping[str, int]) -> list[Difference]:
    """Return where what a channel says it may sell is not what we say."""
    rows = SQL.run(
        tx, "compare", channel=channel_code, skus=list(theirs), values=list(theirs.values())
    )
    return [Difference(**by_name(row)) for row in rows]
