"""Store credit moves as payments do: taken from an account at once, and given to one.

Its callers hold the order, then the account.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from oms.channels import queries as channels
from oms.credits import operations, queries
from oms.credits.model import SERVICE, Account, Change, EntryKind
from oms.exchanges import queries as exchanges
from oms.exchanges.model import Exchange
from oms.ledger.database import Tx
from oms.orders.model import Summary
from oms.payments import operations as payments
from oms.payments import queries as payment_queries
from oms.payments.model import (
    CurrencyDiffers,
    Mover,
    Payment,
    PaymentDraft,
    Tender,
    TransactionType,
)
from oms.returns.rules import Policy

BY: Final = "exchanges"


def begin(tx: Tx, order_id: int, draft: PaymentDraft, account: Account, *, at: datetime) -> Payment:
    """Begin a payment of an order with an account; the same ref is the same payment."""
    paid = replace(draft, psp=SERVICE, credit_account_id=account.account_id)
    return payment_queries.payment(tx, payments.add(tx, order_id, paid, at=at))


def redeem(tx: Tx, begun: Payment, account: Account, *, by: str, at: datetime) -> None:
    """Take a payment that was just begun from its account.

    Raises CreditBound, CreditExpired, CreditExceeded, CurrencyDiffers.
    """
    if account.currency != begun.currency:
        raise CurrencyDiffers
    account.refuse(begun.amount_minor, begun.order_id, at=at)
    payments.name(tx, begun, f"{account.account_number}.{begun.payment_number}")
    change = Change(
        kind=EntryKind.REDEEMED, amount_minor=-begun.amount_minor, cause=begun.payment_number,
        order_id=begun.order_id, by=by,
    )  # fmt: skip
    operations.enter(tx, account.account_id, change, at=at)
    payments.done(
        tx, begun, TransactionType.CAPTURE, begun.amount_minor, cause="redeemed", source="oms",
        by=by, at=at,
    )  # fmt: skip


def account_of(tx: Tx, order: Summary, *, at: datetime) -> Account:
    """Return the account an order's refunds are paid to: one, as long as it is good."""
    known = queries.of_order(tx, order.order_id, at=at)
    if known is not None:
        return known
    days = Policy.of(channels.channel(tx, order.channel_code).return_policy).credit_days
    return operations.open_account(
        tx, order.order_id, order.currency, at=at,
        expires_at=None if days is None else at + timedelta(days=days),
    )  # fmt: skip


def account_of_exchange(tx: Tx, of: Exchange, *, at: datetime) -> Account:
    """Return the account that pays for the order of an exchange, and for nothing else."""
    known = queries.of_exchange(tx, of.order_id)
    if known is not None:
        return known
    return operations.open_account(
        tx, of.original_id, of.currency, at=at, pays_order_id=of.order_id
    )


def pay_exchange(
    tx: Tx, of: Exchange, account_id: int, amount_minor: int, *, ref: str, at: datetime
) -> None:
    """Pay for an exchange's order, which is held, from its account."""
    account = operations.hold(tx, account_id)
    draft = PaymentDraft(
        tender=Tender.STORE_CREDIT, amount_minor=amount_minor, currency=of.currency,
        external_ref=ref,
    )  # fmt: skip
    begun = begin(tx, of.order_id, draft, account, at=at)
    redeem(tx, begun, account, by=BY, at=at)


def take_back_unused(tx: Tx, order_id: int, *, at: datetime) -> None:
    """Take back what exchanges of an order that is held have no use for.

    It goes to the payments it came from, and is owed there again.
    """
    for each in queries.unused(tx, order_id):
        account = operations.hold(tx, each)
        left, cause = account.balance_minor, f"{account.account_number}:{account.version}"
        given = exchanges.given_from(tx, order_id, each, account.account_number)
        for number, most in given:
            back = min(left, most)
            if back:
                payments.done(
                    tx, payment_queries.payment(tx, number), TransactionType.REFUND_REVERSAL, back,
                    cause=cause, source="oms", by=BY, at=at, actor_type="system",
                    mover=Mover(psp=SERVICE),
                )  # fmt: skip
                left -= back
        taken = account.balance_minor - left
        if taken:
            change = Change(
                kind=EntryKind.WITHDRAWN, amount_minor=-taken, cause=cause, order_id=order_id,
                by=BY,
            )  # fmt: skip
            operations.enter(tx, each, change, at=at)
