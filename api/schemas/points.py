"""Pick-up points on the wire."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from api.paging import Paging
from api.schemas.common import Out, Words, values_of
from api.schemas.stores import a_point
from oms.adapters.channels.canonical.fields import Country
from oms.points.model import Near, PointKind, PointStatus, Sought

# So far into what is near somebody can page; a page of a shop shows a dozen.
POINTS_MAX = 500


class PointsQuery(Paging):
    """Near what, and of which carrier, pick-up points are asked for."""

    near: Annotated[
        Words | None,
        Field(description="latitude and longitude in degrees", examples=["52.37,4.90"]),
        AfterValidator(lambda text: None if text is None else a_point(text)),
    ] = None
    country: Annotated[Country | None, Field(description="of the points; with `postcode`")] = None
    postcode: Annotated[Words | None, Field(examples=["1011 AB"])] = None
    carrier: Annotated[Words | None, Field(description="left out: every one with points")] = None
    radius_km: Annotated[float, Field(gt=0, le=200, allow_inf_nan=False)] = 10
    weight_grams: Annotated[
        int, Field(ge=0, le=2_000_000, description="only points that take such a parcel")
    ] = 0
    only_open: Annotated[
        bool, Field(description="leave out those that are full or closed for now")
    ] = True
    limit: Annotated[int, Field(ge=1, le=50)] = 10

    @model_validator(mode="after")
    def _has_a_place(self) -> Self:
        if self.near is None and (self.country is None or self.postcode is None):
            raise PydanticCustomError("place", "a point, or a postcode with its country, is needed")
        return self

    def sought(self, *, until: int) -> Sought:
        """Return what is looked for, up to so many."""
        latitude, longitude = map(float, self.near.split(",")) if self.near else (None, None)
        return Sought(
            latitude=latitude, longitude=longitude, country_code=self.country,
            postcode=self.postcode, radius_km=self.radius_km, limit=until,
            only_open=self.only_open, weight_grams=self.weight_grams,
        )  # fmt: skip


class PickupPointOut(Out):
    """A place of a carrier where customers collect their parcels."""

    provider: Annotated[str, Field(description="the carrier's code")]
    point_id: Annotated[str, Field(description="the carrier's own id of it")]
    kind: PointKind
    name: str
    street: str
    postcode: str
    city: str
    country_code: str
    latitude: float
    longitude: float
    distance_km: Annotated[float, Field(description="from what was asked")]
    time_zone: str
    opening_hours: Annotated[
        Mapping[str, Sequence[Sequence[str]]], Field(description="of a week, by its own clock")
    ]
    status: Annotated[PointStatus, Field(description="whether it takes parcels")]
    weight_grams_max: int
    length_mm_max: Annotated[int, Field(description="of a parcel's longest side")]
    checks_age: Annotated[bool, Field(description="somebody there looks at an identity card")]

    @classmethod
    def of(cls, near: Near) -> Self:
        """Write a point."""
        values: dict[str, Any] = values_of(near.point)
        return cls(**values, distance_km=near.distance_km)


class PickupPointsOut(Out):
    """Pick-up points, nearest first; `next_after` is null on the last page."""

    items: list[PickupPointOut]
    next_after: str | None
    away: Annotated[list[str], Field(description="carriers that could not be asked just now")]
