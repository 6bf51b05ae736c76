"""Reservations on the wire: what a store is shown of them, and what a till sends."""

from collections import Counter
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field

from api.schemas.common import Out, Wire, Words, values_of
from api.schemas.lookup import CustomerHintOut, KnownQuery
from api.schemas.orders import OrderPost
from oms.channels.model import Channel
from oms.customers.model import Purchase
from oms.kernel.limits import RESERVE_DAYS_MAX
from oms.reservations.model import Reservation, ReservationState
from oms.workflows.tills import Receipt


class ReservationsQuery(KnownQuery):
    """Which reservations of a store to list; all that is given must fit."""

    location: Annotated[Words, Field(description="the store's code")]
    code: Annotated[Words | None, Field(description="what the customer shows")] = None


class ConvertPost(Wire):
    """A receipt that has goods of a reservation, carried out of its store."""

    receipt: Annotated[
        OrderPost, Field(description="the sale, as an order of the till's channel: `carry_out`")
    ]
    code: Annotated[
        Words | None, Field(description="what the customer shows; checked where it is given")
    ] = None
    rest: Annotated[
        Literal["release", "keep"],
        Field(description="what becomes of that which is not on the receipt"),
    ] = "release"

    def sale(self, channel: Channel) -> Receipt:
        """Return what was sold, as a document of the till's channel."""
        body, quantities = self.receipt, Counter[str]()
        for line in body.lines:
            quantities[line.sku] += line.quantity
        return Receipt(
            channel=channel, number=body.external_ref, location_code=body.location_code,
            quantities=quantities, drafts=body.drafts(is_gross=channel.prices_include_tax),
            is_carried=body.fulfillment_method == "carry_out"
            and not (body.groups or body.is_test or body.is_historical or body.canceled_at),
        )  # fmt: skip


class ExtendPost(Wire):
    """For how many of its store's opening days from now a reservation shall be kept."""

    days: Annotated[int, Field(strict=True, ge=1, le=RESERVE_DAYS_MAX)]


class ReservationLineOut(Out):
    """What is still kept of a line."""

    line_no: int
    sku: str
    title: str
    open: int


class SaleOut(Out):
    """A receipt that units of a reservation were sold by, and the order it is."""

    order_number: str
    channel_code: str
    receipt: str
    quantities: Annotated[dict[str, int], Field(description="by SKU")]
    sold_at: datetime


class ReservationOut(Out):
    """Something reserved to be paid in a store, as the store is shown it."""

    order_number: str
    fulfillment_number: str
    channel_code: str
    location_code: str
    state: ReservationState
    reserved_at: datetime
    expires_at: Annotated[datetime | None, Field(description="null: until it has come")]
    customer: CustomerHintOut | None
    lines: list[ReservationLineOut]
    sales: list[SaleOut]

    @classmethod
    def of(cls, reservation: Reservation, purchase: Purchase | None, *, at: datetime) -> Self:
        """Write a reservation as it is at a moment."""
        work = reservation.work
        return cls(
            order_number=work.order_number, fulfillment_number=work.fulfillment_number,
            channel_code=work.channel_code, location_code=work.location_code,
            state=reservation.state(at), reserved_at=work.created_at, expires_at=work.collect_by,
            customer=None if purchase is None else CustomerHintOut.of(purchase),
            lines=[
                ReservationLineOut(
                    line_no=line.line_no, sku=line.sku, title=line.title, open=line.open
                )
                for line in work.lines
            ],
            sales=[
                SaleOut(**{name: value for name, value in values_of(sale).items()
                           if name != "order_id"})
                for sale in reservation.sales
            ],
        )  # fmt: skip
