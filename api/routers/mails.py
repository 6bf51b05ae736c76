"""Mails: documents sent to customers, and how far each is."""

from typing import Annotated, Final

from fastapi import APIRouter, Query

from api.dependencies import Now, Snapshot, System, Tx
from api.idempotency import OncePerKey
from api.paging import Page, number_of
from api.routers.documents import visible
from api.routes import LedgerRoute, keeping
from api.schemas.mails import MailOut, MailPost, MailQuery, without_recipient
from api.security import DocumentsRead, DocumentsSend
from oms.access.model import ScopeMissing
from oms.mails import queries
from oms.workflows import mailing

router: Final = APIRouter(prefix="/v1", tags=["documents"], route_class=LedgerRoute)

ANYBODY: Final = "documents:write"


@router.post("/documents/{number}/mails", status_code=202)
@keeping(without_recipient)
def mail_document(
    number: str, body: MailPost, caller: DocumentsSend, tx: Tx, now: Now, *, system: System,
    _once: OncePerKey,
) -> MailOut:  # fmt: skip
    """Have a document mailed as PDF by the worker, to its order's customer.

    Anybody else is mailed to by who may issue documents.
    """
    if body.recipient is not None and ANYBODY not in caller.scopes:
        raise ScopeMissing(scope=ANYBODY)
    document = visible(tx, number, caller)
    return MailOut.of(
        mailing.mail_document(
            tx, document, system.mailer, recipient=body.recipient, by=caller.name, at=now
        )
    )


@router.get("/mails")
def list_mails(
    query: Annotated[MailQuery, Query()], caller: DocumentsRead, tx: Snapshot
) -> Page[MailOut]:
    """List mails, the newest first: by state, by document."""
    found, cursor = queries.page(
        tx, states=query.state or None, document_number=query.document,
        channel_codes=caller.visible(None), after=number_of(query.after), limit=query.limit,
    )  # fmt: skip
    items = [MailOut.of(each) for each in found]
    return Page(items=items, next_after=None if cursor is None else str(cursor))
