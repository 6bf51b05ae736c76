"""Money over the counter: a till gives back what is owed for one order or several, in one visit.

Whoever does holds all its orders first. What comes out of the drawer is done with; what a payment
service has to give back is asked for, and the visit says that it is on its way.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from oms.kernel.errors import Rejected
from oms.ledger.database import Tx
from oms.orders import operations as orders
from oms.orders import queries as order_queries
from oms.payments import operations as payments
from oms.payments import queries as payment_queries
from oms.payments.model import CurrencyDiffers, NotManaged
from oms.payments.rules import coins_rounding_minor
from oms.refunds import operations, queries
from oms.refunds.model import (
    BackIn,
    Hand,
    RefundDraft,
    RefundKind,
    Visit,
)
from oms.refunds.rules import Counter
from oms.returns import queries as returned
from oms.workflows import owing, refunds

ALL_OWED: Final = RefundDraft(kind=RefundKind.OWED)


class OrderNamedTwice(Rejected):
    """Each order is named once in a visit."""

    code = "VALIDATION"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What somebody is to get back for an order."""

    order_number: str
    draft: RefundDraft = ALL_OWED
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Who gives money back at which till, in what, and why against the channel's rules."""

    location_code: str
    back_in: BackIn
    by: str
    role: str | None = None
    override_reason: str | None = None


def give_back(
    tx: Tx, asking: Asking, wanted: Sequence[Wanted], *, at: datetime, is_lenient: bool = False
) -> Visit:
    """Give back at a till what is wanted of orders, all of it or nothing; return the visit.

    Where it is lenient, an order nothing is owed for is left out, and so is one whose channel
    pays by itself; what came back for something else than money gets that. Where that leaves
    nothing, the visit has no refunds and is not kept. Raises OrderNotFound,
    UnknownLocation; NotManaged, RefundExceeded, ReasonMissing as a refund does; CashLimited,
    LeaveNeeded, LimitExceeded; CurrencyDiffers where a drawer would give two.
    """
    returned.place_of(tx, 0, asking.location_code)
    ids = [order_queries.order(tx, each.order_number).summary.order_id for each in wanted]
    if len(set(ids)) < len(ids):
        raise OrderNamedTwice
    orders.hold_all(tx, sorted(ids))
    visit_id = operations.add_visit(
        tx, asking.location_code, asking.back_in, override_reason=asking.override_reason,
        by=asking.by, at=at,
    )  # fmt: skip
    counter = Counter(
        visit_id=visit_id, location_code=asking.location_code, back_in=asking.back_in,
        is_overridden=asking.override_reason is not None,
    )  # fmt: skip
    for each, order_id in zip(wanted, ids, strict=True):
        _give(tx, each, order_id, counter, asking, at=at, is_lenient=is_lenient)
    _round_off(tx, visit_id)
    visit = queries.visit_of(tx, visit_id)
    if not visit.refunds:
        operations.drop_visit(tx, visit_id)
    return visit


def _give(
    tx: Tx, each: Wanted, order_id: int, counter: Counter, asking: Asking, *, at: datetime,
    is_lenient: bool,
) -> None:  # fmt: skip
    if is_lenient:
        owing.give_otherwise(tx, order_id, at=at)
    known = payment_queries.of_order(tx, order_id)
    payable = sum(payment.sums.refundable for payment in counter.payable(known))
    has_any = any(payment.sums.refundable for payment in known)
    if has_any and not payable and not (is_lenient and counter.back_in is BackIn.ORIGINAL):
        raise NotManaged
    draft, cause = each.draft, f"till:{counter.visit_id}"
    if is_lenient:
        # As by itself, so it is nobody's wish: what somebody decided against stays so.
        left = payable - queries.waiting_minor(tx, order_id)
        amount, cause = min(owing.in_money_minor(tx, order_id), left), f"owed:{cause}"
        if amount <= 0:
            return
        draft = RefundDraft(kind=RefundKind.OWED, amount_minor=amount)
    refunds.compose(
        tx, each.order_number, draft, reason=each.reason, cause=cause, by=asking.by,
        at=at, counter=counter, hand=Hand(name=asking.by, role=asking.role, at=at),
    )  # fmt: skip


def _round_off(tx: Tx, visit_id: int) -> None:
    """Have all that comes out of the drawer end in the coins there are; its largest part bears it.

    Raises CurrencyDiffers.
    """
    given = queries.cash_of(tx, visit_id)
    if not given:
        return
    if len({each.currency for each in given}) > 1:
        raise CurrencyDiffers("a drawer gives one currency at a time")
    largest = max(given, key=lambda each: (each.amount_minor, -each.transaction_id))
    rounding = coins_rounding_minor(
        sum(each.amount_minor for each in given), country=largest.country_code,
        currency=largest.currency,
    )  # fmt: skip
    if rounding:
        payments.round_off(tx, largest.transaction_id, rounding)
