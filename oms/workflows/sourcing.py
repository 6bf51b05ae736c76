"""Sourcing at work: before locations are asked, the plan of the rules moves units to them.

A batch is planned with no level of stock held, and carried out with every level held it may
touch: what the plan takes is looked at again then, and planned anew where somebody was quicker.
A unit is always kept somewhere. What no rule gives out stays kept where it was, and is planned
again.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from oms.ledger.database import Tx
from oms.orders import operations as orders
from oms.sourcing import operations, queries
from oms.sourcing.model import RuleSet, Wait
from oms.stock import operations as stock
from oms.stock.model import Units
from oms.workflows.planning import Batch, planned


@dataclass(slots=True, kw_only=True)
class Given:
    """The units that are given out, where they are now, and what waits for another plan."""

    units: list[Units]
    waits: dict[int, Wait] = field(default_factory=dict)
    waited: frozenset[int] = frozenset()  # orders that were not planned: they wait on


def source(tx: Tx, units: Sequence[Units], *, at: datetime, let_off: str | None = None) -> Given:
    """Move units that nobody was asked to pick to where rules say; return what is given out.

    The orders are held by the caller. Without active rules all of it is, where it is. A location
    that was just let off is as one that rejected before.
    """
    rules = queries.active(tx)
    movable = [each for each in units if each.is_movable]
    if rules is None or not movable:
        return Given(units=list(units))
    order_ids = {each.order_id for each in movable}
    waiting = queries.waiting(tx, sorted(order_ids), at=at)
    fresh = {each.order_id for each in movable if each.reservation_id not in waiting}
    given = Given(
        units=[each for each in units if not each.is_movable],
        waited=frozenset(order_ids - fresh),
    )
    if fresh:
        wanted = [each for each in movable if each.order_id in fresh]
        _carry_out(tx, _planned(tx, wanted, rules, at=at, let_off=let_off), rules, given, at=at)
    return given


def _planned(
    tx: Tx, units: Sequence[Units], rules: RuleSet, *, at: datetime, let_off: str | None
) -> Batch:
    """Plan units, then hold the levels of their networks; return a plan that holds there."""
    known = queries.known(tx, units, at=at)
    batch = planned(units, known, rules.rules, let_off=let_off)
    operations.hold_limited(tx, known.places)
    stock.hold(tx, [each.product_id for each in units], sorted(known.places))
    free = queries.free_at(tx, batch.needed, at=at)
    if batch.fits(free, queries.capacity_left(tx, batch.given, at=at)):
        return batch
    return planned(units, queries.known(tx, units, at=at), rules.rules, let_off=let_off)


def _carry_out(tx: Tx, batch: Batch, rules: RuleSet, given: Given, *, at: datetime) -> None:
    """Write what was planned; note the units that are given out and those that wait."""
    moved = {
        each.reservation_id: [(target[0], quantity) for target, quantity in targets]
        for each, targets in batch.kept
        if [(target[0], quantity) for target, quantity in targets]
        != [(each.location_id, each.quantity)]
    }
    ids = stock.move(tx, moved, at=at) if moved else {}
    nodes = [place.node for place in batch.known.places.values()]
    operations.record(tx, batch.decisions, nodes, idle=batch.idle, version=rules.version, at=at)
    left = defaultdict[int, list[int]](list)
    hubs: dict[int, int | None] = {}
    for each, targets in batch.kept:
        names = ids.get(each.reservation_id, [each.reservation_id])
        gathered_at = batch.hubs.get(batch.group_of(each))
        for ((location_id, is_given), quantity), name in zip(targets, names, strict=True):
            hub_id = gathered_at if is_given and gathered_at != location_id else None
            if hub_id != (None if each.reservation_id in ids else each.hub_id):
                hubs[name] = hub_id
            if is_given:
                given.units.append(
                    replace(
                        each, reservation_id=name, location_id=location_id, quantity=quantity,
                        hub_id=hub_id,
                    )
                )  # fmt: skip
            else:
                left[each.order_id].append(name)
    stock.gather(tx, hubs)
    given.waits = {order_id: _wait(batch, order_id, names) for order_id, names in left.items()}
    _serve_others(tx, batch, at=at)


def _wait(batch: Batch, order_id: int, reservation_ids: Sequence[int]) -> Wait:
    priority, promised_by = batch.urgency[order_id]
    placed_at = min(
        of.placed_at for (number, _), of in batch.known.groups.items() if number == order_id
    )
    return Wait(
        reservation_ids=tuple(reservation_ids), priority=priority, promised_by=promised_by,
        placed_at=placed_at,
    )  # fmt: skip


def _serve_others(tx: Tx, batch: Batch, *, at: datetime) -> None:
    """Give what became free where units left to who waits for it there."""
    risen = batch.risen()
    if not risen:
        return
    orders.record_backorders(tx, stock.fill_backorders(tx, risen, at=at), at=at)
    operations.wake(tx, {product_id for product_id, _ in risen})
