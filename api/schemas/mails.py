"""Mails on the wire."""

import json
from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from api.paging import Paging
from api.schemas.common import Out, Wire, Words, values_of
from oms.mails.model import Mail, MailState


class MailPost(Wire):
    """A document that is to be mailed."""

    recipient: Annotated[
        Words | None,
        Field(max_length=254, description="left out: the order's customer; needs documents:write"),
    ] = None


class MailOut(Out):
    """A mail that carries a document, and how far it is."""

    mail_id: int
    order_number: str
    channel_code: str
    document_number: str
    recipient: Annotated[str | None, Field(description="null: erased, or a repeated answer")]
    state: MailState
    message_id: str
    attempts: int
    failure: Annotated[str | None, Field(description="what the mail server said last")]
    requested_by: str
    requested_at: datetime
    next_try_at: datetime | None
    finished_at: datetime | None

    @classmethod
    def of(cls, mail: Mail) -> Self:
        """Write a mail."""
        return cls(**values_of(mail))


def without_recipient(body: str) -> str:
    """Return an answer without to whom, to be kept for a repetition."""
    return json.dumps({**json.loads(body), "recipient": None})


class MailQuery(Paging):
    """Which mails to list."""

    state: Annotated[
        list[MailState],
        Field(default_factory=list, description="repeat it for several; none: all", max_length=3),
    ]
    document: Annotated[Words | None, Field(description="a document's number")] = None
