"""What is owed for an order begins to go back by itself: in goods, in store credit, in money."""

from collections.abc import Sequence
from datetime import datetime

from oms.exchanges import queries as exchanges
from oms.exchanges.model import Exchange
from oms.ledger.database import Tx
from oms.orders import operations as orders
from oms.orders import queries as order_queries
from oms.payments import queries as payment_queries
from oms.payments.model import total
from oms.refunds import operations, queries
from oms.refunds.model import Mode, Occasion, PaidAs, RefundDraft, RefundKind
from oms.refunds.rules import policy_of
from oms.workflows import refund_caps, refund_previews, refunds, store_credit
from oms.workflows.refunds import AUTOMATIC


def give_back(tx: Tx, order_id: int, *, at: datetime) -> None:
    """Begin refunds of what is owed for an order that is held and on no way back yet.

    What a person has decided against does not begin again by itself; what its occasion's policy
    leaves to people does not begin at all. Who was to get something else for what came back gets
    that, and the rest goes back as it was paid.
    """
    give_otherwise(tx, order_id, at=at)
    in_money = _possible(tx, order_id)
    if in_money > 0:
        _begin(tx, order_id, queries.by_occasion(tx, order_id, in_money), PaidAs.MONEY, at=at)


def give_otherwise(tx: Tx, order_id: int, *, at: datetime) -> None:
    """Begin what of an order that is held goes back in goods or in store credit, not in money.

    Who exchanges what came back has the new order paid with it.
    """
    for each in exchanges.of_original(tx, order_id):
        _pay_exchange(tx, each, at=at)
    in_credit = min(_possible(tx, order_id), queries.credit_owed_minor(tx, order_id))
    if in_credit > 0:
        returned = [(Occasion.RETURN_ACCEPTED, in_credit)]
        _begin(tx, order_id, returned, PaidAs.STORE_CREDIT, at=at)


def in_money_minor(tx: Tx, order_id: int) -> int:
    """Return what of what is owed goes back in money, and is nothing somebody decided against."""
    kept = queries.decided_against_minor(tx, order_id) + queries.credit_owed_minor(tx, order_id)
    return refund_caps.owed_minor(tx, order_id) - kept


def _possible(tx: Tx, order_id: int) -> int:
    possible = sum(each.sums.refundable for each in payment_queries.ours_to_move(tx, order_id))
    return min(
        refund_caps.owed_minor(tx, order_id) - queries.decided_against_minor(tx, order_id),
        possible - queries.waiting_minor(tx, order_id),
    )


def _begin(
    tx: Tx, order_id: int, owed: Sequence[tuple[Occasion, int]], paid_as: PaidAs, *, at: datetime
) -> None:
    order = order_queries.order(tx, order_queries.number_of(tx, order_id)).summary
    said = refund_previews.rules_of(tx, order.channel_code)
    nth = queries.count_of(tx, order_id)
    for occasion, minor in owed:
        if policy_of(said, RefundKind.OWED, occasion).mode is Mode.MANUAL:
            continue
        nth += 1
        draft = RefundDraft(
            kind=RefundKind.OWED, amount_minor=minor, occasion=occasion, paid_as=paid_as
        )
        refunds.compose(
            tx, order.order_number, draft, reason="owed", cause=f"owed:{nth}", by=AUTOMATIC, at=at
        )


def _pay_exchange(tx: Tx, of: Exchange, *, at: datetime) -> None:
    """Pay for an exchange's order with what was accepted for it, and no more than it needs.

    What goods are worth becomes goods: nobody's leave is needed for it.
    """
    left = min(_possible(tx, of.original_id), of.value_minor - of.credited_minor)
    if left <= 0:
        return
    orders.hold(tx, of.order_id)
    due, _ = payment_queries.dues_of(tx, [of.order_id])[of.order_id]
    sums = total(each.sums for each in payment_queries.of_order(tx, of.order_id))
    amount = min(left, due.due_minor - sums.captured - sums.capturing + sums.refunded)
    if amount <= 0:
        return
    draft = RefundDraft(
        kind=RefundKind.OWED, amount_minor=amount, paid_as=PaidAs.STORE_CREDIT,
        occasion=Occasion.RETURN_ACCEPTED,
    )  # fmt: skip
    found = refund_previews.preview(tx, of.original_number, draft)
    cause = f"exchange:{of.return_number}:{queries.count_of(tx, of.original_id) + 1}"
    made = refunds.add(
        tx, of.original_id, found, is_waiting=False, reason="exchanged", cause=cause,
        by=AUTOMATIC, at=at,
    )  # fmt: skip
    account = store_credit.account_of_exchange(tx, of, at=at)
    operations.name_account(tx, queries.refund(tx, made).refund_id, account.account_id)
    refunds.let_go(tx, made, by=AUTOMATIC, at=at)
    store_credit.pay_exchange(tx, of, account.account_id, amount, ref=f"*{made}", at=at)
