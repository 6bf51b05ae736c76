"""Who buys on a day, in which channel, how it is handed over, and what is paid for shipping."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from oms.simulator import people
from oms.simulator.baskets import PROMOTION_PERCENT, Range, Terms, tax_of
from oms.simulator.model import Order
from oms.simulator.network import (
    DC,
    PICKUP_POINTS,
    SHOP_STORES,
    TAX_RATES,
    TILL_STORES,
)
from oms.simulator.rhythm import busyness, day_number, minutes_open, moment
from oms.simulator.streams import Wheel, around, scatter, stream, wheel

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence
    from datetime import date

    from oms.simulator.model import Address, Channel, Customer, Line, Place, Plan, Product
    from oms.simulator.shelves import Shelves

METHODS: dict[str, Wheel[str]] = {
    "webshop-eu": wheel({
        "ship_home": 62, "pickup_point": 15, "collect_store": 12, "ship_from_store": 8,
        "reserve": 3,
    }),
    "webshop-uk": wheel({
        "ship_home": 66, "pickup_point": 8, "collect_store": 10, "carry_out": 16,
    }),
    "pos": wheel({"carry_out": 97, "ship_home": 3}),
    "kiosk": wheel({"ship_home": 58, "collect_store": 26, "mixed": 16}),
    "marketplace": wheel({"ship_home": 1}),
    "phone": wheel({"ship_home": 88, "pickup_point": 12}),
}  # fmt: skip
_COUNTRIES = {
    "webshop-eu": wheel({"NL": 60, "BE": 17, "DE": 16, "FR": 7}),
    "webshop-uk": wheel({"GB": 1}),
    "kiosk": wheel({"NL": 1}),
    "marketplace": wheel({"DE": 55, "FR": 22, "NL": 23}),
    "phone": wheel({"NL": 82, "BE": 18}),
}
AT_COUNTER = frozenset({"carry_out", "collect_store", "reserve"})
SHIPPING = {"EUR": (495, 5000), "GBP": (395, 4500)}  # price, and free from this total on
CUSTOMERS_PER_DAILY_ORDER = 55  # a customer of the web shop comes back every two months or so
REGULARS = 1.35  # above 1: some buy more often than others
KNOWN_AT_TILL_RATIO = 0.28
PROMOTION_RATIO = 0.11
TEST_RATIO = 0.001
ON_SHELF_RATIO = 0.35  # of what a store has itself, somebody at its kiosk orders so much
LOUD_EMAIL_RATIO = 0.03  # people who type their address with capitals


class Scene(NamedTuple):
    """Where one order happens: everything known before the basket is filled."""

    channel: Channel
    on: date
    method: str
    store: Place | None
    pickup: Place | None
    customer: Customer | None
    country_code: str  # where the goods go: its tax is due


class Demand:
    """The retailer's customers, day by day."""

    def __init__(self, plan: Plan, products: Sequence[Product], shelves: Shelves) -> None:
        """Know the plan, the assortment and what lies on the shelves."""
        self._plan, self._products, self._shelves = plan, products, shelves

    def orders(self, channel: Channel, on: date, titles: dict[int, str]) -> list[Order]:
        """Invent the orders of a channel on a day, in the order they are placed."""
        rng = stream(self._plan.seed, "demand", channel.code, on)
        mean = self._plan.orders_per_day * channel.share
        count = around(rng, mean * busyness(on, channel.kind, self._plan.first))
        offer = Range(channel, self._products, on)
        drafts = [self._order(channel, on, rng, offer, titles) for _ in range(count)]
        placed = sorted((o for o in drafts if o is not None), key=lambda order: order.placed_at)
        return [order._replace(seq=seq) for seq, order in enumerate(placed, 1)]

    def _order(
        self,
        channel: Channel,
        on: date,
        rng: random.Random,
        offer: Range,
        titles: dict[int, str],
    ) -> Order | None:
        """Let one customer buy; none where everything is closed or nothing was found."""
        scene = self._scene(channel, on, rng)
        if scene is None:
            return None
        terms = Terms(
            currency=channel.currency,
            country_code=scene.country_code,
            with_tax=channel.prices_include_tax,
            markdown=offer.markdown,
            promotion=PROMOTION_PERCENT if rng.random() < PROMOTION_RATIO else 0,
            is_business=channel.kind == "phone",
        )
        least = 2 if scene.method == "mixed" else 1
        lines = offer.fill(rng, terms, self._offered(scene, rng), titles, least)
        if not lines:
            return None
        carried, lines = self._carried(scene, lines)
        for line in lines[:carried]:
            assert scene.store is not None, "what is carried out is carried out of a store"
            self._shelves.take(scene.store.code, line.product.index, line.quantity)
        if scene.method == "carry_out":
            carried = 0  # it is said by the method
        elif scene.method == "mixed" and not carried:
            scene = scene._replace(method="ship_home")
        return _write(scene, terms, tuple(lines), rng)._replace(carried=carried)

    def _offered(self, scene: Scene, rng: random.Random) -> Callable[[int, int], bool]:
        """Say what somebody would take: from a shelf what lies there, at a kiosk what does not."""
        if scene.method in {"carry_out", "reserve"}:
            source = (scene.pickup or scene.store or DC).code
            return lambda index, quantity: self._shelves.free(source, index) >= quantity
        if scene.store is None or scene.method != "collect_store":
            return lambda _index, _quantity: True
        shelf = scene.store.code

        def is_wanted(index: int, quantity: int) -> bool:
            return self._shelves.free(shelf, index) < quantity or rng.random() < ON_SHELF_RATIO

        return is_wanted

    def _carried(self, scene: Scene, lines: list[Line]) -> tuple[int, list[Line]]:
        """Count what is taken along at once, and put it first."""
        if scene.store is None or scene.method not in {"carry_out", "mixed"}:
            return 0, lines
        if scene.method == "carry_out":
            return len(lines), lines
        shelf = scene.store.code
        there = [x for x in lines if self._shelves.free(shelf, x.product.index) >= x.quantity]
        taken = there[: len(lines) // 2]
        return len(taken), [*taken, *(line for line in lines if line not in taken)]

    def _scene(self, channel: Channel, on: date, rng: random.Random) -> Scene | None:
        """Draw who buys where, and how it will be handed over."""
        method = METHODS[channel.code].spin(rng)
        store = _sold_at(channel, method, on, rng)
        if store is None and (channel.kind in {"pos", "kiosk"} or method == "carry_out"):
            return None
        customer = self._customer(channel, store, method, rng)
        home = customer.address.country_code if customer else channel.country_code
        pickup = _collected_at(method, home, store, rng)
        if method in AT_COUNTER or pickup is not None:
            home = (pickup or store or DC).country_code
        return Scene(
            channel=channel,
            on=on,
            method=method,
            store=store,
            pickup=pickup,
            customer=customer,
            country_code=home,
        )

    def _customer(
        self, channel: Channel, store: Place | None, method: str, rng: random.Random
    ) -> Customer | None:
        """Draw the customer; at a till most stay unknown, unless something is sent to them."""
        if store is not None and method == "carry_out" and rng.random() >= KNOWN_AT_TILL_RATIO:
            return None
        country = store.country_code if store else _COUNTRIES[channel.code].spin(rng)
        pool = self._plan.orders_per_day * CUSTOMERS_PER_DAILY_ORDER
        number = int(pool * rng.random() ** REGULARS)
        if channel.kind == "phone":
            return people.business(self._plan.seed, country, number // 40)
        return people.customer(self._plan.seed, country, number)


_STORE_WHEELS = {
    "till": Wheel(TILL_STORES, [place.share for place in TILL_STORES]),
    "shop": Wheel(SHOP_STORES, [place.share for place in SHOP_STORES]),
}


def _sold_at(channel: Channel, method: str, on: date, rng: random.Random) -> Place | None:
    """Draw the store of a sale in a store; none when the drawn one is closed."""
    if channel.kind in {"pos", "kiosk"}:
        store = _STORE_WHEELS["till"].spin(rng)
    elif method == "carry_out":
        store = _STORE_WHEELS["shop"].spin(rng)
    else:
        return None
    opens, closes = minutes_open(store, on)
    return store if opens < closes else None


def _collected_at(
    method: str, country: str, store: Place | None, rng: random.Random
) -> Place | None:
    """Draw where the customer collects, in the customer's country where that is possible."""
    if method == "pickup_point":
        points = [p for p in PICKUP_POINTS if p.country_code == country]
        return rng.choice(points or [p for p in PICKUP_POINTS if p.country_code == "NL"])
    if method in {"collect_store", "reserve"}:
        if store is not None:
            return store
        near = [p for p in TILL_STORES + SHOP_STORES if p.country_code == country]
        return rng.choice(near or [p for p in TILL_STORES if p.country_code == "BE"])
    return None


def _write(scene: Scene, terms: Terms, lines: tuple[Line, ...], rng: random.Random) -> Order:
    """Write the order down."""
    channel, customer = scene.channel, scene.customer
    placed_at = moment(rng, scene.on, channel.kind, channel.time_zone, scene.store)
    shipping = _shipping(scene, lines)
    rate = TAX_RATES[scene.country_code]["standard"]
    return Order(
        channel=channel,
        day=day_number(scene.on),
        seq=0,
        placed_at=placed_at,
        currency=channel.currency,
        country_code=scene.country_code,
        customer=customer,
        email=_email(scene, rng),
        method=scene.method,
        store=scene.store,
        till=1 + int(rng.random() * 3),
        pickup=scene.pickup,
        ship_to=_ship_to(scene),
        lines=lines,
        shipping=shipping,
        shipping_tax=tax_of(shipping, rate, with_tax=terms.with_tax),
        promotion="WELKOM10" if terms.promotion else "",
        is_test=channel.adapter == "shopify" and rng.random() < TEST_RATIO,
    )


def _shipping(scene: Scene, lines: tuple[Line, ...]) -> int:
    """Price the shipping: nothing what a store hands over or sends, or from a good total on."""
    if scene.method in AT_COUNTER or scene.channel.kind == "pos":
        return 0
    price, free_from = SHIPPING[scene.channel.currency]
    return price if sum(line.total for line in lines) < free_from else 0


def _ship_to(scene: Scene) -> Address | None:
    """Say where it goes: home, or the name of the customer at the place of collection."""
    if scene.customer is None or scene.method == "carry_out":
        return None
    if scene.pickup is None:
        return scene.customer.address
    place = scene.pickup
    return replace(
        scene.customer.address,
        street=f"{place.name}, {place.street}",
        postcode=place.postcode,
        city=place.city,
        region=place.region,
        country_code=place.country_code,
    )


def _email(scene: Scene, rng: random.Random) -> str:
    """Say which address the channel passes on: marketplaces hide the real one."""
    if scene.customer is None:
        return ""
    if scene.channel.kind == "marketplace":
        alias = scatter(5, int.from_bytes(scene.customer.ref.encode(), "big"))
        return f"{alias:016x}@buyer.marketplace.example"
    email = scene.customer.email
    return email.capitalize() if rng.random() < LOUD_EMAIL_RATIO else email
