"""Documents: invoices, credit notes and receipts, listed, asked for and downloaded."""

import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, BinaryIO, Final

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse

from api.dependencies import Now, Snapshot, System, Tx
from api.idempotency import OncePerKey, OncePerKeyIfGiven
from api.paging import Page, number_of
from api.routers.orders import visible as visible_order
from api.routes import LedgerRoute
from api.schemas.documents import (
    DocumentOut,
    DocumentPost,
    DocumentsQuery,
    DocumentSummaryOut,
    IssuedAllOut,
    IssuedOut,
    SelectionQuery,
    SentPost,
)
from api.security import DocumentsRead, DocumentsWrite
from oms.access.model import Caller
from oms.billing import operations, queries
from oms.billing.model import (
    BUNDLE_DOCUMENTS_MAX,
    Document,
    DocumentNotFound,
    DocumentType,
    FileKind,
    TooManyDocuments,
)
from oms.ledger.database import Tx as Connection

router: Final = APIRouter(prefix="/v1", tags=["documents"], route_class=LedgerRoute)

MEDIA_TYPES: Final = {
    FileKind.PDF: "application/pdf",
    FileKind.XML: "application/xml",
    FileKind.UBL: "application/xml",
}
SUFFIXES: Final = {FileKind.PDF: "pdf", FileKind.XML: "xml", FileKind.UBL: "ubl.xml"}
ISSUING: Final[Mapping[DocumentType, Callable[..., list[int]]]] = {
    DocumentType.INVOICE: operations.invoice, DocumentType.CREDIT_NOTE: operations.credit,
    DocumentType.RECEIPT: operations.receipt,
}  # fmt: skip
CHUNK_BYTES: Final = 1024 * 1024


def _file_of(media_type: str) -> dict[int | str, dict[str, Any]]:
    return {200: {"description": "The document.", "content": {media_type: {}}}}


@router.post("/orders/{number}/documents", status_code=201)
def issue_document(
    number: str, body: DocumentPost, caller: DocumentsWrite, tx: Tx, now: Now, *, _once: OncePerKey
) -> IssuedAllOut:
    """Issue a document of an order: it has its number from then on, and is never changed."""
    visible_order(tx, number, caller)
    issued = ISSUING[body.type](tx, number, by=caller.name, at=now)
    found = queries.by_ids(tx, issued)
    return IssuedAllOut(documents=[IssuedOut.of(each) for each in found])


@router.get("/orders/{number}/documents")
def list_order_documents(
    number: str, caller: DocumentsRead, tx: Snapshot
) -> list[DocumentSummaryOut]:
    """List the documents of an order, in the order they were issued in."""
    visible_order(tx, number, caller)
    return [DocumentSummaryOut.of(each) for each in queries.of_order(tx, number)]


@router.get("/documents")
def list_documents(
    query: Annotated[DocumentsQuery, Query()], caller: DocumentsRead, tx: Snapshot
) -> Page[DocumentSummaryOut]:
    """List documents, the newest first: by type, by the days they were issued on, by channel."""
    found, cursor = queries.page(
        tx, **_selection(query, caller), after=number_of(query.after), limit=query.limit
    )
    items = [DocumentSummaryOut.of(each) for each in found]
    return Page(items=items, next_after=None if cursor is None else str(cursor))


@router.get(
    "/documents/export", response_class=StreamingResponse, responses=_file_of("application/zip")
)
def export_documents(
    query: Annotated[SelectionQuery, Query()], caller: DocumentsRead, tx: Tx, now: Now,
    system: System,
) -> StreamingResponse:  # fmt: skip
    """Return documents as a ZIP of PDFs; refused when there are too many for one.

    It is sent when it is whole: who gets a file has all.
    """
    found, more = queries.page(
        tx, **_selection(query, caller), after=None, limit=BUNDLE_DOCUMENTS_MAX
    )
    if more is not None:
        raise TooManyDocuments(documents_max=BUNDLE_DOCUMENTS_MAX)
    bodies = (
        (each, operations.file(tx, each, FileKind.PDF, system.renderer, at=now).body)
        for each in reversed(found)
    )
    return StreamingResponse(
        _sent(_zipped(bodies)), media_type="application/zip",
        headers={"Content-Disposition": 'attachment; filename="documents.zip"'},
    )  # fmt: skip


@router.get("/documents/{number}")
def get_document(number: str, caller: DocumentsRead, tx: Snapshot) -> DocumentOut:
    """Return a document with all that stands on it."""
    return DocumentOut.of(visible(tx, number, caller))


@router.get(
    "/documents/{number}/pdf", response_class=Response, responses=_file_of("application/pdf")
)
def get_document_pdf(
    number: str, caller: DocumentsRead, tx: Tx, now: Now, system: System
) -> Response:
    """Return a document as PDF/A-3: the same bytes whenever it is asked for."""
    return _download(visible(tx, number, caller), FileKind.PDF, tx, now, system)


@router.get(
    "/documents/{number}/xml", response_class=Response, responses=_file_of("application/xml")
)
def get_document_xml(
    number: str, caller: DocumentsRead, tx: Tx, now: Now, system: System
) -> Response:
    """Return an invoice or a credit note as EN 16931: the CII that its PDF has inside."""
    return _download(visible(tx, number, caller), FileKind.XML, tx, now, system)


@router.get(
    "/documents/{number}/ubl", response_class=Response, responses=_file_of("application/xml")
)
def get_document_ubl(
    number: str, caller: DocumentsRead, tx: Tx, now: Now, system: System
) -> Response:
    """Return an invoice or a credit note as EN 16931 in the syntax of UBL 2.1."""
    return _download(visible(tx, number, caller), FileKind.UBL, tx, now, system)


@router.post("/documents/{number}/sent")
def note_document_sent(
    number: str, body: SentPost, caller: DocumentsWrite, tx: Tx, now: Now, *,
    _once: OncePerKeyIfGiven,
) -> IssuedOut:  # fmt: skip
    """Note that a document was sent to its buyer."""
    document = visible(tx, number, caller)
    operations.note_sent(tx, document, recipient=body.recipient, by=caller.name, at=now)
    return IssuedOut.of(visible(tx, number, caller))


def _selection(query: SelectionQuery, caller: Caller) -> dict[str, Any]:
    return {
        "types": query.type, "since_on": query.from_, "until_on": query.to,
        "channel_codes": caller.visible(query.channel),
    }  # fmt: skip


def visible(tx: Connection, number: str, caller: Caller) -> Document:
    """Return a document its caller may know of. Raises DocumentNotFound."""
    found = queries.document(tx, number)
    if not caller.may_see(found.paper.channel_code):
        raise DocumentNotFound
    return found


def _download(
    document: Document, kind: FileKind, tx: Connection, now: Now, system: System
) -> Response:
    file = operations.file(tx, document, kind, system.renderer, at=now)
    name = f"{document.paper.number}.{SUFFIXES[kind]}"
    return Response(
        file.body, media_type=MEDIA_TYPES[kind],
        headers={
            "ETag": f'"{file.sha256}"',
            "Content-Disposition": f'attachment; filename="{name}"',
        },
    )  # fmt: skip


def _zipped(bodies: Iterator[tuple[Document, bytes]]) -> BinaryIO:
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed when it is sent
    try:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as bundle:
            for document, body in bodies:
                on = document.paper.issued_on
                entry = zipfile.ZipInfo(
                    f"{document.paper.number}.pdf", (on.year, on.month, on.day, 0, 0, 0)
                )
                bundle.writestr(entry, body)
    except BaseException:
        file.close()
        raise
    return file


def _sent(file: BinaryIO) -> Iterator[bytes]:
    with file:
        file.seek(0)
        while chunk := file.read(CHUNK_BYTES):
            yield chunk
