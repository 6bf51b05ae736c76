"""Reads for promises: stores, what they have, and how far away they are."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from sqlalchemy import text

from oms.ledger.database import Tx
from oms.promise.model import Place, Point, StoreAnswer, answer_of, nearest
from oms.stock import queries as stock

_STORES: Final = text("""
    select location_code, name, street, postcode, city, country_code, latitude, longitude,
        time_zone, opening_hours
    from locations
    where kind = 'store' and is_enabled
""")


def stores(tx: Tx) -> list[Place]:
    """Return every store that is enabled, without what it has."""
    return [Place(**row._mapping, available={}) for row in tx.execute(_STORES)]  # noqa: SLF001 - its public name


def near(
    tx: Tx, wanted: Mapping[str, int], *, point: Point | None, radius_km: float, limit: int,
    shown: str, at: datetime,
) -> tuple[list[StoreAnswer], list[str]]:  # fmt: skip
    """Return what the stores near a point can give of a basket, nearest first.

    And the SKUs that nobody knows.
    """
    found = nearest(stores(tx), point, radius_km=radius_km, limit=limit)
    places = with_stock(tx, found, wanted, at=at)
    known = stock.known(tx, list(wanted))
    answers = [answer_of(place, wanted, near=point, shown=shown, at=at) for place in places]
    return answers, sorted(wanted.keys() - known)


def with_stock(
    tx: Tx, places: list[Place], wanted: Mapping[str, int], *, at: datetime
) -> list[Place]:
    """Return places with what each can give of these SKUs."""
    codes = [place.location_code for place in places]
    has: dict[str, dict[str, int]] = defaultdict(dict)
    for location_code, sku, quantity in stock.at_locations(tx, list(wanted), codes, at=at):
        has[location_code][sku] = quantity
    return [replace(place, available=has[place.location_code]) for place in places]
