"""Attachments of notes: put beside them, and taken away as files."""

from typing import Annotated, Final
from urllib.parse import quote

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from api.dependencies import Now, Snapshot, Tx
from api.routers.fulfillments import visible as visible_work
from api.routers.notes import NoteId, visible_note
from api.routes import LedgerRoute, limited_to
from api.schemas.common import Words
from api.schemas.notes import AttachmentOut
from api.security import FulfillmentRead, OrdersRead
from oms.kernel.limits import ATTACHMENT_BYTES_MAX
from oms.notes import operations, queries
from oms.notes.model import TYPES, Attachment, NoteNotFound, seen_by

router: Final = APIRouter(prefix="/v1", tags=["notes"], route_class=LedgerRoute)

AttachmentId = Annotated[int, Path(ge=1, lt=1 << 63)]
_FILES: Final = {each: {"schema": {"type": "string", "format": "binary"}} for each in TYPES}


async def _body(request: Request) -> bytes:
    return await request.body()


@router.post(
    "/notes/{note_id}/attachments", status_code=201,
    openapi_extra={"requestBody": {"required": True, "content": _FILES}},
)  # fmt: skip
@limited_to(ATTACHMENT_BYTES_MAX)
def add_attachment(
    note_id: NoteId, name: Annotated[Words, Query(description="of the file")], caller: OrdersRead,
    *, content: Annotated[bytes, Depends(_body)], tx: Tx, now: Now,
) -> AttachmentOut:  # fmt: skip
    """Put a picture or a PDF beside a note; what it is says its content. Again it is the same."""
    visible_note(tx, note_id, caller)
    made = operations.attach(
        tx, note_id, name, content, scopes=caller.scopes, by=caller.name, at=now
    )
    return AttachmentOut.of(made)


@router.get(
    "/notes/{note_id}/attachments/{attachment_id}", response_class=Response,
    responses={200: {"description": "The file.", "content": _FILES}},
)  # fmt: skip
def get_attachment(
    note_id: NoteId, attachment_id: AttachmentId, caller: OrdersRead, tx: Snapshot
) -> Response:
    """Return a file of a note, to who may read the note."""
    visible_note(tx, note_id, caller)
    for note in seen_by([queries.note(tx, note_id)], caller.scopes):
        return _file(*queries.content_of(tx, note, attachment_id))
    raise NoteNotFound


@router.get(
    "/fulfillments/{number}/notes/{note_id}/attachments/{attachment_id}", response_class=Response,
    responses={200: {"description": "The file.", "content": _FILES}},
)  # fmt: skip
def get_work_attachment(
    number: str, note_id: NoteId, attachment_id: AttachmentId, caller: FulfillmentRead,
    tx: Snapshot,
) -> Response:  # fmt: skip
    """Return a file of a note on some work, to who does the work."""
    work = visible_work(tx, number, caller).fulfillment_number
    for note in seen_by(queries.of_work(tx, [work])[work], caller.scopes):
        if note.note_id == note_id:
            return _file(*queries.content_of(tx, note, attachment_id))
    raise NoteNotFound


def _file(attachment: Attachment, content: bytes) -> Response:
    """Send a file to be kept, not to be shown: a browser makes nothing else of it."""
    name = f"attachment; filename*=UTF-8''{quote(attachment.name, safe='')}"
    headers = {"Content-Disposition": name}
    return Response(content, media_type=attachment.media_type, headers=headers)
