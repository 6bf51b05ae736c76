"""Mails are asked for, taken up by a worker, answered and erased."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import uuid4

from oms.ledger.database import Tx
from oms.ledger.rows import by_name
from oms.mails.model import LEASE, Due, MailState, MailUnderWay, next_try
from oms.mails.store import SQL

FAILURE_CHARACTERS_MAX: Final = 300


def request(
    tx: Tx, *, order_id: int, document_id: int, recipient: str, by: str, at: datetime
) -> int:
    """Ask for a document to be mailed; return the mail's id.

    Raises MailUnderWay when it is on its way to this address already.
    """
    SQL.run(tx, "hold_document", document_id=document_id)
    found: int | None = SQL.run(
        tx, "add", order_id=order_id, document_id=document_id, recipient=recipient,
        message_id=f"<{uuid4().hex}@orp-oms>", by=by, at=at,
    ).scalar()  # fmt: skip
    if found is None:
        raise MailUnderWay
    return found


def take_due(tx: Tx, *, at: datetime) -> Due | None:
    """Take up the mail that has waited longest, if any is due."""
    row = SQL.run(tx, "take_due", at=at, lease_until=at + LEASE).one_or_none()
    return None if row is None else Due(**by_name(row))


def sent(tx: Tx, due: Due, *, at: datetime) -> bool:
    """Note that a mail server has taken a mail; tell whether it was still ours to say so."""
    return _answer(tx, due, MailState.SENT, None, None, at=at)


def put_off(tx: Tx, due: Due, failure: str, *, at: datetime) -> bool:
    """Have a mail tried again later; after a day nobody does."""
    again = next_try(due.attempts, at)
    state = MailState.FAILED if again is None else MailState.QUEUED
    return _answer(tx, due, state, failure, again, at=at)


def give_up(tx: Tx, due: Due, failure: str, *, at: datetime) -> bool:
    """Note that a mail was refused for good."""
    return _answer(tx, due, MailState.FAILED, failure, None, at=at)


def erase(tx: Tx, order_ids: Sequence[int], *, at: datetime) -> None:
    """Forget to whom mails about these orders went; those on their way are not sent."""
    SQL.run(tx, "erase", order_ids=list(order_ids), at=at)


def _answer(
    tx: Tx, due: Due, state: MailState, failure: str | None, again: datetime | None, *,
    at: datetime,
) -> bool:  # fmt: skip
    said = None if failure is None else failure[:FAILURE_CHARACTERS_MAX]
    row = SQL.run(
        tx, "answer", mail_id=due.mail_id, claim=due.claim, state=state.value, failure=said,
        next_try_at=again, at=at,
    ).one_or_none()  # fmt: skip
    return row is not None
