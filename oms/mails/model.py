"""Mails as values: what is sent to whom, and how far it is."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from oms.kernel.errors import Conflict, NotFound, Rejected

# As much of RFC 5321 as people have: one @, no spaces, a domain with a dot.
ADDRESS: Final = re.compile(
    r"[^\s@<>\",;:\\\x00-\x1f\x7f]{1,64}@[^\s@<>\",;:\\\[\]]{1,250}\.[^\s@<>.]{2,60}"
)
# After each attempt that came to nothing the next one waits so long; after the last nobody does.
WAITS: Final = tuple(
    timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180, 360, 720, 1440)
)  # fmt: skip
# So long a mail server may take; then another worker may try.
LEASE: Final = timedelta(minutes=5)


class MailState(StrEnum):
    """How far a mail is."""

    QUEUED = "queued"
    SENT = "sent"  # a mail server has taken it over
    FAILED = "failed"  # one refused it, or none was there for a day


class MailNotFound(NotFound):
    """There is no such mail."""

    code = "MAIL_NOT_FOUND"


class NoRecipient(Rejected):
    """Nobody's e-mail address is known for it, or it is none."""

    code = "NO_RECIPIENT"


class MailNotSetUp(Conflict):
    """No mail server is set up (`OMS_SMTP_URL`)."""

    code = "MAIL_NOT_SET_UP"


class MailUnderWay(Conflict):
    """The document is on its way to this address already."""

    code = "MAIL_UNDER_WAY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail that carries a document."""

    mail_id: int
    order_number: str
    channel_code: str
    document_number: str
    recipient: str | None
    state: MailState
    message_id: str
    attempts: int
    failure: str | None
    requested_by: str
    requested_at: datetime
    next_try_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A mail that is to be sent now, by whoever took it up."""

    mail_id: int
    document_id: int
    document_number: str
    recipient: str
    message_id: str
    attempts: int  # with this one
    claim: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that goes with a mail."""

    name: str
    media_type: str
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What a mail says: text without markup."""

    recipient: str
    sender_name: str
    subject: str
    text: str
    message_id: str
    attachments: tuple[Attachment, ...]


def address_of(text: str | None) -> str:
    """Return an e-mail address. Raises NoRecipient for what is none."""
    found = (text or "").strip()
    if not ADDRESS.fullmatch(found):
        raise NoRecipient
    return found


def next_try(attempts: int, at: datetime) -> datetime | None:
    """Return when a mail is tried again that came to nothing so often; None: never."""
    return at + WAITS[attempts - 1] if attempts <= len(WAITS) else None
