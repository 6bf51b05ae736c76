"""Holds of stock on the wire."""

from collections import Counter
from datetime import datetime
from typing import Annotated, Any, Final, Self

from pydantic import ConfigDict, Field

from api.schemas.common import Out, Wire, values_of
from oms.adapters.channels.canonical.fields import Quantity, Ref
from oms.kernel.limits import ORDER_LINES_MAX, STOCK_HOLD_MINUTES_MAX
from oms.stock.model import StockHold, StockHoldState

EXAMPLE: Final[dict[str, Any]] = {
    "channel_code": "web", "minutes": 15, "lines": [{"sku": "MUG-BLUE", "quantity": 2}],
}  # fmt: skip

Minutes = Annotated[int, Field(strict=True, ge=1, le=STOCK_HOLD_MINUTES_MAX)]


class BasketLineIn(Wire):
    """How much of a SKU somebody wants."""

    sku: Ref
    quantity: Quantity


BasketLines = Annotated[list[BasketLineIn], Field(min_length=1, max_length=ORDER_LINES_MAX)]


def quantities(lines: list[BasketLineIn]) -> dict[str, int]:
    """Return how much of each SKU lines ask for together."""
    wanted: Counter[str] = Counter()
    for line in lines:
        wanted[line.sku] += line.quantity
    return dict(wanted)


class StockHoldPost(Wire):
    """Stock to hold for a short time, all of it or nothing."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    channel_code: Ref
    lines: BasketLines
    location_code: Annotated[
        Ref | None, Field(description="hold it there; else anywhere in the channel's network")
    ] = None
    minutes: Minutes = 15


class StockHoldExtendPost(Wire):
    """How long from now on a hold shall last."""

    minutes: Minutes = 15


class StockHoldUnitsOut(Out):
    """Units of a SKU held at a location."""

    sku: str
    location_code: str
    quantity: int


class StockHoldOut(Out):
    """Stock kept for a short time without an order, and how it ended."""

    hold_ref: str
    channel_code: str
    state: StockHoldState
    created_at: datetime
    expires_at: datetime
    order_number: Annotated[str | None, Field(description="the order it became")]
    units: list[StockHoldUnitsOut]

    @classmethod
    def of(cls, hold: StockHold) -> Self:
        """Write a hold."""
        values = values_of(hold)
        units = [StockHoldUnitsOut(**values_of(each)) for each in values.pop("units")]
        return cls(**values, units=units)
