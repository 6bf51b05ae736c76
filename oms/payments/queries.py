"""Reads of payments: those of an order, what it owes, one by its number."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import text

from oms.ledger.database import Tx
from oms.ledger.rows import by_name
from oms.payments.model import (
    ManagedBy,
    OrderPaymentState,
    Payment,
    PaymentNotFound,
    PaymentState,
    Sums,
    Tender,
    Transaction,
    TransactionState,
    TransactionType,
)
from oms.payments.port import Notice
from oms.payments.rules import Dues, LineMoney, Standing, dues, order_payment_state_of
from oms.payments.store import SQL

NOTHING: Final[Mapping[int, int]] = {}
_SUMS: Final = (
    "authorized", "authorizing", "captured", "capturing", "voided", "voiding", "refunded",
    "refunding", "charged_back",
)  # fmt: skip
_PAYMENTS: Final = """
    select p.payment_id, p.payment_number, p.order_id, o.order_number, c.channel_code,
        p.external_ref, p.tender, p.psp, p.psp_reference, p.managed_by, p.brand, p.last4,
        p.currency, p.amount_minor, p.state, p.authorized_until_at, x.location_code,
        coalesce(p.captures_once, s.captures_once, false) as captures_once,
        p.credit_account_id, p.created_at, p.version, p.authorized_minor, p.authorizing_minor,
        p.captured_minor, p.capturing_minor, p.voided_minor, p.voiding_minor, p.refunded_minor,
        p.refunding_minor, p.charged_back_minor
    from payments p
    join orders o using (order_id)
    join channels c using (channel_id)
    left join locations x on x.location_id = p.location_id
    left join payment_services s on s.psp = p.psp
"""
_TRANSACTIONS: Final = text("""
    select t.transaction_id, t.transaction_number, t.payment_id, t.type, t.state, t.amount_minor,
        t.currency, t.psp_reference, t.source, t.cause, t.failure, t.requested_at, t.finished_at,
        t.attempts, t.tender, x.location_code, t.rounding_minor
    from payment_transactions t
    left join locations x using (location_id)
    where t.payment_id = any (cast(:payment_ids as bigint[]))
    order by t.transaction_id
""")

_OPEN: Final = """
    select t.transaction_id, t.transaction_number, t.payment_id, t.type, t.state, t.amount_minor,
        t.currency, t.psp_reference, t.source, t.cause, t.failure, t.requested_at, t.finished_at,
        t.attempts, t.tender, x.location_code, t.rounding_minor, p.payment_number, o.order_number,
        c.channel_code, t.psp
    from payment_transactions t
    join payments p using (payment_id)
    join orders o on o.order_id = t.order_id
    join channels c using (channel_id)
    left join locations x on x.location_id = t.location_id
"""
# Captures that failed and what was not given up, as attention has them.
_FAILED: Final = """
    (:is_of_failed and t.state = 'failed' and t.type in ('capture', 'void')
        and not exists (
            select from payment_transactions l
            where l.payment_id = t.payment_id and l.type = t.type
              and l.transaction_id > t.transaction_id)
        and p.authorized_minor > p.captured_minor + p.capturing_minor + p.voided_minor
            + p.voiding_minor)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfinished:
    """An operation that is not known to be over, and whose it is."""

    transaction: Transaction
    payment_number: str
    order_number: str
    channel_code: str
    psp: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Noticed:
    """What a notice is about: a payment, and the transaction of it where we know of one."""

    payment_id: int
    order_id: int
    currency: str
    transaction_id: int | None
    is_told: bool  # by a channel: its service has not spoken of it yet


def noticed(tx: Tx, psp: str, notice: Notice) -> Noticed | None:
    """Return what a notice is about; None where it is of no payment we know."""
    row = SQL.run(
        tx, "noticed", psp=psp, type=notice.type.value, reference=notice.reference,
        psp_reference=notice.answer.psp_reference, parent_reference=notice.parent_reference,
        amount_minor=notice.amount_minor,
        is_done=notice.answer.state is TransactionState.SUCCEEDED,
    ).one_or_none()  # fmt: skip
    return None if row is None else Noticed(**by_name(row))


def changed(tx: Tx, after: int, upto: int) -> list[int]:
    """Return the orders with payments that transactions from one up to another wrote."""
    return list(SQL.run(tx, "changed_orders", after=str(after), upto=str(upto)).scalars())


def of_order(tx: Tx, order_id: int) -> list[Payment]:
    """Return the payments of an order, oldest first."""
    return _read(tx, "p.order_id = :order_id", order_id=order_id)


def ours_to_move(tx: Tx, order_id: int) -> list[Payment]:
    """Return the payments of an order that we have their services move, oldest first."""
    return [each for each in of_order(tx, order_id) if each.is_ours_to_move]


def payment(tx: Tx, number: str) -> Payment:
    """Return a payment by its number. Raises PaymentNotFound."""
    found = _read(tx, "p.payment_number = :number", number=number.upper())
    if not found:
        raise PaymentNotFound
    return found[0]


def unfinished(
    tx: Tx, states: Sequence[TransactionState], *, psp: str | None,
    channel_codes: Sequence[str] | None, after: int, limit: int,
) -> tuple[list[Unfinished], int | None]:  # fmt: skip
    """Return operations in open states, oldest first, and where the next page begins.

    Of those that failed it is what somebody may ask for again.
    """
    # What is open is to be tried again or asked about: it is found by when.
    is_open = "(t.next_try_at is not null and t.state = any (:states))"
    conditions = ["t.transaction_id > :after", f"({is_open} or {_FAILED})"]
    named: dict[str, Any] = {"after": after, "limit": limit + 1, "states": list(states)}
    named["is_of_failed"] = TransactionState.FAILED in states
    if psp is not None:
        conditions.append("t.psp = :psp")
        named["psp"] = psp
    if channel_codes is not None:
        conditions.append("c.channel_code = any (:channels)")
        named["channels"] = list(channel_codes)
    where = " and ".join(conditions)
    query = text(f"{_OPEN} where {where} order by t.transaction_id limit :limit")
    found = []
    for row in tx.execute(query, named):
        facts = by_name(row)
        whose = {name: facts.pop(name) for name in (
            "payment_number", "order_number", "channel_code", "psp")}  # fmt: skip
        found.append(Unfinished(transaction=_transaction(facts), **whose))
    more = found[limit - 1].transaction.transaction_id if len(found) > limit else None
    return found[:limit], more


def number_of(tx: Tx, order_id: int, external_ref: str) -> str:
    """Return the number of a payment that is there, by its order and the channel's id of it."""
    (found,) = _read(
        tx, "p.order_id = :order_id and p.external_ref = :ref", order_id=order_id, ref=external_ref
    )
    return found.payment_number


def order_of(tx: Tx, number: str) -> int:
    """Return the order a payment is of. Raises PaymentNotFound."""
    found: int | None = SQL.run(tx, "order_of_payment", number=number.upper()).scalar()
    if found is None:
        raise PaymentNotFound
    return found


def has_cause(tx: Tx, payment_id: int, kind: TransactionType, cause: str) -> bool:
    """Tell whether a payment has an operation for this cause."""
    query = text(
        "select exists (select from payment_transactions"
        " where payment_id = :payment_id and type = :type and cause = :cause)"
    )
    names = {"payment_id": payment_id, "type": kind.value, "cause": cause}
    return bool(tx.execute(query, names).scalar())


def dues_of(
    tx: Tx, order_ids: Sequence[int], *, leaving: Mapping[int, int] = NOTHING
) -> dict[int, tuple[Dues, str]]:
    """Return what orders come to, with their currencies, as if units of lines had left, too."""
    return {
        row.order_id: (
            dues(
                (
                    LineMoney(
                        quantity=quantity, canceled=canceled, gone=gone + leaving.get(no, 0),
                        there=there, there_minor=minor,
                    )
                    for no, quantity, canceled, gone, there, minor in row.lines or ()
                ),
                total_minor=row.total_minor, canceled_minor=row.canceled_minor,
                returned_minor=row.returned_minor,
            ),
            row.currency,
        )
        for row in SQL.run(tx, "facts", order_ids=list(order_ids))
    }  # fmt: skip


def standings(tx: Tx, order_ids: Sequence[int]) -> dict[int, list[Standing]]:
    """Return where the money of the payments of orders is, of those that have any."""
    found: dict[int, list[Standing]] = defaultdict(list)
    for row in SQL.run(tx, "standings", order_ids=list(order_ids)):
        found[row.order_id].append(
            Standing(
                state=PaymentState(row.state), sums=sums_from(row),
                is_ours_to_move=row.is_ours_to_move,
            )
        )  # fmt: skip
    return found


def state_of(tx: Tx, order_id: int) -> tuple[OrderPaymentState, Dues]:
    """Return how an order is paid, and what it comes to."""
    due, _ = dues_of(tx, [order_id])[order_id]
    return order_payment_state_of(due, standings(tx, [order_id]).get(order_id, ())), due


def sums_from(row: Any) -> Sums:
    """Return the sums a row of payments has."""
    return Sums(**{name: getattr(row, f"{name}_minor") for name in _SUMS})


def _read(tx: Tx, condition: str, **values: Any) -> list[Payment]:
    query = text(f"{_PAYMENTS} where {condition} order by p.payment_id")
    rows = tx.execute(query, values).all()
    done: dict[int, list[Transaction]] = defaultdict(list)
    for row in tx.execute(_TRANSACTIONS, {"payment_ids": [row.payment_id for row in rows]}):
        done[row.payment_id].append(_transaction(by_name(row)))
    return [_payment(row, done[row.payment_id]) for row in rows]


def _transaction(facts: Mapping[str, Any]) -> Transaction:
    return Transaction(**{
        **facts, "type": TransactionType(facts["type"]), "state": TransactionState(facts["state"]),
        "tender": None if facts["tender"] is None else Tender(facts["tender"]),
    })  # fmt: skip


def _payment(row: Any, transactions: Sequence[Transaction]) -> Payment:
    facts = {
        name: value for name, value in by_name(row).items()
        if name.removesuffix("_minor") not in _SUMS
    }  # fmt: skip
    facts |= {
        "tender": Tender(row.tender), "managed_by": ManagedBy(row.managed_by),
        "state": PaymentState(row.state), "sums": sums_from(row),
        "transactions": tuple(transactions),
    }  # fmt: skip
    return Payment(**facts)
