"""Payloads in our own format, mapped to drafts."""

import hashlib
import json
from collections.abc import Generator, Iterator, Sequence
from itertools import islice
from typing import Any, Final, NoReturn

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from oms.adapters.channels.canonical.bulk import DOCUMENTS_MIN, FastLane
from oms.adapters.channels.canonical.payload import Piece, pieces
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
    ahead,
    csv_rows,
)

REFS: Final = ("external_ref", "count_ref", "movement_ref", "sku")
# The fast lane checks several slices at once: its queries cost more than small ones are worth.
BLOCK_DOCUMENTS_MAX: Final = 4 * SLICE_DOCUMENTS_MAX
BLOCK_BYTES_MAX: Final = 64 * 1024 * 1024

Numbered = tuple[int, Piece]


class CanonicalMapping:
    """Maps our own format, by topic: orders, changes, products, counts, movements."""

    topics = frozenset(MODELS)

    def documents(self, source: Source, *, after: int = 0) -> Iterator[Documents]:
        """Map a payload slice by slice; raises Unreadable for an unknown topic."""
        if source.topic not in MODELS:
            raise Unreadable(f"the topic is one of {', '.join(sorted(MODELS))}")
        yield from ahead(self._slices(source, after))

    def _slices(self, source: Source, after: int) -> Generator[Documents]:
        numbered = islice(enumerate(pieces(source), start=1), after, None)
        lane: FastLane | None = None
        try:
            for block in _blocks(numbered):
                taken: frozenset[int] = frozenset()
                if source.topic == "orders" and len(block) >= DOCUMENTS_MIN:
                    lane = lane or FastLane(is_gross=source.channel.prices_include_tax)
                    taken = lane.take([(position, piece.body) for position, piece in block])
                for begin in range(0, len(block), SLICE_DOCUMENTS_MAX):
                    part = block[begin : begin + SLICE_DOCUMENTS_MAX]
                    yield _slice(source, part, lane if taken else None, taken)
        finally:
            if lane is not None:
                lane.close()


def _blocks(numbered: Iterator[Numbered]) -> Iterator[list[Numbered]]:
    block: list[Numbered] = []
    size = 0
    for each in numbered:
        block.append(each)
        size += len(each[1].body)
        if len(block) == BLOCK_DOCUMENTS_MAX or size >= BLOCK_BYTES_MAX:
            yield block
            block, size = [], 0
    if block:
        yield block


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


def _slice(
    source: Source, batch: Sequence[Numbered], lane: FastLane | None, taken: frozenset[int]
) -> Documents:
    tables: Tables = {}
    rejected: list[RejectedDocument] = []
    for position, piece in batch:
        if position in taken:
            continue
        document = _read(source, piece)
        if isinstance(document, BaseModel):
            for table, rows in _rows(source, document, position, piece.body).items():
                tables.setdefault(table, []).extend(rows)
        else:
            ref = _ref(piece.body)
            rejected.append(
                RejectedDocument(position=position, external_ref=ref, problems=document)
            )
    first, last = batch[0][0], batch[-1][0]
    fast = dict(lane.tables(first, last)) if lane is not None else {}
    items = dict(batch)

    def fragment(position: int) -> Fragment:
        piece = items[position]
        return Fragment(line=piece.line, body=piece.body)

    return Documents(
        first=first, count=len(batch), rejected=tuple(rejected), fragment=fragment,
        tables={
            table: fast.get(table, b"") + csv_rows(tables.get(table, ()))
            for table in {*fast, *tables}
        },
    )  # fmt: skip


def _read(source: Source, piece: Piece) -> BaseModel | tuple[Problem, ...]:
    """Read a document, or say what is wrong with it."""
    if piece.is_too_long:
        detail = f"a document has at most {FRAGMENT_BYTES_MAX} bytes"
        return (Problem(field="", code="MALFORMED", detail=detail),)
    try:
        document: BaseModel = MODELS[source.topic].model_validate_json(piece.body)
    except ValidationError as error:
        return problems_of(error)
    if twice := _twice(piece.body):
        detail = f"the key {twice[:60]!r} is there twice in one object"
        return (Problem(field="", code="MALFORMED", detail=detail),)
    return document


def _rows(source: Source, document: BaseModel, position: int, body: bytes) -> Tables:
    digest = hashlib.sha256(body).hexdigest()
    if isinstance(document, OrderIn):
        is_gross = source.channel.prices_include_tax
        return order_rows(document, position, digest, is_gross=is_gross)
    return ROWS[type(document)](document, position, digest)


class _Twice(Exception):
    """An object has a key twice: readers differ in which of them counts, so neither does."""


def _twice(body: bytes) -> str | None:
    """Find a key that an object of a document has twice."""

    def once(pairs: list[tuple[str, Any]]) -> None:
        names = [name for name, _ in pairs]
        if len(set(names)) != len(names):
            raise _Twice(next(name for name in names if names.count(name) > 1))

    try:
        json.loads(body, object_pairs_hook=once)
    except _Twice as twice:
        return str(twice)
    return None


def _ref(body: bytes) -> str | None:
    """Find what a refused document calls itself, if it can be told."""
    try:
        value = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    refs = (value.get(name) for name in REFS)
    return next((ref for ref in refs if isinstance(ref, str) and _is_ref(ref)), None)


def _is_ref(text: str) -> bool:
    return 0 < len(text) <= REF_CHARACTERS_MAX and text.isprintable()


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number JSON has")
