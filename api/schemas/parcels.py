"""Parcels, and what carriers tell of them, on the wire."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import Field

from api.paging import Paging
from api.schemas.common import BATCH_ITEMS_MAX, Moment, MoneyOut, Out, Wire, Words, values_of
from api.schemas.fulfillments import FulfillmentOut
from oms.kernel.limits import ORDER_LINES_MAX, QUANTITY_MAX
from oms.shipments.model import Parcel, ParcelDraft, ParcelState, Scan, Size
from oms.workflows.parcels import Outcome

PARCELS_AT_ONCE_MAX = 50
Grams = Annotated[int, Field(strict=True, ge=1, le=2_000_000)]
Millimeters = Annotated[int, Field(strict=True, ge=1, le=20_000)]


class ParcelLineIn(Wire):
    """How much of a line is in a parcel."""

    line_no: Annotated[int, Field(strict=True, ge=1, le=ORDER_LINES_MAX)]
    quantity: Annotated[int, Field(strict=True, ge=1, le=QUANTITY_MAX)]


class ParcelIn(Wire):
    """A parcel to make."""

    lines: Annotated[list[ParcelLineIn], Field(min_length=1, max_length=ORDER_LINES_MAX)]
    weight_grams: Grams | None = None
    length_mm: Millimeters | None = None
    width_mm: Millimeters | None = None
    height_mm: Millimeters | None = None
    tracking_number: Annotated[
        Words | None, Field(description="of a label made elsewhere; left out: one is made")
    ] = None
    label_ref: Annotated[Words | None, Field(description="where that label is")] = None


class ParcelsPost(Wire):
    """What was picked, put into parcels of one carrier."""

    carrier: Annotated[Words, Field(examples=["sandbox"])]
    service: Words | None = None
    parcels: Annotated[list[ParcelIn], Field(min_length=1, max_length=PARCELS_AT_ONCE_MAX)]

    def drafts(self) -> list[ParcelDraft]:
        """Return the parcels as drafts; a line that is named twice is in it with both."""
        drafts = []
        for each in self.parcels:
            lines: dict[int, int] = {}
            for line in each.lines:
                lines[line.line_no] = lines.get(line.line_no, 0) + line.quantity
            size = Size(
                weight_grams=each.weight_grams, length_mm=each.length_mm, width_mm=each.width_mm,
                height_mm=each.height_mm,
            )  # fmt: skip
            drafts.append(ParcelDraft(
                lines=lines, carrier=self.carrier, service=self.service, size=size,
                tracking_number=each.tracking_number, label_ref=each.label_ref,
            ))  # fmt: skip
        return drafts


class ParcelLineOut(Out):
    """How much of a line is in a parcel."""

    line_no: int
    sku: str
    title: str
    quantity: int


class TrackingEventOut(Out):
    """What was told of a parcel; without a state where the code is not known."""

    event_ref: str
    occurred_at: datetime
    state: ParcelState | None
    status: Annotated[str, Field(description="the carrier's own code")]
    place: str | None
    reason: str | None
    eta_at: datetime | None
    collect_by: datetime | None


class ParcelOut(Out):
    """A parcel of a fulfillment order."""

    parcel_number: str
    order_number: str
    channel_code: str
    fulfillment_number: str
    location_code: str
    carrier: str
    service: str | None
    tracking_number: str
    tracking_url: str | None
    label_ref: str | None
    weight_grams: int | None
    length_mm: int | None
    width_mm: int | None
    height_mm: int | None
    cost: Annotated[MoneyOut | None, Field(description="what its carrier takes")]
    pickup_point: Annotated[
        dict[str, Any] | None,
        Field(description="what it is addressed to, as it was then; null: the customer's address"),
    ]
    state: ParcelState
    status: Annotated[str | None, Field(description="the carrier's own code of what came last")]
    last_event_at: datetime | None
    eta_at: datetime | None
    collect_by: Annotated[
        datetime | None, Field(description="until when it is kept at the pick-up point")
    ]
    handed_over_at: datetime | None
    created_at: datetime
    changed_at: datetime
    lines: list[ParcelLineOut]
    events: list[TrackingEventOut]

    @classmethod
    def of(cls, parcel: Parcel) -> Self:
        """Write a parcel."""
        values = values_of(parcel)
        for name in ("parcel_id", "order_id", "fulfillment_id", "cost_minor", "cost_currency"):
            values.pop(name)
        cost = None
        if parcel.cost_minor is not None and parcel.cost_currency is not None:
            cost = MoneyOut.of(parcel.cost_minor, parcel.cost_currency)
        return cls(
            **values | {
                "lines": [ParcelLineOut(**values_of(line)) for line in parcel.lines],
                "events": [TrackingEventOut(**values_of(event)) for event in parcel.events],
            },
            cost=cost,
        )  # fmt: skip


class PackedOut(Out):
    """What was put into parcels, and how far the fulfillment order is now."""

    fulfillment: FulfillmentOut
    parcels: list[ParcelOut]


class ParcelQuery(Paging):
    """Which parcels to list."""

    is_silent_days: Annotated[
        int | None,
        Field(ge=0, le=365, description="underway, and nothing told of them for so many days"),
    ] = None
    carrier: Words | None = None
    tracking_number: Words | None = None
    state: Annotated[list[ParcelState] | None, Field(max_length=20)] = None
    newest_first: bool = False
    location: Annotated[Words | None, Field(description="a location's code")] = None


class ScanIn(Wire):
    """What a carrier tells of a parcel."""

    tracking_number: Words
    occurred_at: Moment
    status: Annotated[
        Words, Field(description="the carrier's code, or one of our states", examples=["delivered"])
    ]
    event_ref: Annotated[
        Words | None,
        Field(description="the carrier's id of it; left out: what it says is what names it"),
    ] = None
    place: Words | None = None
    reason: Words | None = None
    eta_at: Moment | None = None
    collect_by: Annotated[
        Moment | None, Field(description="until when it is kept where it lies ready")
    ] = None


class ScansPost(Wire):
    """What a carrier tells of its parcels, in any order."""

    events: Annotated[list[ScanIn], Field(min_length=1, max_length=BATCH_ITEMS_MAX)]

    def scans(self) -> list[Scan]:
        """Return what is told."""
        return [Scan(**each.model_dump()) for each in self.events]


class ScanOut(Out):
    """What became of something that was told."""

    outcome: Literal["recorded", "duplicate", "unknown_parcel"]
    parcel_number: str | None
    state: Annotated[ParcelState | None, Field(description="how far the parcel is now")]

    @classmethod
    def of(cls, outcome: Outcome) -> Self:
        """Write an outcome."""
        return cls(**values_of(outcome))


class ScansOut(Out):
    """What became of all that was told, in its order."""

    outcomes: list[ScanOut]
