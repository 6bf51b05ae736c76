"""What a channel may sell, as a feed, on the wire."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from api.schemas.common import BATCH_ITEMS_MAX, Out, Wire, Words, values_of
from oms.feeds.model import BATCH_ITEMS_MAX as PAGE_ITEMS_MAX
from oms.feeds.model import Availability, Difference, Feed, Refusal
from oms.kernel.limits import QUANTITY_MAX


class AvailabilityQuery(Wire):
    """From where to go on reading what changed."""

    after: Annotated[
        int, Field(ge=0, le=2**62, description="`next_after` of the last answer; 0 begins")
    ] = 0
    limit: Annotated[int, Field(ge=1, le=PAGE_ITEMS_MAX)] = PAGE_ITEMS_MAX


class AvailabilityOut(Out):
    """What the channel may sell of a SKU."""

    sku: str
    available_to_sell: int
    version: Annotated[
        int, Field(description="rises with each change: a lower one than is known is late")
    ]
    computed_at: datetime

    @classmethod
    def of(cls, item: Availability) -> Self:
        """Write a value."""
        values = values_of(item)
        return cls.model_validate({name: values[name] for name in cls.model_fields})


class AvailabilityFeedOut(Out):
    """What changed since a version, each SKU in its latest state; nothing while it is closed."""

    channel_code: str
    is_open: Annotated[bool, Field(description="false while switched off or held")]
    items: list[AvailabilityOut]
    next_after: Annotated[int, Field(description="ask with this next time, now or later")]
    has_more: bool


class RefusalOut(Out):
    """A value an endpoint refuses; it is tried alone, ever more seldom."""

    subscription_id: int
    sku: str
    version: int
    status_code: int | None
    attempts_count: int
    refused_at: datetime
    next_attempt_at: datetime


class FeedOut(Out):
    """How a channel is told of what it may sell."""

    channel_code: str
    is_enabled: Annotated[bool, Field(description="false: the kill switch is thrown")]
    few_units: Annotated[int, Field(description="crossing it is told at once, as crossing none is")]
    zeroed_ratio_max: Annotated[
        float, Field(description="more of the catalog going to none within minutes is held")
    ]
    held_at: datetime | None
    held_reason: str | None
    released_at: datetime | None
    reconciled_at: datetime | None
    products_count: int
    version: int
    refusals: list[RefusalOut]

    @classmethod
    def of(cls, feed: Feed, refusals: list[Refusal]) -> Self:
        """Write a feed with what is refused of it."""
        values = {name: each for name, each in values_of(feed).items() if name in cls.model_fields}
        refused = [
            RefusalOut(**{name: getattr(each, name) for name in RefusalOut.model_fields})
            for each in refusals
        ]
        return cls(**values, refusals=refused)


class FeedPost(Wire):
    """What a channel's feed is to be like; what is left out stays."""

    is_enabled: bool | None = None
    few_units: Annotated[int | None, Field(ge=0, le=QUANTITY_MAX)] = None
    zeroed_ratio_max: Annotated[float | None, Field(ge=0, le=1)] = None


class TheirsIn(Wire):
    """What a channel says it may sell of a SKU."""

    sku: Words
    available_to_sell: Annotated[int, Field(ge=-QUANTITY_MAX, le=QUANTITY_MAX)]


class CompareIn(Wire):
    """What a channel says it may sell."""

    items: Annotated[list[TheirsIn], Field(min_length=1, max_length=BATCH_ITEMS_MAX)]

    def theirs(self) -> dict[str, int]:
        """Return what is said of each SKU."""
        return {item.sku: item.available_to_sell for item in self.items}


class DifferenceOut(Out):
    """A SKU of which the channel says something else than we do."""

    sku: str
    ours: Annotated[int | None, Field(description="null: we do not know the SKU")]
    theirs: int

    @classmethod
    def of(cls, difference: Difference) -> Self:
        """Write a difference."""
        return cls.model_validate(values_of(difference))


class ComparedOut(Out):
    """Where a channel has drifted away from us."""

    as_of: datetime
    compared_count: int
    differences: list[DifferenceOut]
