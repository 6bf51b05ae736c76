"""Documents: what a channel's payload becomes, and the port a channel adapter implements.

A payload is mapped in slices. A slice carries the drafts of its documents as CSV for
PostgreSQL's COPY, one text per draft table, because the same bytes serve one order and a
million. The columns of each draft table are declared by the feature that captures it.
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from oms.catalog.model import PRODUCT_DRAFT
from oms.kernel.errors import Rejected
from oms.orders.model import (
    CHANGE_DRAFT,
    GROUP_DRAFT,
    LINE_DRAFT,
    ORDER_DRAFT,
    OWN_CHANGE_DRAFT,
)
from oms.payments.model import PAYMENT_DRAFT
from oms.stock.model import COUNT_DRAFT, MOVEMENT_DRAFT

DRAFT_TABLES: Final[Mapping[str, tuple[str, ...]]] = {
    "products": PRODUCT_DRAFT,
    "orders": ORDER_DRAFT,
    "lines": LINE_DRAFT,
    "groups": GROUP_DRAFT,
    "changes": CHANGE_DRAFT,
    "payments": PAYMENT_DRAFT,
    "own_changes": OWN_CHANGE_DRAFT,
    "counts": COUNT_DRAFT,
    "movements": MOVEMENT_DRAFT,
}


T = TypeVar("T")


class Unreadable(Rejected):
    """The payload cannot be read at all."""

    code = "UNREADABLE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong with one document."""

    field: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedDocument:
    """A document that could not be mapped, and why."""

    position: int
    external_ref: str | None
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragment:
    """One document as it came: the same mapping can read it alone."""

    line: int | None
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelFacts:
    """What a mapping needs to know of the channel it maps for."""

    code: str
    currency: str
    prices_include_tax: bool
    time_zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A payload as it lies in the inbox: a file, or a body."""

    topic: str
    content_type: str
    received_at: datetime
    channel: ChannelFacts
    path: Path | None = None
    body: bytes | None = None
    file_name: str | None = None

    def __post_init__(self) -> None:
        """Refuse a source that is both or neither."""
        assert (self.path is None) != (self.body is None), "a payload is a file or a body"

    def read(self) -> bytes:
        """Return the whole payload."""
        if self.body is not None:
            return self.body
        assert self.path is not None
        return self.path.read_bytes()


@dataclass(frozen=True, slots=True, kw_only=True)
class Documents:
    """A slice of a payload, mapped: positions first … first + count - 1."""

    first: int
    count: int
    tables: Mapping[str, bytes]
    fragment: Callable[[int], Fragment]
    rejected: tuple[RejectedDocument, ...] = field(default=())


class ChannelMapping(Protocol):
    """Reads one channel's payloads. Built once per channel from its adapter options."""

    topics: frozenset[str]

    def documents(self, source: Source, *, after: int = 0) -> Iterator[Documents]:
        """Map a payload slice by slice, skipping the first `after` documents.

        Raises Unreadable when the payload as a whole cannot be read.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of a pull as it came, and the cursor that is right once it is kept."""

    body: bytes
    content_type: str
    cursor: str


class Puller(Protocol):
    """Reads from a channel that has to be asked."""

    def pages(self, topic: str, *, cursor: str | None) -> Iterator[Page]:
        """Read what is new since a cursor, page by page; the caller keeps each before the next.

        Raises Unavailable when the channel does not answer.
        """
        ...


def ahead(slices: Generator[T]) -> Generator[T]:
    """Make each slice in a thread while the one before it is being used.

    For an adapter to wrap around what makes its slices, inside of what they need: a slice's
    fragments can be had, from another thread, until the next slice is asked for.
    """
    with closing(slices), ThreadPoolExecutor(1, thread_name_prefix="ahead") as maker:
        coming = maker.submit(next, slices, None)
        while (made := coming.result()) is not None:
            coming = maker.submit(next, slices, None)
            yield made


def csv_rows(rows: Iterable[Iterable[Any]]) -> bytes:
    """Write rows as CSV for COPY: None is an empty field, everything else is quoted."""
    return "".join(",".join(map(_csv_field, row)) + "\n" for row in rows).encode()


def _csv_field(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "t" if value else "f"
    text = value.isoformat() if isinstance(value, date) else str(value)
    return '"' + text.replace('"', '""') + '"'
