"""Notices: what payment services tell by themselves, once, whichever way it comes first.

What is of no payment we know is parked: applied when there is one, else shown to a person.
"""

import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from oms.exchanges import queries as exchanged
from oms.holds import operations as holding
from oms.holds.model import HoldExists, HoldType, OrderClosed
from oms.ledger.database import Tx, ends_transaction
from oms.orders import operations as orders
from oms.orders import queries as order_queries
from oms.payments import notices, operations, queries
from oms.payments.model import Payment, TransactionState, TransactionType
from oms.payments.port import Answer, Notice
from oms.workflows.payments import settle_apart

log = logging.getLogger("oms.payments")

PARKED: Final = "parked"
BY: Final = "payments"


def take_notice(tx: Tx, psp: str, notice: Notice, *, at: datetime) -> str:
    """Take in what a PSP tells: once, whichever way it comes first. Returns what became of it.

    What we asked for is answered; what we did not (a refund made at the PSP, a chargeback) is
    written down as one more transaction; what is of no payment we know is parked.
    """
    if notices.is_known(tx, psp, notice.ref):
        return "ignored"
    found = queries.noticed(tx, psp, notice)
    if found is None:
        outcome = PARKED
    else:
        orders.hold(tx, found.order_id)
        outcome = _apply(tx, found, notice, psp, at=at)
        settle_apart(tx, found.order_id, at=at)
    notices.keep(
        tx, psp, notice.ref, outcome=outcome, waits=found is None, detail=_detail(notice), at=at
    )
    return outcome


def apply_parked(tx: Tx, *, at: datetime) -> bool:
    """Apply the notices of one order that came before its payment was known, as they happened.

    Where that fails they stay parked, and a person is shown them: the others do not wait.
    """
    order_id, found = notices.take_waiting(tx)
    if order_id is None:
        return False
    orders.hold(tx, order_id)
    try:
        with tx.begin_nested():
            outcomes = [_apply_late(tx, each, at=at) for each in found]
    except Exception as error:
        if ends_transaction(error):
            raise
        log.exception("notices of order %s stay parked", order_id)
        outcomes = [PARKED] * len(found)
    for each, outcome in zip(found, outcomes, strict=True):
        notices.resolve(tx, each.psp, each.ref, outcome=outcome, at=at)
    settle_apart(tx, order_id, at=at)
    return True


def _apply_late(tx: Tx, kept: notices.Kept, *, at: datetime) -> str:
    notice = _read(kept.detail)
    found = queries.noticed(tx, kept.psp, notice)
    return PARKED if found is None else _apply(tx, found, notice, kept.psp, at=at)


def _apply(tx: Tx, found: queries.Noticed, notice: Notice, psp: str, *, at: datetime) -> str:
    if found.is_told and found.transaction_id is not None:
        operations.adopt(tx, found.transaction_id, notice.answer.psp_reference)
        return "ignored"
    if found.transaction_id is not None:
        source = "inquiry" if notice.is_last_word else "notice"
        is_new = operations.answer(tx, found.transaction_id, notice.answer, source=source, at=at)
        return "applied" if is_new else "ignored"
    if notice.answer.state is not TransactionState.SUCCEEDED or notice.currency != found.currency:
        return PARKED
    (payment,) = [
        each for each in queries.of_order(tx, found.order_id)
        if each.payment_id == found.payment_id
    ]  # fmt: skip
    operations.done(
        tx, payment, notice.type, notice.amount_minor, source="psp",
        cause=f"{psp}:{notice.answer.psp_reference or notice.ref}", by=psp, at=at,
        psp_reference=notice.answer.psp_reference, psp_at=notice.answer.psp_at, actor_type="psp",
    )  # fmt: skip
    if notice.type is TransactionType.CHARGEBACK:
        hold_goods(tx, payment, at=at)
    return "external"


def hold_goods(tx: Tx, payment: Payment, *, at: datetime) -> None:
    """Keep from leaving what has not left of an order whose money a bank took back.

    And of what is sent instead of its returns, which its money pays for. Until somebody releases
    it: whether the bank is answered or the order canceled is theirs to say. An order that is over,
    or held so already, stays as it is.
    """
    comment = f"a bank took back money of {payment.payment_number}"
    instead = [each.order_id for each in exchanged.of_original(tx, payment.order_id)]
    for order_id in (payment.order_id, *instead):
        number = order_queries.number_of(tx, order_id)
        with suppress(OrderClosed, HoldExists):
            holding.place(
                tx, number, HoldType.PAYMENT_REVIEW, comment, by=BY, at=at, actor_type="system"
            )


def _detail(notice: Notice) -> dict[str, Any]:
    known = {**asdict(notice), **asdict(notice.answer)}
    known.pop("answer")
    return {name: str(value) for name, value in known.items() if value is not None}


def _read(detail: Mapping[str, str]) -> Notice:
    """Read a notice as it was kept."""
    told_at = detail.get("psp_at")
    return Notice(
        ref=detail["ref"], type=TransactionType(detail["type"]), currency=detail["currency"],
        answer=Answer(
            state=TransactionState(detail["state"]), psp_reference=detail.get("psp_reference"),
            failure=detail.get("failure"),
            psp_at=None if told_at is None else datetime.fromisoformat(told_at),
        ),
        amount_minor=int(detail["amount_minor"]), reference=detail.get("reference"),
        parent_reference=detail.get("parent_reference"),
        is_last_word=detail.get("is_last_word") == "True",
    )  # fmt: skip
