"""Subscribers of the tests' retailer: endpoints that listen, and turns taken for them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import text

from oms.adapters.endpoints import HttpSender, WebhookTeller
from oms.feeds import operations as feeds
from oms.kernel import clock
from oms.ledger.database import Ledger
from oms.ledger.followers import follow
from oms.webhooks import operations, queries
from oms.webhooks.model import Answer, Subscription, SubscriptionDraft, Transport
from oms.webhooks.port import Teller, Tellers
from oms.workflows import telling
from tests.endpoints import Endpoint
from tests.ledger.shop import Shop

ORDERS: Final = ("order.*",)
STOCK: Final = ("stock.available",)


@dataclass
class Town:
    """The retailer, and those it tells."""

    shop: Shop
    tellers: Tellers
    secrets: dict[int, str] = field(default_factory=dict)

    def subscribe(
        self, url: str | None, *topics: str, channel: str | None = None,
        channels: tuple[str, ...] | None = None, batch_seconds: float = 0, **fields: Any,
    ) -> int:  # fmt: skip
        """Subscribe an endpoint; return its number."""
        draft = SubscriptionDraft(
            url=url, topics=topics or ORDERS, channel_code=channel, channel_codes=channels,
            batch_seconds=batch_seconds, **fields,
        )  # fmt: skip
        with self.shop.ledger.transaction() as tx:
            number, secret = operations.subscribe(
                tx, draft, by="test", tellers=self.tellers, at=clock.now()
            )
        self.secrets[number] = secret
        return number

    def serve(self, number: int) -> bool:
        """Take a turn of a subscription."""
        return telling.serve(self.shop.ledger, self.tellers, number)

    def due(self) -> list[int]:
        """Return the subscriptions that have something to be told."""
        with self.shop.ledger.snapshot() as tx:
            return telling.due_now(tx, at=clock.now())

    def of(self, number: int) -> Subscription:
        """Return a subscription."""
        with self.shop.ledger.snapshot() as tx:
            return queries.subscription(tx, number)

    def states(self, number: int) -> list[tuple[str, int]]:
        """Return the state of each message and how often it was tried, first one first."""
        return self.shop.rows(
            "select state, attempts_count from webhook_deliveries"
            " where subscription_id = :number order by delivery_id",
            number=number,
        )  # type: ignore[return-value]  # rows of two

    def attempts(self, number: int) -> list[tuple[Any, ...]]:
        """Return the status and the error of each attempt, first one first."""
        return self.shop.rows(
            "select status_code, error_kind from webhook_attempts"
            " where subscription_id = :number order by attempt_id",
            number=number,
        )  # fmt: skip

    def recompute(self) -> int:
        """Work out what every channel may sell of what changed; return of how many products."""
        ledger, count = self.shop.ledger, 0
        follow(ledger, feeds.FOLLOWER, feeds.mark_changed)
        follow(ledger, feeds.FOLLOWER, feeds.mark_changed)
        while some := ledger.run(lambda tx: feeds.recompute(tx, at=clock.now())):
            count += some
        return count


def webhooks(sender: HttpSender) -> dict[Transport, Teller]:
    """Return what tells by webhook only."""
    return {Transport.WEBHOOK: WebhookTeller(sender)}


@contextmanager
def town_of(shop: Shop, *, seconds_max: float = 10.0) -> Iterator[Town]:
    """Open the retailer's line to the outside."""
    sender = HttpSender(is_local_allowed=True, seconds_max=seconds_max)
    try:
        yield Town(shop, webhooks(sender))
    finally:
        sender.close()


class Dying:
    """A teller whose process dies amid the call."""

    def problem(self, _: object) -> None:
        """Find nothing wrong."""

    def tell(self, _: object) -> Answer:
        raise KeyboardInterrupt


def move(ledger: Ledger, number: int, endpoint: Endpoint) -> None:
    """Let an endpoint that was down come up where it is now."""
    with ledger.transaction() as tx:
        tx.execute(
            text("update webhook_subscriptions set url = :url where subscription_id = :number"),
            {"url": endpoint.url, "number": number},
        )
