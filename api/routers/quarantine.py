"""The quarantine: documents that could not be used, tried again or dismissed."""

from typing import Annotated, Final

from fastapi import APIRouter, Path, Query

from api.dependencies import Now, Snapshot, System, Tx
from api.idempotency import OncePerKeyIfGiven
from api.paging import Page
from api.routes import LedgerRoute
from api.schemas.channels import (
    QuarantinedInFullOut,
    QuarantinedOut,
    QuarantineQuery,
    ReplayedOut,
)
from api.security import QuarantineRead, QuarantineWrite
from oms.access.model import Caller
from oms.channels import operations, queries
from oms.channels.model import NotOpen, QuarantinedDocument
from oms.kernel.errors import NotFound
from oms.workflows import ingest

router: Final = APIRouter(prefix="/v1", tags=["quarantine"], route_class=LedgerRoute)

STATES: Final = ("open", "resolved", "dismissed")
QuarantineId = Annotated[int, Path(ge=1, le=2**62)]


class DocumentNotFound(NotFound):
    """There is no such document in quarantine."""


@router.get("/quarantine")
def list_quarantine(
    query: Annotated[QuarantineQuery, Query()], caller: QuarantineRead, tx: Snapshot
) -> Page[QuarantinedOut]:
    """List documents that could not be used, in the order they were first seen."""
    found = _documents(tx, query, caller)
    items = [QuarantinedOut.of(document) for document in found[: query.limit]]
    has_more = len(found) > query.limit
    return Page(items=items, next_after=str(items[-1].quarantine_id) if has_more else None)


@router.get("/quarantine/{quarantine_id}")
def get_quarantined(
    quarantine_id: QuarantineId, caller: QuarantineRead, tx: Snapshot
) -> QuarantinedInFullOut:
    """Return a document that could not be used, as it came."""
    return QuarantinedInFullOut.of(_document(tx, quarantine_id, caller))


@router.post("/quarantine/{quarantine_id}:replay")
def replay_quarantined(
    quarantine_id: QuarantineId, caller: QuarantineWrite, system: System
) -> ReplayedOut:
    """Try a document again; one that is resolved already stays so."""
    with system.ledger.snapshot() as tx:
        document = _document(tx, quarantine_id, caller)
    if document.state == "dismissed":
        raise NotOpen
    problems = () if document.state == "resolved" else ingest.replay(system.intake, document)
    return ReplayedOut.of(quarantine_id, problems)


@router.post("/quarantine/{quarantine_id}:dismiss")
def dismiss_quarantined(
    quarantine_id: QuarantineId, caller: QuarantineWrite, tx: Tx, now: Now,
    _once: OncePerKeyIfGiven,
) -> QuarantinedOut:  # fmt: skip
    """Close a document without using it."""
    _document(tx, quarantine_id, caller)
    operations.resolve(tx, quarantine_id, state="dismissed", at=now)
    return QuarantinedOut.of(_document(tx, quarantine_id, caller))


def _documents(tx: Tx, query: QuarantineQuery, caller: Caller) -> list[QuarantinedDocument]:
    """One more than a page of documents of the channels the caller may see."""
    codes = [query.channel] if query.channel or caller.channels is None else sorted(caller.channels)
    found = [
        document
        for code in codes
        if code is None or caller.may_see(code)
        for document in queries.quarantine(
            tx, channel_code=code, code=query.code, state=query.state,
            external_ref=query.external_ref, after=query.after, limit=query.limit + 1,
        )
    ]  # fmt: skip
    return sorted(found, key=lambda document: document.quarantine_id)


def _document(tx: Tx, quarantine_id: int, caller: Caller) -> QuarantinedDocument:
    for state in STATES:
        for document in queries.quarantine(tx, state=state, after=quarantine_id - 1, limit=1):
            if document.quarantine_id == quarantine_id and caller.may_see(document.channel_code):
                return document
    raise DocumentNotFound
