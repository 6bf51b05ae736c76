"""What lies in a basket: which products, how many, at what discount, with which tax."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from oms.kernel.money import split
from oms.simulator.model import Line
from oms.simulator.network import TAX_RATES
from oms.simulator.rhythm import markdown_percent
from oms.simulator.streams import Wheel, wheel

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence
    from datetime import date

    from oms.simulator.model import Channel, Product

# What a channel sells more and less of than the others.
TASTES: dict[str, dict[str, float]] = {
    "pos": {"Pantry": 1.5, "Home": 1.2},
    "kiosk": {"Pantry": 0.1, "Beauty": 0.3, "Shoes": 2.0},
    "marketplace": {"Women": 0.5, "Pantry": 0.2, "Kitchen": 2.5, "Home": 1.6, "Shoes": 1.5},
    "phone": {"Women": 0.1, "Men": 0.1, "Kids": 0.1, "Shoes": 0.1, "Pantry": 4.0, "Kitchen": 2.0},
}
MARKED_DOWN = frozenset({"Women", "Men", "Kids", "Shoes", "Home"})
PROMOTION_PERCENT = 10
LINES_MAX = 8

_SIZES = {
    "webshop": wheel({1: 44, 2: 27, 3: 15, 4: 8, 5: 4, 6: 2}),
    "pos": wheel({1: 52, 2: 26, 3: 12, 4: 6, 5: 3, 6: 1}),
    "kiosk": wheel({1: 78, 2: 17, 3: 5}),
    "marketplace": wheel({1: 88, 2: 10, 3: 2}),
    "phone": wheel({1: 24, 2: 28, 3: 20, 4: 14, 5: 9, LINES_MAX: 5}),
}
_FEW = wheel({1: 96, 2: 4})
_MANY = wheel({1: 62, 2: 24, 3: 7, 4: 5, 6: 2})
_CASES = wheel({2: 30, 4: 20, 6: 25, 10: 15, 12: 10})


class Terms(NamedTuple):
    """Under which terms a basket is bought."""

    currency: str
    country_code: str  # whose tax
    with_tax: bool
    markdown: int  # percent, in the sale
    promotion: int  # percent, by a code
    is_business: bool


def quantity_of(product: Product, terms: Terms, rng: random.Random) -> int:
    """Draw how many of a product somebody takes."""
    if not product.is_bulk:
        return _FEW.spin(rng)
    return _CASES.spin(rng) if terms.is_business else _MANY.spin(rng)


def tax_of(total: int, rate_ppt: int, *, with_tax: bool) -> int:
    """Compute the tax in an amount, or on it, half up."""
    base = 1000 + rate_ppt if with_tax else 1000
    return (2 * total * rate_ppt + base) // (2 * base)


def line_of(product: Product, title: str, quantity: int, terms: Terms, promoted: int = 0) -> Line:
    """Price one line; what a promotion takes off comes on top of the sale's discount."""
    rate = TAX_RATES[terms.country_code][product.tax_class]
    price = product.prices[terms.currency]
    if not terms.with_tax:
        price = round(price * 1000 / (1000 + rate))
    percent = terms.markdown if product.category in MARKED_DOWN else 0
    discount = price * quantity * percent // 100 + promoted
    total = price * quantity - discount
    tax = tax_of(total, rate, with_tax=terms.with_tax)
    return Line(product, title, quantity, price, discount, total, tax, rate)


def promote(lines: list[Line], terms: Terms) -> list[Line]:
    """Spread the promotion's discount over the lines, to the last cent."""
    if not terms.promotion:
        return lines
    off = sum(line.total for line in lines) * terms.promotion // 100
    parts = split(off, [line.total for line in lines])
    return [
        line_of(line.product, line.title, line.quantity, terms, part)
        for line, part in zip(lines, parts, strict=True)
    ]


class Range:
    """What one channel offers on one day, and how likely each product is bought."""

    def __init__(self, channel: Channel, products: Sequence[Product], on: date) -> None:
        """Weigh every product that is launched by the season and the channel's taste."""
        taste = TASTES.get(channel.code, {})
        month = on.month - 1
        self._wheel = Wheel(
            products,
            [
                p.weight * p.season[month] * taste.get(p.category, 1.0)
                if p.launched_on <= on
                else 0.0
                for p in products
            ],
        )
        self._sizes = _SIZES.get(channel.code, _SIZES["webshop"])
        self.markdown = markdown_percent(on)

    def pick(self, rng: random.Random) -> Product:
        """Draw one product."""
        return self._wheel.spin(rng)

    def fill(
        self,
        rng: random.Random,
        terms: Terms,
        is_there: Callable[[int, int], bool],
        titles: dict[int, str],
        least: int = 1,
    ) -> list[Line]:
        """Fill a basket with different products that are there; it may stay empty."""
        chosen: dict[int, Line] = {}
        for _ in range(max(least, self._sizes.spin(rng))):
            product = self.pick(rng)
            quantity = quantity_of(product, terms, rng)
            if product.index not in chosen and is_there(product.index, quantity):
                title = titles.get(product.index, product.title)
                chosen[product.index] = line_of(product, title, quantity, terms)
        return promote(list(chosen.values()), terms)
