"""Subscriptions and their deliveries on the wire."""

import json
from datetime import datetime
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from api.paging import Limit
from api.schemas.common import Out, Wire, Words, values_of
from oms.kernel.targets import URL_CHARACTERS_MAX
from oms.webhooks.model import (
    STOCK_TOPIC,
    TOPIC_PATTERN,
    Attempt,
    Delivery,
    Subscription,
    SubscriptionDraft,
    Transport,
)

# Between two ordinary batches of stock, unless the subscriber says.
BATCH_SECONDS: Final = 1.0
FILE_BATCH_SECONDS: Final = 60.0


def _one_stock_topic(topic: str) -> str:
    if topic.startswith("stock.") and topic != STOCK_TOPIC:
        raise PydanticCustomError("topic", f"of stock there is {STOCK_TOPIC} only")
    return topic


Topic = Annotated[
    str, Field(max_length=60, pattern=TOPIC_PATTERN), AfterValidator(_one_stock_topic)
]


class SubscriptionPost(Wire):
    """A subscription to make."""

    transport: Annotated[
        Transport,
        Field(
            description="webhook: a signed POST to `url`; file: files in a folder of the outbox;"
            " platform: the API of the platform `channel_code` runs on"
        ),
    ] = Transport.WEBHOOK
    url: Annotated[
        Words | None,
        Field(
            max_length=URL_CHARACTERS_MAX, examples=["https://shop.example.com/hooks"],
            description="of a webhook; the others have none",
        ),
    ] = None  # fmt: skip
    file_format: Annotated[
        Literal["json", "csv"] | None,
        Field(description="of files, json unless said; csv is of stock only"),
    ] = None
    topics: Annotated[
        list[Topic],
        Field(
            min_length=1, max_length=50, examples=[["order.*", STOCK_TOPIC]],
            description="types of events, `order.*` for all that begin so, or `stock.available`",
        ),
    ]  # fmt: skip
    channel_code: Annotated[
        Words | None,
        Field(
            description="whose endpoint it is: it sees of other channels' orders only what it"
            " may; left out: the retailer's own, which sees everything"
        ),
    ] = None
    channel_codes: Annotated[
        list[Words] | None,
        Field(min_length=1, max_length=100, description="told of these; left out: of every one"),
    ] = None
    description: Words | None = None
    batch_seconds: Annotated[
        float | None,
        Field(
            ge=0, le=3600,
            description="between two batches of stock, 1 unless said and 60 of files; what crosses"
            " to none or few goes at once",
        ),
    ] = None  # fmt: skip

    def draft(self) -> SubscriptionDraft:
        """Return it as a draft."""
        is_of_files = self.transport is Transport.FILE
        seconds = FILE_BATCH_SECONDS if is_of_files else BATCH_SECONDS
        codes = None if self.channel_codes is None else tuple(sorted(set(self.channel_codes)))
        return SubscriptionDraft(
            transport=self.transport, url=self.url, topics=tuple(sorted(set(self.topics))),
            channel_code=self.channel_code, channel_codes=codes, description=self.description,
            file_format="json" if is_of_files and self.file_format is None else self.file_format,
            batch_seconds=self.batch_seconds if self.batch_seconds is not None else seconds,
        )  # fmt: skip


class SubscriptionOut(Out):
    """A subscription, and how it goes."""

    subscription_id: int
    transport: Annotated[str, Field(description="webhook, file or platform")]
    url: str | None
    folder: Annotated[str | None, Field(description="of files, inside the outbox")]
    file_format: str | None
    description: str | None
    topics: list[str]
    channel_code: str | None
    channel_codes: list[str] | None
    batch_seconds: float
    state: Annotated[str, Field(description="enabled, paused or disabled")]
    state_reason: str | None
    created_by: str
    created_at: datetime
    updated_at: datetime
    failures_count: Annotated[int, Field(description="of the endpoint, one after another")]
    failing_since_at: datetime | None
    succeeded_at: datetime | None
    next_attempt_at: Annotated[datetime | None, Field(description="not before; null: at once")]
    pending_count: int
    parked_count: int

    @classmethod
    def of(cls, subscription: Subscription) -> Self:
        """Write a subscription."""
        values = values_of(subscription)
        return cls.model_validate({name: values[name] for name in cls.model_fields})


class SubscribedOut(SubscriptionOut):
    """A subscription that was just made, with its secret: it is shown this once."""

    secret: Annotated[
        str | None, Field(description="what messages are signed with; null when asked for again")
    ]


class SecretOut(Out):
    """A new secret: it is shown this once."""

    subscription_id: int
    secret: str | None
    former_until_at: Annotated[datetime, Field(description="until then both secrets sign")]


class RotatePost(Wire):
    """How long the former secret signs beside the new one."""

    overlap_hours: Annotated[float, Field(ge=0, le=168)] = 24.0


class DeliveriesQuery(Wire):
    """Which deliveries to list."""

    state: Literal["pending", "delivered", "parked", "superseded"] | None = None
    after: Annotated[int | None, Field(ge=1, le=2**62, description="`next_after` of a page")] = None
    limit: Limit = 50


class DeliveryOut(Out):
    """A message to a subscription, and what became of it."""

    delivery_id: int
    message_id: Annotated[str, Field(description="the `webhook-id`")]
    topic: str
    order_number: str | None
    sequence: int | None
    state: Annotated[
        str,
        Field(
            description="pending; delivered; parked: given up; superseded: of stock, and sent anew"
            " with the latest values"
        ),
    ]
    attempts_count: int
    created_at: datetime
    first_attempt_at: datetime | None
    next_attempt_at: datetime | None
    finished_at: datetime | None

    @classmethod
    def of(cls, delivery: Delivery) -> Self:
        """Write a delivery."""
        values = values_of(delivery)
        return cls.model_validate({name: values[name] for name in cls.model_fields})


class AttemptOut(Out):
    """One call of the endpoint."""

    number: int
    started_at: datetime
    ended_at: datetime | None
    duration_ms: int | None
    status_code: int | None
    error_kind: str | None


class DeliveryInFullOut(DeliveryOut):
    """A message with its body as sent, and every attempt to send it."""

    body: dict[str, Any]
    attempts: list[AttemptOut]

    @classmethod
    def of_all(cls, delivery: Delivery, body: bytes, attempts: list[Attempt]) -> Self:
        """Write a delivery with everything about it."""
        return cls(
            **DeliveryOut.of(delivery).model_dump(), body=json.loads(body),
            attempts=[AttemptOut.model_validate(values_of(each)) for each in attempts],
        )  # fmt: skip


def without_secret(body: str) -> str:
    """Return an answer as it may be kept: a secret that was shown once is gone."""
    values = json.loads(body)
    if "secret" in values:
        values["secret"] = None
    return json.dumps(values)
