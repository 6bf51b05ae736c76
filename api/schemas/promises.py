"""Promises on the wire: what a channel may promise of a basket, and how it comes to it."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import Field

from api.schemas.common import MoneyOut, Out, Wire
from api.schemas.points import PickupPointOut
from api.schemas.stock_holds import BasketLineIn, BasketLines, Minutes, StockHoldOut
from api.schemas.stores import StoreOut
from oms.adapters.channels.canonical.fields import Country, Ref, Text
from oms.kernel.limits import STORE_SKUS_MAX
from oms.points.model import Near, Sought
from oms.promise.model import (
    Destination,
    Point,
    PointAnswer,
    Promise,
    Shipment,
    StoreAnswer,
)


class PointIn(Wire):
    """A point on the earth, in degrees."""

    latitude: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
    longitude: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]


class DestinationIn(Wire):
    """Where a basket is to go."""

    country_code: Country
    postcode: Text | None = None
    point: Annotated[
        PointIn | None, Field(description="where stores shall be near to; else the first ones")
    ] = None

    def sought(self, *, radius_km: float, limit: int) -> Sought | None:
        """Return near what pick-up points are looked for; None where nothing says it."""
        if self.point is None and self.postcode is None:
            return None
        point = self.point
        return Sought(
            latitude=None if point is None else point.latitude,
            longitude=None if point is None else point.longitude, postcode=self.postcode,
            country_code=self.country_code, radius_km=radius_km, limit=limit,
        )  # fmt: skip

    def destination(self) -> Destination:
        """Return where it is to go."""
        point = None if self.point is None else Point(**self.point.model_dump())
        return Destination(country_code=self.country_code, point=point)


class PromisePost(Wire):
    """A basket, and where it is to go."""

    channel_code: Ref
    lines: Annotated[BasketLines, Field(max_length=STORE_SKUS_MAX)]
    destination: DestinationIn
    radius_km: Annotated[float, Field(gt=0, le=1_000, allow_inf_nan=False)] = 25
    stores: Annotated[int, Field(ge=0, le=20, description="how many stores to look at")] = 5
    points: Annotated[
        int,
        Field(ge=0, le=20, description="how many pick-up points to offer; near point or postcode"),
    ] = 3
    hold: Annotated[
        bool, Field(strict=True, description="keep what is to be shipped, for `hold_minutes`")
    ] = False
    hold_minutes: Minutes = 15


class PartOut(Out):
    """What one location sends, and every number its date is made of."""

    location_code: str
    lines: list[BasketLineIn]
    cut_off_at: Annotated[datetime, Field(description="ordered until then it leaves that day")]
    ships_on: date
    transit_days: Annotated[int, Field(description="working days under way")]
    arrives_on: date

    @classmethod
    def of(cls, shipment: Shipment) -> Self:
        """Write what is sent."""
        return cls(**cls.facts(shipment))

    @staticmethod
    def facts(shipment: Shipment) -> dict[str, Any]:
        """Return what is said of it wherever it goes."""
        return {
            "location_code": shipment.location_code,
            "lines": [BasketLineIn(sku=sku, quantity=n) for sku, n in shipment.quantities.items()],
            "cut_off_at": shipment.cut_off_at, "ships_on": shipment.ships_on,
            "transit_days": shipment.transit_days, "arrives_on": shipment.arrives_on,
        }  # fmt: skip


class ShipmentOut(PartOut):
    """What leaves one location for where the basket goes, and what is sent there before."""

    gathers: Annotated[
        list[PartOut], Field(description="what others send it first, so that all leaves together")
    ]

    @classmethod
    def of(cls, shipment: Shipment) -> Self:
        """Write a shipment."""
        return cls(**cls.facts(shipment), gathers=[PartOut.of(each) for each in shipment.gathers])


class OptionOut(Out):
    """A way the whole basket gets to the customer."""

    method: Literal["ship_home", "collect_store", "pickup_point"]
    promised_on: Annotated[
        date | None,
        Field(description="when the last of it arrives; at a point: is there, and it is open"),
    ]
    ready_by: Annotated[datetime | None, Field(description="when it lies ready at the store")]
    cost: Annotated[
        MoneyOut, Field(description="to us, by the settings of the places that supply it")
    ]
    by_transfer: Annotated[bool, Field(description="what the store lacks is sent there first")]
    shipments: Annotated[
        list[ShipmentOut], Field(description="to the customer, or to the store by transfer")
    ]
    store: StoreOut | None
    pickup_point: PickupPointOut | None

    @classmethod
    def shipped(cls, promise: Promise, currency: str) -> Self:
        """Write that all of it is sent."""
        costs = [each.cost_minor for each in promise.shipments]
        return cls(
            method="ship_home", ready_by=None, store=None, by_transfer=False, pickup_point=None,
            cost=MoneyOut.of(sum(costs), currency),
            promised_on=max(each.arrives_on for each in promise.shipments),
            shipments=[ShipmentOut.of(each) for each in promise.shipments],
        )  # fmt: skip

    @classmethod
    def collected(cls, store: StoreAnswer, currency: str) -> Self:
        """Write that all of it is collected at a store."""
        return cls(
            method="collect_store", promised_on=None, store=StoreOut.of(store), pickup_point=None,
            ready_by=store.ready_by if store.can_serve_all else store.by_transfer_at,
            cost=MoneyOut.of(store.cost_minor, currency), by_transfer=not store.can_serve_all,
            shipments=[ShipmentOut.of(each) for each in store.transfers],
        )  # fmt: skip

    @classmethod
    def at_point(cls, answer: PointAnswer, currency: str) -> Self:
        """Write that all of it is sent to a pick-up point."""
        near = Near(point=answer.point, distance_km=answer.distance_km)
        return cls(
            method="pickup_point", ready_by=None, store=None, by_transfer=False,
            pickup_point=PickupPointOut.of(near), promised_on=answer.ready_on,
            cost=MoneyOut.of(answer.cost_minor, currency),
            shipments=[ShipmentOut.of(each) for each in answer.shipments],
        )  # fmt: skip


class AvailableOut(Out):
    """How much of a SKU is wanted, and may be sold by the channel."""

    sku: str
    requested: int
    available: int


class PromiseOut(Out):
    """What a channel may promise of a basket, until when."""

    as_of: datetime
    expires_at: Annotated[datetime, Field(description="ask again after that")]
    options: list[OptionOut]
    lines: Annotated[list[AvailableOut], Field(description="why it cannot be shipped, if not")]
    hold: StockHoldOut | None
    away: Annotated[
        list[str], Field(description="carriers whose pick-up points could not be asked just now")
    ]

    @classmethod
    def of(
        cls, promise: Promise, wanted: dict[str, int], hold: StockHoldOut | None, *,
        currency: str, away: Sequence[str], at: datetime,
    ) -> Self:  # fmt: skip
        """Write a promise: shipped first, then collected at the nearest store, then at a point."""
        options = [OptionOut.collected(store, currency) for store in promise.stores]
        if promise.shipments:
            options.insert(0, OptionOut.shipped(promise, currency))
        options += [OptionOut.at_point(answer, currency) for answer in promise.points]
        lines = [
            AvailableOut(sku=sku, requested=n, available=promise.available.get(sku, 0))
            for sku, n in wanted.items()
        ]
        return cls(
            as_of=at, expires_at=promise.expires_at, options=options, lines=lines, hold=hold,
            away=list(away),
        )  # fmt: skip
