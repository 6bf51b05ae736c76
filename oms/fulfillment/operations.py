"""Writes on fulfillment orders: opening them, moving them on, fitting them to what is reserved."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any, Final

from oms.fulfillment import queries, store
from oms.fulfillment.model import (
    OPEN,
    FulfillmentOrder,
    FulfillmentOrderNotFound,
    FulfillmentOrderState,
)
from oms.holds.model import RULES, Command
from oms.kernel.errors import VersionConflict
from oms.ledger.database import Tx
from oms.ledger.rows import by_name
from oms.locations.hours import after_open
from oms.orders import operations as orders
from oms.stock.model import Units

OPEN_STATES = sorted(OPEN)
_FACTS: Final = tuple(each.name for each in fields(Units))
# Nobody is hurried to accept what may not be picked yet.
UNHURRIED = sorted(kind for kind, rule in RULES.items() if Command.PICK in rule.blocks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A fulfillment order that was just opened, and the reservations whose units it has."""

    fulfillment_id: int
    fulfillment_number: str
    order_id: int
    location_code: str
    state: FulfillmentOrderState
    is_new: bool
    reservation_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A location that may take over work, and the one that has it."""

    location_id: int
    from_id: int
    is_enabled: bool
    is_in_network: bool


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened to a fulfillment order of an order."""

    order_id: int
    type: str
    fulfillment_number: str
    facts: Mapping[str, Any] = field(default_factory=dict)


def open_for(tx: Tx, units: Sequence[Units], *, at: datetime) -> list[Opened]:
    """Open a fulfillment order per order, delivery group and location of these units.

    What is collected is picked where it is collected, and what is gathered at its hub: units
    kept elsewhere are to be sent there first. One that waits for such units already takes
    further ones.
    """
    if not units:
        return []
    asked = json.dumps(list(map(_facts, units)))
    rows = store.SQL.run(tx, "open_orders", units=asked, at=at).all()
    give_time(tx, [row.fulfillment_id for row in rows], at=at)
    return [
        Opened(
            fulfillment_id=row.fulfillment_id, fulfillment_number=row.fulfillment_number,
            order_id=row.order_id, location_code=row.location_code,
            state=FulfillmentOrderState(row.state), is_new=row.is_new,
            reservation_ids=tuple(row.reservation_ids),
        )
        for row in rows
    ]  # fmt: skip


def _facts(units: Units) -> dict[str, int | None]:
    # asdict copies all the way down: it takes eight times as long.
    return {name: getattr(units, name) for name in _FACTS}


def order_of(tx: Tx, number: str) -> int:
    """Return the order a fulfillment order is of. Raises FulfillmentOrderNotFound."""
    found: int | None = store.SQL.run(tx, "order_of", number=number.upper()).scalar()
    if found is None:
        raise FulfillmentOrderNotFound
    return found


def give_time(tx: Tx, fulfillment_ids: Sequence[int], *, at: datetime) -> None:
    """Say by when those of them are to be accepted that wait for it: in their opening hours.

    What is collected has no other place to go to, and waits for as long as it takes.
    """
    timed = [
        {"fulfillment_id": row.fulfillment_id, "accept_by": _accept_by(row, at)}
        for row in store.SQL.run(tx, "to_accept", fulfillment_ids=list(fulfillment_ids))
    ]
    if timed:
        store.SQL.run(tx, "give_time", timed=json.dumps(timed, default=str))


def _accept_by(row: Any, at: datetime) -> datetime | None:
    """Return the end of a location's minutes; what has no hours works around the clock."""
    lasting = timedelta(minutes=row.accept_minutes)
    if not row.opening_hours:
        return at + lasting
    return after_open(row.opening_hours, row.time_zone, at, lasting)


def unaccepted(tx: Tx, *, at: datetime) -> tuple[str, int] | None:
    """Return what nobody accepted in time, by number and version; None when there is none."""
    row = store.SQL.run(tx, "unaccepted", at=at, unhurried=UNHURRIED).one_or_none()
    return None if row is None else (row.fulfillment_number, row.version)


def uncollected(tx: Tx, *, at: datetime) -> tuple[str, int] | None:
    """Return what lies ready too long, by number and version; None when nothing does."""
    row = store.SQL.run(tx, "uncollected", at=at).one_or_none()
    return None if row is None else (row.fulfillment_number, row.version)


def target(tx: Tx, of: FulfillmentOrder, code: str) -> Target | None:
    """Return a location as one that work may go to; None where there is no such location."""
    row = store.SQL.run(tx, "target", fulfillment_id=of.fulfillment_id, code=code).one_or_none()
    return None if row is None else Target(**by_name(row))


def goods(tx: Tx, of: FulfillmentOrder) -> tuple[int, dict[int, int]]:
    """Return where a fulfillment order is, and the product of each of its lines."""
    rows = store.SQL.run(tx, "goods", fulfillment_id=of.fulfillment_id).all()
    return rows[0].location_id, {row.line_no: row.product_id for row in rows}


def hold(tx: Tx, number: str, *, version: int) -> FulfillmentOrder:
    """Hold a fulfillment order, whose order is held already, and return it.

    Raises VersionConflict when it is not the version its caller has seen.
    """
    store.SQL.run(tx, "hold", number=number.upper())
    found = queries.fulfillment_order(tx, number)
    if found.version != version:
        raise VersionConflict(version=found.version, state=found.state)
    return found


def move(
    tx: Tx, moved: FulfillmentOrder, state: FulfillmentOrderState, *, at: datetime, **facts: Any
) -> None:
    """Write the next state of a fulfillment order that is held, with what is newly known of it."""
    names = ("reason", "collect_code", "collect_by", "carrier", "tracking_number")
    known = {name: facts.get(name) for name in names}
    done = store.SQL.run(
        tx, "move", fulfillment_id=moved.fulfillment_id, version=moved.version, state=state.value,
        at=at, **known,
    )  # fmt: skip
    if done.rowcount != 1:
        raise VersionConflict


def pick(tx: Tx, of: FulfillmentOrder, picked: Mapping[int, int]) -> None:
    """Write how much of each line was picked; the rest of it is taken away."""
    lines = [
        {"line_no": line.line_no, "picked": picked[line.line_no],
         "short": line.open - picked[line.line_no]}
        for line in of.lines
    ]  # fmt: skip
    store.SQL.run(tx, "pick", fulfillment_id=of.fulfillment_id, lines=json.dumps(lines))


def reduce(tx: Tx, fulfillment_id: int, quantities: Mapping[int, int]) -> None:
    """Take away units of its lines that will not come."""
    lines = [{"line_no": no, "quantity": quantity} for no, quantity in quantities.items()]
    store.SQL.run(tx, "reduce", fulfillment_id=fulfillment_id, lines=json.dumps(lines))


def stop_waiting(tx: Tx, order_ids: Sequence[int], *, at: datetime) -> None:
    """Let the fulfillment orders go on to which all units have come, and tell of it.

    One of which nothing is left is canceled.
    """
    rows = store.SQL.run(tx, "stop_waiting", order_ids=list(order_ids), at=at).all()
    give_time(tx, [row.fulfillment_id for row in rows], at=at)
    steps = [Step(row.order_id, f"fulfillment.{row.state}", row.fulfillment_number) for row in rows]
    tell(tx, steps, actor_type="system", actor="routing", at=at)


def put_back(tx: Tx, of: FulfillmentOrder) -> None:
    """Put what was picked back on its shelf."""
    store.SQL.run(tx, "put_back", fulfillment_id=of.fulfillment_id)


def take_away(tx: Tx, of: FulfillmentOrder) -> None:
    """Take away all that is still open: it is not to be supplied here any more."""
    store.SQL.run(tx, "take_away", fulfillment_id=of.fulfillment_id)


def take_in(tx: Tx, of: FulfillmentOrder, other: FulfillmentOrder) -> None:
    """Have a fulfillment order supply all that another one still had to, as soon as that had."""
    names = {"fulfillment_id": of.fulfillment_id, "other_id": other.fulfillment_id}
    store.SQL.run(tx, "take_in", **names)
    store.SQL.run(tx, "hurry", **names)


def hand_over(tx: Tx, of: FulfillmentOrder) -> None:
    """Note that what was still open has left the location."""
    store.SQL.run(tx, "hand_over", fulfillment_id=of.fulfillment_id)


def hand_over_part(
    tx: Tx, of: FulfillmentOrder, quantities: Mapping[int, int], *, keeps_rest: bool
) -> None:
    """Note that some of what was open has left; the rest stays, or is taken away."""
    lines = [{"line_no": no, "quantity": quantity} for no, quantity in quantities.items()]
    store.SQL.run(
        tx, "hand_over_part", fulfillment_id=of.fulfillment_id, lines=json.dumps(lines),
        keeps_rest=keeps_rest,
    )  # fmt: skip


def fit(tx: Tx, order_ids: Sequence[int], *, at: datetime) -> None:
    """Fit the open fulfillment orders of orders to what is still reserved, and tell of it.

    A channel cancels, edits or ships by itself, and what it says is a fact: what is no longer
    reserved is not to be picked any more. One that has nothing left is canceled.
    """
    rows = store.SQL.run(tx, "fit", order_ids=list(order_ids), open_states=OPEN_STATES, at=at)
    steps = [
        Step(
            row.order_id,
            "fulfillment.canceled" if row.state == "canceled" else "fulfillment.reduced",
            row.fulfillment_number,
        )
        for row in rows
    ]
    tell(tx, steps, actor_type="system", actor="routing", at=at)


def tell(tx: Tx, steps: Sequence[Step], *, actor_type: str, actor: str, at: datetime) -> None:
    """Add steps to the stories of orders, each with what its fulfillment order is by now.

    Whatever writes a fulfillment order or its lines tells of it after that: the story is all of it.
    """
    numbers = sorted({step.fulfillment_number for step in steps})
    if not numbers:
        return
    images = {
        row.fulfillment_number: row.image for row in store.SQL.run(tx, "images", numbers=numbers)
    }
    told = [
        (
            step.order_id, step.type,
            {
                "fulfillment": step.fulfillment_number, **images[step.fulfillment_number],
                **step.facts,
            },
        )
        for step in steps
    ]  # fmt: skip
    orders.tell(tx, told, actor_type=actor_type, actor=actor, at=at)


def orders_with_work(tx: Tx, order_ids: Sequence[int]) -> list[int]:
    """Return which of these orders have open fulfillment orders."""
    rows = store.SQL.run(tx, "orders_with_work", order_ids=list(order_ids), open_states=OPEN_STATES)
    return list(rows.scalars())
