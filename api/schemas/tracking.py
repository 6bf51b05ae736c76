"""What anybody may know of an order who has its number and address, or a link."""

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.common import Out, Words, values_of
from api.schemas.customers import WrittenOut
from oms.customers.model import TrackedParcel, Tracking
from oms.orders.model import FulfillmentMethod, FulfillmentState, OrderState
from oms.shipments.model import ParcelState


class TrackingQuery(BaseModel):
    """An order's number with the e-mail address it was placed with, or a link's text."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    number: Annotated[Words | None, Field(description="ours, or the one the shop gave")] = None
    email: Words | None = None
    link: Annotated[str | None, Field(max_length=100, pattern=r"^[A-Za-z0-9_-]+$")] = None


class StepOut(Out):
    """Something that happened to the order."""

    type: str
    occurred_at: datetime


class TrackedPointOut(Out):
    """The pick-up point a parcel is addressed to."""

    name: str | None
    street: str | None
    postcode: str | None
    city: str | None
    country_code: str | None
    opening_hours: dict[str, Any] | None


class TrackedParcelOut(Out):
    """A parcel of the order."""

    carrier: str
    tracking_number: str
    tracking_url: Annotated[str | None, Field(description="the carrier's page of it")]
    pickup_point: TrackedPointOut | None
    state: ParcelState
    eta_at: datetime | None
    collect_by: Annotated[datetime | None, Field(description="until when it is kept there")]
    updated_at: datetime

    @classmethod
    def of(cls, parcel: TrackedParcel) -> Self:
        """Write a parcel."""
        values = values_of(parcel)
        kept = values.pop("pickup_point")
        point = None
        if kept is not None:
            point = TrackedPointOut(
                **{name: kept.get(name) for name in TrackedPointOut.model_fields}
            )
        return cls(**values, pickup_point=point)


class TrackingOut(Out):
    """How an order is: states, dates, what we wrote for its customer."""

    order_state: OrderState
    fulfillment_state: FulfillmentState
    fulfillment_method: FulfillmentMethod
    placed_at: datetime
    updated_at: datetime
    steps: list[StepOut]
    parcels: list[TrackedParcelOut]
    notes: Annotated[list[WrittenOut], Field(description="what we wrote for the customer")]

    @classmethod
    def of(cls, tracking: Tracking) -> Self:
        """Write how an order is."""
        return cls(
            order_state=OrderState(tracking.order_state),
            fulfillment_state=FulfillmentState(tracking.fulfillment_state),
            fulfillment_method=FulfillmentMethod(tracking.fulfillment_method),
            placed_at=tracking.placed_at, updated_at=tracking.updated_at,
            steps=[StepOut(type=type_, occurred_at=at) for type_, at in tracking.steps],
            parcels=[TrackedParcelOut.of(each) for each in tracking.parcels],
            notes=[WrittenOut(**values_of(each)) for each in tracking.notes],
        )  # fmt: skip


class TrackingLinkOut(Out):
    """A link to how an order is, for its customer; whoever has it may look."""

    link: str
    path: str
    holds_until: datetime
