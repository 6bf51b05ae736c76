"""A payload of rows, opened: its columns, its rows as batches of texts, rows as they came."""

import codecs
import csv
import io
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import BinaryIO, Final, Protocol

import pyarrow as pa
from pyarrow import compute
from pyarrow import parquet as pq

from oms.adapters.channels.tabular.records import RECORD_BYTES_MAX, Layout, Place, batches
from oms.adapters.channels.tabular.spec import Dialect
from oms.workflows.documents import Unreadable

PARQUET_BATCH_ROWS: Final = 20_000
_HEAD_BYTES: Final = 64 * 1024
_OTHER_DELIMITERS: Final = ",;\t|"
_BOMS: Final = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"PK\x03\x04": "", b"PAR1": ""}


class Reading(Protocol):
    """An opened payload."""

    columns: Sequence[str]

    def rows(self, wanted: Sequence[str]) -> Iterator[pa.Table]:
        """Return the rows: ord, line, start, size, wrong, fields, and a text c0 … cn per column."""
        ...

    def piece(self, places: Sequence[tuple[int, int]]) -> bytes:
        """Return some rows, each by its start and size, as a payload of their own."""
        ...


@contextmanager
def open_rows(path: Path, dialect: Dialect, scratch: Path) -> Iterator[Reading]:
    """Open a file of rows. Temporary copies are made in the folder `scratch`.

    Raises Unreadable when there is nothing to read in it, or it is not what the dialect says.
    """
    if not path.stat().st_size:
        raise Unreadable("the file is empty")
    if dialect.format == "parquet":
        with _parquet(path) as parquet:
            yield _Parquet(file=parquet, columns=parquet.schema_arrow.names)
        return
    with path.open("rb") as original:
        head = original.read(_HEAD_BYTES)
    _refuse_other_kinds(head, dialect)
    if not _is_utf8(dialect) or (b"\r" in head and b"\n" not in head):
        path = _as_utf8(path, dialect, scratch)
    with path.open("rb") as file:
        yield _Csv.begin(file, dialect)


def _parquet(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path)
    except (pa.ArrowException, OSError):
        raise Unreadable("the file is not Parquet, or it is damaged") from None


def named(columns: Sequence[str], wanted: Sequence[str]) -> list[int]:
    """Return the places of columns by their names. Raises Unreadable."""
    places = []
    for name in wanted:
        found = [place for place, column in enumerate(columns) if column == name]
        if not found:
            near = get_close_matches(name, columns, n=1, cutoff=0.5)
            hint = f"; is it {near[0]!r}?" if near else ""
            raise Unreadable(
                f"there is no column {name[:60]!r} among the {len(columns)} columns{hint}"
            )
        if len(found) > 1:
            raise Unreadable(f"the column {name[:60]!r} is there {len(found)} times")
        places.append(found[0])
    return places


@dataclass(slots=True, kw_only=True)
class _Csv:
    """A CSV file, as UTF-8 whatever it was."""

    file: BinaryIO
    dialect: Dialect
    columns: Sequence[str]
    start: Place
    head: bytes = field(repr=False)

    @classmethod
    def begin(cls, file: BinaryIO, dialect: Dialect) -> "_Csv":
        """Find the header and where the rows begin. Raises Unreadable."""
        if file.read(3) != codecs.BOM_UTF8:
            file.seek(0)
        begin = file.tell()
        for _ in range(dialect.skip_lines):
            file.readline(RECORD_BYTES_MAX)
        columns, lines = dialect.columns or [], dialect.skip_lines
        if dialect.header:
            columns, header_lines = _header(file, dialect)
            lines += header_lines
        end = file.tell()
        file.seek(begin)
        head = file.read(end - begin)
        return cls(
            file=file, dialect=dialect, columns=columns, head=head, start=Place(at=end, line=lines)
        )

    def rows(self, wanted: Sequence[str]) -> Iterator[pa.Table]:
        """Return the rows in batches. Raises Unreadable when a column is not there."""
        self._refuse_other_delimiter(wanted)
        layout = Layout(
            delimiter=self.dialect.delimiter,
            quote=self.dialect.quote,
            fields_count=len(self.columns),
            used=tuple(named(self.columns, wanted)),
        )
        return batches(self.file, layout, self.start)

    def piece(self, places: Sequence[tuple[int, int]]) -> bytes:
        """Return rows with the header they need, in the file's own encoding."""
        parts = [self.head]
        for at, size in places:
            self.file.seek(at)
            parts.append(self.file.read(min(size, RECORD_BYTES_MAX + 1)))
            parts.append(b"\n")
        piece = b"".join(parts)
        if _is_utf8(self.dialect):
            return piece
        text = piece.decode(errors="surrogateescape")
        with suppress(UnicodeEncodeError):
            return text.encode(self.dialect.encoding, errors="surrogateescape")
        return text.encode(self.dialect.encoding, errors="replace")

    def _refuse_other_delimiter(self, wanted: Sequence[str]) -> None:
        """Say so when the header is one field only because the file has another delimiter."""
        if not self.dialect.header or len(self.columns) > 1 or set(wanted) <= set(self.columns):
            return
        for delimiter in _OTHER_DELIMITERS:
            if len(self.columns[0].split(delimiter)) > 1:
                raise Unreadable(
                    f"the mapping says the delimiter is {self.dialect.delimiter!r}, "
                    f"but the file looks separated by {delimiter!r}"
                )


def _is_utf8(dialect: Dialect) -> bool:
    return dialect.encoding in {"utf-8", "utf-8-sig", "ascii"}


def _refuse_other_kinds(head: bytes, dialect: Dialect) -> None:
    for mark, encoding in _BOMS.items():
        if not head.startswith(mark):
            continue
        if not encoding:
            raise Unreadable("the file is not a text: it is a ZIP, a workbook or Parquet")
        if _is_utf8(dialect):
            raise Unreadable("the file is UTF-16; the mapping says encoding: utf-8")


def _escape(error: UnicodeError) -> tuple[str, int]:
    """Carry bytes that cannot be decoded through as bytes that are no UTF-8 either."""
    assert isinstance(error, UnicodeDecodeError)
    stray = error.object[error.start : error.end]
    return "".join(chr(0xDC00 + max(byte, 0x80)) for byte in stray), error.end


codecs.register_error("oms-escape", _escape)


def _as_utf8(path: Path, dialect: Dialect, scratch: Path) -> Path:
    """Copy a file as UTF-8 with line feeds."""
    with (
        path.open(encoding=dialect.encoding, errors="oms-escape") as source,
        tempfile.NamedTemporaryFile(dir=scratch, delete=False) as copy,
    ):
        while text := source.read(1024 * 1024):
            copy.write(text.encode(errors="surrogateescape"))
    return Path(copy.name)


def _header(file: BinaryIO, dialect: Dialect) -> tuple[list[str], int]:
    """Read the header record; return its names and how many lines it takes."""
    layout = Layout(delimiter=dialect.delimiter, quote=dialect.quote, fields_count=0, used=())
    text, lines = b"", 0
    while line := file.readline(RECORD_BYTES_MAX):
        text, lines = text + line, lines + 1
        if len(text) > RECORD_BYTES_MAX:
            break
        if not text.strip():
            text = b""
            continue
        with suppress(csv.Error, UnicodeDecodeError):
            cells = layout.cells(text.decode().rstrip("\r\n"))
            return [cell.strip() for cell in cells], lines
    raise Unreadable("the header cannot be read" if text.strip() else "the file has no rows")


@dataclass(slots=True, kw_only=True)
class _Parquet:
    """A Parquet file, its values as texts."""

    file: pq.ParquetFile
    columns: Sequence[str]

    def rows(self, wanted: Sequence[str]) -> Iterator[pa.Table]:
        """Return the rows in batches, read as texts. Raises Unreadable."""
        named(self.columns, wanted)
        schema = self.file.schema_arrow
        for name in wanted:
            if pa.types.is_nested(schema.field(name).type):
                raise Unreadable(f"the column {name[:60]!r} holds lists or records, not values")
        return self._batches(wanted)

    def _batches(self, wanted: Sequence[str]) -> Iterator[pa.Table]:
        seen = 0
        try:
            for batch in self.file.iter_batches(PARQUET_BATCH_ROWS, columns=list(wanted)):
                yield _numbered(batch, wanted, seen)
                seen += batch.num_rows
        except (pa.ArrowException, OSError):
            raise Unreadable(f"the file is damaged after row {seen}") from None

    def piece(self, places: Sequence[tuple[int, int]]) -> bytes:
        """Return rows, all their columns, as a Parquet file."""
        wanted, first, parts = sorted(at for at, _ in places), 0, []
        for group in range(self.file.num_row_groups):
            count = self.file.metadata.row_group(group).num_rows
            inside = [at - first for at in wanted if first <= at < first + count]
            if inside:
                parts.append(self.file.read_row_group(group).take(inside))
            first += count
        sink = io.BytesIO()
        pq.write_table(pa.concat_tables(parts), sink)
        return sink.getvalue()


def _numbered(batch: pa.RecordBatch, wanted: Sequence[str], seen: int) -> pa.Table:
    count = batch.num_rows
    ordinals = pa.array(range(seen + 1, seen + count + 1), pa.int64())
    nothing = pa.array([0] * count, pa.int64())
    facts = {
        "ord": ordinals,
        "line": ordinals,
        "start": pa.array(range(seen, seen + count), pa.int64()),
        "size": nothing,
        "wrong": nothing,
        "fields": nothing,
    }
    cells = {
        f"c{number}": _as_text(batch.column(batch.schema.get_field_index(name)))
        for number, name in enumerate(wanted)
    }
    return pa.table(facts | cells)


def _as_text(column: pa.Array) -> pa.Array:
    """Write values as texts: floats by the shortest decimal that is them."""
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        return pa.nulls(len(column), pa.string())
    return compute.cast(column, pa.string())
