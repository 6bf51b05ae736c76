"""Payloads in our own format, mapped to drafts."""

import hashlib
import json
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final, NoReturn, cast

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from oms.adapters.channels.canonical.bulk import DOCUMENTS_MIN, FastLane
from oms.adapters.channels.canonical.rows import ROWS, Tables, order_rows
from oms.adapters.channels.canonical.schema import MODELS, OrderIn
from oms.kernel.limits import FRAGMENT_BYTES_MAX, REF_CHARACTERS_MAX, SLICE_DOCUMENTS_MAX
from oms.workflows.documents import (
    Documents,
    Fragment,
    Problem,
    RejectedDocument,
    Source,
    Unreadable,
    csv_rows,
)

BOM: Final = b"\xef\xbb\xbf"
REFS: Final = ("external_ref", "sku", "count_ref", "movement_ref")

Item = tuple[int | None, bytes]
"""A document: the line it begins on, and its bytes."""


class CanonicalMapping:
    """Maps our own format, by topic: orders, changes, products, counts, movements."""

    topics = frozenset(MODELS)

    def documents(self, source: Source, *, after: int = 0) -> Iterator[Documents]:
        """Map a payload slice by slice; raises Unreadable for an unknown topic."""
        if source.topic not in MODELS:
            raise Unreadable(f"the topic is one of {', '.join(sorted(MODELS))}")
        items = islice(enumerate(_items(source), start=1), after, None)
        lane: FastLane | None = None
        while batch := list(islice(items, SLICE_DOCUMENTS_MAX)):
            if source.topic == "orders" and len(batch) >= DOCUMENTS_MIN:
                lane = lane or FastLane()
            yield _slice(source, batch, lane)


def build(_options: dict[str, Any]) -> CanonicalMapping:
    """Make the mapping; there is nothing to choose."""
    return CanonicalMapping()


def problems_of(error: ValidationError) -> tuple[Problem, ...]:
    """Return what a model refused, by JSON pointer, without repeating what was sent."""
    return tuple(_problem(details) for details in error.errors(include_input=False))


def _problem(details: ErrorDetails) -> Problem:
    pointer = "".join(f"/{part}" for part in details["loc"])
    code = "UNKNOWN_CURRENCY" if details["type"] == "unknown_currency" else "VALIDATION"
    code = "MALFORMED" if details["type"] == "json_invalid" else code
    return Problem(field=pointer, code=code, detail=details["msg"][:300])


def _slice(source: Source, batch: list[tuple[int, Item]], lane: FastLane | None) -> Documents:
    model: type[BaseModel] = MODELS[source.topic]
    tables: Tables = {}
    rejected: list[RejectedDocument] = []
    taken: frozenset[int] = frozenset()
    fast: dict[str, bytes] = {}
    if lane is not None:
        documents = [(position, body) for position, (_, body) in batch]
        taken, fast = lane.orders(documents, is_gross=source.channel.prices_include_tax)
    for position, (_, body) in batch:
        if position in taken:
            continue
        try:
            document = _read(model, body)
        except ValidationError as error:
            rejected.append(
                RejectedDocument(
                    position=position, external_ref=_ref(body), problems=problems_of(error)
                )
            )
            continue
        for table, rows in _rows(source, document, position, body).items():
            tables.setdefault(table, []).extend(rows)
    items = dict(batch)

    def fragment(position: int) -> Fragment:
        line, body = items[position]
        return Fragment(line=line, body=body[:FRAGMENT_BYTES_MAX])

    return Documents(
        first=batch[0][0], count=len(batch), rejected=tuple(rejected), fragment=fragment,
        tables={
            table: fast.get(table, b"") + csv_rows(tables.get(table, ()))
            for table in {*fast, *tables}
        },
    )  # fmt: skip


def _rows(source: Source, document: BaseModel, position: int, body: bytes) -> Tables:
    digest = hashlib.sha256(body).hexdigest()
    if isinstance(document, OrderIn):
        is_gross = source.channel.prices_include_tax
        return order_rows(document, position, digest, is_gross=is_gross)
    return ROWS[type(document)](document, position, digest)


def _read(model: type[BaseModel], body: bytes) -> BaseModel:
    """Read a document; duplicate keys and bad UTF-8 are refused like any other fault."""
    return model.model_validate_json(body)


def _ref(body: bytes) -> str | None:
    """Find what a refused document calls itself, if it can be told."""
    try:
        value = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    refs = (value.get(name) for name in REFS)
    return next(
        (ref for ref in refs if isinstance(ref, str) and 0 < len(ref) <= REF_CHARACTERS_MAX), None
    )


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number JSON has")


def _items(source: Source) -> Iterator[Item]:
    """Split a payload into its documents: lines of NDJSON, members of an array, or the one."""
    if _is_ndjson(source):
        yield from _lines(source)
        return
    body = source.read().removeprefix(BOM)
    if not body.strip():
        raise Unreadable("the payload is empty")
    if not body.lstrip().startswith(b"["):
        yield (None, body.strip())
        return
    try:
        members = json.loads(body, parse_float=str, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"this is not a JSON array: {error}") from None
    for member in cast("list[Any]", members):
        yield (None, json.dumps(member, ensure_ascii=True).encode())


def _is_ndjson(source: Source) -> bool:
    if "ndjson" in source.content_type or (source.file_name or "").endswith((".ndjson", ".jsonl")):
        return True
    if "json" in source.content_type:
        return False
    head = source.read()[:FRAGMENT_BYTES_MAX].removeprefix(BOM).strip()
    return head.startswith(b"{") and b"}\n{" in head.replace(b"\r", b"")


def _lines(source: Source) -> Iterator[Item]:
    if source.path is not None:
        with source.path.open("rb") as file:
            yield from _numbered(file)
    else:
        yield from _numbered((source.body or b"").splitlines(keepends=True))


def _numbered(lines: Any) -> Iterator[Item]:
    for number, line in enumerate(lines, start=1):
        document = (line.removeprefix(BOM) if number == 1 else line).strip()
        if document:
            yield (number, document)
