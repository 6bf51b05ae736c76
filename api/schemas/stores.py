"""What stores near a point have, on the wire."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Self

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from api.schemas.common import Out, Wire, Words, etag_of, values_of
from oms.kernel.limits import STORE_SKUS_MAX, STORES_MAX
from oms.promise.model import Point, StockStatus, StoreAnswer


def a_point(text: str) -> str:
    """Return a point as it is written. Raises PydanticCustomError for what is none."""
    try:
        latitude, longitude = (float(part) for part in text.split(","))
    except ValueError:
        raise PydanticCustomError("point", "a point such as 52.37,4.90 is needed") from None
    if not (abs(latitude) <= 90 and abs(longitude) <= 180):  # noqa: PLR2004 - degrees
        raise PydanticCustomError("point", "there is no such point on the earth")
    return text


class StoresQuery(Wire):
    """For what, and near what, stores are asked."""

    sku: Annotated[
        list[Words],
        Field(
            min_length=1, max_length=STORE_SKUS_MAX,
            description="repeat it for a basket; as often as units are wanted of it",
        ),
    ]  # fmt: skip
    channel: Annotated[Words, Field(description="whose settings say how much is shown")]
    near: Annotated[
        Words | None,
        Field(description="latitude and longitude in degrees", examples=["52.37,4.90"]),
        AfterValidator(lambda text: None if text is None else a_point(text)),
    ] = None
    radius_km: Annotated[float, Field(gt=0, le=1_000, allow_inf_nan=False)] = 25
    limit: Annotated[int, Field(ge=1, le=STORES_MAX)] = 10

    @property
    def point(self) -> Point | None:
        """Return where it shall be near to."""
        if self.near is None:
            return None
        latitude, longitude = map(float, self.near.split(","))
        return Point(latitude=latitude, longitude=longitude)

    @property
    def wanted(self) -> dict[str, int]:
        """Return how many units are wanted of each SKU."""
        return dict(Counter(self.sku))


class SpanOut(Out):
    """A time a store is open."""

    opens_at: datetime
    closes_at: datetime


class StoreLineOut(Out):
    """What a store has of a SKU; how exactly that is said the channel decides."""

    sku: str
    wanted: int
    status: StockStatus
    quantity: Annotated[int | None, Field(description="null: the channel does not show it")]
    at_least: Annotated[int | None, Field(description="null: the channel does not show it")]


class StoreOut(Out):
    """What a store can give of a basket, and when."""

    location_code: str
    name: str
    street: str | None
    postcode: str | None
    city: str | None
    country_code: str
    latitude: float | None
    longitude: float | None
    time_zone: str
    distance_km: float | None
    hours_today: Annotated[list[SpanOut], Field(description="by the store's own calendar")]
    open_now: bool
    status: Annotated[StockStatus, Field(description="the worst of its lines")]
    can_serve_all: bool
    ready_by: Annotated[
        datetime | None, Field(description="when all of it can lie ready at its counter")
    ]
    by_transfer_at: Annotated[
        datetime | None,
        Field(description="when it can, with what it lacks sent there"),
    ]
    lines: list[StoreLineOut]

    @classmethod
    def of(cls, answer: StoreAnswer) -> Self:
        """Write what a store can give."""
        place = values_of(answer.place)
        for name in ("opening_hours", "available", "handling"):
            place.pop(name)
        return cls(
            **place, distance_km=answer.distance_km, open_now=answer.is_open,
            hours_today=[SpanOut(**values_of(span)) for span in answer.hours_today],
            status=answer.status, can_serve_all=answer.can_serve_all, ready_by=answer.ready_by,
            by_transfer_at=answer.by_transfer_at,
            lines=[StoreLineOut(**values_of(line)) for line in answer.lines],
        )  # fmt: skip


class StoresOut(Out):
    """What the stores near a point can give, nearest first."""

    as_of: datetime
    items: list[StoreOut]
    unknown: Annotated[list[str], Field(description="SKUs the catalog does not know")]

    @classmethod
    def of(cls, answers: Iterable[StoreAnswer], unknown: list[str], *, at: datetime) -> Self:
        """Write what stores can give."""
        return cls(as_of=at, items=[StoreOut.of(each) for each in answers], unknown=unknown)

    @property
    def etag(self) -> str:
        """What stands for this answer, whenever it is asked for."""
        return etag_of(self)
