"""Transfers: goods leave one location and come to another, and no unit belongs to nobody.

Whoever does something here holds the order first, where there is one, then the transfer, then
levels of stock. What does not come is sought again for its order in the same moment.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Final

from oms.channels import queries as channels
from oms.fulfillment import operations as fulfillments
from oms.fulfillment.model import QuantityNotOpen, Reason, ReasonNeeded
from oms.fulfillment.operations import Step
from oms.kernel.errors import VersionConflict
from oms.ledger.database import Tx
from oms.orders import operations as orders
from oms.sourcing import operations as sourced
from oms.stock import operations as stock
from oms.stock import queries as shelves
from oms.stock import sending
from oms.stock.model import Arrival, Correction, Moving
from oms.transfers import operations, queries
from oms.transfers.model import (
    Came,
    DestinationNeeded,
    Discrepancy,
    Found,
    ReceiptNeeded,
    SameLocation,
    Transfer,
    TransferAction,
    TransferLine,
    TransferState,
    Wanted,
    a_difference,
    differences,
)
from oms.workflows.fulfillment import CORRECTIONS, open_work


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a store says when goods come: of each line, or nothing of it when all came well."""

    receipt_id: str
    came: Mapping[int, Came] = field(default_factory=dict)
    wrong_items: tuple[Wanted, ...] = ()  # what nobody sent for
    is_complete: bool = True  # what has not come by now will not

    def told(self) -> dict[str, Any]:
        """Return it as it is kept."""
        return {
            "lines": {str(no): [c.received, c.damaged] for no, c in sorted(self.came.items())},
            "wrong_items": [[each.sku, each.quantity] for each in self.wrong_items],
            "is_complete": self.is_complete,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What somebody does with a transfer, and what they say of it."""

    by: str
    at: datetime
    picked: Mapping[int, int] = field(default_factory=dict)  # by line; what is not named: all of it
    reason: Reason | None = None
    carrier: str | None = None
    tracking_number: str | None = None
    to_location_code: str | None = None
    receipt: Receipt | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """What a transfer is after something was done with it, and what follows from that."""

    state: TransferState
    then: Callable[[], None] = lambda: None
    told: str | None = None  # its step's name, where that is not the state
    to_location: tuple[int, str] | None = None  # where it goes now, where that is new


def act(tx: Tx, number: str, action: TransferAction, moved: Moved, *, version: int) -> Transfer:
    """Do something with a transfer, as its state allows; return what it is then.

    A receipt that was taken in already changes nothing. Raises TransferNotFound; VersionConflict
    when it is no longer the version that was seen; WrongState; ReasonNeeded, ReceiptNeeded,
    ReceiptDiffers, QuantityNotOpen, DestinationNeeded, UnknownLocation, SameLocation or
    InsufficientStock by what the action asks.
    """
    order_id = operations.order_of(tx, number)
    if order_id is not None:
        orders.hold(tx, order_id)
        sourced.hold_limited_of(tx, [order_id])
    held = operations.hold(tx, number)
    if action is TransferAction.RECEIVE and _is_known(tx, held, moved):
        return held
    if held.version != version:
        raise VersionConflict(version=held.version, state=held.state)
    done = _EFFECTS[action](tx, held, moved, held.after(action))
    operations.move(
        tx, held, done.state, at=moved.at, reason=moved.reason, carrier=moved.carrier,
        tracking_number=moved.tracking_number,
        to_location_id=done.to_location[0] if done.to_location else None,
    )  # fmt: skip
    _tell(tx, held, done, moved)
    done.then()
    if held.order_id is not None:
        fulfillments.stop_waiting(tx, [held.order_id], at=moved.at)
    return queries.transfer(tx, number)


def _is_known(tx: Tx, held: Transfer, moved: Moved) -> bool:
    receipt = moved.receipt
    if receipt is None:
        raise ReceiptNeeded
    return operations.has_receipt(tx, held.transfer_id, receipt.receipt_id, receipt.told())


def _tell(tx: Tx, held: Transfer, done: Done, moved: Moved) -> None:
    if held.order_id is None:
        return
    known = {
        "transfer": held.transfer_number, "reason": moved.reason, "carrier": moved.carrier,
        "tracking_number": moved.tracking_number,
        "to_location": done.to_location[1] if done.to_location else None,
    }  # fmt: skip
    data = {name: value for name, value in known.items() if value is not None}
    orders.tell(
        tx, [(held.order_id, f"transfer.{done.told or done.state}", data)], actor_type="user",
        actor=moved.by, at=moved.at,
    )  # fmt: skip


def _moving(held: Transfer) -> Moving:
    return Moving(
        transfer_id=held.transfer_id, number=held.transfer_number, from_id=held.from_location_id,
        to_id=held.to_location_id,
    )  # fmt: skip


def _units(held: Transfer, quantities: Mapping[int, int]) -> list[dict[str, int]]:
    product_of = {line.line_no: line.product_id for line in held.lines}
    return [
        {"line_no": no, "product_id": product_of[no], "quantity": quantity}
        for no, quantity in quantities.items()
        if quantity
    ]


def _open(held: Transfer) -> dict[int, int]:
    return {line.line_no: line.open for line in held.lines if line.open}


def _allocate(tx: Tx, held: Transfer, moved: Moved, state: TransferState) -> Done:
    """Keep what shelves were asked for; an order's units are kept from the start."""
    sending.keep_for_shelves(tx, _moving(held), _units(held, _open(held)), at=moved.at)
    return Done(state)


def _pick(tx: Tx, held: Transfer, moved: Moved, state: TransferState) -> Done:
    """Take what was picked; what is short is sought elsewhere, for the reason given."""
    still = {line.line_no: line.open for line in held.lines}
    for line_no, quantity in moved.picked.items():
        if not 0 <= quantity <= still.get(line_no, -1):
            raise QuantityNotOpen(line_no=line_no, max=still.get(line_no, 0))
    picked = {no: moved.picked.get(no, quantity) for no, quantity in still.items()}
    short = {no: still[no] - picked[no] for no in still if still[no] > picked[no]}
    operations.count_lines(
        tx, held.transfer_id,
        {no: {"picked": picked[no], "removed": short.get(no, 0)} for no in still},
    )  # fmt: skip
    found = state if any(picked.values()) else TransferState.CANCELED
    return Done(found, partial(_let_off, tx, held, short, moved)) if short else Done(found)


def _unpick(tx: Tx, held: Transfer, moved: Moved, state: TransferState) -> Done:  # noqa: ARG001 - as all of them
    """Put what was picked back on its shelf, where it is kept as before."""
    operations.count_lines(
        tx, held.transfer_id, {line.line_no: {"picked": -line.picked} for line in held.lines}
    )
    return Done(state)


def _redirect(tx: Tx, held: Transfer, moved: Moved, state: TransferState) -> Done:
    """Have what is on its way come to another location."""
    if moved.to_location_code is None:
        raise DestinationNeeded
    return _go_to(tx, held, moved.to_location_code, state)


def _return(tx: Tx, held: Transfer, moved: Moved, state: TransferState) -> Done:  # noqa: ARG001 - as all of them
    """Have what is on its way come back."""
    return _go_to(tx, held, held.from_location_code, state)


def _go_to(tx: Tx, held: Transfer, code: str, state: TransferState) -> Done:
    """Say where it goes from now on; an order's units stay its own wherever they come to."""
    location_id = operations.location(tx, code)
    if location_id == held.to_location_id:
        raise SameLocation("it goes there already")
    sending.redirect(tx, held.transfer_id, location_id)
    return Done(state, told="redirected", to_location=(location_id, code))


def _cancel(tx: Tx, held: Transfer, moved: Moved, state: TransferState) -> Done:
    """Send nothing; an order's units are sought elsewhere, for the reason given."""
    operations.count_lines(
        tx, held.transfer_id,
        {line.line_no: {"removed": line.open, "picked": -line.picked} for line in held.lines},
    )  # fmt: skip
    return Done(state, partial(_let_off, tx, held, _open(held), moved))


def _ship(tx: Tx, held: Transfer, moved: Moved, state: TransferState) -> Done:
    operations.count_lines(
        tx, held.transfer_id, {line.line_no: {"shipped": line.picked} for line in held.lines}
    )
    sending.send(tx, _moving(held), [line.product_id for line in held.lines], at=moved.at)
    return Done(state)


def _receive(tx: Tx, held: Transfer, moved: Moved, state: TransferState) -> Done:
    """Put what came on the shelves; what an order misses of it is sought again."""
    receipt = moved.receipt
    assert receipt is not None, "act has looked at it"
    for line_no in receipt.came:
        if line_no not in {line.line_no for line in held.lines}:
            raise QuantityNotOpen(line_no=line_no, max=0)
    came = {
        line.line_no: receipt.came.get(line.line_no, Came(received=line.in_transit))
        for line in held.lines
    }
    operations.note_receipt(
        tx, held.transfer_id, receipt.receipt_id, receipt.told(), by=moved.by, at=moved.at
    )
    arrivals = [
        Arrival(
            line_no=line.line_no, product_id=line.product_id,
            received=came[line.line_no].received, damaged=came[line.line_no].damaged,
        )
        for line in held.lines
    ]  # fmt: skip
    expected = shelves.coming_for_order(tx, held.transfer_id)
    risen = sending.receive(tx, _moving(held), arrivals, receipt_id=receipt.receipt_id, at=moved.at)
    after = [line.after(came[line.line_no]) for line in held.lines]
    missing = _count(
        tx, held, after, moved, receipt_id=receipt.receipt_id, is_complete=receipt.is_complete,
        found=differences(held, came, receipt.wrong_items, at=moved.at),
    )  # fmt: skip

    def then() -> None:
        _pass_on(tx, held, expected, moved)
        _seek_missing(tx, held, after, missing, moved)
        _serve_others(tx, risen, moved)

    is_coming = not receipt.is_complete and any(line.in_transit for line in after)
    return Done(TransferState.PARTIALLY_RECEIVED if is_coming else state, then)


def _close(tx: Tx, held: Transfer, moved: Moved, state: TransferState) -> Done:
    """Wait no longer for what has not come."""
    missing = _count(tx, held, held.lines, moved, receipt_id=None, is_complete=True, found=[])
    return Done(state, partial(_seek_missing, tx, held, held.lines, missing, moved))


def _count(
    tx: Tx, held: Transfer, after: Sequence[TransferLine], moved: Moved, *,
    receipt_id: str | None, is_complete: bool, found: list[Found],
) -> dict[int, int]:  # fmt: skip
    """Count what came, and what is missing for good; return what is missing of each line."""
    missing = {line.line_no: line.in_transit if is_complete else 0 for line in after}
    before = {line.line_no: line for line in held.lines}
    operations.count_lines(
        tx, held.transfer_id,
        {
            line.line_no: {
                "received": line.received - before[line.line_no].received,
                "damaged": line.damaged - before[line.line_no].damaged,
                "missing": missing[line.line_no],
            }
            for line in after
        },
    )  # fmt: skip
    found += [
        a_difference(
            Discrepancy.SHORT, line.sku, missing[line.line_no], line.line_no, at=moved.at
        )
        for line in after
        if missing[line.line_no]
    ]  # fmt: skip
    operations.note_discrepancies(tx, held.transfer_id, found, receipt_id=receipt_id, at=moved.at)
    return missing


def _pass_on(tx: Tx, held: Transfer, expected: Mapping[int, int], moved: Moved) -> None:
    """Send on what came elsewhere than to the work that waits for it: it is the order's there."""
    if held.order_id is None or not held.is_astray:
        return
    still = shelves.coming_for_order(tx, held.transfer_id)
    came = {no: quantity - still.get(no, 0) for no, quantity in expected.items()}
    came = {no: quantity for no, quantity in came.items() if quantity}
    if came:
        _reduce(tx, held, came, moved)
        open_work(tx, [held.order_id], at=moved.at)


def _reduce(tx: Tx, held: Transfer, quantities: Mapping[int, int], moved: Moved) -> None:
    """Take from the work that waits what does not come to it by this transfer."""
    assert held.order_id is not None, "the caller knows"
    assert held.fulfillment_id is not None, "an order's transfer has one"
    assert held.fulfillment_number is not None, "an order's transfer has one"
    fulfillments.reduce(tx, held.fulfillment_id, quantities)
    reduced = Step(held.order_id, "fulfillment.reduced", held.fulfillment_number)
    fulfillments.tell(tx, [reduced], actor_type="user", actor=moved.by, at=moved.at)


def _seek_missing(
    tx: Tx, held: Transfer, after: Sequence[TransferLine], missing: Mapping[int, int], moved: Moved
) -> None:
    """Seek again what an order does not get of what was on its way."""
    if held.order_id is None:
        return
    expected = shelves.coming_for_order(tx, held.transfer_id)
    still = {line.line_no: line.in_transit - missing[line.line_no] for line in after}
    lost = {no: quantity - still[no] for no, quantity in expected.items() if quantity > still[no]}
    if lost:
        _seek_again(tx, held, lost, moved, location_code=None, correction=Correction.NONE)


def _let_off(tx: Tx, held: Transfer, short: Mapping[int, int], moved: Moved) -> None:
    """Take units from the location they are kept at; they are sought elsewhere or free."""
    correction = CORRECTIONS.get(moved.reason, Correction.NONE) if moved.reason else Correction.NONE
    if held.order_id is not None:
        if moved.reason is None:
            raise ReasonNeeded
        _seek_again(
            tx, held, short, moved, location_code=held.from_location_code, correction=correction
        )
    elif held.state is not TransferState.REQUESTED:
        risen = sending.let_off(
            tx, _moving(held), _units(held, short), location_code=held.from_location_code,
            correction=correction, act=held.version, at=moved.at,
        )  # fmt: skip
        _serve_others(tx, risen, moved)


def _serve_others(tx: Tx, risen: frozenset[tuple[int, int]], moved: Moved) -> None:
    """Give what is free where stock rose to who waits for it."""
    filled = stock.fill_backorders(tx, risen, at=moved.at)
    orders.record_backorders(tx, filled, at=moved.at)


def _seek_again(
    tx: Tx, held: Transfer, lost: Mapping[int, int], moved: Moved, *, location_code: str | None,
    correction: Correction,
) -> None:  # fmt: skip
    """Seek for an order what it does not get by this transfer, in the same moment."""
    assert held.order_id is not None, "the caller knows"
    assert held.fulfillment_id is not None, "an order's transfer has one"
    assert held.channel_code is not None, "an order's transfer has one"
    _reduce(tx, held, lost, moved)
    queued = stock.withdraw(
        tx, lost, fulfillment_id=held.fulfillment_id, cause=held.transfer_number, act=held.version,
        demand=orders.OPEN_LINES_OF, order_id=held.order_id,
        channel_id=channels.channel(tx, held.channel_code).channel_id,
        location_code=location_code, correction=correction, at=moved.at,
        transfer_id=held.transfer_id,
    )  # fmt: skip
    orders.record_backorders(tx, queued, at=moved.at)
    open_work(tx, [held.order_id], at=moved.at)


_EFFECTS: Final[Mapping[TransferAction, Callable[[Tx, Transfer, Moved, TransferState], Done]]] = {
    TransferAction.ALLOCATE: _allocate,
    TransferAction.PICK: _pick,
    TransferAction.UNPICK: _unpick,
    TransferAction.CANCEL: _cancel,
    TransferAction.SHIP: _ship,
    TransferAction.RECEIVE: _receive,
    TransferAction.CLOSE: _close,
    TransferAction.REDIRECT: _redirect,
    TransferAction.RETURN: _return,
}
