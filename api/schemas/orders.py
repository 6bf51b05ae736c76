"""Orders on the wire."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Annotated, Any, Final, Literal, Self

from pydantic import ConfigDict, Field

from api.schemas.cases import CaseOut
from api.schemas.common import MoneyOut, Out, values_of
from api.schemas.documents import IssuedOut
from api.schemas.fulfillments import FulfillmentOut
from api.schemas.groups import GroupOut
from api.schemas.holds import HoldOut, VerdictOut
from api.schemas.notes import NoteOut
from api.schemas.parcels import ParcelOut
from api.schemas.payments import PaymentsOut
from api.schemas.refunds import RefundOut
from api.schemas.returns import ReturnOut
from api.schemas.transfers import TransferOut
from oms.adapters.channels.canonical.fields import Ref
from oms.adapters.channels.canonical.rows import order_rows
from oms.adapters.channels.canonical.schema import OrderIn
from oms.billing.model import Document
from oms.cases.model import Case
from oms.events.model import event_id
from oms.exchanges.model import Exchange
from oms.notes.model import Note
from oms.orders.history import Step, steps
from oms.orders.model import (
    GROUP_DRAFT,
    Change,
    FulfillmentMethod,
    FulfillmentState,
    Line,
    Order,
    OrderState,
)
from oms.orders.model import Summary as OrderSummary
from oms.refunds.model import Refund
from oms.returns.model import Return
from oms.shipments.model import Parcel
from oms.transfers.model import Transfer
from oms.workflows.actions import Situation, verdicts
from oms.workflows.documents import csv_rows
from oms.workflows.milestones import milestones

EXAMPLE: Final[dict[str, Any]] = {
    "channel_code": "web", "external_ref": "W-1001", "external_number": "1001", "version": 1,
    "placed_at": "2026-03-01T09:30:00+01:00", "currency": "EUR", "prices_include_tax": True,
    "fulfillment_method": "ship_home", "customer_name": "Jo Doe",
    "customer_email": "jo@example.com",
    "ship_to": {"name": "Jo Doe", "street": "Laan 1", "postcode": "1011 AB",
                "city": "Amsterdam", "country_code": "NL"},
    "shipping_net": "4.09", "shipping_tax": "0.86", "total": "59.85",
    "lines": [{"line_ref": "1", "sku": "MUG-BLUE", "quantity": 2, "unit_price": "29.95",
               "discount": "5.00", "total": "54.90", "tax": "9.53"}],
}  # fmt: skip


_POINT_COLUMN: Final = GROUP_DRAFT.index("pickup_point")


class OrderPost(OrderIn):
    """An order as it is now, in our own format."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    channel_code: Annotated[
        Ref | None, Field(description="may be left out by a key that is bound to one channel")
    ] = None
    allow_backorder: Annotated[
        bool,
        Field(strict=True, description="take the order even when not everything can be supplied"),
    ] = False
    hold_ref: Annotated[
        Ref | None, Field(description="a hold of stock, whose units become the order's")
    ] = None

    def drafts(
        self, *, is_gross: bool, points: Mapping[int, Mapping[str, Any]] | None = None
    ) -> dict[str, bytes]:
        """Return the order as drafts; `is_gross` is what the channel's prices are.

        `points` has what carriers say of the pick-up points of groups, by their place in the list.
        """
        content = self.model_dump_json(exclude={"channel_code", "allow_backorder", "hold_ref"})
        digest = hashlib.sha256(content.encode()).hexdigest()
        tables = order_rows(self, 1, digest, is_gross=is_gross)
        for index, point in (points or {}).items():
            tables["groups"][index][_POINT_COLUMN] = json.dumps(point)
        return {name: csv_rows(rows) for name, rows in tables.items() if rows}


class LineOut(Out):
    """A line of an order: what was sold, and how much of it is where."""

    line_no: int
    line_ref: str
    sku: str
    title: str
    product_type: str | None
    quantity: int
    canceled: int
    shipped: int
    returned: int
    allocated: int
    backordered: int
    unit_price: MoneyOut | None
    list_price: MoneyOut
    discount: MoneyOut
    net: MoneyOut
    tax: MoneyOut
    group_no: Annotated[int, Field(description="its delivery group")]

    @classmethod
    def of(cls, line: Line, currency: str) -> Self:
        """Write a line."""
        values: dict[str, Any] = values_of(line)
        minors: dict[str, Any] = {
            name: MoneyOut.of_known(values.pop(f"{column}_minor"), currency)
            for name, column in (
                ("unit_price", "unit_price"), ("list_price", "list"), ("discount", "discount"),
                ("net", "net"), ("tax", "tax"),
            )
        }  # fmt: skip
        return cls(**values, **minors)


class ChangeOut(Out):
    """What happened to a line, in signed quantity and money."""

    line_no: int
    kind: str
    change_ref: str
    quantity: int
    net: MoneyOut
    tax: MoneyOut
    occurred_at: datetime
    location_code: str | None
    reason: str | None

    @classmethod
    def of(cls, change: Change, currency: str) -> Self:
        """Write a change."""
        values = values_of(change)
        net, tax = values.pop("net_minor"), values.pop("tax_minor")
        return cls(**values, net=MoneyOut.of(net, currency), tax=MoneyOut.of(tax, currency))


class EventOut(Out):
    """One step of an order's story: what happened to what, who did it, and what it was for."""

    event_id: str
    seq: int
    type: str
    entity: Annotated[
        str, Field(description="order, fulfillment, parcel, transfer, return, hold or note")
    ]
    entity_id: Annotated[str | None, Field(description="its number; null: the order itself")]
    from_state: Annotated[str | None, Field(description="null: it was not there, or has no states")]
    to_state: str | None
    order_state: Annotated[OrderState, Field(description="of the order, after this step")]
    fulfillment_state: FulfillmentState
    occurred_at: datetime
    recorded_at: datetime
    actor_type: str
    actor: str
    reason: str | None
    data: Annotated[
        dict[str, Any] | None, Field(description="what changed: lines, quantities, backorders")
    ]
    correlation_id: Annotated[
        str,
        Field(description="a request's `X-Request-Id`, `inbox-` and the payload, or `tx-` and the"
              " transaction of a worker"),
    ]  # fmt: skip
    causation_id: Annotated[
        str | None, Field(description="the event_id of the step the same command began with")
    ]

    @classmethod
    def of(cls, step: Step, number: str) -> Self:
        """Write a step of the story of an order."""
        event, cause = step.event, step.caused_by_seq
        values = {name: getattr(event, name) for name in cls.model_fields if hasattr(event, name)}
        values |= {name: getattr(step, name) for name in cls.model_fields if hasattr(step, name)}
        return cls(
            **values | {
                "event_id": event_id(number, event.seq),
                "reason": (event.data or {}).get("reason"),
                "correlation_id": event.correlation_id or f"tx-{event.transaction_id}",
                "causation_id": None if cause is None else event_id(number, cause),
            }
        )  # fmt: skip


class ExceptionOut(Out):
    """Something about an order that a person should look at."""

    code: str
    detail: dict[str, Any]
    opened_at: datetime
    resolved_at: datetime | None


class SummaryOut(Out):
    """An order as a list shows it."""

    order_number: str
    channel_code: str
    external_ref: str
    external_number: str | None
    order_state: OrderState
    fulfillment_state: FulfillmentState
    fulfillment_method: FulfillmentMethod
    location_code: str | None
    placed_at: datetime
    placed_on: Annotated[date, Field(description="in the channel's time zone")]
    updated_at: datetime
    state_since: Annotated[
        datetime, Field(description="when either of its states last changed, or it was placed")
    ]
    total: Annotated[MoneyOut, Field(description="items and shipping, with tax")]
    customer_name: str | None
    customer_email: str | None
    country_code: str | None
    has_exception: bool
    is_on_hold: bool
    is_test: bool
    is_historical: bool
    tags: list[str]
    promised_at: Annotated[
        datetime | None,
        Field(
            description=(
                "when the first of it is to be ready to leave, by the rules that planned it; null:"
                " none did"
            )
        ),
    ]
    version: int

    @classmethod
    def of(cls, summary: OrderSummary) -> Self:
        """Write an order as a list shows it."""
        return cls(**_header(summary))


class ExchangeOut(Out):
    """A return and the order of what is sent instead, for the order it is of."""

    return_number: str
    original_number: str
    order_number: str
    order_type: str
    order_state: str

    @classmethod
    def of(cls, exchange: Exchange) -> Self:
        """Write an exchange."""
        return cls(**{name: getattr(exchange, name) for name in cls.model_fields})


class OrderOut(SummaryOut):
    """An order with everything about it."""

    customer_ref: str | None
    customer_phone: str | None
    ship_to: dict[str, Any] | None
    bill_to: dict[str, Any] | None
    prices_include_tax: bool
    items_net: MoneyOut
    items_tax: MoneyOut
    shipping_net: MoneyOut
    shipping_tax: MoneyOut
    stated_total: Annotated[MoneyOut | None, Field(description="what the channel said it was")]
    lines: list[LineOut]
    groups: list[GroupOut]
    fulfillments: list[FulfillmentOut]
    parcels: list[ParcelOut]
    transfers: list[TransferOut]
    returns: list[ReturnOut]
    exchange_of: Annotated[ExchangeOut | None, Field(description="the return it was made of")]
    exchanges: Annotated[
        list[ExchangeOut], Field(description="the orders its returns were exchanged for")
    ]
    cancelable: Annotated[
        dict[int, int], Field(description="how much of each line may be canceled, by line_no")
    ]
    changes: list[ChangeOut]
    events: list[EventOut]
    notes: list[NoteOut]
    cases: Annotated[
        list[CaseOut], Field(description="of customer service, for who reads internal notes")
    ]
    exceptions: list[ExceptionOut]
    holds: list[HoldOut]
    payments: PaymentsOut
    refunds: Annotated[
        list[RefundOut] | None, Field(description="null: the caller may not read refunds")
    ]
    documents: Annotated[
        list[IssuedOut] | None, Field(description="null: the caller may not read documents")
    ]
    allowed_actions: Annotated[
        list[VerdictOut],
        Field(description="every command: whether the caller may give it now, and why not else"),
    ]

    @classmethod
    def of_all(
        cls, now: Situation, scopes: frozenset[str], parcels: Iterable[Parcel],
        transfers: Iterable[Transfer], *, notes: Iterable[Note], payments: PaymentsOut,
        returns: Iterable[Return], refunds: Iterable[Refund], documents: Iterable[Document],
        cases: Iterable[Case], exchange_of: Exchange | None, exchanges: Iterable[Exchange],
    ) -> Self:  # fmt: skip
        """Write an order with everything about it, for a caller who has these scopes."""
        order = now.order
        currency = order.summary.currency
        story = list(steps(order.events))
        reached = milestones(now.fulfillments, story)
        return cls(
            **_header(order.summary), customer_ref=order.customer_ref,
            customer_phone=order.customer_phone, ship_to=order.ship_to, bill_to=order.bill_to,
            prices_include_tax=order.prices_include_tax,
            items_net=MoneyOut.of(order.items_net_minor, currency),
            items_tax=MoneyOut.of(order.items_tax_minor, currency),
            shipping_net=MoneyOut.of(order.shipping_net_minor, currency),
            shipping_tax=MoneyOut.of(order.shipping_tax_minor, currency),
            stated_total=MoneyOut.of_known(order.stated_total_minor, currency),
            lines=[LineOut.of(line, currency) for line in order.lines],
            fulfillments=[FulfillmentOut.of(each) for each in now.fulfillments],
            parcels=[ParcelOut.of(each) for each in parcels],
            transfers=[TransferOut.of(each) for each in transfers],
            returns=[ReturnOut.of(each) for each in returns], cancelable=now.cancelable(),
            exchange_of=None if exchange_of is None else ExchangeOut.of(exchange_of),
            exchanges=[ExchangeOut.of(each) for each in exchanges],
            groups=[
                GroupOut.of(group, reached.get(group.group_no, ())) for group in order.groups
            ],
            changes=[ChangeOut.of(change, currency) for change in order.changes],
            events=[
                EventOut.of(step, order.summary.order_number) for step in story
            ],
            notes=NoteOut.of_all(notes, scopes),
            cases=[CaseOut.of(each) for each in cases if "notes:internal" in scopes],
            exceptions=[ExceptionOut(**values_of(each)) for each in order.exceptions],
            holds=[HoldOut.of(each) for each in now.holds], payments=payments,
            refunds=[RefundOut.of(each) for each in refunds]
            if "refunds:read" in scopes else None,
            documents=[IssuedOut.of(each) for each in documents]
            if "documents:read" in scopes else None,
            allowed_actions=[VerdictOut.of(each) for each in verdicts(now, scopes)],
        )  # fmt: skip


class ReceiptOut(Out):
    """What became of a posted order. It names nobody, so that it may be kept for a repetition."""

    outcome: Literal["captured", "updated", "duplicate"]
    order_number: str
    channel_code: str
    external_ref: str
    order_state: OrderState
    fulfillment_state: FulfillmentState
    placed_at: datetime
    total: MoneyOut
    has_exception: bool
    version: int
    lines: list[LineOut]
    exceptions: list[ExceptionOut]

    @classmethod
    def of(cls, order: Order, outcome: str) -> Self:
        """Write the receipt of an order."""
        header = _header(order.summary)
        return cls.model_validate(
            {name: header[name] for name in cls.model_fields if name in header}
            | {
                "outcome": outcome,
                "lines": [LineOut.of(line, order.summary.currency) for line in order.lines],
                "exceptions": [ExceptionOut(**values_of(each)) for each in order.exceptions],
            }
        )


def _header(summary: OrderSummary) -> dict[str, Any]:
    values = values_of(summary)
    del values["order_id"]
    values["total"] = MoneyOut.of(values.pop("total_minor"), values.pop("currency"))
    return values
