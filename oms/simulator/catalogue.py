"""The assortment as a list of SKUs: numbers, titles, prices, popularity, launches, revisions."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple

from oms.simulator.assortment import (
    BRANDS,
    COLORS,
    MODELS,
    REDUCED_CATEGORIES,
    SEASONS,
    SIZES,
    TYPES,
    Type,
)
from oms.simulator.model import Product
from oms.simulator.streams import stream

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator, Mapping

LATER_RATIO = 0.12  # of the styles come after the first day
LATER_DAYS_MAX = 360
RENAME_DAY = 9  # days after the first, so that a short history has both
RETYPE_DAY = 16
ZIPF = 0.75  # the second best style sells 60 % of the best


def check_digit(digits: str) -> int:
    """Compute the thirteenth digit of a GTIN-13 from the twelve before it."""
    odd, even = sum(map(int, digits[::2])), sum(map(int, digits[1::2]))
    return -(odd + 3 * even) % 10


def gtin_13(prefix: str, number: int) -> str:
    """Make the GTIN-13 of a number under a prefix."""
    digits = prefix + str(number).zfill(12 - len(prefix))
    return f"{digits}{check_digit(digits)}"


class Revision(NamedTuple):
    """A product that is told anew: renamed or put under another type."""

    on: date
    product: Product
    title: str
    product_type: str


class _Style(NamedTuple):
    """One model of a type, before sizes and colors."""

    kind: Type
    number: int
    brand: str
    model: str
    price: int
    weight: float
    launched_on: date


def _price_point(cents: int, ending: int) -> int:
    """Move a price to the next whole unit's retail ending below it."""
    return max(100, round(cents / 100) * 100) - (100 - ending)


def _styles(rng: random.Random, first: date) -> Iterator[_Style]:
    """Invent the styles of every type, the best selling first."""
    number = 1000
    for kind in TYPES:
        ranks = [1 / (rank + 1) ** ZIPF for rank in range(kind.styles)]
        models = rng.sample(MODELS, kind.styles)
        for rank, model in enumerate(models):
            number += rng.randint(1, 4)
            steps = (kind.high - kind.low) // 500
            price = kind.low + 500 * min(rng.randint(0, steps), rng.randint(0, steps))
            is_later = rank > 0 and rng.random() < LATER_RATIO
            days = rng.randint(3, LATER_DAYS_MAX) if is_later else 0
            yield _Style(
                kind=kind,
                number=number,
                brand=rng.choice(BRANDS[kind.category]),
                model=model,
                price=price,
                weight=kind.weight * ranks[rank] / sum(ranks),
                launched_on=first + timedelta(days=days),
            )


def _title(style: _Style, color: str, size: str) -> str:
    """Say what a shelf label says."""
    name = f"{style.brand} {style.model} {style.kind.name}"
    return ", ".join(part for part in (name, color, size) if part)


def _variants(style: _Style, rng: random.Random) -> Iterator[tuple[str, str, float]]:
    """List color, size and weight of a style's variants."""
    is_plain = style.kind.colors == 1 and style.kind.sizes in {"", "bottle", "pan", "bag"}
    colors = [""] if is_plain else rng.sample(list(COLORS), style.kind.colors)
    sizes = SIZES[style.kind.sizes]
    total = sum(weight for _, weight in sizes) * len(colors)
    for color in colors:
        for size, weight in sizes:
            yield color, size, weight / total


def _prices(style: _Style, size: str) -> Mapping[str, int]:
    """Price a variant: larger packs cost more, pounds have their own endings."""
    scale = {"100 ml": 1.6, "28 cm": 1.25, "1 kg": 3.2}.get(size, 1.0)
    euros = _price_point(round(style.price * scale), 95)
    return {"EUR": euros, "GBP": _price_point(round(euros * 0.88), 99)}


def _product(style: _Style, index: int, variant: tuple[str, str, float]) -> Product:
    """Make one SKU of a style."""
    color, size, weight = variant
    kind = style.kind
    code = "-".join(p for p in (COLORS.get(color, ""), size.replace(" ", "").upper()) if p)
    # A cookbook carries an ISBN-13, which is a GTIN-13 of the book world.
    prefix = "9789079" if kind.name == "Cookbook" else "8719326"
    return Product(
        index=index,
        sku="-".join(p for p in (kind.code, str(style.number), code) if p),
        gtin=gtin_13(prefix, index + 1),
        title=_title(style, color, size),
        product_type=kind.name,
        category=kind.category,
        brand=style.brand,
        tax_class="reduced" if kind.category in REDUCED_CATEGORIES else "standard",
        prices=_prices(style, size),
        weight=style.weight * weight,
        season=SEASONS[kind.season],
        return_ratio=kind.return_ratio,
        is_bulk=kind.is_bulk,
        launched_on=style.launched_on,
    )


def catalogue(seed: int, first: date) -> tuple[Product, ...]:
    """Invent the assortment of a retailer whose story starts on a day."""
    rng = stream(seed, "catalogue")
    products: list[Product] = []
    for style in _styles(rng, first):
        for variant in _variants(style, rng):
            products.append(_product(style, len(products), variant))
    return tuple(products)


def revisions(products: tuple[Product, ...], first: date) -> tuple[Revision, ...]:
    """Say which products are told anew later: one is renamed, one put under another type."""
    renamed = next(p for p in products if p.product_type == "Candle")
    retyped = next(p for p in products if p.product_type == "Cushion")
    return (
        Revision(
            first + timedelta(days=RENAME_DAY),
            renamed,
            renamed.title.replace(" Candle", " Scented Candle"),
            renamed.product_type,
        ),
        Revision(first + timedelta(days=RETYPE_DAY), retyped, retyped.title, "Outdoor Cushion"),
    )
