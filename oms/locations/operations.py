"""Writes on locations."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Final

from sqlalchemy import text

from oms.ledger.database import Tx
from oms.locations.model import Location

_REGISTER: Final = text("""
    insert into locations (
        location_code, name, kind, street, postcode, city, region, country_code, latitude,
        longitude, time_zone, opening_hours, is_enabled, capacity_per_day, cut_off,
        lead_time_hours, shipping_buffer, node_cost_minor, transit_days, transit_days_abroad,
        collect_lead_minutes, accept_minutes, updated_at
    )
    values (
        :code, :name, :kind, :street, :postcode, :city, :region, :country_code, :latitude,
        :longitude, :time_zone, cast(:opening_hours as jsonb), :is_enabled, :capacity_per_day,
        cast(:cut_off as time), :lead_time_hours, :shipping_buffer, :node_cost_minor,
        :transit_days, :transit_days_abroad, :collect_lead_minutes,
        :accept_minutes, :at
    )
    on conflict (location_code) do update set
        name = excluded.name, kind = excluded.kind, street = excluded.street,
        postcode = excluded.postcode, city = excluded.city, region = excluded.region,
        country_code = excluded.country_code, latitude = excluded.latitude,
        longitude = excluded.longitude, time_zone = excluded.time_zone,
        opening_hours = excluded.opening_hours, is_enabled = excluded.is_enabled,
        capacity_per_day = excluded.capacity_per_day, cut_off = excluded.cut_off,
        lead_time_hours = excluded.lead_time_hours, shipping_buffer = excluded.shipping_buffer,
        node_cost_minor = excluded.node_cost_minor, transit_days = excluded.transit_days,
        transit_days_abroad = excluded.transit_days_abroad,
        collect_lead_minutes = excluded.collect_lead_minutes,
        accept_minutes = excluded.accept_minutes, updated_at = excluded.updated_at
""")


def register(tx: Tx, locations: Iterable[Location], *, at: datetime) -> None:
    """Write down locations, new or changed, by their code."""
    for location in sorted(locations, key=lambda each: each.code):
        hours = json.dumps(location.opening_hours)
        tx.execute(_REGISTER, {**asdict(location), "opening_hours": hours, "at": at})
