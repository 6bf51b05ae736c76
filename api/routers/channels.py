"""Channels, and the inbox they push to: what comes in is kept first and processed later."""

import re
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Header, Path, Query, Request

from api.dependencies import Now, Snapshot, System, Tx
from api.problems import BadRequest
from api.routes import LedgerRoute, limited_to
from api.schemas.channels import ChannelOut, PayloadOut, ReceivedOut
from api.schemas.common import Words
from api.security import ChannelsRead, InboxWrite, InboxWriteOrSigned
from oms import bootstrap
from oms.access.model import Caller, NotAuthenticated
from oms.adapters.channels import shopify
from oms.billing import queries as billing
from oms.channels import queries
from oms.channels.model import Channel, UnknownChannel
from oms.kernel.errors import NotFound, Rejected
from oms.kernel.limits import INBOX_BODY_BYTES_MAX
from oms.workflows import ingest

router: Final = APIRouter(prefix="/v1", tags=["channels"], route_class=LedgerRoute)

# Who sends a message under an id sends it again under the same: by these names.
MESSAGE_ID: Final = re.compile(r"[\x20-\x7e]{1,200}")
MESSAGE_IDS: Final = ("x-message-id", "webhook-id", "x-shopify-webhook-id", "idempotency-key")


PUSHED: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {kind: {} for kind in ("application/json", "application/x-ndjson", "text/csv")},
    }
}


class PayloadNotFound(NotFound):
    """There is no such payload in the inbox."""


class UnknownTopic(Rejected):
    """The channel sends nothing called that; GET /v1/channels names its topics."""

    code = "UNKNOWN_TOPIC"


class MessageIdInvalid(BadRequest):
    """A message id has 1 to 200 printable ASCII characters."""

    code = "MESSAGE_ID_INVALID"


async def _body(request: Request) -> bytes:
    return await request.body()


async def _message_id(request: Request) -> str | None:
    given = next((request.headers[name] for name in MESSAGE_IDS if name in request.headers), None)
    if given is not None and not MESSAGE_ID.fullmatch(given):
        raise MessageIdInvalid
    return given


@dataclass(frozen=True, slots=True)
class Delivery:
    """A payload on its way into the inbox of a channel."""

    code: str
    body: Annotated[bytes, Depends(_body)]
    message_id: Annotated[str | None, Depends(_message_id)]
    content_type: Annotated[
        str, Header(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$", include_in_schema=False)
    ] = "application/octet-stream"
    topic: Annotated[Words | None, Query(description="what is inside, e.g. orders")] = None
    x_topic: Annotated[Words | None, Header()] = None
    x_shopify_topic: Annotated[Words | None, Header()] = None
    x_shopify_hmac_sha256: Annotated[str | None, Header()] = None

    def channel(self, tx: Tx, caller: Caller | None) -> Channel:
        """Return the channel, when its sender has proved to be it.

        Raises UnknownChannel, and NotAuthenticated where a signature is missing or wrong.
        """
        try:
            channel = queries.channel(tx, self.code)
        except UnknownChannel:
            channel = None
        if channel is not None and channel.adapter == "shopify":
            secret = str(channel.adapter_options.get("secret", ""))
            if not shopify.verify(self.body, self.x_shopify_hmac_sha256, secret):
                raise NotAuthenticated
        elif caller is None:
            # A signature opens only the channels that have one, and tells of no others.
            raise NotAuthenticated
        if channel is None or (caller is not None and not caller.may_see(channel.code)):
            raise UnknownChannel
        return channel

    def known_topic(self, channel: Channel, system: bootstrap.System) -> str:
        """Return what is inside; raises UnknownTopic for what the channel does not send."""
        topic = self.x_shopify_topic if channel.adapter == "shopify" else None
        topic = topic or self.topic or self.x_topic
        if topic is None or topic not in system.mapping_of(channel).topics:
            raise UnknownTopic
        return topic


@router.get("/channels")
def list_channels(caller: ChannelsRead, tx: Snapshot, system: System) -> list[ChannelOut]:
    """List the channels the caller may know of."""
    policies = billing.policies(tx)
    return [
        ChannelOut.of(channel, system.mapping_of(channel).topics, policies.get(channel.code))
        for channel in queries.channels(tx)
        if caller.may_see(channel.code)
    ]


@router.post("/channels/{code}/inbox", status_code=202, openapi_extra=PUSHED)
@limited_to(INBOX_BODY_BYTES_MAX)
def push_payload(
    caller: InboxWriteOrSigned,
    delivery: Annotated[Delivery, Depends()],
    tx: Tx,
    now: Now,
    system: System,
) -> ReceivedOut:
    """Take a payload into a channel's inbox; the worker processes it in its time.

    The same message id, or without one the same content, is taken once. A Shopify channel's
    webhooks come with their signature instead of a key.
    """
    channel = delivery.channel(tx, caller)
    received = ingest.receive_body(
        system.intake, tx, delivery.body, channel=channel, transport="push",
        topic=delivery.known_topic(channel, system), content_type=delivery.content_type,
        message_id=delivery.message_id, at=now,
    )  # fmt: skip
    return ReceivedOut.of(received)


@router.get("/inbox/{inbox_id}")
def get_payload(
    inbox_id: Annotated[int, Path(ge=1, le=2**62)], caller: InboxWrite, tx: Snapshot
) -> PayloadOut:
    """Return how far a payload of the inbox is, and what became of its documents."""
    payload = queries.payload(tx, inbox_id)
    if payload is None or not caller.may_see(payload.channel_code):
        raise PayloadNotFound
    return PayloadOut.of(payload)
