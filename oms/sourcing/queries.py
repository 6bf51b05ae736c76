"""Reads of sourcing: the rules, decisions, and what is known when a batch of orders is planned."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from oms.ledger.database import Tx
from oms.ledger.rows import by_name
from oms.locations.hours import is_open
from oms.locations.model import Point, is_before_cut_off, point, ready_at
from oms.sourcing import store
from oms.sourcing.model import (
    Decision,
    DemandLine,
    Happening,
    Node,
    OrderGroup,
    RuleSet,
    RuleSetNotFound,
    Work,
)
from oms.stock.model import Units

DECISIONS_AT_ONCE: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A location as it is now, and what it may still be given today."""

    location_id: int
    node: Node
    capacity_left: int | None
    point: Point | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known for a batch of orders."""

    groups: dict[OrderGroup, Any]
    lines: dict[tuple[int, int], Any]
    places: dict[int, Place]
    location_ids: dict[str, int]  # by code
    networks: dict[int, list[tuple[Place, int]]]  # by channel: locations with their priority
    rejected: frozenset[tuple[int, int]]  # which order by which location
    hubs: dict[OrderGroup, str]  # where parts of a group wait for the rest
    free: dict[int, dict[int, int]]  # by product and location


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


def known(tx: Tx, units: Sequence[Units], *, at: datetime) -> Known:
    """Read what is known to plan units of a batch of orders, which are held by the caller."""
    orders = {"order_ids": sorted({each.order_id for each in units})}
    members = store.SQL.run(tx, "networks", **orders).all()
    ids = {each.location_id for each in units} | {row.location_id for row in members}
    at_places = {"location_ids": sorted(ids), "at": at}
    places = {row.location_id: _place(row, at) for row in store.SQL.run(tx, "places", **at_places)}
    networks: dict[int, list[tuple[Place, int]]] = {}
    for row in members:
        networks.setdefault(row.channel_id, []).append((places[row.location_id], row.priority))
    free = store.SQL.run(
        tx, "free", product_ids=sorted({each.product_id for each in units}), **at_places
    )
    return Known(
        groups={(row.order_id, row.group_no): row for row in store.SQL.run(tx, "groups", **orders)},
        lines={(row.order_id, row.line_no): row for row in store.SQL.run(tx, "lines", **orders)},
        places=places,
        location_ids={place.node.code: number for number, place in places.items()},
        networks=networks,
        rejected=frozenset(map(tuple, store.SQL.run(tx, "rejected", **orders))),
        hubs={
            (row.order_id, row.group_no): row.location_code
            for row in store.SQL.run(tx, "gathering", **orders)
        },
        free={
            row.product_id: dict(zip(row.location_ids, row.quantities, strict=True))
            for row in free.all()
        },
    )


def articles(tx: Tx, wanted: Mapping[str, int]) -> list[DemandLine]:
    """Return what rules ask of articles, as lines of a basket; unknown ones are left out."""
    rows = store.SQL.run(tx, "articles", skus=list(wanted)).all()
    return [
        DemandLine(line_no=n, quantity=wanted[row.sku], **by_name(row))
        for n, row in enumerate(rows, 1)
    ]


def free_at(tx: Tx, places: Collection[tuple[int, int]], *, at: datetime) -> dict[Any, int]:
    """Return what is free of products at locations, each given as a pair."""
    pairs = sorted(places)
    rows = store.SQL.run(
        tx, "free_at", product_ids=[pair[0] for pair in pairs],
        location_ids=[pair[1] for pair in pairs], at=at,
    )  # fmt: skip
    return {(row.product_id, row.location_id): int(row.quantity) for row in rows}


def capacity_left(tx: Tx, location_ids: Collection[int], *, at: datetime) -> dict[int, int]:
    """Return what locations may still be given today, of those that have a limit."""
    rows = store.SQL.run(tx, "places", location_ids=sorted(location_ids), at=at)
    found = {row.location_id: _capacity_left(row) for row in rows}
    return {location_id: left for location_id, left in found.items() if left is not None}


def waiting(tx: Tx, order_ids: Sequence[int], *, at: datetime) -> frozenset[int]:
    """Return the reservations of these orders that wait for another plan."""
    rows = store.SQL.run(tx, "waiting", order_ids=list(order_ids), at=at)
    return frozenset(each for row in rows for each in row.reservation_ids)


def of_order(tx: Tx, order_number: str) -> list[Decision]:
    """Return the decisions of an order, oldest first."""
    rows = store.SQL.run(tx, "of_order", number=order_number.upper())
    return [store.decision(row) for row in rows]


def between(
    tx: Tx, from_at: datetime, to_at: datetime, *, after: int = 0
) -> list[tuple[Decision, bool]]:
    """Return decisions of some time beyond one, oldest first.

    With each whether it is the first of its delivery group in that time.
    """
    rows = store.SQL.run(
        tx, "between", from_at=from_at, to_at=to_at, after=after, limit=DECISIONS_AT_ONCE
    )
    return [(store.decision(row), row.is_first) for row in rows]


def count_between(tx: Tx, from_at: datetime, to_at: datetime, *, after: int = 0) -> int:
    """Return how many decisions of some time come after one."""
    found = store.SQL.run(tx, "count_between", from_at=from_at, to_at=to_at, after=after)
    return int(found.scalar_one())


def happened(tx: Tx, groups: Collection[OrderGroup]) -> dict[OrderGroup, Happening]:
    """Return what really became of delivery groups, from the work of their locations."""
    pairs = sorted(groups)
    named = {"order_ids": [pair[0] for pair in pairs], "group_nos": [pair[1] for pair in pairs]}
    left = {
        (row.order_id, row.group_no): int(row.quantity)
        for row in store.SQL.run(tx, "left_of", **named)
    }
    works: dict[OrderGroup, list[Work]] = {pair: [] for pair in pairs}
    sent_in: dict[OrderGroup, list[Work]] = {pair: [] for pair in pairs}
    for row in store.SQL.run(tx, "sent_in", **named):
        sender = Work(code=row.location_code, node_cost_minor=row.node_cost_minor, out_at=None)
        sent_in[row.order_id, row.group_no].append(sender)
    rejections = Counter[OrderGroup]()
    for row in store.SQL.run(tx, "happened", **named):
        group = row.order_id, row.group_no
        rejections[group] += row.rejection_count
        if row.quantity:
            works[group].append(
                Work(
                    code=row.location_code, node_cost_minor=row.node_cost_minor,
                    out_at=row.out_at,
                )
            )  # fmt: skip
    return {
        pair: Happening(
            works=tuple(works[pair]), sent_in=tuple(sent_in[pair]),
            rejection_count=rejections[pair], left_units=left.get(pair, 0),
        )
        for pair in pairs
    }  # fmt: skip


def _place(row: Any, at: datetime) -> Place:
    before = is_before_cut_off(row.cut_off, row.time_zone, at)
    node = Node(
        code=row.location_code, kind=row.kind, is_enabled=row.is_enabled,
        # What has no hours is not a place people come to: it works around the clock.
        is_open=not row.opening_hours or is_open(row.opening_hours, row.time_zone, at),
        is_before_cut_off=before,
        shipping_buffer=row.shipping_buffer, node_cost_minor=row.node_cost_minor,
        ready_at=ready_at(row.time_zone, row.lead_time_hours, at, is_before_cut_off=before),
        lead_time_hours=row.lead_time_hours, transit_days=row.transit_days,
    )  # fmt: skip
    return Place(
        location_id=row.location_id, node=node, capacity_left=_capacity_left(row),
        point=point(row.latitude, row.longitude),
    )  # fmt: skip


def _capacity_left(row: Any) -> int | None:
    limit: int | None = row.capacity_per_day
    return None if limit is None else max(0, limit - row.given_count)


def page(
    tx: Tx, *, location_code: str | None, only_left: bool, channel_codes: Sequence[str] | None,
    after: int | None, limit: int,
) -> tuple[list[tuple[str, Decision]], int | None]:  # fmt: skip
    """Return decisions with the numbers of their orders, the newest first, and where to go on."""
    rows = store.SQL.run(
        tx, "page", location_code=location_code, only_left=only_left,
        channels=None if channel_codes is None else list(channel_codes), after=after,
        limit=limit + 1,
    ).all()  # fmt: skip
    found = [(row.order_number, store.decision(row)) for row in rows[:limit]]
    return found, rows[limit - 1].decision_id if len(rows) > limit else None
