"""How much of an order is owed back, and what of it is not on its way.

Its callers hold the order.
"""

from oms.ledger.database import Tx
from oms.payments import queries as payment_queries
from oms.payments.model import Sums, total
from oms.payments.rules import Dues
from oms.refunds import queries
from oms.refunds.model import Refund, RefundExceeded, RefundKind, RefundState


def owed_minor(tx: Tx, order_id: int) -> int:
    """Return what is owed back for an order and on no way back yet."""
    due, _ = payment_queries.dues_of(tx, [order_id])[order_id]
    sums = total(each.sums for each in payment_queries.of_order(tx, order_id))
    waiting = queries.owed_waiting_minor(tx, order_id)
    return max(0, _owed_minor(due, sums, sums.captured) - waiting)


def _owed_minor(due: Dues, sums: Sums, captured_minor: int) -> int:
    """Return what is owed back of so much; below zero: more went back than was owed."""
    has = captured_minor - sums.charged_back - sums.refunded - sums.refunding
    return has - due.kept_minor(captured_minor)


def is_to_be_paid(tx: Tx, order_id: int) -> bool:
    """Tell whether something of an order goes back, or will: by itself or by somebody's leave."""
    refunding = sum(each.sums.refunding for each in payment_queries.of_order(tx, order_id))
    if refunding or queries.waiting_minor(tx, order_id):
        return True
    return owed_minor(tx, order_id) > queries.decided_against_minor(tx, order_id)


def refuse_paid(tx: Tx, held: Refund) -> None:
    """Refuse to pay what is owed no longer: it went back another way while this one waited.

    What is being captured counts as if it were, or what leaves meanwhile would be in its way.
    Raises RefundExceeded.
    """
    if held.kind is not RefundKind.OWED:
        return
    is_whole = held.state is RefundState.AWAITING_APPROVAL
    amount = held.amount_minor if is_whole else sum(each.amount_minor for each in held.dead)
    due, currency = payment_queries.dues_of(tx, [held.order_id])[held.order_id]
    sums = total(each.sums for each in payment_queries.of_order(tx, held.order_id))
    others = queries.owed_waiting_minor(tx, held.order_id) - amount
    most = _owed_minor(due, sums, sums.captured + sums.capturing) - others
    if amount > most:
        raise RefundExceeded(max_minor=max(0, most), currency=currency)
