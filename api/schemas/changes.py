"""Change orders on the wire."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field

from api.schemas.common import MoneyOut, Out, Wire, Words, once
from api.schemas.orders import LineOut
from oms.adapters.channels.canonical.fields import Amount, Quantity, Ref
from oms.adapters.channels.canonical.schema import AddressIn
from oms.change_orders.model import Addition, ChangeOrder, ChangeState, Difference, Edit, Outcome
from oms.kernel.limits import ORDER_LINES_MAX, QUANTITY_MAX
from oms.workflows.editing import Edited

Number = Annotated[int, Field(strict=True, ge=1, le=ORDER_LINES_MAX)]
UnitPrice = Annotated[
    Amount | None,
    Field(description="of a unit, in the order's currency and with tax where its prices have it"),
]
Tax = Annotated[Amount | None, Field(description="on, or in, all units; left out: as on its like")]


class LineChangeIn(Wire):
    """How many units a line shall have of what was not canceled, and what each shall cost."""

    line_no: Number
    quantity: Annotated[
        int | None, Field(strict=True, ge=0, le=QUANTITY_MAX, description="none takes it away")
    ] = None
    unit_price: UnitPrice = None


class AddIn(Wire):
    """An article to add; without a price at what its channel asked for it last."""

    sku: Ref
    quantity: Quantity = 1
    unit_price: UnitPrice = None
    tax: Tax = None
    group_no: Annotated[Number, Field(description="the delivery group it goes with")] = 1


class ReplaceIn(Wire):
    """An article to have in place of units of a line; without a quantity of all that can be."""

    line_no: Number
    sku: Ref
    quantity: Quantity | None = None
    unit_price: UnitPrice = None
    tax: Tax = None


class PointChoiceIn(Wire):
    """A pick-up point, by its carrier and the carrier's id of it."""

    provider: Ref
    point_id: Ref


class ChangesPost(Wire):
    """What an order shall be: what is left out stays."""

    reason: Words
    lines: Annotated[
        list[LineChangeIn], Field(default_factory=list, max_length=ORDER_LINES_MAX), once("line_no")
    ]
    add: Annotated[list[AddIn], Field(default_factory=list, max_length=ORDER_LINES_MAX)]
    replace: Annotated[list[ReplaceIn], Field(default_factory=list, max_length=ORDER_LINES_MAX)]
    group_no: Annotated[
        Number, Field(description="the delivery group the address, point, method and place are of")
    ] = 1
    ship_to: AddressIn | None = None
    pickup_point: Annotated[
        PointChoiceIn | None, Field(description="for a group that goes to one, or shall go to one")
    ] = None
    method: Annotated[
        Literal["ship_home", "collect_store", "pickup_point"] | None,
        Field(description="another way: home, to a store with its `location_code`, or to a point"),
    ] = None
    location_code: Annotated[Ref | None, Field(description="where it is collected")] = None
    allow_backorder: Annotated[
        bool, Field(strict=True, description="change it even when not everything can be supplied")
    ] = False

    def edit(self) -> Edit:
        """Return what is to be changed."""
        address = None if self.ship_to is None else self.ship_to.model_dump(exclude_none=True)
        replacing = [
            Addition(
                sku=each.sku, quantity=each.quantity, unit_price=each.unit_price, tax=each.tax,
                replaces=each.line_no,
            )
            for each in self.replace
        ]  # fmt: skip
        point = self.pickup_point
        return Edit(
            point=None if point is None else (point.provider, point.point_id),
            reason=self.reason, group_no=self.group_no, ship_to=address, method=self.method,
            location_code=self.location_code, allow_backorder=self.allow_backorder,
            quantities={e.line_no: e.quantity for e in self.lines if e.quantity is not None},
            prices={e.line_no: e.unit_price for e in self.lines if e.unit_price is not None},
            additions=(*replacing, *(Addition(**dict(each)) for each in self.add)),
        )  # fmt: skip


class DeclinePost(Wire):
    """Why a change order is not made true."""

    reason: Words


class DifferenceOut(Out):
    """What becomes of a line: what is left of it to be had and paid for, then and now."""

    line_no: int
    sku: str
    before_quantity: int
    after_quantity: int
    before: MoneyOut
    after: MoneyOut
    difference: Annotated[MoneyOut, Field(description="below nothing where it gets cheaper")]
    allocated: Annotated[int, Field(description="units newly kept for it, or fewer")]
    backordered: Annotated[int, Field(description="units newly waited for, or fewer")]

    @classmethod
    def of(cls, made: Difference, currency: str) -> Self:
        """Write what becomes of a line."""
        amounts = {
            "before": made.before_minor, "after": made.after_minor,
            "difference": made.after_minor - made.before_minor,
        }  # fmt: skip
        return cls(
            line_no=made.line_no, sku=made.sku, before_quantity=made.before_quantity,
            after_quantity=made.after_quantity, allocated=made.allocated,
            backordered=made.backordered,
            **{name: MoneyOut.of(minor, currency) for name, minor in amounts.items()},
        )  # fmt: skip


class OutcomeOut(Out):
    """What a change comes to, and the money between before and after."""

    before: Annotated[MoneyOut, Field(description="what the order came to, with tax")]
    after: MoneyOut
    due: Annotated[MoneyOut, Field(description="what its customer is to pay for it")]
    owed: Annotated[MoneyOut, Field(description="what its customer is to get back for it")]
    differences: Annotated[list[DifferenceOut], Field(description="of the lines it touches")]

    @classmethod
    def of_outcome(cls, outcome: Outcome, currency: str) -> Self:
        """Write what a change comes to."""
        amounts = {
            "before": outcome.before_minor, "after": outcome.after_minor,
            "due": outcome.due_minor, "owed": outcome.owed_minor,
        }  # fmt: skip
        return cls(
            differences=[DifferenceOut.of(each, currency) for each in outcome.lines],
            **{name: MoneyOut.of(minor, currency) for name, minor in amounts.items()},
        )  # fmt: skip


class ChangedOut(OutcomeOut):
    """An order after a change, and what that came to."""

    order_number: str
    version: int
    change_no: Annotated[int, Field(description="of the change order that keeps it")]
    lines: list[LineOut]

    @classmethod
    def of(cls, edited: Edited) -> Self:
        """Write what a change comes to."""
        summary = edited.order.summary
        outcome = OutcomeOut.of_outcome(edited.outcome, summary.currency)
        return cls(
            **dict(outcome), order_number=summary.order_number, version=summary.version,
            change_no=edited.change_no,
            lines=[LineOut.of(line, summary.currency) for line in edited.order.lines],
        )  # fmt: skip


class ChangeOrderOut(Out):
    """A change order: what was asked, and what it comes to once that was looked at."""

    change_no: int
    state: ChangeState
    base_version: Annotated[int, Field(description="the version of the order it is for")]
    reason: str
    created_at: datetime
    created_by: str
    expires_at: datetime
    ended_at: datetime | None
    ended_by: str | None
    end_reason: str | None
    outcome: OutcomeOut | None

    @classmethod
    def of(cls, found: ChangeOrder, *, at: datetime) -> Self:
        """Write a change order, as it is at a moment."""
        outcome = found.outcome
        return cls(
            change_no=found.change_no, state=found.state_at(at), base_version=found.base_version,
            reason=found.edit.reason, created_at=found.created_at, created_by=found.created_by,
            expires_at=found.expires_at, ended_at=found.ended_at, ended_by=found.ended_by,
            end_reason=found.end_reason,
            outcome=None if outcome is None else OutcomeOut.of_outcome(outcome, found.currency),
        )  # fmt: skip
