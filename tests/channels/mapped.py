"""Payloads in, drafts out: what every channel's tests do with a mapping."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from oms.workflows.documents import (
    DRAFT_TABLES,
    ChannelFacts,
    ChannelMapping,
    Documents,
    Fragment,
    Source,
)

NOW: Final = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SHOP: Final = ChannelFacts(
    code="shop", currency="EUR", prices_include_tax=True, time_zone="Europe/Amsterdam"
)
# What is a number or yes or no in the drafts, for cases a person can read.
_WHOLE: Final = {"position", "version", "quantity", "counted"}
_FIELD: Final = re.compile(r'("(?:[^"]|"")*")?([^",\n]*)([,\n])')
_FLAGS: Final = {"t": True, "true": True, "f": False, "false": False}

Row = dict[str, Any]


@dataclass(kw_only=True)
class Mapped:
    """Everything a mapping made of a payload."""

    count: int = 0
    tables: dict[str, list[Row]] = field(default_factory=dict)
    rejected: list[Row] = field(default_factory=list)
    fragments: dict[int, Fragment] = field(default_factory=dict)
    sizes: list[int] = field(default_factory=list)

    def rows(self, table: str) -> list[Row]:
        """Return the drafts of one table, none where there are none."""
        return self.tables.get(table, [])

    def problems(self) -> dict[int, list[tuple[str, str]]]:
        """Return the field and code of each problem, by position."""
        return {
            refused["position"]: [(problem[0], problem[1]) for problem in refused["problems"]]
            for refused in self.rejected
        }

    def as_case(self) -> dict[str, Any]:
        """Return it as a case is written: without what is empty."""
        told: dict[str, Any] = {
            name: [{key: value for key, value in row.items() if value is not None} for row in rows]
            for name, rows in sorted(self.tables.items())
        }
        return told | ({"rejected": self.rejected} if self.rejected else {})


def source(
    payload: bytes | Path, *, topic: str = "orders", content_type: str = "text/csv",
    channel: ChannelFacts = SHOP, file_name: str | None = None,
) -> Source:  # fmt: skip
    """Return a payload as the inbox hands it over."""
    is_file = isinstance(payload, Path)
    return Source(
        topic=topic, content_type=content_type, received_at=NOW, channel=channel,
        path=payload if isinstance(payload, Path) else None,
        body=None if isinstance(payload, Path) else payload,
        file_name=file_name or (payload.name if is_file else None),
    )  # fmt: skip


def mapped(mapping: ChannelMapping, payload: Source, *, after: int = 0) -> Mapped:
    """Map a whole payload, keeping every refused document's fragment."""
    result = Mapped()
    following = after + 1
    for documents in mapping.documents(payload, after=after):
        assert documents.first == following, "slices leave no gap"
        following += documents.count
        _add(result, documents)
    return result


def read_rows(table: str, body: bytes) -> Iterator[Row]:
    """Read one draft table as COPY would: an unquoted empty field is nothing."""
    names = DRAFT_TABLES[table]
    cells: list[Any] = []
    for quoted, plain, end in _FIELD.findall(body.decode()):
        cells.append(quoted[1:-1].replace('""', '"') if quoted else plain or None)
        if end == "\n":
            assert len(cells) == len(names), (table, cells)
            yield {name: _typed(name, cell) for name, cell in zip(names, cells, strict=True)}
            cells = []
    assert not cells, "the last row ends with a line break"


def _add(result: Mapped, documents: Documents) -> None:
    result.count += documents.count
    result.sizes.append(documents.count)
    for table, body in documents.tables.items():
        result.tables.setdefault(table, []).extend(read_rows(table, body))
    for refused in documents.rejected:
        result.fragments[refused.position] = documents.fragment(refused.position)
        result.rejected.append({
            "position": refused.position, "external_ref": refused.external_ref,
            "problems": [[each.field, each.code, each.detail] for each in refused.problems],
        })  # fmt: skip


def _typed(name: str, cell: str | None) -> Any:
    if cell is None:
        return None
    if name.endswith("_minor") or name in _WHOLE:
        return int(cell)
    if name in {"ship_to", "bill_to"}:
        return json.loads(cell)
    if name.startswith("is_") or name in {"prices_include_tax", "restock", "overwrite"}:
        return _FLAGS[cell]
    return cell
