"""Transfers on the wire."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field

from api.paging import Paging
from api.schemas.common import Out, Wire, Words, once, values_of
from api.schemas.fulfillments import Count, PickedIn
from oms.fulfillment.model import Reason
from oms.kernel.limits import ORDER_LINES_MAX, QUANTITY_MAX
from oms.transfers.model import (
    Came,
    Discrepancy,
    Transfer,
    TransferAction,
    TransferState,
    Wanted,
)
from oms.workflows.transfers import Moved, Receipt


class TransferLineOut(Out):
    """What of a product goes from one location to another, and what became of it."""

    line_no: Annotated[int, Field(description="the order's, where it is for one")]
    sku: str
    title: str
    quantity: int
    removed: Annotated[int, Field(description="canceled or not found before it left")]
    picked: int
    shipped: int
    received: Annotated[int, Field(description="in good order, with what was too much")]
    damaged: Annotated[int, Field(description="arrived, and not for sale")]
    missing: Annotated[int, Field(description="left, and never came")]
    in_transit: Annotated[int, Field(description="left, and not there yet")]


class DiscrepancyOut(Out):
    """One way in which what came differed from what left."""

    receipt_id: Annotated[str | None, Field(description="null: found when it was closed")]
    line_no: Annotated[int | None, Field(description="null: an item nobody sent for")]
    kind: Discrepancy
    sku: str
    quantity: int
    found_at: datetime


class TransferOut(Out):
    """Goods one location sends to another; without an order to fill its shelves."""

    transfer_number: str
    from_location_code: str
    to_location_code: str
    first_to_location_code: Annotated[
        str | None, Field(description="where it was going before it was redirected")
    ]
    order_number: str | None
    channel_code: str | None
    fulfillment_number: Annotated[str | None, Field(description="the work that waits for it")]
    state: TransferState
    created_at: datetime
    changed_at: datetime
    shipped_at: datetime | None
    carrier: str | None
    tracking_number: str | None
    reason: str | None
    version: Annotated[int, Field(description="what `If-Match` is to say")]
    lines: list[TransferLineOut]
    discrepancies: list[DiscrepancyOut]
    allowed_actions: list[TransferAction]

    @classmethod
    def of(cls, transfer: Transfer) -> Self:
        """Write a transfer."""
        values = values_of(transfer)
        for name in (
            "transfer_id", "from_location_id", "to_location_id", "order_id", "fulfillment_id",
            "lines", "discrepancies",
        ):  # fmt: skip
            values.pop(name)
        lines = []
        for line in transfer.lines:
            facts = values_of(line)
            facts.pop("product_id")
            lines.append(TransferLineOut(**facts, in_transit=line.in_transit))
        return cls(
            **values, lines=lines, allowed_actions=sorted(transfer.allowed()),
            discrepancies=[DiscrepancyOut(**values_of(each)) for each in transfer.discrepancies],
        )  # fmt: skip


class TransferQuery(Paging):
    """Which transfers to list; without states those that are open."""

    location: Annotated[Words | None, Field(description="a location's code")] = None
    direction: Annotated[
        Literal["in", "out"] | None, Field(description="to the location, or from it")
    ] = None
    state: Annotated[
        list[TransferState],
        Field(default_factory=list, description="repeat it for several", max_length=20),
    ]


class WantedIn(Wire):
    """How much of a SKU."""

    sku: Annotated[Words, Field(min_length=1)]
    quantity: Annotated[int, Field(strict=True, ge=1, le=QUANTITY_MAX)]

    def value(self) -> Wanted:
        """Return it as a value."""
        return Wanted(sku=self.sku, quantity=self.quantity)


class TransferPost(Wire):
    """Which shelves to fill from where."""

    from_location_code: Annotated[Words, Field(min_length=1)]
    to_location_code: Annotated[Words, Field(min_length=1)]
    lines: Annotated[list[WantedIn], Field(min_length=1, max_length=ORDER_LINES_MAX)]


class CameIn(Wire):
    """What came of a line: in good order, and damaged."""

    line_no: Annotated[int, Field(strict=True, ge=1, le=ORDER_LINES_MAX)]
    received: Count
    damaged: Count = 0


class TransferActionPost(Wire):
    """Something that is done with a transfer."""

    action: TransferAction
    picked: Annotated[
        list[PickedIn], once("line_no"),
        Field(
            default_factory=list, max_length=ORDER_LINES_MAX,
            description="for pick; a line left out: all of it",
        ),
    ]  # fmt: skip
    reason: Annotated[
        Reason | None,
        Field(description="for pick when less was picked, and to cancel what is for an order"),
    ] = None
    carrier: Annotated[Words | None, Field(description="for ship")] = None
    tracking_number: Annotated[Words | None, Field(description="for ship")] = None
    to_location_code: Annotated[
        Words | None, Field(min_length=1, description="for redirect: where it goes from now on")
    ] = None
    receipt_id: Annotated[
        Words | None,
        Field(min_length=1, description="for receive: its name; the same again is one"),
    ] = None
    came: Annotated[
        list[CameIn], once("line_no"),
        Field(
            default_factory=list, max_length=ORDER_LINES_MAX,
            description="for receive; a line left out: all of it came well",
        ),
    ]  # fmt: skip
    wrong_items: Annotated[
        list[WantedIn],
        Field(
            default_factory=list, max_length=ORDER_LINES_MAX,
            description="for receive: what nobody sent for; written down only",
        ),
    ]  # fmt: skip
    is_complete: Annotated[
        bool, Field(description="for receive: what has not come by now is missing")
    ] = True

    def moved(self, by: str, at: datetime) -> Moved:
        """Return what is done, and who does it when."""
        return Moved(
            by=by, at=at, picked={each.line_no: each.quantity for each in self.picked},
            reason=self.reason, carrier=self.carrier, tracking_number=self.tracking_number,
            to_location_code=self.to_location_code, receipt=self._receipt(),
        )  # fmt: skip

    def _receipt(self) -> Receipt | None:
        if self.receipt_id is None:
            return None
        came = {c.line_no: Came(received=c.received, damaged=c.damaged) for c in self.came}
        return Receipt(
            receipt_id=self.receipt_id,
            came=came,
            is_complete=self.is_complete,
            wrong_items=tuple(each.value() for each in self.wrong_items),
        )
