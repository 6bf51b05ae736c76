"""Change orders on the wire."""

from typing import Annotated, Self

from pydantic import Field

from api.schemas.common import MoneyOut, Out, Wire, Words
from api.schemas.orders import LineOut
from oms.adapters.channels.canonical.schema import AddressIn
from oms.kernel.limits import ORDER_LINES_MAX, QUANTITY_MAX
from oms.workflows.editing import Edit, Edited

Number = Annotated[int, Field(strict=True, ge=1, le=ORDER_LINES_MAX)]


class LineChangeIn(Wire):
    """How many units a line shall have; none takes it away."""

    line_no: Number
    quantity: Annotated[int, Field(strict=True, ge=0, le=QUANTITY_MAX)]


class ChangesPost(Wire):
    """What an order shall be: what is left out stays."""

    reason: Words
    lines: Annotated[list[LineChangeIn], Field(default_factory=list, max_length=ORDER_LINES_MAX)]
    ship_to: AddressIn | None = None
    group_no: Annotated[Number, Field(description="the delivery group `ship_to` is for")] = 1

    def edit(self) -> Edit:
        """Return what is to be changed."""
        address = None if self.ship_to is None else self.ship_to.model_dump(exclude_none=True)
        quantities = {each.line_no: each.quantity for each in self.lines}
        return Edit(
            quantities=quantities, ship_to=address, group_no=self.group_no, reason=self.reason
        )


class ChangedOut(Out):
    """An order after a change, and the money between before and after."""

    order_number: str
    version: int
    before: Annotated[MoneyOut, Field(description="what the order came to, with tax")]
    after: MoneyOut
    due: Annotated[MoneyOut, Field(description="what its customer is to pay for it")]
    owed: Annotated[MoneyOut, Field(description="what its customer is to get back for it")]
    lines: list[LineOut]

    @classmethod
    def of(cls, edited: Edited) -> Self:
        """Write what a change comes to."""
        summary = edited.order.summary
        more = edited.after_minor - edited.before_minor
        amounts = {
            "before": edited.before_minor, "after": edited.after_minor, "due": max(0, more),
            "owed": max(0, -more),
        }  # fmt: skip
        return cls(
            order_number=summary.order_number, version=summary.version,
            lines=[LineOut.of(line, summary.currency) for line in edited.order.lines],
            **{name: MoneyOut.of(minor, summary.currency) for name, minor in amounts.items()},
        )  # fmt: skip
