"""Tills: what was reserved becomes a sale there, or is kept longer.

Whoever does something here holds the order, then its work, then levels of stock. Units go from
the order to a hold, and from there to the sale, in one transaction: nobody else gets them, and
none of them is sold twice.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from oms.channels.model import Channel
from oms.fulfillment import operations as fulfillment
from oms.fulfillment.model import FulfillmentOrder, FulfillmentOrderState, WrongCode
from oms.fulfillment.operations import Step
from oms.holds.model import Command, refuse_held
from oms.kernel.errors import Rejected
from oms.ledger.database import Tx
from oms.orders import operations as orders
from oms.orders import queries as order_queries
from oms.orders.model import ChangeKind, Outcome
from oms.reservations import operations, queries
from oms.reservations.model import (
    ReceiptUnfit,
    ReceiptUsed,
    Reservation,
    ReservationNotThere,
)
from oms.stock import holds
from oms.workflows import changes, stock_holds
from oms.workflows.capture import capture
from oms.workflows.documents import Problem

# The hold in between ends in the transaction it begins in.
_IN_BETWEEN: Final = timedelta(minutes=1)


class ReceiptRefused(Rejected):
    """The receipt is not one that can be captured."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        """Take what is wrong with it."""
        super().__init__()
        self.problems = problems


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What was sold at a till, as a document of its channel."""

    channel: Channel
    number: str
    location_code: str | None
    quantities: Mapping[str, int]  # by SKU
    is_carried: bool  # all of it, by whoever paid
    drafts: Mapping[str, bytes]


def convert(
    tx: Tx, number: str, receipt: Receipt, *, code: str | None, keeps_rest: bool, by: str,
    at: datetime,
) -> Reservation:  # fmt: skip
    """Sell what is reserved: a till's receipt becomes an order, with the reservation's units.

    What of the reservation is not on the receipt is let go, or kept for another. The same receipt
    again changes nothing. Raises ReservationNotFound; ReceiptUnfit, ReceiptUsed, ReceiptRefused;
    AlreadyConverted, ReservationExpired, ReservationEnded, ReservationNotThere; OrderOnHold;
    WrongCode.
    """
    if not receipt.is_carried or receipt.location_code is None:
        raise ReceiptUnfit("what is reserved is carried out of its store by who pays for it")
    found = queries.of_number(tx, number, location_code=receipt.location_code)
    orders.hold(tx, found.work.order_id)
    known = queries.sold_by(tx, receipt.number, channel_id=receipt.channel.channel_id)
    if known is not None:
        if known[1] != found.work.order_id:
            raise ReceiptUsed
        return queries.of_number(tx, known[0])
    found = queries.of_number(tx, number, location_code=receipt.location_code)
    work = fulfillment.hold(tx, found.work.fulfillment_number, version=found.work.version)
    quantities = _sellable(found, receipt, code, at=at)
    rest = _rest(work, quantities)
    keeps = bool(rest) and keeps_rest
    hold_ref = _hand_over(tx, work, quantities, receipt, keeps=keeps, at=at)
    step = "fulfillment.reduced" if keeps else "fulfillment.collected"
    fulfillment.tell(
        tx, [Step(work.order_id, step, work.fulfillment_number)], actor_type="user", actor=by,
        at=at,
    )  # fmt: skip
    _cancel(tx, work, quantities, f"*K{work.version + 1}", "sold_at_till", by=by, at=at)
    if rest and not keeps_rest:
        _cancel(tx, work, rest, f"*L{work.version + 1}", "not_wanted", by=by, at=at)
    sale_order_id, sale_number = _sell(tx, receipt, hold_ref, by=by, at=at)
    sold = _by_sku(work, quantities)
    operations.link(tx, work, sold, sale_order_id=sale_order_id, by=by, at=at)
    told = {"location": work.location_code, "quantities": sold}
    steps = [
        (work.order_id, "reservation.converted", {"sale": sale_number, **told}),
        (sale_order_id, "reservation.converted", {"reservation": work.order_number, **told}),
    ]
    orders.tell(tx, steps, actor_type="user", actor=by, at=at)
    return queries.of_number(tx, work.fulfillment_number)


def extend(tx: Tx, number: str, *, days: int, by: str, at: datetime) -> Reservation:
    """Keep a reservation for so many of its store's opening days from now, never shorter.

    Raises ReservationNotFound; AlreadyConverted, ReservationExpired, ReservationEnded;
    ExtensionTooLong.
    """
    orders.hold(tx, queries.of_number(tx, number).work.order_id)
    found = queries.of_number(tx, number)
    found.refuse_ended(at)
    until = operations.extend(tx, found.work, days=days, at=at)
    if until != found.work.collect_by:
        told = {"fulfillment": found.work.fulfillment_number, "expires_at": until.isoformat()}
        orders.tell(
            tx, [(found.work.order_id, "reservation.extended", told)], actor_type="user",
            actor=by, at=at,
        )  # fmt: skip
    return queries.of_number(tx, number)


def _sellable(
    found: Reservation, receipt: Receipt, code: str | None, *, at: datetime
) -> dict[int, int]:
    """Return how much of each line the receipt has; refuse what cannot be sold now."""
    found.refuse_ended(at)
    if found.work.state is FulfillmentOrderState.WAITING_FOR_TRANSFER:
        raise ReservationNotThere
    refuse_held(found.work.holds, Command.SHIP)
    if code is not None and code != found.work.collect_code:
        raise WrongCode
    quantities = found.sold_of(receipt.quantities)
    if not quantities:
        raise ReceiptUnfit("nothing of what is reserved is on the receipt")
    return quantities


def _hand_over(
    tx: Tx, work: FulfillmentOrder, quantities: Mapping[int, int], receipt: Receipt, *,
    keeps: bool, at: datetime,
) -> str:  # fmt: skip
    """Take the units from the work into a hold of the till's channel; return its name."""
    hold_ref = holds.take_over(
        tx, quantities, order_id=work.order_id, fulfillment_id=work.fulfillment_id,
        channel_id=receipt.channel.channel_id, skus=sorted(receipt.quantities),
        expires_at=at + _IN_BETWEEN, at=at,
    )  # fmt: skip
    fulfillment.hand_over_part(tx, work, quantities, keeps_rest=keeps)
    state = work.state if keeps else FulfillmentOrderState.COLLECTED
    fulfillment.move(tx, work, state, at=at)
    return hold_ref


def _cancel(
    tx: Tx, work: FulfillmentOrder, quantities: Mapping[int, int], ref: str, reason: str, *,
    by: str, at: datetime,
) -> None:  # fmt: skip
    changes.apply(
        tx, order_queries.order(tx, work.order_number), ChangeKind.CANCEL, quantities, ref=ref,
        location_code=work.location_code, reason=reason, by=by, at=at,
    )  # fmt: skip


def _sell(tx: Tx, receipt: Receipt, hold_ref: str, *, by: str, at: datetime) -> tuple[int, str]:
    """Capture the receipt with the units of the hold; return its order.

    A receipt that came before by its own way has moved its goods already: then the hold only ends.
    """
    result = capture(
        tx, receipt.drafts, channel=receipt.channel, actor_type="user", actor=by, at=at,
        hold_ref=hold_ref,
    )  # fmt: skip
    (captured,) = result.orders
    if captured.outcome is Outcome.REJECTED or captured.order_number is None:
        raise ReceiptRefused(tuple(result.problems[1]))
    order_id = order_queries.order(tx, captured.order_number).summary.order_id
    stock_holds.close(tx, hold_ref, order_id, at=at)
    return order_id, captured.order_number


def _rest(work: FulfillmentOrder, quantities: Mapping[int, int]) -> dict[int, int]:
    left = {line.line_no: line.open - quantities.get(line.line_no, 0) for line in work.lines}
    return {line_no: quantity for line_no, quantity in left.items() if quantity}


def _by_sku(work: FulfillmentOrder, quantities: Mapping[int, int]) -> dict[str, int]:
    sold: Counter[str] = Counter()
    for line in work.lines:
        sold[line.sku] += quantities.get(line.line_no, 0)
    return dict(+sold)
