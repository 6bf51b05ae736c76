"""Ingest: payloads into the inbox, and out of it through their mapping into capture.

A payload is received once and kept as it came: small ones in their row, large ones in the
file store under their digest. Processing takes it slice by slice, each slice one transaction
together with the note of how far it is, so that a killed worker's successor goes on where it
stopped; one that was only frozen has lost its claim on the payload and writes no more. What
cannot be used is quarantined, document by document; nothing is dropped.
"""

import hashlib
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from oms.channels import operations, queries
from oms.channels.model import (
    Channel,
    NotOpen,
    Payload,
    PayloadEmpty,
    QuarantinedDocument,
    Received,
)
from oms.kernel import clock
from oms.kernel.errors import Rejected, Unavailable
from oms.kernel.limits import FRAGMENT_BYTES_MAX, INBOX_ATTEMPTS_MAX, INBOX_INLINE_BYTES_MAX
from oms.ledger.database import Claim, Ledger, Tx
from oms.workflows.capture import Result, capture
from oms.workflows.documents import (
    ChannelFacts,
    ChannelMapping,
    Documents,
    Fragment,
    Problem,
    Puller,
    Source,
    Unreadable,
)

log = logging.getLogger(__name__)

ORPHAN: Final = "ORDER_NOT_FOUND"
TRUNCATED: Final = "TRUNCATED"
# Advisory locks share one space of numbers: this one's upper half says "inbox".
LOCK_SPACE: Final = 0x1B0C << 48


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """What ingest works with: the ledger, the folder of large payloads, a channel's mapping."""

    ledger: Ledger
    files_dir: Path
    mapping_of: Callable[[Channel], ChannelMapping]
    puller_of: Callable[[Channel], Puller]


def receive_file(
    intake: Intake, path: Path, *, channel_code: str, topic: str, content_type: str,
    at: datetime, transport: str = "file",
) -> Received:  # fmt: skip
    """Copy a file into the inbox; the same content is received once per channel and topic.

    Raises UnknownChannel, and PayloadEmpty for a file without a byte.
    """
    with intake.ledger.snapshot() as tx:
        channel = queries.channel(tx, channel_code)
    digest, size_bytes = _keep(intake.files_dir, path)
    with intake.ledger.transaction() as tx:
        return operations.receive(
            tx, channel_id=channel.channel_id, transport=transport, topic=topic,
            external_ref=digest, sha256=bytes.fromhex(digest), content_type=content_type,
            size_bytes=size_bytes, file_name=path.name, body=None, at=at,
        )  # fmt: skip


def receive_body(
    intake: Intake, tx: Tx, body: bytes, *, channel: Channel, transport: str, topic: str,
    content_type: str, message_id: str | None, at: datetime, file_name: str | None = None,
) -> Received:  # fmt: skip
    """Lay a body into the inbox under the sender's message id, else under its digest.

    Raises PayloadEmpty for an empty one.
    """
    if not body:
        raise PayloadEmpty
    digest = hashlib.sha256(body).hexdigest()
    is_inline = len(body) <= INBOX_INLINE_BYTES_MAX
    if not is_inline:
        _keep_bytes(intake.files_dir, digest, body)
    return operations.receive(
        tx, channel_id=channel.channel_id, transport=transport, topic=topic,
        external_ref=message_id or digest, sha256=bytes.fromhex(digest),
        content_type=content_type, size_bytes=len(body), file_name=file_name,
        body=body if is_inline else None, at=at,
    )  # fmt: skip


def pull(intake: Intake, channel_code: str, *, topic: str) -> int:
    """Pull what is new of a topic into the inbox; return the number of pages.

    Each page is kept together with the cursor behind it, so a pull that breaks off goes on
    where it was. Raises UnknownChannel, and Unavailable when the channel does not answer.
    """
    with intake.ledger.snapshot() as tx:
        channel = queries.channel(tx, channel_code)
        cursor = queries.cursor(tx, channel.channel_id, topic)
    count = 0
    for page in intake.puller_of(channel).pages(topic, cursor=cursor):
        at = clock.now()
        with intake.ledger.transaction() as tx:
            receive_body(
                intake, tx, page.body, channel=channel, transport="pull", topic=topic,
                content_type=page.content_type, message_id=None, at=at,
            )  # fmt: skip
            operations.keep_cursor(tx, channel.channel_id, topic, page.cursor, at=at)
        count += 1
    return count


def process(intake: Intake, inbox_id: int) -> Payload | None:
    """Process one payload to its end; return it, or None when another worker has it.

    Raises LedgerAway when the ledger goes away meanwhile: that is no attempt.
    """
    with intake.ledger.claim(LOCK_SPACE + inbox_id) as claim:
        if claim is None:
            return None
        with claim.transaction() as tx:
            payload = queries.payload(tx, inbox_id)
        if payload is not None and payload.state in {"received", "processing"}:
            _process(intake, claim, payload)
    with intake.ledger.snapshot() as tx:
        return queries.payload(tx, inbox_id)


def process_waiting(intake: Intake, *, limit: int = 100) -> int:
    """Process what waits in the inbox, oldest first; return how many payloads were taken."""
    with intake.ledger.snapshot() as tx:
        inbox_ids = queries.waiting(tx, limit=limit)
    return sum(process(intake, inbox_id) is not None for inbox_id in inbox_ids)


def replay(intake: Intake, document: QuarantinedDocument) -> tuple[Problem, ...]:
    """Try a quarantined document again; return what is still wrong with it.

    Nothing wrong any more: it is captured and closed as resolved. Of what is kept in part only,
    nothing is tried. Raises NotOpen when it is closed already, or by somebody else meanwhile.
    """
    problems = tuple(Problem(**problem) for problem in document.problems)
    if any(problem.code == TRUNCATED for problem in problems):
        return intake.ledger.run(lambda tx: _keep_back(tx, document, problems))
    with intake.ledger.snapshot() as tx:
        channel = queries.channel(tx, document.channel_code)
    mapping = intake.mapping_of(channel)
    source = _source(
        channel, topic=document.topic, content_type=document.content_type,
        file_name=document.file_name, received_at=document.first_seen_at,
        body=document.fragment, path=None,
    )  # fmt: skip
    try:
        slices = list(mapping.documents(source))
    except Unreadable as error:
        unread = (Problem(field="", code=error.code, detail=error.detail),)
        return intake.ledger.run(lambda tx: _keep_back(tx, document, unread))
    return intake.ledger.run(lambda tx: _recapture(tx, channel, document, slices))


def replay_orphans(intake: Intake, *, limit: int = 500) -> int:
    """Try changes again whose order has come meanwhile; return how many were resolved."""
    with intake.ledger.snapshot() as tx:
        found = queries.quarantine(tx, code=ORPHAN, has_order=True, limit=limit)
    return replay_all(intake, found)


def replay_all(intake: Intake, documents: Iterable[QuarantinedDocument]) -> int:
    """Try documents again; return how many were resolved, but for those others have closed."""
    resolved = 0
    for document in documents:
        with suppress(NotOpen):
            resolved += not replay(intake, document)
    return resolved


def _process(intake: Intake, claim: Claim, payload: Payload) -> None:
    try:
        with claim.transaction() as tx:
            channel = queries.channel(tx, payload.channel_code)
            body = queries.body(tx, payload.inbox_id)
        source = _source(
            channel, topic=payload.topic, content_type=payload.content_type,
            file_name=payload.file_name, received_at=payload.received_at, body=body,
            path=None if body is not None else _kept(intake.files_dir, payload.sha256),
        )  # fmt: skip
        for documents in intake.mapping_of(channel).documents(source, after=payload.position):
            _write_slice(claim, channel, payload, documents)
        failure = None
    except Rejected as error:
        # The payload cannot be read, or the channel's mapping is not usable: both say why.
        failure = error.detail
    except Unavailable:
        raise
    except Exception as error:
        # Not anticipated: the payload stays, is tried again, and is set aside in the end.
        log.exception("payload %s could not be processed", payload.inbox_id)
        with claim.transaction() as tx:
            operations.retry(
                # What an error says may be somebody's data, or our SQL: that is for the log.
                tx, payload.inbox_id,
                failure=f"{type(error).__name__}: see payload {payload.inbox_id} in the log",
                attempts_max=INBOX_ATTEMPTS_MAX, at=clock.now(),
            )  # fmt: skip
        return
    with claim.transaction() as tx:
        operations.finish(tx, payload.inbox_id, failure=failure, at=clock.now())


def _write_slice(claim: Claim, channel: Channel, payload: Payload, documents: Documents) -> None:
    def work(tx: Tx) -> None:
        at = clock.now()
        result = capture(
            tx, documents.tables, channel=channel, actor_type="channel", actor=channel.code,
            at=at, inbox_id=payload.inbox_id,
        )  # fmt: skip
        refused = _refused(documents, result)
        for position, (ref, problems) in sorted(refused.items()):
            fragment = documents.fragment(position)
            operations.quarantine(
                tx, payload.inbox_id, position=position, line=fragment.line, external_ref=ref,
                problems=[asdict(problem) for problem in (*problems, *_cut(fragment))],
                fragment=fragment.body[:FRAGMENT_BYTES_MAX], at=at,
            )  # fmt: skip
        counts = result.counts() | {"documents": documents.count, "rejected": len(refused)}
        operations.advance(
            tx, payload.inbox_id, position=documents.first + documents.count - 1, counts=counts
        )

    claim.run(work)


def _cut(fragment: Fragment) -> tuple[Problem, ...]:
    """Mark a document of which only the beginning is kept."""
    if len(fragment.body) <= FRAGMENT_BYTES_MAX:
        return ()
    detail = f"only its first {FRAGMENT_BYTES_MAX:,} bytes are kept: send it again once mended"
    return (Problem(field="", code=TRUNCATED, detail=detail),)


def _refused(
    documents: Documents, result: Result
) -> dict[int, tuple[str | None, tuple[Problem, ...]]]:
    refs = {captured.position: captured.external_ref for captured in result.orders}
    refused: dict[int, tuple[str | None, tuple[Problem, ...]]] = {
        rejected.position: (rejected.external_ref, rejected.problems)
        for rejected in documents.rejected
    }
    for position, problems in result.problems.items():
        refused.setdefault(position, (refs.get(position), problems))
    return refused


def _recapture(
    tx: Tx, channel: Channel, document: QuarantinedDocument, slices: list[Documents]
) -> tuple[Problem, ...]:
    operations.hold(tx, document.quarantine_id)
    at = clock.now()
    problems: list[Problem] = []
    # All of it or nothing: of a document that stays in quarantine no slice stays in the ledger.
    with tx.begin_nested() as savepoint:
        for documents in slices:
            result = capture(
                tx, documents.tables, channel=channel, actor_type="channel",
                actor=channel.code, at=at, inbox_id=document.inbox_id,
            )  # fmt: skip
            found = _refused(documents, result).values()
            problems += [problem for _, each in found for problem in each]
        if problems:
            savepoint.rollback()
    if problems or not slices:
        return _requarantine(tx, document, tuple(problems))
    operations.resolve(tx, document.quarantine_id, state="resolved", at=at)
    return ()


def _keep_back(
    tx: Tx, document: QuarantinedDocument, problems: tuple[Problem, ...]
) -> tuple[Problem, ...]:
    operations.hold(tx, document.quarantine_id)
    return _requarantine(tx, document, problems)


def _requarantine(
    tx: Tx, document: QuarantinedDocument, problems: tuple[Problem, ...]
) -> tuple[Problem, ...]:
    problems = problems or (Problem(field="", code="MALFORMED", detail="nothing was found in it"),)
    operations.quarantine(
        tx, document.inbox_id, position=document.position, line=document.line,
        external_ref=document.external_ref, problems=[asdict(problem) for problem in problems],
        fragment=document.fragment, at=clock.now(),
    )  # fmt: skip
    return problems


def _source(
    channel: Channel, *, topic: str, content_type: str, file_name: str | None,
    received_at: datetime, body: bytes | None, path: Path | None,
) -> Source:  # fmt: skip
    facts = ChannelFacts(
        code=channel.code, currency=channel.currency,
        prices_include_tax=channel.prices_include_tax, time_zone=channel.time_zone,
    )  # fmt: skip
    return Source(
        topic=topic, content_type=content_type, received_at=received_at, channel=facts,
        path=path, body=body, file_name=file_name,
    )  # fmt: skip


def _kept(files_dir: Path, digest: str) -> Path:
    return files_dir / digest[:2] / digest


def _keep(files_dir: Path, path: Path) -> tuple[str, int]:
    """Copy a file under its digest; a crash leaves a stray temporary file, never half a payload."""
    files_dir.mkdir(parents=True, exist_ok=True)
    hasher = hashlib.sha256()
    with (
        path.open("rb") as source,
        tempfile.NamedTemporaryFile(dir=files_dir, delete=False) as kept,
    ):
        while chunk := source.read(1 << 20):
            hasher.update(chunk)
            kept.write(chunk)
        size_bytes = kept.tell()
        kept.flush()
        os.fsync(kept.fileno())
    digest = hasher.hexdigest()
    if not size_bytes:
        Path(kept.name).unlink()
        raise PayloadEmpty
    target = _kept(files_dir, digest)
    target.parent.mkdir(exist_ok=True)
    shutil.move(kept.name, target)
    return digest, size_bytes


def _keep_bytes(files_dir: Path, digest: str, body: bytes) -> None:
    target = _kept(files_dir, digest)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as kept:
        kept.write(body)
        kept.flush()
        os.fsync(kept.fileno())
    shutil.move(kept.name, target)
