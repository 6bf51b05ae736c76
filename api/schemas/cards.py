"""An order in brief, for the side of another screen, on the wire."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Final, Self

from pydantic import Field

from api.schemas.cases import CaseOut
from api.schemas.common import MoneyOut, Out
from oms.cases.model import Case
from oms.orders.model import FulfillmentMethod, FulfillmentState, Line, OrderState
from oms.payments.model import OrderPaymentState
from oms.shipments.model import Parcel, ParcelState
from oms.workflows.actions import Situation, verdicts

LINES_SHOWN_MAX: Final = 10
PARCELS_SHOWN_MAX: Final = 10


class CardLineOut(Out):
    """A line, and how much of it is where."""

    line_no: int
    sku: str
    title: str
    quantity: int
    canceled: int
    shipped: int
    returned: int
    backordered: int

    @classmethod
    def of(cls, line: Line) -> Self:
        """Write a line."""
        return cls(**{name: getattr(line, name) for name in cls.model_fields})


class CardParcelOut(Out):
    """A parcel, and where its customer follows it."""

    parcel_number: str
    carrier: str
    tracking_number: str
    tracking_url: str | None
    state: ParcelState
    eta_at: datetime | None

    @classmethod
    def of(cls, parcel: Parcel) -> Self:
        """Write a parcel."""
        return cls(**{name: getattr(parcel, name) for name in cls.model_fields})


class CardOut(Out):
    """An order in brief: what an agent asks first, and where the rest is."""

    order_number: str
    channel_code: str
    external_number: str | None
    placed_at: datetime
    order_state: OrderState
    fulfillment_state: FulfillmentState
    fulfillment_method: FulfillmentMethod
    payment_state: OrderPaymentState
    total: MoneyOut
    customer_name: str | None
    customer_email: str | None
    is_test: bool
    tags: list[str]
    holds: Annotated[list[str], Field(description="the types of those that nobody has released")]
    exceptions: Annotated[list[str], Field(description="the codes of those that are open")]
    units_count: Annotated[int, Field(description="ordered, less what was canceled")]
    lines_count: int
    lines: Annotated[list[CardLineOut], Field(description=f"the first {LINES_SHOWN_MAX}")]
    parcels: Annotated[list[CardParcelOut], Field(description=f"the newest {PARCELS_SHOWN_MAX}")]
    cases: Annotated[list[CaseOut], Field(description="for who reads internal notes")]
    allowed_actions: Annotated[
        list[str], Field(description="what the caller may do with it or a part of it now")
    ]
    version: Annotated[int, Field(description="what `If-Match` is to say")]
    console_url: Annotated[str, Field(description="the order in the console")]

    @classmethod
    def of(
        cls, now: Situation, scopes: frozenset[str], *, payment_state: OrderPaymentState,
        parcels: Iterable[Parcel], cases: Iterable[Case], console_url: str,
    ) -> Self:  # fmt: skip
        """Write an order in brief, for a caller who has these scopes."""
        order, summary = now.order, now.order.summary
        newest = sorted(parcels, key=lambda each: each.parcel_id, reverse=True)
        values = {
            name: getattr(summary, name) for name in cls.model_fields if hasattr(summary, name)
        }
        return cls(
            **values, payment_state=payment_state, console_url=console_url,
            total=MoneyOut.of(summary.total_minor, summary.currency),
            holds=[each.type for each in now.holds if each.is_active],
            exceptions=[each.code for each in order.exceptions if each.resolved_at is None],
            units_count=sum(line.quantity - line.canceled for line in order.lines),
            lines_count=len(order.lines),
            lines=[CardLineOut.of(line) for line in order.lines[:LINES_SHOWN_MAX]],
            parcels=[CardParcelOut.of(each) for each in newest[:PARCELS_SHOWN_MAX]],
            cases=[CaseOut.of(each) for each in cases if "notes:internal" in scopes],
            allowed_actions=sorted({
                each.action for each in verdicts(now, scopes) if each.is_allowed
            }),
        )  # fmt: skip
