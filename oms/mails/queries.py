"""Reads of mails: one, and pages of them."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import text

from oms.ledger.database import Tx
from oms.ledger.rows import asked, by_name
from oms.mails.model import Mail, MailNotFound, MailState

_MAILS: Final = """
    select m.mail_id, o.order_number, c.channel_code, d.document_number, m.recipient, m.state,
        m.message_id, m.attempts, m.failure, m.requested_by, m.requested_at, m.next_try_at,
        m.finished_at
    from mails m
    join documents d using (document_id)
    join orders o on o.order_id = m.order_id
    join channels c on c.channel_id = o.channel_id
"""


def mail(tx: Tx, mail_id: int) -> Mail:
    """Return a mail. Raises MailNotFound."""
    found = _read(tx, "m.mail_id = :mail_id", {"mail_id": mail_id})
    if not found:
        raise MailNotFound
    return found[0]


def page(
    tx: Tx, *, states: Sequence[MailState] | None, document_number: str | None,
    channel_codes: Sequence[str] | None, after: int | None, limit: int,
) -> tuple[list[Mail], int | None]:  # fmt: skip
    """Return mails, the newest first, and where the next page begins."""
    conditions, values = asked(
        ("states", states, "m.state = any (:states)"),
        ("number", document_number, "d.document_number = upper(:number)"),
        ("channel_codes", channel_codes, "c.channel_code = any (:channel_codes)"),
        ("after", after, "m.mail_id < :after"),
    )
    where, values["limit"] = " and ".join(["true", *conditions]), limit + 1
    found = _read(tx, where, values, rest="desc limit :limit")
    return found[:limit], found[limit - 1].mail_id if len(found) > limit else None


def _read(tx: Tx, condition: str, values: dict[str, Any], *, rest: str = "") -> list[Mail]:
    query = text(f"{_MAILS} where {condition} order by m.mail_id {rest}")
    rows = tx.execute(query, values)
    return [Mail(**{**by_name(row), "state": MailState(row.state)}) for row in rows]
