"""Subscriptions and deliveries as values, and what follows from an endpoint's answer."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from oms.kernel.errors import Conflict, NotFound, Rejected

STOCK_TOPIC: Final = "stock.available"
TOPIC_PATTERN: Final = r"^[a-z_]+\.([a-z_]+|\*)$"

# Pauses after the first, the second … failure of a message; each is spread by a fifth. What
# still fails after the last is parked, about two days after its first attempt.
MESSAGE_PAUSES_SECONDS: Final = (
    5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 28_800, 43_200, 57_600,
)  # fmt: skip
# Pauses of a whole endpoint that does not answer, the last one over and over.
ENDPOINT_PAUSES_SECONDS: Final = (1, 2, 5, 15, 60, 300, 900, 1_800, 3_600)
RETRY_AFTER_SECONDS_MAX: Final = 86_400
GIVE_UP_AFTER: Final = timedelta(hours=72)
SPREAD: Final = 0.2


class SubscriptionNotFound(NotFound):
    """There is no such subscription."""


class DeliveryNotFound(NotFound):
    """There is no such delivery."""


class TargetRefused(Rejected):
    """Nothing can be sent there: a URL must be https and lead to a public address."""

    code = "TARGET_REFUSED"


class NotRedeliverable(Conflict):
    """A delivery that waits is sent anyway, and of stock only the latest value is ever sent."""

    code = "NOT_REDELIVERABLE"


class Transport(StrEnum):
    """How a subscriber is told."""

    WEBHOOK = "webhook"  # a signed POST to its URL
    FILE = "file"  # a file in its folder, which it takes away
    PLATFORM = "platform"  # calls of the API of its channel's platform


class Verdict(StrEnum):
    """What an answer says: of the message, or of the endpoint."""

    DELIVERED = "delivered"
    REFUSED = "refused"  # this message, by an endpoint that works
    FAILED = "failed"  # the endpoint broke; over this message, or over any
    DOWN = "down"  # the endpoint cannot be reached, or is not the one it should be
    BUSY = "busy"  # later
    GONE = "gone"  # never again


# Answers that speak of the message, not of the endpoint.
REFUSALS: Final = frozenset({400, 409, 413, 415, 422})
BUSY: Final = frozenset({429, 503})
GONE: Final = 410


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back from an endpoint: a status, or the kind of error in its stead."""

    status_code: int | None = None
    # dns, target, connect, tls, timeout, protocol, interrupted; disk, full; platform
    error_kind: str | None = None
    retry_after_seconds: float | None = None
    duration_ms: int = 0

    @property
    def verdict(self) -> Verdict:
        """What it says."""
        status = self.status_code
        if status is None:
            return Verdict.DOWN
        if 200 <= status < 300:  # noqa: PLR2004 - what HTTP calls success
            return Verdict.DELIVERED
        if status in BUSY:
            return Verdict.BUSY
        if status == GONE:
            return Verdict.GONE
        if status in REFUSALS:
            return Verdict.REFUSED
        return Verdict.FAILED if status >= 500 else Verdict.DOWN  # noqa: PLR2004 - the server's own


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionDraft:
    """A subscription to be made."""

    url: str | None = None  # of a webhook; the others have none
    topics: tuple[str, ...]
    channel_code: str | None
    channel_codes: tuple[str, ...] | None
    description: str | None = None
    batch_seconds: float = 1.0
    transport: Transport = Transport.WEBHOOK
    file_format: str | None = None  # json, csv; of files only


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """Who is told what, and how it goes; its secret is nowhere."""

    subscription_id: int
    transport: str
    url: str | None
    folder: str | None  # of files, inside the outbox
    file_format: str | None
    description: str | None
    topics: tuple[str, ...]
    channel_code: str | None
    channel_kind: str | None
    channel_codes: tuple[str, ...] | None
    batch_seconds: float
    state: str
    state_reason: str | None
    created_by: str
    created_at: datetime
    updated_at: datetime
    failures_count: int
    failing_since_at: datetime | None
    succeeded_at: datetime | None
    next_attempt_at: datetime | None
    pending_count: int
    parked_count: int

    @property
    def tells_of_orders(self) -> bool:
        """Whether any of its topics is one of orders."""
        return any(topic != STOCK_TOPIC for topic in self.topics)

    def tells(self, topic: str) -> bool:
        """Tell whether it wants a topic."""
        return topic in self.topics or f"{topic.partition('.')[0]}.*" in self.topics


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A message to one subscription, and what became of it."""

    delivery_id: int
    subscription_id: int
    message_id: str
    topic: str
    order_number: str | None
    sequence: int | None
    state: str
    attempts_count: int
    created_at: datetime
    first_attempt_at: datetime | None
    next_attempt_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One call of an endpoint, written down before it is made."""

    number: int
    started_at: datetime
    ended_at: datetime | None
    duration_ms: int | None
    status_code: int | None
    error_kind: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where messages of one subscription go, as far as its transport needs to know."""

    transport: Transport
    url: str | None
    folder: str | None
    file_format: str | None
    topics: tuple[str, ...]
    adapter: str | None  # of the channel whose endpoint it is
    adapter_options: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """A message on its way: what the call needs, and what its end is written to."""

    subscription_id: int
    delivery_id: int
    attempt_id: int
    message_id: str
    topic: str
    endpoint: Endpoint
    secrets: tuple[str, ...]
    body: bytes
    refusals_count: int  # how often it failed over this very message
    failures_count: int  # how often in a row the endpoint has failed over whatever it was sent
    is_of_stock: bool = False


def pause_seconds(failures: int, pauses: tuple[int, ...], *, dice: float) -> float:
    """Return the pause after so many failures; `dice` between 0 and 1 spreads it."""
    base = pauses[min(failures, len(pauses)) - 1]
    return base * (1 - SPREAD + 2 * SPREAD * dice)


def is_over_the_message(sending: Sending, verdict: Verdict) -> bool:
    """Tell whether it is the message that failed: it was refused, or broke what worked before."""
    return verdict is Verdict.REFUSED or (verdict is Verdict.FAILED and sending.failures_count == 0)
