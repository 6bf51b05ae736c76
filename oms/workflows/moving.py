"""Work that moves: units of a fulfillment order become another's, here or at another location.

Their reservations go with them in the same moment, the levels of both places held: a unit is
always kept somewhere, and for somebody who is asked for it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from oms.fulfillment import operations, queries
from oms.fulfillment.model import (
    Ending,
    FulfillmentOrder,
    FulfillmentOrderNotFound,
    FulfillmentOrderState,
    NothingSplit,
    NotMergeable,
    NotMovable,
    QuantityNotOpen,
    TargetNeeded,
)
from oms.fulfillment.operations import Step, Target
from oms.ledger.database import Tx
from oms.orders import operations as orders
from oms.sourcing import operations as sourced
from oms.sourcing import queries as sourcing
from oms.stock import operations as stock
from oms.stock import queries as stock_queries
from oms.stock import sending
from oms.stock.model import Units, UnknownLocation
from oms.transfers import operations as transfers
from oms.transfers.model import Sourced


def refuse_split(held: FulfillmentOrder, quantities: Mapping[int, int]) -> None:
    """Refuse to split off what is not there, or all of it. Raises QuantityNotOpen, NothingSplit."""
    left = {line.line_no: line.open for line in held.lines}
    for line_no, quantity in quantities.items():
        if not 0 <= quantity <= left.get(line_no, -1):
            raise QuantityNotOpen(line_no=line_no, max=left.get(line_no, 0))
    taken = sum(quantities.values())
    if not 0 < taken < sum(left.values()):
        raise NothingSplit


def give(
    tx: Tx, held: FulfillmentOrder, quantities: Mapping[int, int], code: str | None, *,
    must_leave: bool, at: datetime,
) -> list[Units]:  # fmt: skip
    """Have units of work that is held kept at another location; without one they stay.

    Raises TargetNeeded, UnknownLocation; NotMovable with every reason why it cannot be.
    """
    target = _target(tx, held, code or held.location_code)
    if must_leave and target.location_id == target.from_id:
        raise TargetNeeded
    units = stock_queries.units_of_work(tx, held.order_id, held.fulfillment_id)
    taken = _taken(units, quantities)
    if target.location_id != target.from_id:
        _refuse(tx, held, target, units, taken, at=at)
    pieces = {
        each.reservation_id: [
            piece
            for piece in (
                (each.location_id, each.quantity - taken[each.reservation_id]),
                (target.location_id, taken[each.reservation_id]),
            )
            if piece[1]
        ]
        for each in units
        if taken[each.reservation_id]
    }
    names = stock.move(tx, pieces, at=at)
    return [
        replace(
            each, reservation_id=names[each.reservation_id][-1], location_id=target.location_id,
            quantity=taken[each.reservation_id],
        )
        for each in units
        if taken[each.reservation_id]
    ]  # fmt: skip


def open_given(
    tx: Tx, held: FulfillmentOrder, units: Sequence[Units], *, by: str, actor_type: str,
    at: datetime,
) -> None:  # fmt: skip
    """Ask for units that were given away by work that is held, where they are now.

    What became free where they were is given to who waits for it there.
    """
    opened = operations.open_for(tx, units, at=at)
    stock.assign(tx, {kept: one.fulfillment_id for one in opened for kept in one.reservation_ids})
    steps = [
        Step(
            one.order_id, f"fulfillment.{one.state}", one.fulfillment_number,
            {"taken_from": held.fulfillment_number},
        )
        for one in opened
    ]  # fmt: skip
    operations.tell(tx, steps, actor_type=actor_type, actor=by, at=at)
    _serve_others(tx, held, units, at=at)


def send_for(tx: Tx, units: Sequence[Units], work_of: Mapping[int, int], *, at: datetime) -> None:
    """Have sent what is kept elsewhere to where it is collected or gathered."""
    sourced = [
        Sourced.of(each, work_of[each.reservation_id])
        for each in units
        if each.goes_to != each.location_id
    ]
    opened = transfers.open_for(tx, sourced, at=at)
    sending.assign_transfer(
        tx, {kept: each.transfer_id for each in opened for kept in each.reservation_ids}
    )
    steps = [
        (each.order_id, "transfer.allocated", {"transfer": each.transfer_number}) for each in opened
    ]
    orders.tell(tx, steps, actor_type="system", actor="routing", at=at)


def take_in(
    tx: Tx, held: FulfillmentOrder, number: str | None, *, by: str, actor_type: str, at: datetime
) -> list[str]:
    """Have work that is held take in other work of the same goods' way, which is canceled.

    Without a number it is all of it. Returns the numbers of what was taken in. Raises
    FulfillmentOrderNotFound; NotMergeable with every reason why it cannot be.
    """
    numbers = list(held.merges_with) if number is None else [number]
    others = [queries.fulfillment_order(tx, each) for each in numbers]
    if any(other.order_id != held.order_id for other in others):
        raise FulfillmentOrderNotFound
    if reasons := _hindrances(held, others):
        raise NotMergeable(reasons=reasons)
    for other in others:
        units = stock_queries.units_of_work(tx, held.order_id, other.fulfillment_id)
        operations.take_in(tx, held, other)
        operations.take_away(tx, other)
        stock.assign(tx, {each.reservation_id: held.fulfillment_id for each in units})
        operations.move(tx, other, FulfillmentOrderState.CANCELED, at=at, reason=Ending.MERGED)
    facts = {"reason": Ending.MERGED, "merged_into": held.fulfillment_number}
    steps = [
        Step(held.order_id, "fulfillment.canceled", other.fulfillment_number, facts)
        for other in others
    ]
    operations.tell(tx, steps, actor_type=actor_type, actor=by, at=at)
    return [other.fulfillment_number for other in others]


def _hindrances(held: FulfillmentOrder, others: Sequence[FulfillmentOrder]) -> list[dict[str, Any]]:
    """Say all that keeps works of one order from becoming one."""
    return [
        {"code": code, "fulfillment_number": other.fulfillment_number}
        for other in others
        for code, is_so in (
            ("ITSELF", other.fulfillment_id == held.fulfillment_id),
            ("OTHER_GROUP", other.group_no != held.group_no),
            ("OTHER_LOCATION", other.location_code != held.location_code),
            ("WRONG_STATE", other.state is not FulfillmentOrderState.ASSIGNED),
        )
        if is_so
    ]


def _serve_others(tx: Tx, held: FulfillmentOrder, units: Sequence[Units], *, at: datetime) -> None:
    """Give what became free where units left to who waits for it there."""
    target = _target(tx, held, held.location_code)
    risen = frozenset(
        (each.product_id, target.from_id) for each in units if each.location_id != target.from_id
    )
    if risen:
        orders.record_backorders(tx, stock.fill_backorders(tx, risen, at=at), at=at)
        sourced.wake(tx, {product_id for product_id, _ in risen})


def _target(tx: Tx, held: FulfillmentOrder, code: str) -> Target:
    found = operations.target(tx, held, code)
    if found is None:
        raise UnknownLocation
    return found


def _taken(units: Sequence[Units], quantities: Mapping[int, int]) -> dict[int, int]:
    """Return how much of each reservation goes: of each line the youngest first."""
    left, taken = dict(quantities), {}
    for each in reversed(units):
        taken[each.reservation_id] = min(each.quantity, left.get(each.line_no, 0))
        left[each.line_no] = left.get(each.line_no, 0) - taken[each.reservation_id]
    assert not any(left.values()), "a fulfillment order has the units kept for it"
    return taken


def _refuse(
    tx: Tx, held: FulfillmentOrder, target: Target, units: Sequence[Units],
    taken: Mapping[int, int], *, at: datetime,
) -> None:  # fmt: skip
    """Hold both places, and say all that keeps the one from taking over. Raises NotMovable."""
    of_line = {line.line_no: line.sku for line in held.lines}
    skus = {each.product_id: of_line[each.line_no] for each in units}
    wanted: Counter[int] = Counter()
    for each in units:
        wanted[each.product_id] += taken[each.reservation_id]
    wanted = +wanted
    sourced.hold_limited(tx, [target.location_id])
    stock.hold(tx, list(wanted), [target.from_id, target.location_id])
    free = sourcing.free_at(tx, [(product, target.location_id) for product in wanted], at=at)
    capacity = sourcing.capacity_left(tx, [target.location_id], at=at)
    reasons: list[dict[str, Any]] = [
        {"code": code}
        for code, is_so in (
            ("LOCATION_DISABLED", not target.is_enabled),
            ("NOT_IN_NETWORK", not target.is_in_network),
            ("NO_CAPACITY", capacity.get(target.location_id) == 0),
        )
        if is_so
    ]
    for product, quantity in sorted(wanted.items(), key=lambda each: skus[each[0]]):
        available = max(0, free.get((product, target.location_id), 0))
        if quantity > available:
            reasons.append({
                "code": "INSUFFICIENT_STOCK", "sku": skus[product], "requested": quantity,
                "available": available,
            })  # fmt: skip
    if reasons:
        raise NotMovable(reasons=reasons)
