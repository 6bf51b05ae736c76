"""The values of the simulated world: products, places, orders and what becomes of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """One SKU of the assortment."""

    index: int  # its place in the catalogue
    sku: str
    gtin: str
    title: str
    product_type: str
    category: str
    brand: str
    tax_class: str
    prices: Mapping[str, int]  # minor units with tax, per currency
    weight: float  # how often it is bought, beside the others
    season: tuple[float, ...]  # a factor per month, January first
    return_ratio: float  # of the units sold online
    is_bulk: bool  # bought by several at once
    launched_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A building: where stock lies, is sold or collected."""

    code: str
    number: int  # what the till and the web shops know it by
    name: str
    kind: str  # dc, store or pickup_point
    street: str
    postcode: str
    city: str
    region: str
    country_code: str
    latitude: float
    longitude: float
    time_zone: str
    hours: Mapping[str, tuple[tuple[str, str], ...]]
    minutes: tuple[tuple[int, int], ...]  # the same per weekday, Monday first; (0, 0): closed
    share: float = 0.0  # of what all stores sell


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A way by which orders come, and how it behaves."""

    code: str
    number: int  # part of its order ids
    name: str
    kind: str
    currency: str
    country_code: str
    prices_include_tax: bool
    time_zone: str
    adapter: str
    transport: str
    share: float  # of all orders


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where something goes, as a person writes it."""

    name: str
    street: str
    postcode: str
    city: str
    region: str
    country_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """A person or a small business that buys more than once."""

    ref: str
    first_name: str
    last_name: str
    email: str
    phone: str
    address: Address

    @property
    def name(self) -> str:
        """Say the name as it is printed on a parcel."""
        return f"{self.first_name} {self.last_name}"


class Line(NamedTuple):
    """One line of an order; amounts are with tax or without, as the channel shows prices."""

    product: Product
    title: str  # as sold: a product may be renamed later
    quantity: int
    unit_price: int
    discount: int
    total: int  # quantity * unit_price - discount
    tax: int
    rate_ppt: int  # tax rate in thousandths


class Part(NamedTuple):
    """The share of one line in a change: so many units and their money."""

    line: int  # the line's place in the order, from 0
    quantity: int
    total: int
    tax: int


class Change(NamedTuple):
    """Something that became of an order after it was placed."""

    kind: str  # ship, cancel, return, add (a line the customer added), pay (an invoice), note
    at: datetime
    number: int  # from 1 within the order
    parts: tuple[Part, ...]
    place: Place | None = None  # shipped from, returned to
    restock: bool = True
    reason: str = ""
    closes: bool = False  # the whole order is canceled by it


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """How often documents misbehave: shares of the orders, and of the files for the last two."""

    broken: float = 0.004
    repeated: float = 0.005
    stale: float = 0.003
    late: float = 0.002
    file_twice: float = 0.01
    file_late: float = 0.01


CALM = Rates(broken=0, repeated=0, stale=0, late=0, file_twice=0, file_late=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a retailer's story depends on: equal plans tell the same story."""

    seed: int
    first: date  # the day the story starts
    orders_per_day: int
    rates: Rates = field(default_factory=Rates)
    routed_until: date | None = None  # orders of the days before it and after are ours to route


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What is wrong with the documents of one order; most have none of it."""

    broken: str = ""  # a reason of trouble.REASONS
    is_repeated: bool = False  # its document comes twice
    is_stale: bool = False  # an old state of it comes again after a newer one
    is_late: bool = False  # its update comes before its creation


FINE = Trouble()


class Order(NamedTuple):
    """One order with all that will become of it.

    A tuple, because it is rewritten while it is invented: measured, `_replace` takes a tenth of
    the time that `dataclasses.replace` takes on a frozen dataclass of this size.
    """

    channel: Channel
    day: int  # since the retailer's epoch
    seq: int  # within channel and day, from 1
    placed_at: datetime
    currency: str
    country_code: str
    customer: Customer | None
    email: str
    method: str
    store: Place | None  # where it was sold
    till: int
    pickup: Place | None  # where the customer collects it
    ship_to: Address | None
    lines: tuple[Line, ...]  # those added later are the last ones
    shipping: int  # in the channel's tax mode
    shipping_tax: int
    promotion: str
    is_test: bool
    changes: tuple[Change, ...] = ()
    trouble: Trouble = FINE
    carried: int = 0  # of a mixed basket so many of the first lines are taken along at once
    quiet: tuple[Change, ...] = ()  # what becomes of it that no document tells: others see to it
    is_captured_here: bool = False  # its payments are authorized, and ours to capture

    @property
    def number(self) -> int:
        """Count all orders of the channel in one never repeating number."""
        return self.day * 1_000_000 + self.seq


class Payload(NamedTuple):
    """What the world hands to the platform at one moment by one channel."""

    channel_code: str
    transport: str  # file, pull or push
    topic: str
    content_type: str
    file_name: str | None
    body: bytes
    at: datetime
