"""Documents by mail: asked for within a transaction, sent by the worker outside of any.

What a mail server has taken may have been taken twice when a worker dies before it could say so;
both have one Message-ID.
"""

import logging
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Final

from oms.billing import operations as billing
from oms.billing import queries as documents
from oms.billing.model import Document, DocumentType, FileKind
from oms.billing.port import Renderer
from oms.kernel import clock
from oms.ledger.database import Ledger, Tx
from oms.mails import operations, queries
from oms.mails.model import Attachment, Due, Letter, Mail, MailNotSetUp, address_of
from oms.mails.port import Mailer, ServerAway, ServerRefused
from oms.orders import queries as orders

log = logging.getLogger("oms.mailing")

_NAMES: Final[Mapping[str, Mapping[DocumentType, str]]] = {
    language: dict(zip(DocumentType, names.split("|"), strict=True))
    for language, names in {
        "en": "Invoice|Credit note|Receipt", "nl": "Factuur|Creditnota|Kassabon",
        "de": "Rechnung|Rechnungskorrektur|Kassenbeleg", "fr": "Facture|Avoir|Reçu",
    }.items()
}  # fmt: skip
_TEXTS: Final[Mapping[str, str]] = {
    "en": "Hello,\n\nthe document {number} for your order {order} is attached.\n\n{seller}\n",
    "nl": "Hallo,\n\nin de bijlage vindt u {number} bij uw bestelling {order}.\n\n{seller}\n",
    "de": "Guten Tag,\n\nim Anhang finden Sie {number} zu Ihrer Bestellung {order}.\n\n{seller}\n",
    "fr": "Bonjour,\n\nveuillez trouver ci-joint {number} pour votre commande {order}.\n\n"
          "{seller}\n",
}  # fmt: skip


def mail_document(
    tx: Tx, document: Document, mailer: Mailer | None, *, recipient: str | None, by: str,
    at: datetime,
) -> Mail:  # fmt: skip
    """Have a document mailed, to the order's customer unless somebody else is named.

    Raises MailNotSetUp, NoRecipient, MailUnderWay.
    """
    if mailer is None:
        raise MailNotSetUp
    if recipient is None:  # who was erased is known to their documents, and not written to
        recipient = orders.order(tx, document.paper.order_number).summary.customer_email
    to = address_of(recipient)
    mail_id = operations.request(
        tx, order_id=document.order_id, document_id=document.document_id, recipient=to, by=by,
        at=at,
    )  # fmt: skip
    return queries.mail(tx, mail_id)


def send_due(ledger: Ledger, mailer: Mailer | None, renderer: Renderer) -> bool:
    """Send the mail that has waited longest; tell whether there was any."""
    if mailer is None:
        return False
    due = ledger.run(lambda tx: operations.take_due(tx, at=clock.now()))
    if due is None:
        return False
    try:
        mailer.send(ledger.run(partial(_letter, due, renderer)))
    except ServerAway as error:
        log.warning("mail %d: %s", due.mail_id, error)
        ledger.run(partial(operations.put_off, due=due, failure=str(error), at=clock.now()))
    except ServerRefused as error:
        log.warning("mail %d: %s", due.mail_id, error)
        ledger.run(partial(operations.give_up, due=due, failure=str(error), at=clock.now()))
    except Exception as error:  # it cannot be made: others are not kept by it
        log.exception("mail %d failed", due.mail_id)
        name = type(error).__name__
        ledger.run(partial(operations.put_off, due=due, failure=name, at=clock.now()))
    else:
        ledger.run(partial(_note_sent, due))
    return True


def _letter(due: Due, renderer: Renderer, tx: Tx) -> Letter:
    """Write a mail in the language of its document, which goes with it as PDF."""
    document = documents.document(tx, due.document_number)
    paper = document.paper
    file = billing.file(tx, document, FileKind.PDF, renderer, at=clock.now())
    subject = f"{_NAMES[paper.language][paper.type]} {paper.number}"
    order = paper.external_number or paper.order_number
    return Letter(
        recipient=due.recipient, sender_name=paper.seller.name, subject=subject,
        text=_TEXTS[paper.language].format(
            number=paper.number, order=order, seller=paper.seller.name
        ),
        message_id=due.message_id,
        attachments=(
            Attachment(
                name=f"{paper.number}.pdf", media_type="application/pdf", body=file.body
            ),
        ),
    )  # fmt: skip


def _note_sent(due: Due, tx: Tx) -> None:
    at = clock.now()
    if operations.sent(tx, due, at=at):
        document = documents.document(tx, due.document_number)
        billing.note_sent(tx, document, recipient=due.recipient, by="mail", at=at)
