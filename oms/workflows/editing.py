"""Change orders: what an order shall be instead; tried first, then done, with the same numbers."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from oms.change_orders import operations as change_orders
from oms.change_orders import queries as kept
from oms.change_orders.model import (
    ChangeNotPreviewed,
    ChangeOrder,
    ChangeOutdated,
    ChangeState,
    Difference,
    Edit,
    NotEditable,
    NothingChanges,
    NotPossible,
    Outcome,
    PreviewStale,
)
from oms.channels import queries as channels
from oms.ledger.database import Tx
from oms.locations import queries as locations
from oms.orders import operations as orders
from oms.orders import queries
from oms.orders.model import ChangeKind, FulfillmentMethod, Group, Order, OrderNotFound
from oms.points.model import NoPickupPoints
from oms.stock import operations as stock
from oms.stock.model import UnknownLocation
from oms.transfers import queries as transfers
from oms.transfers.model import OPEN, UNSENT
from oms.workflows import actions, amending, changes, points
from oms.workflows.actions import IN_HAND, Situation
from oms.workflows.amending import Plan
from oms.workflows.capture import fit
from oms.workflows.points import Carriers

SENT: Final = frozenset({FulfillmentMethod.SHIP_HOME, FulfillmentMethod.SHIP_FROM_STORE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """An order after a change, the number the change has, and what it came to."""

    order: Order
    change_no: int
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """How a delivery group shall get to its customer."""

    method: FulfillmentMethod
    location_code: str | None


def preview(
    tx: Tx, number: str, edit: Edit, carriers: Carriers, *, by: str, at: datetime
) -> Edited:
    """Return what a change would come to, and change nothing: it is done, and undone.

    Raises as the change does.
    """
    version = queries.order(tx, number).summary.version
    with tx.begin_nested() as tried:
        edited = change(tx, number, edit, carriers, version=version, by=by, at=at)
        tried.rollback()
    return edited


def change(
    tx: Tx, number: str, edit: Edit, carriers: Carriers, *, version: int, by: str, at: datetime
) -> Edited:
    """Change an order at once, as far as nothing of it has left or is in hand.

    Raises OrderNotFound, VersionConflict, OrderOnHold; NotEditable, QuantityNotCancelable,
    InsufficientStock, PriceUnknown, NotPossible or NothingChanges by what is in the way; what
    choosing a pick-up point raises.
    """
    now = changes.seen(tx, number, version=version)
    change_no = change_orders.draft(tx, now.order.summary, edit, by=by, at=at)
    edited = _make(tx, now, edit, change_no, carriers, by=by, at=at)
    order_id = now.order.summary.order_id
    change_orders.look(tx, order_id, change_no, edited.outcome)
    change_orders.finish(tx, order_id, change_no, ChangeState.APPLIED, by=by, at=at)
    return edited


def draft(
    tx: Tx, number: str, edit: Edit, *, version: int, by: str, at: datetime
) -> ChangeOrder:  # fmt: skip
    """Write down what an order of this version shall be instead.

    Raises OrderNotFound, VersionConflict; NotEditable or OrderOnHold where nothing of it is
    changed any more.
    """
    now = changes.seen(tx, number, version=version)
    actions.refuse_edit(now)
    order = now.order.summary
    change_no = change_orders.draft(tx, order, edit, by=by, at=at)
    change_orders.tell(tx, order.order_id, change_no, ChangeState.DRAFT, by=by, at=at)
    return kept.change_order(tx, order.order_id, change_no)


def look(
    tx: Tx, number: str, change_no: int, carriers: Carriers, *, by: str, at: datetime
) -> ChangeOrder:
    """Find out what a change order comes to, and keep that.

    Raises ChangeNotFound, ChangeEnded; ChangeOutdated when the order is another version by
    now; and as the change does.
    """
    now, found = _open(tx, number, change_no, at=at)
    order_id = now.order.summary.order_id
    with tx.begin_nested() as tried:
        edited = _make(tx, now, found.edit, change_no, carriers, by=by, at=at)
        tried.rollback()
    change_orders.look(tx, order_id, change_no, edited.outcome)
    change_orders.tell(tx, order_id, change_no, ChangeState.PREVIEWED, by=by, at=at)
    return kept.change_order(tx, order_id, change_no)


def apply(
    tx: Tx, number: str, change_no: int, carriers: Carriers, *, version: int, by: str, at: datetime
) -> Edited:  # fmt: skip
    """Make a change order true, exactly as it was looked at.

    Raises VersionConflict, ChangeNotFound, ChangeEnded, ChangeNotPreviewed; ChangeOutdated
    when it was made for another version; PreviewStale when it would come to something else;
    and as the change does.
    """
    changes.seen(tx, number, version=version)
    now, found = _open(tx, number, change_no, at=at)
    if found.outcome is None:
        raise ChangeNotPreviewed
    edited = _make(tx, now, found.edit, change_no, carriers, by=by, at=at)
    if edited.outcome != found.outcome:
        raise PreviewStale
    order_id = now.order.summary.order_id
    change_orders.finish(tx, order_id, change_no, ChangeState.APPLIED, by=by, at=at)
    change_orders.tell(tx, order_id, change_no, ChangeState.APPLIED, by=by, at=at)
    return edited


def decline(
    tx: Tx, number: str, change_no: int, reason: str, *, by: str, at: datetime
) -> ChangeOrder:
    """End a change order without making it true. Raises ChangeNotFound, ChangeEnded."""
    order_id = queries.order(tx, number).summary.order_id
    orders.hold(tx, order_id)
    change_orders.refuse_ended(kept.change_order(tx, order_id, change_no), at=at)
    change_orders.finish(tx, order_id, change_no, ChangeState.DECLINED, by=by, at=at, reason=reason)
    change_orders.tell(tx, order_id, change_no, ChangeState.DECLINED, by=by, at=at)
    return kept.change_order(tx, order_id, change_no)


def _open(
    tx: Tx, number: str, change_no: int, *, at: datetime
) -> tuple[Situation, ChangeOrder]:  # fmt: skip
    """Hold an order; return its situation, and a change order that may still be made true."""
    order_id = queries.order(tx, number).summary.order_id
    orders.hold(tx, order_id)
    order = queries.order(tx, number)
    found = kept.change_order(tx, order_id, change_no)
    change_orders.refuse_ended(found, at=at)
    if found.base_version != order.summary.version:
        raise ChangeOutdated(base_version=found.base_version, version=order.summary.version)
    return actions.situation_of(tx, order), found


def _make(
    tx: Tx, now: Situation, edit: Edit, change_no: int, carriers: Carriers, *, by: str,
    at: datetime,
) -> Edited:  # fmt: skip
    """Change an order that is held: its lines, its stock, the way it goes, its story."""
    actions.refuse_edit(now)
    order = now.order.summary
    plan = amending.planned(tx, now, edit)
    way = _way(tx, now, edit)
    moves = edit.ship_to is not None and _moves(now, edit, way)
    point = _other_point(now, edit, way, carriers, at=at)
    _refuse_nothing(plan.less, plan.lines, way, moves, point)
    if way:
        orders.reroute(tx, order.order_id, edit.group_no, way.method, way.location_code, at=at)
    if plan.less or plan.lines:
        changes.apply(
            tx, now.order, ChangeKind.CANCEL, plan.less, ref=f"*E{order.version + 1}",
            location_code=None, reason=edit.reason, by=by, at=at,
            lines=tuple(plan.lines.values()), refuse_shortage=not edit.allow_backorder,
        )  # fmt: skip
    if way:
        _resupply(tx, now, edit, at=at)
    if moves:
        orders.redirect(tx, order.order_id, edit.group_no, edit.ship_to or {}, at=at)
    after = queries.order(tx, order.order_number)
    outcome = _outcome(now.order, after)
    facts = {"change_no": change_no, **_told(edit, plan, outcome, way=way, moves=moves)}
    if point is not None:
        orders.choose_point(tx, order.order_id, edit.group_no, point, at=at)
        facts["pickup_point_of_group"] = edit.group_no
    orders.tell(tx, [(order.order_id, "order.changed", facts)], actor_type="user", actor=by, at=at)
    if point is not None or (way and _group(now, edit.group_no).pickup_point):
        points.release(tx, order.order_id, at=at)
        after = queries.order(tx, order.order_number)
    return Edited(order=after, change_no=change_no, outcome=outcome)


def _refuse_nothing(*changed: object) -> None:
    """Refuse an edit that changes none of these. Raises NothingChanges."""
    if not any(changed):
        raise NothingChanges


def _group(now: Situation, group_no: int) -> Group:
    for group in now.order.groups:
        if group.group_no == group_no:
            return group
    raise OrderNotFound(f"the order has no delivery group {group_no}")


def _way(tx: Tx, now: Situation, edit: Edit) -> _Way | None:
    """Return another way for a delivery group, or None. Raises as the change does."""
    if edit.method is None and edit.location_code is None:
        return None
    group = _group(now, edit.group_no)
    method = FulfillmentMethod(edit.method or group.method)
    if (method, edit.location_code) == (group.method, group.location_code):
        return None
    if group.method not in amending.GROWING:
        raise NotEditable("what is bought or reserved in a store goes no other way")
    is_collected = method is FulfillmentMethod.COLLECT_STORE
    if is_collected != (edit.location_code is not None):
        raise NotPossible("what is collected has a location, and nothing else has")
    if is_collected:
        _refuse_place(tx, str(edit.location_code))
    elif method is FulfillmentMethod.PICKUP_POINT:
        _refuse_no_point(now, edit)
    elif not (edit.ship_to or group.ship_to or now.order.ship_to):
        raise NotPossible("an address is needed: nobody knows where to send it")
    _refuse_underway(tx, now, edit.group_no)
    return _Way(method=method, location_code=edit.location_code)


def _refuse_no_point(now: Situation, edit: Edit) -> None:
    """Refuse to send to no point, or what its carrier can tell nobody of. Raises NotPossible."""
    if edit.point is None:
        raise NotPossible("what goes to a pick-up point names the point")
    if not (now.order.summary.customer_email or now.order.customer_phone):
        raise NotPossible("its carrier must be able to tell its customer, and nobody knows how")


def _refuse_place(tx: Tx, location_code: str) -> None:
    """Refuse what is no store that hands something out. Raises UnknownLocation, NotEditable."""
    for place in locations.places(tx, channel_codes=None):
        if place.location.code == location_code:
            if place.location.kind != "store" or not place.location.is_enabled:
                raise NotEditable("nothing is collected there", location_code=location_code)
            return
    raise UnknownLocation(f"there is no location {location_code}")


def _refuse_underway(tx: Tx, now: Situation, group_no: int) -> None:
    """Refuse to have go another way what is on its way or in somebody's hands."""
    _refuse_packed(now, group_no)
    lines = [line for line in now.order.lines if line.group_no == group_no]
    if any(line.shipped or line.returned for line in lines):
        raise NotEditable("some of it has gone that way already", group_no=group_no)
    if any(
        each.state in OPEN - UNSENT for each in transfers.of_order(tx, now.order.summary.order_id)
    ):
        raise NotEditable("goods are on their way to where it leaves from", group_no=group_no)


def _refuse_packed(now: Situation, group_no: int) -> None:
    """Refuse what is still to go of a group where that is nothing, or in somebody's hands."""
    if any(each.group_no == group_no and each.state in IN_HAND for each in now.fulfillments):
        raise NotEditable("it is packed for that: put it back first", group_no=group_no)
    lines = [line for line in now.order.lines if line.group_no == group_no]
    if not any(line.allocated + line.backordered for line in lines):
        raise NotEditable("nothing of it is still to be sent", group_no=group_no)


def _moves(now: Situation, edit: Edit, way: _Way | None) -> bool:
    """Tell whether the address is another one. Raises NotEditable for what is not sent there."""
    group = _group(now, edit.group_no)
    if (way.method if way else group.method) not in SENT:
        raise NotEditable("what is not sent has no address", group_no=edit.group_no)
    _refuse_packed(now, edit.group_no)
    return dict(edit.ship_to or {}) != (group.ship_to or now.order.ship_to)


def _other_point(
    now: Situation, edit: Edit, way: _Way | None, carriers: Carriers, *, at: datetime
) -> dict[str, Any] | None:
    """Return the pick-up point a group shall go to, if it is another one.

    Raises NotEditable for what goes to none, or to one that nobody here knows.
    """
    if edit.point is None:
        return None
    group = _group(now, edit.group_no)
    if (way.method if way else group.method) != FulfillmentMethod.PICKUP_POINT:
        raise NotEditable("it does not go to a pick-up point", group_no=edit.group_no)
    _refuse_packed(now, edit.group_no)
    kept_point = group.pickup_point or {}
    if edit.point == (kept_point.get("provider"), kept_point.get("point_id")):
        return None
    found = points.choose(carriers, *edit.point)
    if found is None:
        raise NoPickupPoints(carrier=edit.point[0])
    return found.snapshot(at=at)


def _resupply(tx: Tx, now: Situation, edit: Edit, *, at: datetime) -> None:
    """Keep goods for a delivery group where its new way wants them; its work follows."""
    order = now.order.summary
    channel = channels.channel(tx, order.channel_code)
    queued = stock.resupply(
        tx, demand=orders.OPEN_LINES_OF_GROUP, order_id=order.order_id, group_no=edit.group_no,
        channel_id=channel.channel_id, at=at,
        refuse_shortage_of=None if edit.allow_backorder else channel.code,
    )  # fmt: skip
    orders.record_backorders(tx, queued, at=at)
    fit(tx, [order.order_id], at=at)


def _told(
    edit: Edit, plan: Plan, outcome: Outcome, *, way: _Way | None, moves: bool
) -> dict[str, Any]:
    """Say what was and is. Addresses are not told: a story stays when its customer is erased."""
    lines = [
        {"line_no": each.line_no, "before": each.before_quantity, "after": each.after_quantity}
        for each in outcome.lines
        if each.before_quantity != each.after_quantity
    ]
    told: dict[str, Any] = {
        "lines": lines, "ship_to_of_group": edit.group_no if moves else None, "reason": edit.reason,
    }  # fmt: skip
    if priced := sorted(plan.lines.keys() & edit.prices.keys()):
        told["priced"] = priced
    if way:
        told |= {"group_no": edit.group_no, "method": way.method, "location": way.location_code}
    return told


def _outcome(before: Order, after: Order) -> Outcome:
    """Return what a change came to, line by line."""
    was = {line.line_no: line for line in before.lines}
    minor, minor_before = _minors(after), _minors(before)
    lines = []
    for line in after.lines:
        old = was.get(line.line_no)
        made = Difference(
            line_no=line.line_no, sku=line.sku,
            before_quantity=old.quantity - old.canceled if old else 0,
            after_quantity=line.quantity - line.canceled,
            before_minor=minor_before[line.line_no], after_minor=minor[line.line_no],
            allocated=line.allocated - (old.allocated if old else 0),
            backordered=line.backordered - (old.backordered if old else 0),
        )  # fmt: skip
        is_same = made.before_quantity == made.after_quantity
        if not is_same or made.before_minor != made.after_minor or made.allocated:
            lines.append(made)
    return Outcome(
        before_minor=minor_before.total() + _shipping(before),
        after_minor=minor.total() + _shipping(after), lines=tuple(lines),
    )  # fmt: skip


def _minors(order: Order) -> Counter[int]:
    """Return what each line comes to after everything that happened to it."""
    found = Counter[int]()
    for change in order.changes:
        found[change.line_no] += change.net_minor + change.tax_minor
    return found


def _shipping(order: Order) -> int:
    return order.shipping_net_minor + order.shipping_tax_minor
