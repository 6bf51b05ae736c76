"""What comes back to a location, on the wire: told by its WMS, or brought to a store."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from api.paging import Paging
from api.schemas.common import Moment, Out, Wire, Words, values_of
from api.schemas.counters import GivesBack, VisitOut
from api.schemas.returns import LineNo, ReturnOut, Text, Units, values_of_wire
from oms.kernel.limits import ORDER_LINES_MAX
from oms.refunds.model import BackIn
from oms.returns.model import (
    Condition,
    Disposition,
    Resolution,
    ReturnReason,
    ReturnState,
    Told,
    Unidentified,
)
from oms.workflows.return_receipts import Basket, Handed, Notice, Taken

RECEIPTS_MAX = 200
BASKETS_MAX = 50


class CameIn(Wire):
    """Units of a SKU that came, and what they are like."""

    sku: Words
    quantity: Units
    condition: Condition | None = None
    disposition: Disposition | None = None


class ReceiptIn(Wire):
    """What a WMS says came: where, what, and whatever is known of whose it is."""

    receipt_id: Annotated[Words, Field(description="the location's name for it; once")]
    location_code: Words
    return_number: Words | None = None
    order_number: Annotated[Words | None, Field(description="ours, or its customer's")] = None
    tracking_number: Words | None = None
    received_at: Moment | None = None
    is_complete: Annotated[bool, Field(strict=True, description="the rest will not come")] = False
    lines: Annotated[list[CameIn], Field(min_length=1, max_length=ORDER_LINES_MAX)]

    def notice(self) -> Notice:
        """Return it as a value."""
        return Notice(
            receipt_id=self.receipt_id, location_code=self.location_code,
            lines=tuple(Told(**values_of_wire(each)) for each in self.lines),
            return_ref=self.return_number, order_ref=self.order_number,
            tracking_number=self.tracking_number, received_at=self.received_at,
            is_complete=self.is_complete,
        )  # fmt: skip


class ReceiptsPost(Wire):
    """What came back to locations."""

    receipts: Annotated[list[ReceiptIn], Field(min_length=1, max_length=RECEIPTS_MAX)]


class TakenOut(Out):
    """What became of a receipt."""

    receipt_id: str
    location_code: str
    outcome: Literal["received", "duplicate", "unidentified", "refused"]
    return_numbers: list[str]
    state: ReturnState | None
    code: Annotated[str | None, Field(description="why it is unidentified, or was refused")]
    detail: str | None

    @classmethod
    def of(cls, taken: Taken) -> Self:
        """Write what became of a receipt."""
        return cls.model_validate(values_of(taken) | {"return_numbers": list(taken.return_numbers)})


class ReceiptsOut(Out):
    """What became of each receipt, in their order."""

    receipts: list[TakenOut]


class UnidentifiedOut(Out):
    """Units that came and are nobody's yet, with returns they may be of."""

    unidentified_id: int
    receipt_id: str
    location_code: str
    received_at: datetime
    sku: str
    quantity: int
    condition: Condition | None
    return_ref: str | None
    order_ref: str | None
    tracking_number: str | None
    reason: Annotated[str, Field(description="the code of what was in the way")]
    candidates: Annotated[list[str], Field(description="returns that wait for this SKU")]

    @classmethod
    def of(cls, found: Unidentified) -> Self:
        """Write what came and is nobody's."""
        values = values_of(found)
        return cls(
            **values | {"unidentified_id": values.pop("row_id"),
                        "candidates": list(found.candidates)}
        )  # fmt: skip


class UnidentifiedQuery(Paging):
    """Which of what came to list."""

    location: Annotated[Words | None, Field(description="a location's code")] = None


class AssignPost(Wire):
    """Whose units are: a return's, or an order's for which one is opened."""

    return_number: Words | None = None
    order_number: Words | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.return_number is None) == (self.order_number is None):
            raise PydanticCustomError("one", "name either a return or an order")
        return self


class HandedIn(Wire):
    """Units of an order's line brought to a store."""

    line_no: LineNo
    quantity: Units
    reason: ReturnReason
    resolution: Resolution = Resolution.REFUND
    condition: Condition
    disposition: Annotated[
        Disposition | None, Field(description="left out: what is usual for the condition")
    ] = None


class BasketIn(Wire):
    """What of one order a customer brings."""

    order_number: Words
    lines: Annotated[list[HandedIn], Field(min_length=1, max_length=ORDER_LINES_MAX)]
    note: Text | None = None
    override_reason: Annotated[
        Text | None,
        Field(description="why time and kind do not count; takes the scope `returns:override`"),
    ] = None

    def basket(self) -> Basket:
        """Return it as a value."""
        return Basket(
            order_number=self.order_number, note=self.note, override_reason=self.override_reason,
            lines=tuple(Handed(**values_of_wire(each)) for each in self.lines),
        )  # fmt: skip


class StoreReturnsPost(GivesBack):
    """What a customer brings on one visit, of one or several orders."""

    back_in: Annotated[
        BackIn | None,
        Field(
            description="what the till gives back what is owed in, now; left out: it goes back by"
            " itself, as it was paid. Takes the scope `refunds:till`"
        ),
    ] = None
    returns: Annotated[list[BasketIn], Field(min_length=1, max_length=BASKETS_MAX)]


class ReturnsOut(Out):
    """The returns of one visit, and what the till gave back for them."""

    returns: list[ReturnOut]
    visit: Annotated[VisitOut | None, Field(description="null: the till gave nothing back")]
