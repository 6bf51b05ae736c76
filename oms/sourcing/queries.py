"""Reads of sourcing: the rules, decisions, and what is known when a batch of orders is planned."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from oms.ledger.database import Tx
from oms.locations.model import is_before_cut_off, is_open, ready_at
from oms.sourcing import store
from oms.sourcing.model import Candidate, Decision, RuleSet, RuleSetNotFound

DECISIONS_AT_ONCE: Final = 1_000
OrderGroup = tuple[int, int]
"""An order, and the number of a delivery group of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A location as it is now, and what it may still be given today."""

    location_id: int
    facts: dict[str, Any]
    capacity_left: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A location of a group's network, as seen from its customer."""

    location_id: int
    priority: int
    distance_km: float | None
    has_rejected: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known for a batch of orders, read with its levels held."""

    groups: dict[OrderGroup, Any]
    lines: dict[tuple[int, int], Any]
    places: dict[int, Place]
    location_ids: dict[str, int]  # by code
    ways: dict[OrderGroup, list[Way]]
    free: dict[tuple[int, int], int]  # by product and location


def active(tx: Tx) -> RuleSet | None:
    """Return the rules that decide; None where there are none."""
    row = store.SQL.run(tx, "active").one_or_none()
    return None if row is None else store.rule_set(row)


def rule_sets(tx: Tx) -> list[RuleSet]:
    """Return every version of the rules, the newest first."""
    return [store.rule_set(row) for row in store.SQL.run(tx, "rule_sets", version=None)]


def rule_set(tx: Tx, version: int) -> RuleSet:
    """Return a version of the rules. Raises RuleSetNotFound."""
    row = store.SQL.run(tx, "rule_sets", version=version).one_or_none()
    if row is None:
        raise RuleSetNotFound
    return store.rule_set(row)


def network_of(tx: Tx, order_ids: Sequence[int]) -> list[int]:
    """Return every location these orders may be supplied from."""
    return list(store.SQL.run(tx, "network_of", order_ids=list(order_ids)).scalars())


def known(
    tx: Tx, order_ids: Sequence[int], *, product_ids: Sequence[int], location_ids: Sequence[int],
    at: datetime,
) -> Known:  # fmt: skip
    """Read what is known for a batch of orders; their levels are held by the caller."""
    orders, places = {"order_ids": list(order_ids)}, {"location_ids": list(location_ids)}
    ways: dict[OrderGroup, list[Way]] = {}
    for row in store.SQL.run(tx, "ways", **orders):
        way = Way(
            location_id=row.location_id, priority=row.priority, distance_km=row.distance_km,
            has_rejected=row.has_rejected,
        )  # fmt: skip
        ways.setdefault((row.order_id, row.group_no), []).append(way)
    found = {
        row.location_id: _place(row, at) for row in store.SQL.run(tx, "places", **places, at=at)
    }
    free = store.SQL.run(tx, "free", product_ids=list(product_ids), **places, at=at)
    return Known(
        groups={(row.order_id, row.group_no): row for row in store.SQL.run(tx, "groups", **orders)},
        lines={(row.order_id, row.line_no): row for row in store.SQL.run(tx, "lines", **orders)},
        places=found,
        location_ids={place.facts["code"]: number for number, place in found.items()},
        ways=ways,
        free={(row.product_id, row.location_id): int(row.quantity) for row in free},
    )


def candidate(place: Place, way: Way, stock: dict[str, int], capacity: int | None) -> Candidate:
    """Return a location as a delivery group's candidate, with what it has and may still do."""
    return Candidate(
        **place.facts, priority=way.priority, distance_km=way.distance_km,
        has_rejected=way.has_rejected, capacity_left=capacity, stock=stock,
    )  # fmt: skip


def waiting(tx: Tx, order_ids: Sequence[int], *, at: datetime) -> frozenset[int]:
    """Return the reservations of these orders that wait for another plan."""
    rows = store.SQL.run(tx, "waiting", order_ids=list(order_ids), at=at)
    return frozenset(each for row in rows for each in row.reservation_ids)


def due(tx: Tx, *, at: datetime, limit: int) -> list[int]:
    """Return orders that waited long enough to be planned again."""
    return list(store.SQL.run(tx, "due", at=at, limit=limit).scalars())


def of_order(tx: Tx, order_number: str) -> list[Decision]:
    """Return the decisions of an order, oldest first."""
    rows = store.SQL.run(tx, "of_order", number=order_number.upper())
    return [store.decision(row) for row in rows]


def between(tx: Tx, from_at: datetime, to_at: datetime) -> Iterator[Decision]:
    """Give the decisions of some time, oldest first."""
    after = 0
    while rows := store.SQL.run(
        tx, "between", from_at=from_at, to_at=to_at, after=after, limit=DECISIONS_AT_ONCE
    ).all():
        yield from map(store.decision, rows)
        after = rows[-1].decision_id


def _place(row: Any, at: datetime) -> Place:
    limit = row.capacity_per_day
    before = is_before_cut_off(row.cut_off, row.time_zone, at)
    facts = {
        "code": row.location_code, "kind": row.kind, "is_enabled": row.is_enabled,
        "is_open": is_open(row.opening_hours, row.time_zone, at), "is_before_cut_off": before,
        "shipping_buffer": row.shipping_buffer, "node_cost_minor": row.node_cost_minor,
        "ready_at": ready_at(row.time_zone, row.lead_time_hours, at, is_before_cut_off=before),
    }  # fmt: skip
    left = None if limit is None else max(0, limit - row.given_count)
    return Place(location_id=row.location_id, facts=facts, capacity_left=left)
