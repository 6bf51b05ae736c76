"""Writes on payments: recorded as told, asked of their PSP, answered, folded.

Whoever writes here holds the order first. What a PSP is to do is written with its key before it
is asked, and what it does is believed from it alone: an answer that is missing is not a failure.
"""

import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text

from oms.credits import operations as store_credit
from oms.credits.model import SERVICE, Change, EntryKind
from oms.ledger.copying import copy_in
from oms.ledger.database import Tx
from oms.orders import operations as orders
from oms.payments import leases, queries
from oms.payments.model import (
    NEXT,
    OPEN,
    PAYMENT_DRAFT,
    CurrencyDiffers,
    ManagedBy,
    Mover,
    NotManaged,
    Payment,
    PaymentDraft,
    PaymentExceeded,
    Tender,
    TransactionState,
    TransactionType,
    total,
)
from oms.payments.port import Answer
from oms.payments.rules import Dues, Standing, order_payment_state_of, payment_state_of
from oms.payments.store import DRAFTS, SQL

REFERENCE_IN_USE: Final = "PAYMENT_REFERENCE_IN_USE"
ANALYZE_BYTES_MIN: Final = 32 * 1024


def load(tx: Tx, rows: bytes) -> None:
    """Put payments into this connection's draft table: `rows` is its CSV."""
    DRAFTS.clear(tx)
    copy_in(tx, "draft_payments", PAYMENT_DRAFT, rows)
    if len(rows) > ANALYZE_BYTES_MIN:
        # Nothing is known of a temporary table that nobody has looked at.
        tx.execute(text("analyze draft_payments"))


def unusable(tx: Tx, *, channel_id: int) -> list[tuple[int, str, str, str]]:
    """Return what is wrong with payments that were loaded beside the orders of one channel.

    A payment service's id is of one payment: an order that is told with another's is not paid by
    it, and not taken as if nobody had to pay.
    """
    return [
        (row.position, f"/payments/{row.place}/psp_reference", REFERENCE_IN_USE,
         f"payment {row.external_ref[:60]!r} has the service's id of another payment")
        for row in SQL.run(tx, "unusable", channel_id=channel_id)
    ]  # fmt: skip


def record(tx: Tx, *, actor: str, at: datetime) -> None:
    """Write down loaded payments as channels tell them beside their orders, just captured.

    Totals that are higher than what is known are what was done since; lower ones are old news.
    """
    SQL.run(tx, "record", at=at)
    if SQL.run(tx, "not_recorded").scalar():
        # Somebody else has taken a reference meanwhile: looked at again, it is in use.
        SQL.run(tx, "repeat")
    SQL.run(tx, "extend", at=at)
    done = SQL.run(tx, "record_done", at=at).all()
    payment_ids = sorted({row.payment_id for row in done})
    steps: list[tuple[int, str, Mapping[str, Any]]] = [
        (
            row.order_id, f"payment.{_PAST[TransactionType(row.type)]}",
            {"payment": row.payment_number, "amount_minor": row.amount, "currency": row.currency},
        )
        for row in done
    ]  # fmt: skip
    orders.tell(tx, steps, actor_type="channel", actor=actor, at=at)
    _fold(tx, payment_ids, at=at)


def add(tx: Tx, order_id: int, draft: PaymentDraft, *, at: datetime) -> str:
    """Begin a payment of an order that is held; return its number. The same ref is the same one.

    Raises CurrencyDiffers.
    """
    (facts,) = SQL.run(tx, "facts", order_ids=[order_id])
    if facts.currency != draft.currency:
        raise CurrencyDiffers
    made = SQL.run(
        tx, "add", order_id=order_id, external_ref=draft.external_ref, tender=draft.tender,
        psp=draft.psp, token=draft.token, brand=draft.brand, last4=draft.last4,
        managed_by=ManagedBy.OMS if draft.psp else ManagedBy.CHANNEL, currency=draft.currency,
        amount_minor=draft.amount_minor, location_code=draft.location_code,
        credit_account_id=draft.credit_account_id, at=at,
    ).one_or_none()  # fmt: skip
    if made is None:
        return queries.number_of(tx, order_id, draft.external_ref)
    return str(made.payment_number)


def request(
    tx: Tx, payment: Payment, kind: TransactionType, amount_minor: int, *, cause: str, by: str,
    at: datetime, actor_type: str = "system", credit_account_id: int | None = None,
) -> bool:  # fmt: skip
    """Have a PSP do something with a payment of an order that is held; False when it was asked.

    One cause is one operation, however often it is requested. What is given back to store credit,
    because an account is named or it was paid with one, is so at once: nobody is asked. Raises
    NotManaged; PaymentExceeded with the most that is possible.
    """
    if payment.managed_by is not ManagedBy.OMS:
        raise NotManaged
    most = _most(payment, kind)
    if queries.has_cause(tx, payment.payment_id, kind, cause):
        return False
    if not 0 < amount_minor <= most:
        raise PaymentExceeded(max_minor=most, currency=payment.currency)
    account_id = credit_account_id or payment.credit_account_id
    if account_id is not None:
        assert kind is TransactionType.REFUND, "with store credit is paid at once, and all of it"
        return _give_credit(tx, payment, account_id, amount_minor, cause=cause, by=by, at=at)
    _begin(
        tx, payment, kind, TransactionState.REQUESTED, amount_minor, source="oms", cause=cause,
        next_try_at=at, at=at,
    )  # fmt: skip
    _tell(
        tx, payment, f"payment.{kind}_requested", amount_minor, by=by, actor_type=actor_type,
        at=at, cause=cause,
    )  # fmt: skip
    _fold(tx, [payment.payment_id], at=at)
    return True


def name(tx: Tx, payment: Payment, psp_reference: str) -> None:
    """Give a payment that was just begun its name at who moves its money."""
    SQL.run(tx, "name_payment", payment_id=payment.payment_id, psp_reference=psp_reference)


def _give_credit(
    tx: Tx, payment: Payment, account_id: int, amount_minor: int, *, cause: str, by: str,
    at: datetime,
) -> bool:  # fmt: skip
    is_its_own = account_id == payment.credit_account_id
    change = Change(
        kind=EntryKind.RESTORED if is_its_own else EntryKind.ISSUED, amount_minor=amount_minor,
        cause=f"{payment.payment_number}:{cause}", order_id=payment.order_id, by=by,
    )  # fmt: skip
    store_credit.enter(tx, account_id, change, at=at)
    return done(
        tx, payment, TransactionType.REFUND, amount_minor, cause=cause, source="oms", by=by, at=at,
        actor_type="system", mover=Mover(psp=SERVICE),
    )  # fmt: skip


def done(
    tx: Tx, payment: Payment, kind: TransactionType, amount_minor: int, *, cause: str, source: str,
    by: str, at: datetime, psp_reference: str | None = None, psp_at: datetime | None = None,
    actor_type: str = "user", mover: Mover | None = None,
) -> bool:  # fmt: skip
    """Write down what was done with a payment elsewhere; False when that is known."""
    made = _begin(
        tx, payment, kind, TransactionState.SUCCEEDED, amount_minor, source=source, cause=cause,
        next_try_at=None, at=at, psp_reference=psp_reference, psp_at=psp_at, mover=mover,
    )  # fmt: skip
    if made:
        _tell(
            tx, payment, f"payment.{_PAST[kind]}", amount_minor, by=by, actor_type=actor_type,
            at=at, cause=cause,
        )  # fmt: skip
        _fold(tx, [payment.payment_id], at=at)
        if source == "psp" and kind is TransactionType.CAPTURE:
            _let_go(tx, payment.payment_number, cause, at=at)
    return made


def give_back(
    tx: Tx, payment: Payment, amount_minor: int, *, cause: str, tender: Tender, location_code: str,
    by: str, at: datetime,
) -> None:  # fmt: skip
    """Write down what a till gave back of a payment of an order that is held; no PSP is asked.

    Raises PaymentExceeded with the most that is possible.
    """
    most = _most(payment, TransactionType.REFUND)
    if not 0 < amount_minor <= most:
        raise PaymentExceeded(max_minor=most, currency=payment.currency)
    _begin(
        tx, payment, TransactionType.REFUND, TransactionState.SUCCEEDED, amount_minor,
        source="till", cause=cause, next_try_at=None, at=at,
        mover=Mover(tender=tender, location_code=location_code),
    )  # fmt: skip
    _tell(
        tx, payment, "payment.refunded", amount_minor, by=by, actor_type="user", at=at,
        cause=cause, tender=tender.value, location=location_code,
    )  # fmt: skip
    _fold(tx, [payment.payment_id], at=at)


def round_off(tx: Tx, transaction_id: int, rounding_minor: int) -> None:
    """Say what a till gave beyond the amount of a transaction, or less."""
    SQL.run(tx, "round_off", transaction_id=transaction_id, rounding_minor=rounding_minor)


def adopt(tx: Tx, transaction_id: int, psp_reference: str | None) -> None:
    """Note by which reference its payment service knows what a channel told of."""
    SQL.run(tx, "adopt", transaction_id=transaction_id, psp_reference=psp_reference)


def answer(
    tx: Tx,
    transaction_id: int,
    told: Answer,
    *,
    source: str,
    at: datetime,
    claim: int | None = None,
) -> bool:
    """Write down a word about a transaction whose order is held; tell whether it is that now.

    With a claim only who took it up last is listened to. A word that it ended the other way than
    it is known to have is not believed: its PSP is asked, and what it says then is.
    """
    held = SQL.run(tx, "hold_transaction", transaction_id=transaction_id).one()
    if claim is not None and held.claim != claim:
        return False
    before, after = TransactionState(held.state), told.state
    is_over = before not in OPEN
    is_same = before is after
    is_believed = source == "inquiry" or not is_over
    is_applied = not is_same and is_believed and after in NEXT[before]
    # What says nothing of how it ended leaves the question open: it is asked again.
    is_unanswered = held.is_disputed and is_over and after in OPEN
    is_disputed = is_unanswered or (
        is_over and not is_same and after not in OPEN and not is_believed
    )
    SQL.run(
        tx, "step", transaction_id=transaction_id, seq=held.last_step + 1, state=after.value,
        is_applied=is_applied, source=source, psp_at=told.psp_at, failure=told.failure, at=at,
    )  # fmt: skip
    state = after if is_applied else before
    SQL.run(
        tx, "settle", transaction_id=transaction_id, state=state.value,
        psp_reference=told.psp_reference, is_disputed=is_disputed,
        psp_at=told.psp_at if is_applied or is_same else None,
        failure=told.failure if state is TransactionState.FAILED else None,
        next_try_at=at if is_disputed and not is_unanswered
        else leases.next_try(after if is_unanswered else state, held.attempts, at=at),
        finished_at=None if state in OPEN else at,
    )  # fmt: skip
    is_learned = bool(SQL.run(
        tx, "know_payment", payment_id=held.payment_id, captures_once=told.captures_once,
        authorized_until_at=told.authorized_until_at,
    ).all())  # fmt: skip
    if is_applied:
        _follow(tx, held, state, told, at=at)
    elif is_learned:
        _fold(tx, [held.payment_id], at=at)
    return is_applied


def _follow(tx: Tx, held: Any, state: TransactionState, told: Answer, *, at: datetime) -> None:
    """Let the payment and the story follow what a transaction has become."""
    kind = TransactionType(held.type)
    is_done = state is TransactionState.SUCCEEDED
    if kind is TransactionType.AUTHORIZE and state not in OPEN:
        SQL.run(
            tx, "name_payment", payment_id=held.payment_id,
            psp_reference=told.psp_reference if is_done else None,
        )  # fmt: skip
    data = {
        "payment": held.payment_number, "transaction": held.transaction_number,
        "amount_minor": held.amount_minor, "currency": held.currency,
    }  # fmt: skip
    if told.failure and not is_done:
        data["reason"] = told.failure
    kind_told = _PAST[kind] if is_done else f"{kind}_{state}"
    orders.tell(
        tx, [(held.order_id, f"payment.{kind_told}", data)], actor_type="psp", actor="psp", at=at
    )
    _fold(tx, [held.payment_id], at=at)
    if is_done and kind is TransactionType.CAPTURE:
        _let_go(tx, held.payment_number, held.transaction_number, at=at)


def _let_go(tx: Tx, number: str, capture: str, *, at: datetime) -> None:
    """Write down what is left of a payment as given up where its only capture let go of it."""
    payment = queries.payment(tx, number)
    left = payment.sums.capturable
    if payment.captures_once and left and not payment.sums.capturing:
        done(
            tx, payment, TransactionType.VOID, left, cause=f"rest of {capture}", source="psp",
            by=payment.psp or "psp", at=at, actor_type="psp",
        )  # fmt: skip


def balance(tx: Tx, order_ids: Sequence[int], *, at: datetime) -> None:
    """Keep how these orders are paid in step with what they come to by now."""
    known = queries.standings(tx, order_ids)
    told = [
        _balance(order_id, due, currency, known.get(order_id, ()))
        for order_id, (due, currency) in queries.dues_of(tx, order_ids).items()
    ]
    SQL.run(tx, "balance", balances=json.dumps(told), at=at)


def _balance(order_id: int, due: Dues, currency: str, known: Sequence[Standing]) -> dict[str, Any]:
    sums = total(each.sums for each in known)
    return {
        "order_id": order_id, "currency": currency, "due_minor": due.due_minor,
        "payment_state": order_payment_state_of(due, known),
        "authorized_minor": sums.authorized, "captured_minor": sums.captured,
        "refunded_minor": sums.refunded,
    }  # fmt: skip


_PAST: Final[Mapping[TransactionType, str]] = {
    TransactionType.AUTHORIZE: "authorized",
    TransactionType.CAPTURE: "captured",
    TransactionType.VOID: "voided",
    TransactionType.REFUND: "refunded",
    TransactionType.REFUND_REVERSAL: "refund_reversed",
    TransactionType.CHARGEBACK: "charged_back",
    TransactionType.CHARGEBACK_REVERSAL: "chargeback_reversed",
}


def _most(payment: Payment, kind: TransactionType) -> int:
    """Return the most an operation may be about."""
    sums = payment.sums
    if kind is TransactionType.AUTHORIZE:
        return payment.amount_minor - sums.authorized - sums.authorizing
    if kind is TransactionType.REFUND:
        return sums.refundable
    return sums.capturable


def _begin(
    tx: Tx, payment: Payment, kind: TransactionType, state: TransactionState, amount_minor: int, *,
    source: str, cause: str, next_try_at: datetime | None, at: datetime,
    psp_reference: str | None = None, psp_at: datetime | None = None, mover: Mover | None = None,
) -> bool:  # fmt: skip
    """Write a transaction; False when its cause has one.

    What somebody else has moved than the payment's service is theirs.
    """
    made = SQL.run(
        tx, "begin", payment_id=payment.payment_id, order_id=payment.order_id, type=kind.value,
        state=state.value, amount_minor=amount_minor, currency=payment.currency,
        psp=payment.psp if mover is None else mover.psp,
        tender=None if mover is None or mover.tender is None else mover.tender.value,
        location_code=None if mover is None else mover.location_code,
        psp_reference=psp_reference, source=source, cause=cause, next_try_at=next_try_at, at=at,
        # Of dice, not of a number: a ledger that was restored would give a number away twice.
        idempotency_key=secrets.token_hex(16), psp_at=psp_at,
        finished_at=None if state in OPEN else at,
    )  # fmt: skip
    return made.one_or_none() is not None


def _tell(
    tx: Tx, payment: Payment, kind: str, amount_minor: int, *, by: str, actor_type: str,
    at: datetime, cause: str, **more: str,
) -> None:  # fmt: skip
    data = {
        "payment": payment.payment_number, "amount_minor": amount_minor,
        "currency": payment.currency, "cause": cause, **more,
    }  # fmt: skip
    orders.tell(tx, [(payment.order_id, kind, data)], actor_type=actor_type, actor=by, at=at)


def _fold(tx: Tx, payment_ids: Sequence[int], *, at: datetime) -> None:
    """Sum payments up from their transactions; their states and balances follow."""
    rows = SQL.run(tx, "fold", payment_ids=list(payment_ids), at=at).all()
    states = [
        {
            "payment_id": row.payment_id,
            "state": payment_state_of(queries.sums_from(row), has_failed=bool(row.has_failed)),
        }
        for row in rows
    ]
    if states:
        SQL.run(tx, "set_states", states=json.dumps(states))
        balance(tx, sorted({row.order_id for row in rows}), at=at)
