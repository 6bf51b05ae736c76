"""Questions to the list of orders on the wire: filters, order, facets, analysis, saved views."""

from datetime import datetime
from typing import Annotated, Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.paging import Limit
from api.problems import FieldProblem, InvalidFilter
from api.schemas.common import Moment, MoneyOut, Out, Wire, Words
from oms.access.model import Caller
from oms.holds.model import HoldType
from oms.kernel.money import EXPONENTS, minor_from_text
from oms.notes.model import readable
from oms.orders.analysis import Dimension, Group
from oms.orders.cursors import Sort
from oms.orders.facets import Facets
from oms.orders.filters import Filters
from oms.orders.model import FulfillmentMethod, FulfillmentState, OrderState
from oms.payments.model import OrderPaymentState, Tender

VALUES_MAX: Final = 50
DIMENSIONS_MAX: Final = 3
# Names on the wire of what the core calls otherwise.
_SEVERAL: Final = {
    "location": "location_codes", "fulfillment_location": "fulfillment_location_codes",
    "hold": "hold_types", "method": "methods", "order_state": "order_states",
    "fulfillment_state": "fulfillment_states", "product_type": "product_types",
    "category": "categories", "brand": "brands", "sku": "skus", "country": "country_codes",
    "exception": "exception_codes", "tag": "tags", "payment_method": "payment_methods",
    "payment_state": "payment_states",
}  # fmt: skip

Amount = Annotated[str, StringConstraints(pattern=r"^-?\d{1,12}(\.\d{1,4})?$", max_length=18)]
AnyWords = Annotated[list[Words] | None, Field(max_length=VALUES_MAX)]


class OrderFilters(BaseModel):
    """Which orders; a filter left out means any, one given several times any of its values."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    q: Annotated[
        Words | None,
        Field(description=(
            "words, each as it begins, in any order: of numbers, names, e-mail, phone, postcode,"
            " city, SKU, GTIN, product title, tracking number, parcel, fulfillment, payment, the"
            " payment service's reference, refund, return, invoice and credit note"
        )),
    ] = None  # fmt: skip
    number: Annotated[Words | None, Field(description="our number")] = None
    external: Annotated[
        Words | None, Field(description="the channel's id or number of the order")
    ] = None
    customer: Annotated[
        Words | None, Field(description="words of the customer's name, or how they begin")
    ] = None
    email: Words | None = None
    placed_from: Annotated[Moment | None, Field(description="from this instant on")] = None
    placed_to: Annotated[Moment | None, Field(description="before this instant")] = None
    updated_from: Annotated[Moment | None, Field(description="from this instant on")] = None
    updated_to: Annotated[Moment | None, Field(description="before this instant")] = None
    channel: Annotated[AnyWords, Field(description="a channel's code")] = None
    location: Annotated[AnyWords, Field(description="the code of the place it was sold at")] = None
    fulfillment_location: Annotated[
        AnyWords, Field(description="the code of a place that fulfills some of it or hands it out")
    ] = None
    method: Annotated[list[FulfillmentMethod] | None, Field(max_length=VALUES_MAX)] = None
    order_state: Annotated[list[OrderState] | None, Field(max_length=VALUES_MAX)] = None
    fulfillment_state: Annotated[list[FulfillmentState] | None, Field(max_length=VALUES_MAX)] = None
    product_type: Annotated[AnyWords, Field(description="a type of product in the order")] = None
    category: Annotated[AnyWords, Field(description="a category of products in the order")] = None
    brand: Annotated[AnyWords, Field(description="a brand in the order")] = None
    sku: Annotated[AnyWords, Field(description="a SKU in the order")] = None
    country: Annotated[AnyWords, Field(description="an ISO country code")] = None
    currency: Words | None = None
    total_from: Annotated[Amount | None, Field(description="at least; needs a currency")] = None
    total_to: Annotated[Amount | None, Field(description="at most; needs a currency")] = None
    has_exception: bool | None = None
    exception: Annotated[AnyWords, Field(description="the code of an open exception")] = None
    is_on_hold: bool | None = None
    hold: Annotated[
        list[HoldType] | None,
        Field(max_length=VALUES_MAX, description="the type of a hold it is on"),
    ] = None
    is_test: bool | None = None
    tag: Annotated[AnyWords, Field(description="a tag it has")] = None
    state_from: Annotated[
        Moment | None, Field(description="in the states it is in from this instant on")
    ] = None
    state_to: Annotated[Moment | None, Field(description="… since before this instant")] = None
    payment_method: Annotated[
        list[Tender] | None,
        Field(max_length=VALUES_MAX, description="what some of it is paid with"),
    ] = None
    payment_state: Annotated[
        list[OrderPaymentState] | None,
        Field(max_length=VALUES_MAX, description="how the whole of it is paid"),
    ] = None
    promised_from: Annotated[
        Moment | None,
        Field(description="to be ready to leave from this instant on, as its rules promise"),
    ] = None
    promised_to: Annotated[Moment | None, Field(description="… before this instant")] = None
    note: Annotated[
        Words | None,
        Field(description="words of its notes, or how they begin; of those one may read"),
    ] = None

    def filters(self, caller: Caller) -> Filters:
        """Return the filters, with the channels the caller may see.

        Raises InvalidFilter for what cannot be asked.
        """
        asked = {name: getattr(self, name) for name in OrderFilters.model_fields}
        total_from, total_to = asked.pop("total_from"), asked.pop("total_to")
        channels = asked.pop("channel")
        for name, meant in _SEVERAL.items():
            values = asked.pop(name)
            asked[meant] = None if values is None else tuple(map(str, values))
        self._check_periods()
        return Filters(
            **asked,
            channel_codes=caller.visible(channels),
            note_visibilities=readable(caller.scopes),
            total_from_minor=self._minor("total_from", total_from),
            total_to_minor=self._minor("total_to", total_to),
        )

    def facts(self) -> tuple[tuple[str, str], ...]:
        """Say in words what is asked."""
        asked = self.model_dump(mode="json", exclude_none=True)
        return tuple(
            (name, ", ".join(value) if isinstance(value, list) else str(value))
            for name, value in asked.items()
        )

    def _check_periods(self) -> None:
        for name in ("placed", "updated", "state", "promised"):
            first: datetime | None = getattr(self, f"{name}_from")
            last: datetime | None = getattr(self, f"{name}_to")
            if first is not None and last is not None and first > last:
                raise invalid_filter(f"{name}_to", "the period ends before it begins")
        if self.currency is not None and self.currency not in EXPONENTS:
            raise invalid_filter("currency", "it is not an active currency of ISO 4217")

    def _minor(self, name: str, amount: str | None) -> int | None:
        if amount is None:
            return None
        if self.currency is None:
            raise invalid_filter("currency", f"{name} needs the currency it is in")
        return minor_from_text(amount, self.currency)


def invalid_filter(name: str, detail: str) -> InvalidFilter:
    """Return the problem with a filter."""
    return InvalidFilter([
        FieldProblem(location="query", pointer=f"/{name}", code=InvalidFilter.code, detail=detail)
    ])  # fmt: skip


class SortedQuery(OrderFilters):
    """Which orders, and in which order."""

    sort: Annotated[
        Sort,
        Field(description=(
            "a leading hyphen turns it around; amounts are compared within their currency"
        )),
    ] = Sort.PLACED_AT_DOWN  # fmt: skip


class OrderQuery(SortedQuery):
    """Which page of orders."""

    after: Annotated[
        str | None,
        Field(
            max_length=1_000, pattern=r"^[A-Za-z0-9_-]+$",
            description="`next_after` of a page of the same filters in the same order",
        ),
    ] = None  # fmt: skip
    limit: Limit = 50


class AnalysisQuery(OrderFilters):
    """Which orders, added up by what."""

    by: Annotated[list[Dimension], Field(min_length=1, max_length=DIMENSIONS_MAX)]


class CountOut(Out):
    """How many orders have a value."""

    value: str
    orders_count: int


class FacetsOut(Out):
    """What is in a result. Of a very large one only the newest orders are looked through."""

    orders_count: Annotated[int, Field(description="all; not complete: of those looked through")]
    is_complete: bool
    facets: Annotated[dict[str, list[CountOut]], Field(description="the most frequent first")]

    @classmethod
    def of(cls, facets: Facets) -> Self:
        """Write facets."""
        return cls(
            orders_count=facets.orders_count, is_complete=facets.is_complete,
            facets={
                name: [CountOut(value=each.value, orders_count=each.orders_count) for each in found]
                for name, found in facets.counts.items()
            },
        )  # fmt: skip


class GroupOut(Out):
    """What was ordered with the same values: as ordered, without shipping."""

    values: Annotated[dict[str, str | None], Field(description="by dimension")]
    orders_count: int
    units: int
    net: MoneyOut
    gross: MoneyOut

    @classmethod
    def of(cls, group: Group, by: list[Dimension]) -> Self:
        """Write a group."""
        return cls(
            values=dict(zip(map(str, by), group.values, strict=True)),
            orders_count=group.orders_count, units=group.units,
            net=MoneyOut.of(group.net_minor, group.currency),
            gross=MoneyOut.of(group.gross_minor, group.currency),
        )  # fmt: skip


class AnalysisOut(Out):
    """A result added up; amounts of two currencies never are."""

    items: list[GroupOut]


class ViewPost(Wire):
    """A question to keep: what the list of orders is asked, by name of the parameter."""

    name: Annotated[Words, Field(max_length=100)]
    query: SortedQuery
    is_shared: Annotated[bool, Field(strict=True, description="with everybody of one's role")] = (
        False
    )

    def kept(self) -> dict[str, Any]:
        """Return the question as it is kept."""
        return self.query.model_dump(mode="json", exclude_none=True, exclude_defaults=True)


class ViewOut(Out):
    """A question that was kept; `query` is what to ask the list of orders."""

    view_id: int
    name: str
    is_shared: bool
    query: dict[str, Any]
    created_by: str
    updated_at: datetime
