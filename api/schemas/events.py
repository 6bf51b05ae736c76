"""Events of orders on the wire, as they are sent to subscribers, too."""

from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import Field

from api.paging import Limit
from api.schemas.common import MoneyOut, Out, Wire, Words

_IN_WORDS: Final = "in the words of the channel that listens, where it has some of its own"


class EventsQuery(Wire):
    """From where to go on reading events, and of which channel."""

    after: Annotated[
        str | None,
        Field(
            max_length=200, pattern=r"^[A-Za-z0-9_-]+$",
            description="`next_after` of the last answer; left out: from the very first event",
        ),
    ] = None  # fmt: skip
    limit: Limit = 100
    channel: Annotated[Words | None, Field(description="only of this channel's orders")] = None


class StreamQuery(Wire):
    """From where to go on hearing of events, and of which channel."""

    after: Annotated[
        str | None,
        Field(
            max_length=200, pattern=r"^[A-Za-z0-9_-]+$",
            description="a cursor of `/v1/events`, or `now`; left out: from the very first event."
            " The header `Last-Event-ID` goes before it",
        ),
    ] = None  # fmt: skip
    channel: Annotated[Words | None, Field(description="only of this channel's orders")] = None


class EventLineOut(Out):
    """A line of an order, as it is now."""

    line_no: int
    line_ref: str
    sku: str
    title: str
    quantity: int
    canceled: int
    shipped: int
    returned: int
    backordered: int
    net: MoneyOut
    tax: MoneyOut


class EventOrderOut(Out):
    """An order as it is now: later events of it may be in it already, as its `version` tells.

    What names or reaches the customer is left out for those who may not see it.
    """

    order_number: str
    channel_code: str
    external_ref: str
    external_number: str | None
    order_state: Annotated[str, Field(description=_IN_WORDS)]
    fulfillment_state: Annotated[str, Field(description=_IN_WORDS)]
    payment_state: Annotated[str, Field(description=_IN_WORDS)]
    fulfillment_method: str
    location_code: str | None
    placed_at: datetime
    updated_at: datetime
    currency: str
    total: MoneyOut
    country_code: str | None
    is_test: bool
    version: int
    customer_ref: str | None = None
    customer_name: str | None = None
    customer_email: str | None = None
    customer_phone: str | None = None
    ship_to: dict[str, Any] | None = None
    bill_to: dict[str, Any] | None = None
    lines: list[EventLineOut]


class EventDataOut(Out):
    """What happened, and the order it happened to."""

    change: Annotated[dict[str, Any] | None, Field(description="what is known of this step")]
    order: EventOrderOut


class EventOut(Out):
    """One step of an order's story."""

    event_id: Annotated[str, Field(description="the same for ever, and the `webhook-id`")]
    type: Annotated[str, Field(examples=["order.captured"])]
    order_number: str
    channel_code: str
    sequence: Annotated[int, Field(description="1, 2, 3 … within an order, without gaps")]
    occurred_at: datetime
    recorded_at: datetime
    data: EventDataOut


class EventsOut(Out):
    """Events in the order of the journal; those of an order in their sequence."""

    items: list[EventOut]
    next_after: Annotated[str, Field(description="ask with this next time, now or later")]
    has_more: Annotated[bool, Field(description="more wait, even behind an empty page")]
