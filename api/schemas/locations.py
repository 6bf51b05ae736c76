"""Locations on the wire."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import Field

from api.schemas.common import Out, values_of
from oms.locations.hours import is_open
from oms.locations.model import Place


class LocationOut(Out):
    """A place that holds stock or hands it over, and by which settings it supplies."""

    location_code: str
    name: str
    kind: Literal["dc", "store", "pickup_point"]
    street: str | None
    postcode: str | None
    city: str | None
    region: str | None
    country_code: str
    latitude: float | None
    longitude: float | None
    time_zone: str
    opening_hours: Annotated[dict[str, Any], Field(description="by day, in its own time")]
    is_open: Annotated[bool, Field(description="now; without any hours it always is")]
    is_enabled: bool
    capacity_per_day: Annotated[int | None, Field(description="null: without limit")]
    cut_off: Annotated[str | None, Field(description="its own time; after it is tomorrow")]
    lead_time_hours: int
    shipping_buffer: Annotated[int, Field(description="units of each article that stay")]
    node_cost_minor: Annotated[int, Field(description="of each part it supplies")]
    transit_days: Annotated[int, Field(description="working days from here within its country")]
    transit_days_abroad: int
    collect_lead_minutes: Annotated[
        int, Field(description="of its opening hours, until something lies at its counter")
    ]
    accept_minutes: Annotated[
        int | None,
        Field(description="of its opening hours, until work nobody accepted goes elsewhere"),
    ]
    channel_codes: Annotated[list[str], Field(description="which it supplies")]

    @classmethod
    def of(cls, place: Place, *, at: datetime) -> Self:
        """Write a location as it is at an instant."""
        values = values_of(place.location)
        hours = values["opening_hours"]
        return cls(
            location_code=values.pop("code"), **values, channel_codes=list(place.channel_codes),
            is_open=not hours or is_open(hours, place.location.time_zone, at),
        )  # fmt: skip
