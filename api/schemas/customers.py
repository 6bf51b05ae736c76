"""Customers on the wire, and what they have bought."""

import base64
import json
from datetime import date, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import Field

from api.paging import Paging
from api.schemas.common import MoneyOut, Out, Wire, Words, values_of
from oms.adapters.channels.canonical.fields import Amount, Currency, Ref
from oms.customers.model import Basis, Customer, Erasure, Event, Identifier, Purchase, PurchaseLine
from oms.customers.model import returnable as returnable_on
from oms.notes.model import Kind
from oms.orders.cursors import BadCursor
from oms.orders.model import FulfillmentMethod, FulfillmentState, OrderState

Reason = Annotated[Words, Field(min_length=3, description="why; it is kept, so it names nobody")]


class CustomerQuery(Paging):
    """Which customers to list: whom words fit, or who has an account at a channel."""

    q: Annotated[
        Words | None,
        Field(description="an e-mail address, telephone number, card or account; words of a name"
              " or how they begin; the number of an order. Needs `customers:manage`."),
    ] = None  # fmt: skip
    channel: Annotated[Words | None, Field(description="with `ref`: the channel's code")] = None
    ref: Annotated[Words | None, Field(description="the channel's own id of the customer")] = None


class OrdersQuery(Paging):
    """Which of a customer's orders to list."""

    channels: Annotated[
        Words | None,
        Field(description="only these channels' orders, their codes by comma"),
    ] = None
    include_unverified: Annotated[
        bool,
        Field(description="those too that only say they are theirs; needs `customers:manage`"),
    ] = False

    def cursor(self) -> tuple[datetime, int] | None:
        """Return where the page begins; raises BadCursor."""
        if self.after is None:
            return None
        try:
            content = base64.urlsafe_b64decode(self.after + "=" * (-len(self.after) % 4))
            placed_at, order_id = json.loads(content)
            at = datetime.fromisoformat(placed_at)
            if at.tzinfo is None or not 0 <= int(order_id) < 1 << 63:
                raise BadCursor
            return at, int(order_id)
        except (ValueError, TypeError):
            raise BadCursor from None


def cursor_of(purchase: Purchase) -> str:
    """Write the cursor of the page behind a purchase."""
    content = json.dumps([purchase.placed_at.isoformat(), purchase.order_id])
    return base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")


class IdentifierPost(Wire):
    """Something a customer says they are known by."""

    kind: Literal["email", "phone", "loyalty", "channel_ref"]
    value: Ref
    channel_code: Annotated[Ref | None, Field(description="whose ref it is")] = None


class ReasonPost(Wire):
    """Why something is done."""

    reason: Reason


class MergePost(ReasonPost):
    """Who a customer is one person with."""

    into: Annotated[int, Field(strict=True, ge=1, le=2**62, description="who stands for both")]


class ErasePost(ReasonPost):
    """A customer to erase."""

    include_open: Annotated[
        bool, Field(strict=True, description="open orders too: nobody can be delivered to then")
    ] = False


class ClaimPost(Wire):
    """What a store's receipt says."""

    number: Ref
    placed_on: Annotated[date, Field(description="the date on it")]
    total: Amount
    currency: Currency


class IdentifierOut(Out):
    """Something a customer is known by."""

    identifier_id: int
    customer_id: Annotated[int, Field(description="who of them that were merged")]
    kind: str
    channel_code: str | None
    value: str
    is_verified: bool
    source: str
    first_seen_at: datetime


class EventOut(Out):
    """Something somebody did to a customer."""

    event_id: int
    customer_id: int
    type: str
    occurred_at: datetime
    actor: str
    reason: str | None
    data: dict[str, Any]


class CustomerOut(Out):
    """A customer with what they are known by."""

    customer_id: int
    state: Literal["active", "merged", "erased"]
    merged_into: int | None
    created_at: datetime
    name: Annotated[str | None, Field(description="as their newest order calls them")]
    orders_count: Annotated[int, Field(description="theirs, not those that only say so")]
    customer_ids: Annotated[list[int], Field(description="all who are one person with them")]
    identifiers: list[IdentifierOut]
    events: Annotated[list[EventOut], Field(description="for `customers:manage` on every channel")]

    @classmethod
    def of(
        cls, customer: Customer, *, customer_ids: tuple[int, ...], identifiers: list[Identifier],
        events: list[Event],
    ) -> Self:  # fmt: skip
        """Write a customer."""
        return cls(
            **values_of(customer), customer_ids=list(customer_ids),
            identifiers=[IdentifierOut(**values_of(each)) for each in identifiers],
            events=[EventOut(**values_of(each)) for each in events],
        )  # fmt: skip


class CustomerMovedOut(Out):
    """Who a customer is now. It names nobody, so that it may be kept for a repetition."""

    customer_id: int
    root_id: Annotated[int, Field(description="who stands for them")]
    customer_ids: list[int]


class IdentifierKnownOut(Out):
    """An identifier that is known now, without its value: likewise."""

    customer_id: int
    identifier_id: int
    is_verified: bool


class ClaimedOut(Out):
    """The order that is a customer's now."""

    customer_id: int
    order_number: str


class ErasedOut(Out):
    """What an erasure has removed so far."""

    erasure_id: int
    customer_id: int
    orders_count: int
    erased_at: datetime
    is_searching: Annotated[
        bool, Field(description="the inbox and the quarantine are being searched for the rest")
    ]

    @classmethod
    def of(cls, erasure: Erasure) -> Self:
        """Write an erasure."""
        values = values_of(erasure)
        return cls(**values, is_searching=values.pop("finished_at") is None)


class PurchaseLineOut(Out):
    """A line of a purchase, and what of it may come back until when."""

    line_no: int
    sku: str
    title: str
    quantity: int
    canceled: int
    shipped: int
    returned: int
    returnable: Annotated[int, Field(description="shipped and not returned, while it may be")]
    returnable_until: Annotated[date | None, Field(description="the last day, once shipped")]
    total: MoneyOut

    @classmethod
    def of(cls, line: PurchaseLine, currency: str, *, today: date) -> Self:
        """Write a line as it is on a day."""
        values = values_of(line) | {"returnable": returnable_on(line, today=today)}
        return cls(**values, total=MoneyOut.of(values.pop("total_minor"), currency))


class WrittenOut(Out):
    """A note for the customer; it names nobody who wrote it."""

    kind: Kind
    body: str
    written_at: datetime


class PurchaseOut(Out):
    """An order as its customer sees it; it names nobody."""

    order_number: str
    external_number: str | None
    channel_code: str
    location_code: str | None
    location_name: Annotated[str | None, Field(description="the store it was bought in")]
    placed_at: datetime
    placed_on: date
    order_state: OrderState
    fulfillment_state: FulfillmentState
    fulfillment_method: FulfillmentMethod
    total: MoneyOut
    lines: list[PurchaseLineOut]

    @classmethod
    def values(cls, purchase: Purchase, *, today: date) -> dict[str, Any]:
        """Return what is told of a purchase, by field."""
        told = {name: getattr(purchase, name) for name in PurchaseOut.model_fields
                if name not in {"total", "lines"}}  # fmt: skip
        told["total"] = MoneyOut.of(purchase.total_minor, purchase.currency)
        told["lines"] = [
            PurchaseLineOut.of(line, purchase.currency, today=today) for line in purchase.lines
        ]
        return told


class TheirOrderOut(PurchaseOut):
    """An order of a customer, and why it is theirs."""

    basis: Basis
    notes: list[WrittenOut]

    @classmethod
    def of(cls, purchase: Purchase, *, today: date) -> Self:
        """Write an order as it is on a day."""
        return cls(
            **cls.values(purchase, today=today), basis=Basis(purchase.basis or Basis.UNVERIFIED),
            notes=[WrittenOut(**values_of(each)) for each in purchase.notes],
        )  # fmt: skip
