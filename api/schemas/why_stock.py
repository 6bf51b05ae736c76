"""Why a stock number is what it is, on the wire."""

from collections.abc import Iterable
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Annotated, Literal, Self

from pydantic import Field

from api.paging import Paging
from api.schemas.common import Moment, Out, Words, values_of
from oms.feeds.model import Told
from oms.stock.analysis import Sought, Wanted
from oms.stock.model import Kept, KeptSum, Moved, MovedSum

MovementKind = Literal[
    "receipt", "pos_sale", "ship", "return_restock", "return_unsellable", "write_off",
    "count_adjust", "adjust", "transfer_out", "transfer_in", "regrade",
]  # fmt: skip
Sku = Annotated[Words, Field(description="whose number is asked about")]
Location = Annotated[Words | None, Field(description="a location's code")]


class MovementQuery(Paging):
    """Which movements of a SKU."""

    sku: Sku
    location: Location = None
    kind: Annotated[list[MovementKind] | None, Field(max_length=20)] = None
    occurred_from: Annotated[Moment | None, Field(description="from this instant on")] = None
    occurred_to: Annotated[Moment | None, Field(description="before this instant")] = None

    def sought(self) -> Sought:
        """Return what is asked for."""
        return Sought(
            location_code=self.location, kinds=self.kind, from_at=self.occurred_from,
            to_at=self.occurred_to,
        )  # fmt: skip


class MovementOut(Out):
    """A change of what is on hand, with its one cause."""

    movement_id: int
    location_code: str
    kind: MovementKind
    on_hand_delta: int
    unavailable_delta: int
    on_hand_after: Annotated[int, Field(description="at the location, once it was written down")]
    cause_type: Annotated[
        str, Field(description="order, fulfillment, transfer, return, count, document")
    ]
    cause: Annotated[str | None, Field(description="null: of an order one may not know of")]
    order_number: str | None
    occurred_at: datetime
    recorded_at: datetime

    @classmethod
    def of(cls, moved: Moved, *, is_told: bool) -> Self:
        """Write a movement, with the order it is of where that may be told."""
        values = values_of(moved)
        channel_code = values.pop("channel_code")
        if not is_told and (channel_code is not None or moved.cause_type == "transfer"):
            values["cause"] = values["order_number"] = None
        return cls(**values)


class MovedSumOut(Out):
    """What all movements of one kind at a location come to."""

    location_code: str
    kind: MovementKind
    on_hand: int
    unavailable: int
    movements_count: int

    @classmethod
    def of(cls, total: MovedSum) -> Self:
        """Write a sum."""
        return cls(**values_of(total))


class MovementsOut(Out):
    """Movements of a SKU, the newest first."""

    as_of: datetime
    sums: Annotated[
        list[MovedSumOut],
        Field(description="of all movements: what a location has on hand is the sum of its own"),
    ]
    items: list[MovementOut]
    next_after: str | None


class ReservationQuery(Paging):
    """Which reservations of a SKU, of those that keep or want something."""

    sku: Sku
    location: Location = None
    kind: Annotated[list[Literal["order", "hold", "transfer"]] | None, Field(max_length=3)] = None
    state: Annotated[
        list[Literal["queued", "active", "in_transit"]] | None, Field(max_length=3)
    ] = None

    def wanted(self) -> Wanted:
        """Return what is asked for."""
        return Wanted(location_code=self.location, kinds=self.kind, states=self.state)


class ReservationOut(Out):
    """Units kept for somebody, or wanted and nowhere to be had (queued)."""

    reservation_id: int
    kind: Literal["order", "hold", "transfer"]
    state: Literal["queued", "active", "in_transit"]
    quantity: int
    location_code: str | None
    channel_code: Annotated[str | None, Field(description="null: one may not know of it")]
    order_number: Annotated[str | None, Field(description="null: one may not know of it")]
    line_no: int | None
    fulfillment_number: str | None
    transfer_number: str | None
    expires_at: datetime | None
    wanted_at: datetime
    created_at: datetime

    @classmethod
    def of(cls, kept: Kept, *, is_told: bool) -> Self:
        """Write a reservation, with whose it is where that may be told."""
        values = values_of(kept)
        if not is_told:
            values |= dict.fromkeys(
                ("channel_code", "order_number", "line_no", "fulfillment_number",
                 "transfer_number"),
            )  # fmt: skip
        return cls(**values)


class KeptSumOut(Out):
    """What all reservations of one kind and state at a location come to."""

    location_code: str | None
    kind: Literal["order", "hold", "transfer"]
    state: Literal["queued", "active", "in_transit"]
    quantity: int
    reservations_count: int

    @classmethod
    def of(cls, total: KeptSum) -> Self:
        """Write a sum."""
        return cls(**values_of(total))


class ReservationsOut(Out):
    """Reservations of a SKU, the oldest first."""

    as_of: datetime
    sums: Annotated[list[KeptSumOut], Field(description="of all reservations")]
    items: list[ReservationOut]
    next_after: str | None


class SubscriberOut(Out):
    """How far an endpoint is told of a channel's stock."""

    subscription_id: int
    is_told: Annotated[bool, Field(description="it has this value, or a later one")]
    is_refused: Annotated[bool, Field(description="it does not take this SKU")]
    pushed_at: Annotated[datetime | None, Field(description="when it last took anything")]


class FedOut(Out):
    """What a channel may sell of a SKU as its feed says, and who has been told."""

    channel_code: str
    available_to_sell: int
    version: Annotated[int, Field(description="of this value")]
    computed_at: datetime
    is_enabled: bool
    held_at: datetime | None
    subscribers: list[SubscriberOut]

    @classmethod
    def of_all(cls, told: Iterable[Told]) -> list[Self]:
        """Write what is told, a channel each."""
        return [cls._of(list(each)) for _, each in groupby(told, key=attrgetter("channel_code"))]

    @classmethod
    def _of(cls, told: list[Told]) -> Self:
        first = told[0]
        return cls(
            channel_code=first.channel_code, available_to_sell=first.available_to_sell,
            version=first.version, computed_at=first.computed_at, is_enabled=first.is_enabled,
            held_at=first.held_at,
            subscribers=[
                SubscriberOut(
                    subscription_id=each.subscription_id, is_refused=each.is_refused,
                    is_told=not each.is_refused and (each.told_version or 0) >= each.version,
                    pushed_at=each.pushed_at,
                )
                for each in told if each.subscription_id is not None
            ],
        )  # fmt: skip
