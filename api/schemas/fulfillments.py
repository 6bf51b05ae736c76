"""Fulfillment orders on the wire."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from api.paging import Paging
from api.schemas.common import Out, Wire, Words, once, values_of
from api.schemas.notes import AttachmentOut
from oms.fulfillment.model import (
    Action,
    CameBack,
    FulfillmentOrder,
    FulfillmentOrderState,
    Reason,
)
from oms.kernel.limits import ORDER_LINES_MAX, QUANTITY_MAX
from oms.notes.model import Kind, Note
from oms.orders.model import FulfillmentMethod
from oms.workflows.fulfillment import Doing

Count = Annotated[int, Field(strict=True, ge=0, le=QUANTITY_MAX)]


class FulfillmentLineOut(Out):
    """What of an order's line a location is to supply; `open` is what it still has to."""

    line_no: int
    sku: str
    title: str
    quantity: int
    picked: int
    done: int
    removed: int
    open: int


class FulfillmentOut(Out):
    """Work at one location for one delivery group of an order."""

    fulfillment_number: str
    order_number: str
    channel_code: str
    group_no: int
    method: FulfillmentMethod
    location_code: str
    state: FulfillmentOrderState
    created_at: datetime
    changed_at: datetime
    accept_by: Annotated[
        datetime | None, Field(description="nobody has accepted it then: it goes elsewhere")
    ]
    collect_by: datetime | None
    carrier: str | None
    tracking_number: str | None
    reason: str | None
    version: Annotated[int, Field(description="what `If-Match` is to say")]
    lines: list[FulfillmentLineOut]
    holds: Annotated[list[str], Field(description="types of the holds its order is under")]
    merges_with: Annotated[list[str], Field(description="works that may become one with it")]
    allowed_actions: list[Action]

    @classmethod
    def of(cls, order: FulfillmentOrder) -> Self:
        """Write a fulfillment order. The collection code is the customer's to show."""
        values = values_of(order)
        for name in ("fulfillment_id", "order_id", "collect_code", "lines", "holds"):
            values.pop(name)
        return cls(
            **values, allowed_actions=sorted(order.allowed()),
            holds=sorted(hold.type for hold in order.holds if hold.is_active),
            lines=[
                FulfillmentLineOut(**values_of(line), open=line.open) for line in order.lines
            ],
        )  # fmt: skip


class WorkNoteOut(Out):
    """What whoever does the work is to know."""

    note_id: int
    kind: Kind
    body: str
    line_no: int | None
    parcel_number: str | None
    is_pinned: bool
    author: str
    created_at: datetime
    edited_at: datetime | None
    attachments: list[AttachmentOut]

    @classmethod
    def of(cls, note: Note) -> Self:
        """Write a note that is somebody's to know."""
        values = {name: getattr(note, name) for name in cls.model_fields}
        return cls(**values | {"attachments": [AttachmentOut.of(e) for e in note.attachments]})


class WorkOut(FulfillmentOut):
    """Work at one location, with the notes for whoever does it."""

    notes: list[WorkNoteOut]

    @classmethod
    def of_all(
        cls, orders: Iterable[FulfillmentOrder], notes: Mapping[str, Iterable[Note]]
    ) -> list[Self]:
        """Write fulfillment orders with their notes by number."""
        return [
            cls(
                **FulfillmentOut.of(each).model_dump(),
                notes=[WorkNoteOut.of(note) for note in notes.get(each.fulfillment_number, ())],
            )
            for each in orders
        ]


class FulfillmentQuery(Paging):
    """Which fulfillment orders to list; without states those that are open."""

    location: Annotated[Words | None, Field(description="a location's code")] = None
    state: Annotated[
        list[FulfillmentOrderState],
        Field(default_factory=list, description="repeat it for several", max_length=20),
    ]


class CodePost(Wire):
    """What a customer shows at a counter."""

    location_code: Words
    collect_code: Words


class PickedIn(Wire):
    """How much of a line was picked, or is split off."""

    line_no: Annotated[int, Field(strict=True, ge=1, le=ORDER_LINES_MAX)]
    quantity: Count


class CameBackIn(Wire):
    """What came back of a line."""

    line_no: Annotated[int, Field(strict=True, ge=1, le=ORDER_LINES_MAX)]
    restocked: Count
    held: Annotated[Count, Field(description="there, and not for sale")] = 0


class ActionPost(Wire):
    """Something that is done with a fulfillment order."""

    action: Action
    picked: Annotated[
        list[PickedIn], once("line_no"),
        Field(
            default_factory=list, max_length=ORDER_LINES_MAX,
            description="for pick; a line left out: all of it",
        ),
    ]  # fmt: skip
    reason: Annotated[
        Reason | None, Field(description="for reject, and for pick when less was picked")
    ] = None
    collect_code: Annotated[
        Words | None, Field(description="for collect: what the customer shows")
    ] = None
    carrier: Annotated[Words | None, Field(description="for ship")] = None
    tracking_number: Annotated[Words | None, Field(description="for ship")] = None
    to_location_code: Annotated[
        Words | None,
        Field(min_length=1, description="for move, and for split where it does not stay"),
    ] = None
    split_off: Annotated[
        list[PickedIn], once("line_no"),
        Field(
            default_factory=list, max_length=ORDER_LINES_MAX,
            description="for split: what becomes a fulfillment order of its own",
        ),
    ]  # fmt: skip

    merge_number: Annotated[
        Words | None,
        Field(description="for merge: what it takes in; left out: all of `merges_with`"),
    ] = None
    came_back: Annotated[
        list[CameBackIn], once("line_no"),
        Field(
            default_factory=list, max_length=ORDER_LINES_MAX,
            description="for take_back; a line left out: all of it, for sale again",
        ),
    ]  # fmt: skip

    def doing(self, by: str, at: datetime) -> Doing:
        """Return what is done, and who does it when."""
        return Doing(
            by=by, at=at, picked={each.line_no: each.quantity for each in self.picked},
            reason=self.reason, collect_code=self.collect_code, carrier=self.carrier,
            tracking_number=self.tracking_number, to_location_code=self.to_location_code,
            split_off={each.line_no: each.quantity for each in self.split_off},
            merge_number=self.merge_number,
            came_back={
                each.line_no: CameBack(restocked=each.restocked, held=each.held)
                for each in self.came_back
            },
        )  # fmt: skip


class CancelLineIn(Wire):
    """How much of a line to cancel."""

    line_no: Annotated[int, Field(strict=True, ge=1, le=ORDER_LINES_MAX)]
    quantity: Annotated[int, Field(strict=True, ge=1, le=QUANTITY_MAX)]


class CancelPost(Wire):
    """What to cancel of an order, and why; without lines all that can be."""

    reason: Annotated[Words, Field(min_length=1)]
    lines: Annotated[list[CancelLineIn] | None, Field(max_length=ORDER_LINES_MAX)] = None

    def quantities(self) -> dict[int, int] | None:
        """Return how much of each line, None for all."""
        if self.lines is None:
            return None
        return {each.line_no: each.quantity for each in self.lines}
