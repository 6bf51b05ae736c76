"""Goods that come back to a location: told by its WMS in batches, or over the counter of a store.

Nothing that came is lost: what fits no return is kept until somebody says whose it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from oms.access.model import Caller, OtherLocation
from oms.kernel.errors import OmsError
from oms.ledger.database import Tx
from oms.orders import operations as orders
from oms.orders import queries as order_queries
from oms.returns import operations, queries
from oms.returns.model import (
    Asked,
    Condition,
    Disposition,
    Inspected,
    Kind,
    Method,
    Resolution,
    Return,
    ReturnAction,
    ReturnNotFound,
    ReturnReason,
    ReturnState,
    Row,
    Sorted,
    Told,
)
from oms.returns.rules import USUAL, FinalSale, WindowExpired
from oms.stock import operations as stock
from oms.workflows import returns
from oms.workflows.returned import Doing, NotYetReceived, Receipt
from oms.workflows.returns import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What a WMS says came: where, what, and whatever is known of whose it is."""

    receipt_id: str
    location_code: str
    lines: tuple[Told, ...]
    return_ref: str | None = None
    order_ref: str | None = None
    tracking_number: str | None = None
    received_at: datetime | None = None
    is_complete: bool = False

    def told(self) -> dict[str, Any]:
        """Return it as it is kept."""
        lines = [[each.sku, each.quantity, each.condition, each.disposition] for each in self.lines]
        at = self.received_at
        return {
            "return": self.return_ref, "order": self.order_ref, "lines": lines,
            "tracking_number": self.tracking_number, "is_complete": self.is_complete,
            "received_at": None if at is None else at.isoformat(),
        }  # fmt: skip

    def receipt(self, *, is_late: bool) -> Receipt:
        """Return it as the receipt of a return."""
        return Receipt(
            receipt_id=self.receipt_id, lines=self.lines, location_code=self.location_code,
            received_at=self.received_at, is_complete=self.is_complete, is_late=is_late,
            as_told=self.told(),
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of a notice: received, duplicate, unidentified or refused."""

    receipt_id: str
    location_code: str
    outcome: str
    return_numbers: tuple[str, ...] = ()
    state: ReturnState | None = None
    code: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """Units of an order's line handed over a counter, and what becomes of them."""

    line_no: int
    quantity: int
    reason: ReturnReason
    resolution: Resolution
    condition: Condition
    disposition: Disposition | None

    def told(self) -> Told:
        """Return it as units that came."""
        return Told(
            line_no=self.line_no, quantity=self.quantity, condition=self.condition,
            disposition=self.disposition,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Basket:
    """What of one order a customer brings to a store."""

    order_number: str
    lines: tuple[Handed, ...]
    note: str | None = None
    override_reason: str | None = None


def take_in(tx: Tx, notices: Sequence[Notice], caller: Caller, *, at: datetime) -> list[Taken]:
    """Take in what a WMS tells, each receipt once, and say what became of each.

    What all of it may change is held first, as everybody holds it: orders, receipts, levels.
    """
    order_ids = sorted({order_id for notice in notices for order_id in _meant(tx, notice)})
    orders.hold_all(tx, order_ids)
    operations.lock_receipts(tx, [(each.location_code, each.receipt_id) for each in notices])
    told = [(notice.location_code, each) for notice in notices for each in notice.lines]
    _hold_goods(tx, order_ids, told, at=at)
    return [_take(tx, notice, caller, at=at) for notice in notices]


def _hold_goods(
    tx: Tx, order_ids: Sequence[int], told: Sequence[tuple[str, Told]], *, at: datetime
) -> None:
    goods = queries.goods(tx, order_ids, told)
    stock.hold_for_goods(
        tx, goods.came, products=goods.product_ids, locations=goods.location_ids, at=at
    )


def _meant(tx: Tx, notice: Notice) -> list[int]:
    numbers = queries.receivable_by(tx, notice.tracking_number) if notice.tracking_number else []
    found = [operations.order_of(tx, number) for number in numbers]
    if notice.order_ref:
        found += [order_id for order_id, _, _ in queries.orders_by(tx, notice.order_ref)]
    if notice.return_ref:
        try:
            found.append(operations.order_of(tx, notice.return_ref))
        except ReturnNotFound:
            return found
    return found


def _take(tx: Tx, notice: Notice, caller: Caller, *, at: datetime) -> Taken:
    names: dict[str, Any] = {"receipt_id": notice.receipt_id, "location_code": notice.location_code}
    try:
        known = _known(tx, notice, caller, at=at)
    except OmsError as error:
        return Taken(outcome="refused", code=error.code, detail=error.detail, **names)
    if known is not None:
        return Taken(outcome="duplicate", return_numbers=tuple(known), **names)
    try:
        with tx.begin_nested():
            held, is_late = _whose(tx, notice, caller, at=at)
            doing = Doing(by=caller.name, at=at, receipt=notice.receipt(is_late=is_late))
            moved = returns.do(tx, held, ReturnAction.RECEIVE, doing)
    except OmsError as error:
        _set_aside(tx, notice, error.code, by=caller.name, at=at)
        return Taken(outcome="unidentified", code=error.code, detail=error.detail, **names)
    return Taken(
        outcome="received", return_numbers=(moved.return_number,), state=moved.state, **names
    )


def _known(tx: Tx, notice: Notice, caller: Caller, *, at: datetime) -> list[str] | None:
    """Return the returns of a notice that was taken in already; refuse one that makes no sense."""
    queries.place_of(tx, 0, notice.location_code)
    if not caller.may_work_at(notice.location_code):
        raise OtherLocation
    if notice.received_at is not None and notice.received_at > at:
        raise NotYetReceived
    return operations.known_receipt(tx, notice.location_code, notice.receipt_id, notice.told())


def _whose(tx: Tx, notice: Notice, caller: Caller, *, at: datetime) -> tuple[Return, bool]:
    """Return the return a notice is of, held, and whether a person shall look at it.

    By its number, by its parcel's, by order and SKU; at last one is opened for the order. Raises
    what is in the way.
    """
    if notice.return_ref:
        return _seen(returns.hold(tx, notice.return_ref), caller), False
    numbers = queries.receivable_by(tx, notice.tracking_number) if notice.tracking_number else []
    if not numbers and notice.order_ref:
        found = queries.orders_by(tx, notice.order_ref)
        if len(found) == 1 and caller.may_see(found[0][2]):
            order_id, order_number, _ = found[0]
            skus = [each.sku for each in notice.lines if each.sku is not None]
            numbers = queries.receivable_of(tx, [order_id], skus)
            if not numbers:
                return _opened(tx, order_number, notice, by=caller.name, at=at)
    if not numbers:
        raise ReturnNotFound
    return _seen(returns.hold(tx, numbers[0]), caller), False


def _seen(held: Return, caller: Caller) -> Return:
    if not caller.may_see(held.channel_code):
        raise ReturnNotFound
    return held


def _opened(
    tx: Tx, order_number: str, notice: Notice, *, by: str, at: datetime
) -> tuple[Return, bool]:
    """Open a return for what came without one, as far as the order's lines have been sent."""
    order = order_queries.order(tx, order_number)
    found = returns.returnable(tx, order, at=at)
    wanted: dict[int, int] = {}
    for each in notice.lines:
        rest = each.quantity
        for line in found.values():
            if line.facts.sku == each.sku:
                quantity = min(rest, line.quantity - wanted.get(line.facts.line_no, 0))
                wanted[line.facts.line_no] = wanted.get(line.facts.line_no, 0) + quantity
                rest -= quantity
    lines = tuple(
        Asked(line_no=no, quantity=quantity, reason=ReturnReason.UNKNOWN)
        for no, quantity in sorted(wanted.items()) if quantity
    )  # fmt: skip
    if not lines:
        raise ReturnNotFound("nothing of this order's that came can be returned")
    is_late = any(
        isinstance(why, WindowExpired | FinalSale)
        for line in lines for why in found[line.line_no].refusals
    )  # fmt: skip
    asked = Request(lines=lines, kind=Kind.WMS, location_code=notice.location_code)
    made = returns.open_for(
        tx, order_number, asked, state=ReturnState.APPROVED, by=by, at=at, is_lenient=True
    )
    return made, is_late


def _set_aside(tx: Tx, notice: Notice, reason: str, *, by: str, at: datetime) -> None:
    receipt_no = operations.note_receipt(
        tx, notice.location_code, notice.receipt_id, notice.told(), by=by, at=at,
        received_at=notice.received_at or at,
    )  # fmt: skip
    rows = [
        Sorted(state=Row.UNIDENTIFIED, quantity=each.quantity, sku=each.sku or "", line_no=None,
               told=each)
        for each in notice.lines
    ]  # fmt: skip
    operations.note_rows(
        tx, receipt_no, rows, return_id=None, return_ref=notice.return_ref, reason=reason,
        order_ref=notice.order_ref, tracking_number=notice.tracking_number,
    )  # fmt: skip


def assign(
    tx: Tx, row_id: int, *, return_number: str | None, order_number: str | None, by: str,
    at: datetime,
) -> Return:  # fmt: skip
    """Say whose units are that came without anybody knowing; they are received for that return.

    Raises NothingUnidentified, ReturnNotFound, OrderNotFound, WrongState and what receiving does.
    """
    if return_number is not None:
        order_id = operations.order_of(tx, return_number)
    else:
        assert order_number is not None, "the caller names one of both"
        order_id = order_queries.order(tx, order_number).summary.order_id
    orders.hold(tx, order_id)
    found = operations.take_unidentified(tx, row_id)
    _hold_goods(tx, [order_id], [(found.location_code, found.told)], at=at)
    notice = Notice(
        receipt_id=f"{found.receipt_id} #{row_id}", location_code=found.location_code,
        lines=(found.told,), received_at=found.received_at,
    )  # fmt: skip
    if return_number is not None:
        held, is_late = returns.hold(tx, return_number), False
    else:
        number = order_queries.number_of(tx, order_id)
        held, is_late = _opened(tx, number, notice, by=by, at=at)
    operations.mark_assigned(tx, row_id)
    doing = Doing(by=by, at=at, receipt=notice.receipt(is_late=is_late))
    return returns.do(tx, held, ReturnAction.RECEIVE, doing)


def take_at_store(
    tx: Tx, location_code: str, baskets: Sequence[Basket], *, by: str, at: datetime
) -> list[Return]:
    """Take back over the counter what a customer brings of one or several orders, all or nothing.

    Each order's goods are a return of their own: received, looked at and accepted at once, at
    this store. Raises as a request does, UnknownLocation and WrongItemKept.
    """
    queries.place_of(tx, 0, location_code)
    order_ids = {
        order_queries.order(tx, basket.order_number).summary.order_id for basket in baskets
    }
    orders.hold_all(tx, sorted(order_ids))
    told = [(location_code, each.told()) for basket in baskets for each in basket.lines]
    _hold_goods(tx, sorted(order_ids), told, at=at)
    return [_over_the_counter(tx, location_code, basket, by=by, at=at) for basket in baskets]


def _over_the_counter(
    tx: Tx, location_code: str, basket: Basket, *, by: str, at: datetime
) -> Return:
    asked = Request(
        lines=tuple(
            Asked(line_no=each.line_no, quantity=each.quantity, reason=each.reason,
                  resolution=each.resolution)
            for each in basket.lines
        ),
        kind=Kind.STORE, method=Method.IN_STORE, location_code=location_code, note=basket.note,
        override_reason=basket.override_reason,
    )  # fmt: skip
    made = returns.open_for(
        tx, basket.order_number, asked, state=ReturnState.APPROVED, by=by, at=at
    )
    doing = Doing(by=by, at=at, has_rules=False)
    receipt = Receipt(
        receipt_id=f"*{made.return_number}",
        location_code=location_code,
        lines=tuple(each.told() for each in basket.lines),
    )
    made = returns.do(tx, made, ReturnAction.RECEIVE, replace(doing, receipt=receipt))
    inspected = tuple(
        Inspected(
            line_no=each.line_no,
            quantity=each.quantity,
            condition=each.condition,
            disposition=each.disposition or USUAL[each.condition],
        )
        for each in basket.lines
    )
    made = returns.do(tx, made, ReturnAction.INSPECT, replace(doing, inspected=inspected))
    return returns.do(tx, made, ReturnAction.ACCEPT, doing)
