"""Sourcing at work: before locations are asked, the plan of the rules moves units to them.

A batch is read, planned and written as a whole, with every level it may touch held: a unit is
always kept somewhere. What no rule gives out stays kept where it was, and is planned again.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from oms.ledger.database import Tx
from oms.orders import operations as orders
from oms.sourcing import messages, operations, queries
from oms.sourcing.model import Candidate, Demand, DemandLine, Plan, RuleSet, outcome_of
from oms.sourcing.queries import Known, OrderGroup
from oms.sourcing.rules import plan
from oms.stock import operations as stock
from oms.stock.model import Units

Target = tuple[int, bool]
"""Where units are to be kept, and whether they are given out there."""


def source(
    tx: Tx, units: Sequence[Units], *, at: datetime, let_off: str | None = None
) -> list[Units]:
    """Move units that nobody was asked to pick to where rules say; return what is given out.

    The orders are held by the caller. Without active rules all of it is, where it is. A location
    that was just let off is as one that rejected before.
    """
    rules = queries.active(tx)
    movable = [each for each in units if each.is_movable]
    if rules is None or not movable:
        return list(units)
    waiting = queries.waiting(tx, sorted({each.order_id for each in movable}), at=at)
    fresh = {each.order_id for each in movable if each.reservation_id not in waiting}
    planned = [each for each in movable if each.order_id in fresh]
    others = [each for each in units if not each.is_movable]
    batch = _planned(tx, planned, rules, at=at, let_off=let_off)
    return [*others, *_carry_out(tx, batch, rules, at=at)]


@dataclass(slots=True)
class _Batch:
    """A batch of delivery groups being planned one after another, and what is left meanwhile."""

    rules: RuleSet
    known: Known
    free: Counter[tuple[int, int]]
    let_off: str | None
    given: Counter[int] = field(default_factory=Counter)
    decisions: list[dict[str, Any]] = field(default_factory=list)
    kept: list[tuple[Units, list[tuple[Target, int]]]] = field(default_factory=list)


def _planned(
    tx: Tx, units: Sequence[Units], rules: RuleSet, *, at: datetime, let_off: str | None
) -> _Batch | None:
    """Hold the levels of units and their networks, and plan each delivery group, by age."""
    if not units:
        return None
    order_ids = sorted({each.order_id for each in units})
    product_ids = sorted({each.product_id for each in units})
    location_ids = sorted(
        {each.location_id for each in units} | {*queries.network_of(tx, order_ids)}
    )
    stock.hold(tx, product_ids, location_ids)
    known = queries.known(tx, order_ids, product_ids=product_ids, location_ids=location_ids, at=at)
    batch = _Batch(rules=rules, known=known, free=Counter(known.free), let_off=let_off)
    groups: dict[OrderGroup, list[Units]] = defaultdict(list)
    for each in units:
        groups[each.order_id, known.lines[each.order_id, each.line_no].group_no].append(each)
    for group in sorted(groups, key=lambda each: (known.groups[each].placed_at, each)):
        _plan_group(batch, group, groups[group])
    return batch


def _plan_group(batch: _Batch, group: OrderGroup, units: Sequence[Units]) -> None:
    """Plan a delivery group with what those before it in the batch have left."""
    demand = _demand(batch.known, group, units)
    candidates = _candidates(batch, group, units)
    made = plan(demand, candidates, batch.rules.rules)
    if made.group is None:
        batch.kept += [(each, [((each.location_id, True), each.quantity)]) for each in units]
        return
    pieces = list(_pieces(units, _targets(batch.known, units, made)))
    for each, targets in pieces:
        batch.free[each.product_id, each.location_id] += each.quantity
        for (location_id, _), quantity in targets:
            batch.free[each.product_id, location_id] -= quantity
    codes = batch.known.location_ids
    batch.given.update(codes[part.code] for part in made.parts)
    batch.kept += pieces
    outcome = outcome_of(made, candidates, demand.promised_by(batch.rules.rules))
    order_id, group_no = group
    batch.decisions.append(
        {"order_id": order_id, "group_no": group_no}
        | messages.kept(demand, candidates, made, outcome)
    )


def _demand(known: Known, group: OrderGroup, units: Sequence[Units]) -> Demand:
    of = known.groups[group]
    wanted = Counter[int]()
    for each in units:
        wanted[each.line_no] += each.quantity
    lines = [known.lines[of.order_id, line_no] for line_no in sorted(wanted)]
    return Demand(
        order_id=of.order_id, group_no=of.group_no, channel_code=of.channel_code,
        method=of.method, country_code=of.country_code, currency=of.currency,
        value_minor=of.value_minor, placed_at=of.placed_at,
        lines=tuple(
            DemandLine(
                line_no=line.line_no, sku=line.sku, quantity=wanted[line.line_no],
                product_type=line.product_type, category=line.category,
            )
            for line in lines
        ),
    )  # fmt: skip


def _candidates(batch: _Batch, group: OrderGroup, units: Sequence[Units]) -> tuple[Candidate, ...]:
    """Return the locations of a group's network with what they have, its own units among it."""
    own = _by_place(units)
    sku_of = {each.product_id: batch.known.lines[each.order_id, each.line_no].sku for each in units}
    found = []
    for known in batch.known.ways.get(group, ()):
        place = batch.known.places[known.location_id]
        is_let_off = place.facts["code"] == batch.let_off
        way = replace(known, has_rejected=known.has_rejected or is_let_off)
        at_place = {
            sku: max(0, batch.free[product_id, way.location_id] + own[product_id, way.location_id])
            for product_id, sku in sku_of.items()
        }
        left = place.capacity_left
        capacity = None if left is None else max(0, left - batch.given[way.location_id])
        found.append(queries.candidate(place, way, at_place, capacity))
    return tuple(found)


def _by_place(units: Sequence[Units]) -> Counter[tuple[int, int]]:
    own: Counter[tuple[int, int]] = Counter()
    for each in units:
        own[each.product_id, each.location_id] += each.quantity
    return own


def _targets(known: Known, units: Sequence[Units], made: Plan) -> dict[int, Counter[Target]]:
    """Return by line where its units are to be: given out, or left where some are kept already."""
    codes = known.location_ids
    product_of = {each.line_no: each.product_id for each in units}
    own, targets = _by_place(units), defaultdict[int, Counter[Target]](Counter)
    for part in made.parts:
        for line_no, quantity in part.quantities.items():
            targets[line_no][codes[part.code], True] += quantity
            own[product_of[line_no], codes[part.code]] -= quantity
    for line_no, left in sorted(made.left.items()):
        given = targets[line_no].total()
        for location_id in _own_first(units, line_no, own):
            still = left - targets[line_no].total() + given
            stays = min(still, max(0, own[product_of[line_no], location_id]))
            if stays:
                targets[line_no][location_id, False] += stays
                own[product_of[line_no], location_id] -= stays
        assert targets[line_no].total() == given + left, "what is left is kept somewhere"
    return targets


def _own_first(
    units: Sequence[Units], line_no: int, own: Mapping[tuple[int, int], int]
) -> list[int]:
    """Return the locations units are kept at, those of a line before the others."""
    line = {each.location_id for each in units if each.line_no == line_no}
    return [*sorted(line), *sorted({location_id for _, location_id in own} - line)]


def _pieces(
    units: Sequence[Units], targets: Mapping[int, Counter[Target]]
) -> Iterator[tuple[Units, list[tuple[Target, int]]]]:
    """Lay the reservations of each line on its targets, so that as few units move as can be."""
    rest = {line_no: Counter(each) for line_no, each in targets.items()}
    found: dict[int, list[tuple[Target, int]]] = defaultdict(list)
    missing = {each.reservation_id: each.quantity for each in units}
    for is_moving in (False, True):
        for each in sorted(units, key=lambda one: one.reservation_id):
            line = rest[each.line_no]
            for target in sorted(line, key=lambda one: (not one[1], one[0])):
                if not is_moving and target[0] != each.location_id:
                    continue
                quantity = min(line[target], missing[each.reservation_id])
                if quantity:
                    found[each.reservation_id].append((target, quantity))
                    line[target] -= quantity
                    missing[each.reservation_id] -= quantity
    yield from ((each, found[each.reservation_id]) for each in units)


def _carry_out(tx: Tx, batch: _Batch | None, rules: RuleSet, *, at: datetime) -> list[Units]:
    """Write what was planned; return the units that are given out, where they are now."""
    if batch is None:
        return []
    moved = {
        each.reservation_id: [(target[0], quantity) for target, quantity in targets]
        for each, targets in batch.kept
        if [(target[0], quantity) for target, quantity in targets]
        != [(each.location_id, each.quantity)]
    }
    ids = stock.move(tx, moved, at=at) if moved else {}
    operations.record(tx, batch.decisions, version=rules.version, at=at)
    given, waits = [], defaultdict[int, list[int]](list)
    for each, targets in batch.kept:
        names = ids.get(each.reservation_id, [each.reservation_id])
        for ((location_id, is_given), quantity), name in zip(targets, names, strict=True):
            if is_given:
                given.append(
                    replace(each, reservation_id=name, location_id=location_id, quantity=quantity)
                )
            else:
                waits[each.order_id].append(name)
    operations.wait(tx, {each.order_id for each, _ in batch.kept}, waits, at=at)
    _serve_others(tx, batch, at=at)
    return given


def _serve_others(tx: Tx, batch: _Batch, *, at: datetime) -> None:
    """Give what became free where units left to who waits for it there."""
    risen = frozenset(
        place for place, quantity in batch.free.items() if quantity > batch.known.free.get(place, 0)
    )
    orders.record_backorders(tx, stock.fill_backorders(tx, risen, at=at), at=at)
