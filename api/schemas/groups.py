"""Delivery groups on the wire, and how far each is."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import Field

from api.schemas.common import Out, values_of
from oms.fulfillment.model import FulfillmentOrderState
from oms.orders.model import FulfillmentMethod, Group
from oms.workflows.milestones import Milestone


class MilestoneOut(Out):
    """A state all work of a delivery group is to reach."""

    name: FulfillmentOrderState
    at: Annotated[datetime | None, Field(description="when the last of it did; null: not yet")]


class GroupOut(Out):
    """A delivery group: the lines of an order that get to the customer in one way."""

    group_no: int
    method: FulfillmentMethod
    location_code: Annotated[str | None, Field(description="where it is collected")]
    ship_to: Annotated[dict[str, Any] | None, Field(description="null: as the order's")]
    pickup_point: Annotated[
        dict[str, Any] | None,
        Field(description="as it was when it was chosen; `checked_at`: when its carrier was asked"),
    ]
    milestones: Annotated[
        list[MilestoneOut], Field(description="on its way to the customer; empty: nobody's work")
    ]

    @classmethod
    def of(cls, group: Group, reached: Iterable[Milestone]) -> Self:
        """Write a delivery group with how far it is."""
        milestones = [MilestoneOut(**values_of(each)) for each in reached]
        return cls(**values_of(group), milestones=milestones)
