"""Reads for promises: stores, what they have, and how far away they are."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text

from oms.channels.model import Channel
from oms.ledger.database import Tx
from oms.ledger.rows import by_name
from oms.points.model import Near
from oms.promise.model import (
    Destination,
    Gathering,
    Handling,
    Place,
    Point,
    Promise,
    StoreAnswer,
)
from oms.promise.rules import answer_of, nearest, promise_of
from oms.stock import queries as stock
from oms.stock.model import UnknownSku

_COLUMNS: Final = """
    select x.location_code, x.name, x.street, x.postcode, x.city, x.country_code, x.latitude,
        x.longitude, x.time_zone, x.opening_hours, x.cut_off, x.lead_time_hours,
        x.shipping_buffer, x.node_cost_minor, x.transit_days, x.transit_days_abroad,
        x.collect_lead_minutes
    from locations x
"""
_STORES: Final = text(f"{_COLUMNS} where x.kind = 'store' and x.is_enabled")
_NETWORK: Final = text(f"""{_COLUMNS}
    join channel_locations n using (location_id)
    join channels c using (channel_id)
    where c.channel_code = :channel_code and x.is_enabled
    order by n.priority, x.location_id
""")


def stores(tx: Tx) -> list[Place]:
    """Return every store that is enabled, without what it has."""
    return [_place(row) for row in tx.execute(_STORES)]


def near(
    tx: Tx, wanted: Mapping[str, int], *, channel: Channel, point: Point | None, radius_km: float,
    limit: int, at: datetime,
) -> tuple[list[StoreAnswer], list[str]]:  # fmt: skip
    """Return what the stores near a point can give of a basket, nearest first.

    And the SKUs that nobody knows. Where the channel has it so, what a store lacks is sent there.
    """
    found = nearest(stores(tx), point, radius_km=radius_km, limit=limit)
    places = with_stock(tx, found, wanted, at=at)
    known = stock.known(tx, list(wanted))
    is_sent = channel.collect_supply == "any"
    sources = with_stock(tx, network(tx, channel), wanted, at=at) if is_sent else []
    answers = [
        answer_of(
            place, wanted, near=point, shown=channel.stock_shown, sources=sources, at=at
        )
        for place in places
    ]  # fmt: skip
    return answers, sorted(wanted.keys() - known)


def network(tx: Tx, channel: Channel) -> list[Place]:
    """Return where a channel is supplied from, best first, without what is there."""
    return [_place(row) for row in tx.execute(_NETWORK, {"channel_code": channel.code})]


def promise(
    tx: Tx, wanted: Mapping[str, int], *, channel: Channel, to: Destination, radius_km: float,
    limit: int, at: datetime, points: Sequence[Near] = (), gathering: Gathering | None = None,
) -> Promise:  # fmt: skip
    """Return what a channel may promise of a basket to a destination now, or to these points.

    Raises UnknownSku.
    """
    answers, unknown = near(
        tx, wanted, channel=channel, point=to.point, radius_km=radius_km, limit=limit, at=at
    )
    if unknown:
        raise UnknownSku(skus=unknown)
    sellable = stock.available_to_sell(tx, list(wanted), channel_codes=[channel.code], at=at)
    return promise_of(
        wanted, available={each.sku: each.available_to_sell for each in sellable},
        sources=with_stock(tx, network(tx, channel), wanted, at=at), stores=answers, to=to, at=at,
        points=points, gathering=gathering,
    )  # fmt: skip


def with_stock(
    tx: Tx, places: list[Place], wanted: Mapping[str, int], *, at: datetime
) -> list[Place]:
    """Return places with what each can give of these SKUs."""
    codes = [place.location_code for place in places]
    has: dict[str, dict[str, int]] = defaultdict(dict)
    for location_code, sku, quantity in stock.at_locations(tx, list(wanted), codes, at=at):
        has[location_code][sku] = quantity
    return [replace(place, available=has[place.location_code]) for place in places]


def _place(row: Any) -> Place:
    facts = by_name(row)
    handling = Handling(**{each.name: facts.pop(each.name) for each in fields(Handling)})
    return Place(**facts, handling=handling, available={})
