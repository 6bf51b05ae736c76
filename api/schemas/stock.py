"""Stock on the wire."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from api.schemas.common import BATCH_ITEMS_MAX, Out, Wire, Words, etag_of, values_of
from oms.adapters.channels.canonical.rows import ROWS
from oms.adapters.channels.canonical.schema import CountIn, MovementIn
from oms.kernel.limits import PAGE_ROWS_MAX, STOCK_SKUS_MAX
from oms.stock.queries import StockOfSku
from oms.transfers.queries import Coming
from oms.workflows.documents import csv_rows


class LevelOut(Out):
    """The stock of a SKU at a location."""

    location_code: str
    location_kind: str
    on_hand: int
    unavailable: Annotated[int, Field(description="on hand, but not for sale")]
    allocated: Annotated[int, Field(description="promised to orders, not yet gone")]
    reserved_soft: Annotated[int, Field(description="held for a short time")]
    safety_stock: Annotated[int, Field(description="never offered from here")]
    available_to_fulfill: Annotated[
        int,
        Field(
            description="max(0, on_hand - unavailable - allocated - reserved_soft - safety_stock)"
        ),
    ]
    in_transit: Annotated[
        int, Field(description="on its way here by transfers; in no location's on_hand")
    ]
    incoming: Annotated[
        int, Field(description="in_transit, and what is kept elsewhere to be sent here")
    ]
    is_oversold: bool
    updated_at: Annotated[
        datetime | None, Field(description="null: it never had any, some is on its way")
    ]

    @classmethod
    def expecting(cls, coming: Coming) -> Self:
        """Write what a location that never had any expects."""
        return cls(
            location_code=coming.location_code, location_kind=coming.location_kind, on_hand=0,
            unavailable=0, allocated=0, reserved_soft=0, safety_stock=0, available_to_fulfill=0,
            in_transit=coming.in_transit, incoming=coming.incoming, is_oversold=False,
            updated_at=None,
        )  # fmt: skip


class ChannelStockOut(Out):
    """What a channel may sell of a SKU now, and why."""

    channel_code: str
    available_to_fulfill: Annotated[int, Field(description="over the channel's locations")]
    queued: Annotated[int, Field(description="ordered, but not to be supplied yet")]
    threshold: Annotated[int, Field(description="withheld from the channel")]
    available_to_sell: Annotated[
        int, Field(description="max(0, available_to_fulfill - queued - threshold)")
    ]


class StockOut(Out):
    """The stock of a SKU, per location and per channel, as of an instant."""

    sku: str
    title: str
    is_sellable: bool
    as_of: datetime
    levels: list[LevelOut]
    channels: list[ChannelStockOut]

    @classmethod
    def of(cls, stock: StockOfSku, coming: Mapping[str, Coming], *, at: datetime) -> Self:
        """Write the stock of a SKU, with what comes to its locations."""
        rest, levels = dict(coming), []
        for level in stock.levels:
            due = rest.pop(level.location_code, None)
            levels.append(
                LevelOut(
                    **values_of(level), in_transit=due.in_transit if due else 0,
                    incoming=due.incoming if due else 0,
                )
            )  # fmt: skip
        levels += [LevelOut.expecting(each) for each in rest.values()]
        levels.sort(key=lambda each: each.location_code)
        channels = [
            ChannelStockOut(**{name: getattr(each, name) for name in ChannelStockOut.model_fields})
            for each in stock.channels
        ]
        return cls(
            sku=stock.sku, title=stock.title, is_sellable=stock.is_sellable, as_of=at,
            levels=levels, channels=channels,
        )  # fmt: skip

    @property
    def etag(self) -> str:
        """What stands for this state of the stock, whenever it is looked at."""
        return etag_of(self)


class SkusIn(Wire):
    """The SKUs to look up."""

    skus: Annotated[
        list[Words], Field(min_length=1, max_length=STOCK_SKUS_MAX, examples=[["MUG-BLUE"]])
    ]


class StockBatchOut(Out):
    """The stock of several SKUs at one instant."""

    as_of: datetime
    items: list[StockOut]
    unknown: Annotated[list[str], Field(description="SKUs the catalog does not know")]


class ChangesQuery(Wire):
    """From where to go on reading what changed."""

    after: Annotated[
        int, Field(ge=0, le=2**62, description="`next_after` of the last answer; 0 begins")
    ] = 0
    limit: Annotated[int, Field(ge=1, le=PAGE_ROWS_MAX)] = PAGE_ROWS_MAX


class StockChangesOut(Out):
    """SKUs whose stock changed, with what it is now."""

    as_of: datetime
    items: list[StockOut]
    next_after: Annotated[int, Field(description="ask with this next time, now or later")]
    has_more: bool


class CountsIn(Wire):
    """Counts to apply, all or none."""

    counts: Annotated[list[CountIn], Field(min_length=1, max_length=BATCH_ITEMS_MAX)]

    def drafts(self) -> dict[str, bytes]:
        """Return the counts as drafts."""
        rows = [
            ROWS[CountIn](count, position, "")["counts"][0]
            for position, count in enumerate(self.counts, start=1)
        ]
        return {"counts": csv_rows(rows)}


class MovementsIn(Wire):
    """Movements to apply, all or none."""

    movements: Annotated[list[MovementIn], Field(min_length=1, max_length=BATCH_ITEMS_MAX)]

    def drafts(self) -> dict[str, bytes]:
        """Return the movements as drafts."""
        rows = [
            ROWS[MovementIn](movement, position, "")["movements"][0]
            for position, movement in enumerate(self.movements, start=1)
        ]
        return {"movements": csv_rows(rows)}


class RecordedOut(Out):
    """What became of a batch: what was here before changes nothing."""

    received_count: int
    changed_count: int
    as_of: datetime
