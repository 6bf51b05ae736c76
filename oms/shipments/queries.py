"""Reads of parcels: one, those of an order, the silent ones, what to ask carriers about."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text

from oms.ledger.database import Tx
from oms.ledger.rows import asked, by_name
from oms.shipments.model import (
    UNDERWAY,
    Parcel,
    ParcelLine,
    ParcelNotFound,
    ParcelState,
    TrackingEvent,
)
from oms.shipments.store import SQL

_HEADER: Final = """
    select
        p.parcel_id, p.parcel_number, p.order_id, o.order_number, c.channel_code,
        p.fulfillment_id, f.fulfillment_number, x.location_code, p.carrier, p.service,
        p.tracking_number, p.tracking_url, p.label_ref, p.weight_grams, p.length_mm, p.width_mm,
        p.height_mm, p.cost_minor, p.cost_currency, p.pickup_point, p.state, p.status,
        p.last_event_at, p.eta_at, p.collect_by, p.handed_over_at, p.created_at, p.changed_at
    from parcels p
    join fulfillment_orders f using (fulfillment_id)
    join orders o on o.order_id = p.order_id
    join channels c using (channel_id)
    join locations x on x.location_id = f.location_id
"""
_LINES: Final = text("""
    select l.parcel_id, l.line_no, k.sku, k.title, l.quantity
    from parcel_lines l
    join parcels p using (parcel_id)
    join order_lines k on k.order_id = p.order_id and k.line_no = l.line_no
    where l.parcel_id = any (cast(:ids as bigint[]))
    order by l.parcel_id, l.line_no
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A parcel a carrier is to be asked about."""

    parcel_id: int
    tracking_number: str
    handed_over_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Voided:
    """A parcel whose carrier does not know yet that it will not come."""

    parcel_id: int
    tracking_number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Whose parcel a tracking number is."""

    parcel_id: int
    parcel_number: str
    order_id: int
    channel_code: str


def parcel(tx: Tx, number: str) -> Parcel:
    """Return a parcel by its number. Raises ParcelNotFound."""
    found = _read(tx, "p.parcel_number = :number", {"number": number.upper()})
    if not found:
        raise ParcelNotFound
    return found[0]


def of_order(tx: Tx, order_number: str) -> list[Parcel]:
    """Return the parcels of an order, oldest first, voided ones among them."""
    return _read(tx, "o.order_number = :number", {"number": order_number})


def of_fulfillment(tx: Tx, fulfillment_id: int) -> list[Parcel]:
    """Return the parcels of a fulfillment order, oldest first, voided ones among them."""
    return _read(tx, "p.fulfillment_id = :id", {"id": fulfillment_id})


def page(
    tx: Tx, *, silent_since_at: datetime | None, carrier: str | None,
    location_codes: Sequence[str] | None, channel_codes: Sequence[str] | None, after: int | None,
    limit: int, tracking_number: str | None = None, states: Sequence[str] | None = None,
    is_newest_first: bool = False,
) -> tuple[list[Parcel], int | None]:  # fmt: skip
    """Return parcels, oldest first unless it is said, and where the next page begins.

    With `silent_since_at` those underway of which nothing was told since then.
    """
    conditions, values = asked(
        ("after", after or None, f"p.parcel_id {'<' if is_newest_first else '>'} :after"),
        ("carrier", carrier, "p.carrier = :carrier"),
        ("tracking_number", tracking_number, "p.tracking_number = :tracking_number"),
        ("states", states, "p.state = any (:states)"),
        ("location_codes", location_codes, "x.location_code = any (:location_codes)"),
        ("channel_codes", channel_codes, "c.channel_code = any (:channel_codes)"),
    )
    values["limit"] = limit + 1
    if silent_since_at is not None:
        conditions.append(
            "p.state = any (:underway)"
            " and coalesce(p.last_event_at, p.handed_over_at, p.created_at) <= :silent_since_at"
        )
        values |= {"underway": sorted(UNDERWAY), "silent_since_at": silent_since_at}
    rest = "desc limit :limit" if is_newest_first else "limit :limit"
    found = _read(tx, " and ".join(["true", *conditions]), values, rest=rest)
    return found[:limit], found[limit - 1].parcel_id if len(found) > limit else None


def voids_to_tell(tx: Tx, carrier: str, *, limit: int) -> list[Voided]:
    """Return parcels of a carrier that were voided and it was not told of, oldest first."""
    rows = SQL.run(tx, "voids_to_tell", carrier=carrier, limit=limit)
    return [Voided(**by_name(row)) for row in rows]


def find(tx: Tx, carrier: str, tracking_numbers: Sequence[str]) -> dict[str, Found]:
    """Return whose parcels of a carrier these numbers are."""
    rows = SQL.run(tx, "find", carrier=carrier, tracking_numbers=list(tracking_numbers))
    return {
        row.tracking_number: Found(
            parcel_id=row.parcel_id, parcel_number=row.parcel_number, order_id=row.order_id,
            channel_code=row.channel_code,
        )
        for row in rows
    }  # fmt: skip


def point_of(tx: Tx, fulfillment_id: int) -> dict[str, Any] | None:
    """Return the pick-up point a fulfillment order's parcels go to; None where there is none."""
    found: dict[str, Any] | None = SQL.run(tx, "point_of", fulfillment_id=fulfillment_id).scalar()
    return found


def packed(tx: Tx, fulfillment_id: int) -> dict[int, int]:
    """Return how much of each line of a fulfillment order is in parcels."""
    rows = SQL.run(tx, "packed", fulfillment_id=fulfillment_id)
    return {row.line_no: row.quantity for row in rows}


def labels_count(tx: Tx, fulfillment_id: int) -> int:
    """Return how many parcels a fulfillment order ever had."""
    return int(SQL.run(tx, "labels_count", fulfillment_id=fulfillment_id).scalar_one())


def events(tx: Tx, parcel_ids: Sequence[int]) -> dict[int, list[TrackingEvent]]:
    """Return all that was told of parcels, oldest first."""
    found: dict[int, list[TrackingEvent]] = defaultdict(list)
    for row in SQL.run(tx, "events", parcel_ids=list(parcel_ids)):
        values = by_name(row)
        of = values.pop("parcel_id")
        state = None if row.state is None else ParcelState(row.state)
        found[of].append(TrackingEvent(**{**values, "state": state}))
    return found


def states(tx: Tx, parcel_ids: Sequence[int]) -> dict[str, list[ParcelState]]:
    """Return how far all parcels of their fulfillment orders are, by the number of these."""
    rows = SQL.run(tx, "states", parcel_ids=list(parcel_ids))
    return {row.fulfillment_number: [ParcelState(each) for each in row.states] for row in rows}


def states_of(tx: Tx, parcel_ids: Sequence[int]) -> dict[int, ParcelState]:
    """Return how far these parcels are."""
    rows = SQL.run(tx, "states_of", parcel_ids=list(parcel_ids))
    return {row.parcel_id: ParcelState(row.state) for row in rows}


def to_ask_about(tx: Tx, carrier: str, *, asked_before: datetime, limit: int) -> list[Asked]:
    """Return the parcels underway whose carrier was not asked about them for a while."""
    rows = SQL.run(
        tx, "to_ask_about", carrier=carrier, states=sorted(UNDERWAY), asked_before=asked_before,
        limit=limit,
    )  # fmt: skip
    return [Asked(**by_name(row)) for row in rows]


def _read(tx: Tx, condition: str, values: dict[str, Any], *, rest: str = "") -> list[Parcel]:
    query = text(f"{_HEADER} where {condition} order by p.parcel_id {rest}")
    headers = tx.execute(query, values).all()
    ids = [header.parcel_id for header in headers]
    lines: dict[int, list[ParcelLine]] = defaultdict(list)
    for row in tx.execute(_LINES, {"ids": ids}):
        facts = by_name(row)
        lines[facts.pop("parcel_id")].append(ParcelLine(**facts))
    told = events(tx, ids)
    return [
        Parcel(
            **{**by_name(header), "state": ParcelState(header.state)},
            lines=tuple(lines[header.parcel_id]), events=tuple(told[header.parcel_id]),
        )
        for header in headers
    ]  # fmt: skip
