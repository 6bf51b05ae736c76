"""Reads of locations."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import text

from oms.ledger.database import Tx
from oms.ledger.rows import by_name
from oms.locations.model import Location, LocationNotFound, Place

_PLACES: Final = text("""
    select
        x.location_code as code, x.name, x.kind, x.country_code, x.time_zone, x.street, x.postcode,
        x.city, x.region, x.latitude, x.longitude, x.opening_hours, x.is_enabled,
        x.capacity_per_day, to_char(x.cut_off, 'HH24:MI') as cut_off, x.lead_time_hours,
        x.shipping_buffer, x.node_cost_minor, x.transit_days, x.transit_days_abroad,
        x.collect_lead_minutes, x.accept_minutes,
        array(
            select c.channel_code
            from channel_locations n
            join channels c using (channel_id)
            where n.location_id = x.location_id
              and (cast(:channels as text[]) is null or c.channel_code = any (:channels))
            order by c.channel_code
        ) as channel_codes
    from locations x
    order by x.location_code
""")


def codes(tx: Tx) -> frozenset[str]:
    """Return the code of every location."""
    return frozenset(tx.execute(text("select location_code from locations")).scalars())


def kind_of(tx: Tx, code: str) -> str:
    """Return what kind of place a location is. Raises LocationNotFound."""
    query = text("select kind from locations where location_code = :code")
    kind: str | None = tx.execute(query, {"code": code}).scalar()
    if kind is None:
        raise LocationNotFound
    return kind


def places(tx: Tx, *, channel_codes: Sequence[str] | None) -> list[Place]:
    """Return the locations, with the channels that are supplied from each, by code.

    With channels those of their networks only; None asks for every location.
    """
    names = {"channels": None if channel_codes is None else list(channel_codes)}
    found = []
    for row in tx.execute(_PLACES, names):
        facts = by_name(row)
        supplies = tuple(facts.pop("channel_codes"))
        if supplies or channel_codes is None:
            found.append(Place(location=Location(**facts), channel_codes=supplies))
    return found
