"""Reads of webhooks: subscriptions, deliveries and their attempts, and who is due."""

from datetime import datetime

from oms.ledger.database import Tx
from oms.ledger.rows import by_name
from oms.webhooks import store
from oms.webhooks.model import (
    Attempt,
    Delivery,
    DeliveryNotFound,
    Endpoint,
    Subscription,
    SubscriptionNotFound,
)
from oms.webhooks.store import SQL


def subscriptions(tx: Tx) -> list[Subscription]:
    """Return every subscription, oldest first."""
    return [store.subscription(row) for row in SQL.run(tx, "subscriptions", subscription_id=None)]


def subscription(tx: Tx, subscription_id: int) -> Subscription:
    """Return a subscription; raises SubscriptionNotFound."""
    row = SQL.run(tx, "subscriptions", subscription_id=subscription_id).one_or_none()
    if row is None:
        raise SubscriptionNotFound
    return store.subscription(row)


def endpoint(tx: Tx, subscription_id: int) -> Endpoint:
    """Return where messages of a subscription go."""
    return store.endpoint(SQL.run(tx, "endpoint", subscription_id=subscription_id).one())


def due(tx: Tx, *, at: datetime) -> list[int]:
    """Return the subscriptions that have something of orders to be told now."""
    return list(SQL.run(tx, "due", at=at).scalars())


def is_callable(tx: Tx, subscription_id: int, *, at: datetime) -> bool:
    """Tell whether a subscription may be called now."""
    return bool(SQL.run(tx, "is_callable", subscription_id=subscription_id, at=at).scalar())


def cursor(tx: Tx, subscription_id: int) -> tuple[int, int, int]:
    """Return how far a subscription is in the events of orders."""
    row = SQL.run(tx, "cursor", subscription_id=subscription_id).one()
    return row.cursor_xid, row.cursor_order_id, row.cursor_seq


def deliveries(
    tx: Tx, subscription_id: int, *, state: str | None, before: int | None, limit: int
) -> list[Delivery]:
    """Return deliveries of a subscription, newest first, those before a number."""
    rows = SQL.run(
        tx, "deliveries", subscription_id=subscription_id, state=state, before=before,
        delivery_id=None, limit=limit,
    )  # fmt: skip
    return [Delivery(**by_name(row)) for row in rows]


def delivery(tx: Tx, subscription_id: int, delivery_id: int) -> Delivery:
    """Return one delivery of a subscription; raises DeliveryNotFound."""
    row = SQL.run(
        tx, "deliveries", subscription_id=subscription_id, state=None, before=None,
        delivery_id=delivery_id, limit=1,
    ).one_or_none()  # fmt: skip
    if row is None:
        raise DeliveryNotFound
    return Delivery(**by_name(row))


def body(tx: Tx, delivery_id: int) -> bytes:
    """Return a message as it is sent."""
    return bytes(SQL.run(tx, "body", delivery_id=delivery_id).scalar_one())


def attempts(tx: Tx, delivery_id: int) -> list[Attempt]:
    """Return every attempt to send a message, first one first."""
    return [Attempt(**by_name(row)) for row in SQL.run(tx, "attempts", delivery_id=delivery_id)]
