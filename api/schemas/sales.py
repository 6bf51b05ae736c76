"""Live sales on the wire."""

from datetime import date, datetime
from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from api.schemas.common import MoneyOut, Out, Wire, Words


class SalesQuery(Wire):
    """Which period, in each channel's calendar; left out: its today."""

    from_on: Annotated[date | None, Field(description="first day")] = None
    to_on: Annotated[date | None, Field(description="last day")] = None
    channel: Annotated[Words | None, Field(description="a channel's code")] = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.from_on and self.to_on and self.from_on > self.to_on:
            raise PydanticCustomError("period", "the period ends before it begins")
        return self


class TotalsOut(Out):
    """What was sold, without tax and shipping; cancellations and returns are taken off."""

    orders_count: Annotated[int, Field(description="orders placed")]
    units: int
    net: MoneyOut


class ChannelSalesOut(Out):
    """The sales of a channel in one currency."""

    channel_code: str
    currency: str
    today_on: Annotated[date, Field(description="today in the channel's time zone")]
    today: TotalsOut
    period: TotalsOut


class PublicationOut(Out):
    """The publication the totals stand on; what came later is added from the ledger."""

    version: int
    watermark: int
    published_at: datetime
    age_seconds: float


class SalesOut(Out):
    """Sales as they are at this moment. Amounts of two currencies are never added."""

    as_of: datetime
    from_on: date | None
    to_on: date | None
    publication: Annotated[
        PublicationOut | None, Field(description="null: nothing is published yet")
    ]
    items: list[ChannelSalesOut]
