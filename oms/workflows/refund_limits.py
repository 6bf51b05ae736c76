"""Who may let how much money go: limits of people, and of drawers.

Its callers hold the order; whoever counts against their limits is held from then on.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from oms.access.model import person_of
from oms.channels import queries as channels
from oms.ledger.database import Tx
from oms.orders import queries as order_queries
from oms.payments import queries as payment_queries
from oms.payments.model import Payment, Tender
from oms.refunds import operations, queries
from oms.refunds.model import CashLimited, Hand, LeaveNeeded, LimitExceeded, Preview, Refund
from oms.refunds.rules import (
    Counter,
    Rules,
    beyond,
    cash_limit_minor,
    limits_of,
    turned_to_cash_minor,
)

# Over so long what somebody lets go is summed up.
DAY: Final = timedelta(hours=24)


def beyond_of(
    tx: Tx, order_id: int, amount_minor: int, currency: str, hand: Hand, *, said: Sequence[Rules]
) -> LimitExceeded | None:
    """Return which limit of their own somebody would exceed, with all they have let go."""
    if hand.role is None:
        return None
    of_order, of_day = queries.released_minor(
        tx, order_id, person_of(hand.name), currency, since=hand.at - DAY
    )
    return beyond(
        limits_of(said, hand.role, currency), amount_minor, currency, of_order_minor=of_order,
        of_day_minor=of_day,
    )  # fmt: skip


def hold(tx: Tx, hand: Hand | None) -> None:
    """Hold whose limits count, so that two refunds at once count each other."""
    if hand is not None and hand.role is not None:
        operations.hold_person(tx, person_of(hand.name))


def count(tx: Tx, refund: Refund, hand: Hand | None) -> None:
    """Have a refund count against the limits of who lets it go."""
    if hand is not None and hand.role is not None:
        operations.release(tx, refund.refund_id, person_of(hand.name), at=hand.at)


def release(tx: Tx, held: Refund, *, by: str, role: str | None, at: datetime) -> None:
    """Have a refund that waited count against the limits of who lets it go.

    Raises LimitExceeded.
    """
    hand = Hand(name=by, role=role, at=at)
    hold(tx, hand)
    said = queries.rules_of(tx, channels.channel(tx, held.channel_code).channel_id)
    found = beyond_of(tx, held.order_id, held.amount_minor, held.currency, hand, said=said)
    if found is not None:
        raise found
    count(tx, held, hand)


def waits_at(
    tx: Tx, counter: Counter, number: str, shares: Sequence[tuple[Payment, int]], found: Preview
) -> bool:
    """Tell whether a refund at a till waits for leave: what comes out of the drawer does not.

    Who sets the channel's rules aside has limits, too. Raises CashLimited with the most that may,
    LeaveNeeded and LimitExceeded.
    """
    is_cash = any(counter.is_cash(payment) for payment, _ in shares)
    if is_cash and found.beyond is not None:
        raise found.beyond
    if counter.is_overridden:
        return found.beyond is not None
    is_waiting = found.needs_approval or found.beyond is not None
    if is_waiting and is_cash:
        raise LeaveNeeded
    turned = [
        amount for payment, amount in shares
        if counter.is_cash(payment) and payment.tender is not Tender.CASH
    ]  # fmt: skip
    if turned:
        order = order_queries.order(tx, number).summary
        channel = channels.channel(tx, order.channel_code)
        limit = cash_limit_minor(queries.rules_of(tx, channel.channel_id), order.currency)
        left = limit - turned_to_cash_minor(payment_queries.of_order(tx, order.order_id))
        if sum(turned) > left:
            raise CashLimited(max_minor=max(0, left), currency=order.currency)
    return is_waiting
