"""CSV records: where each begins and ends, what its cells hold, and which cannot be read.

The meaning of a record is that of Python's csv module in strict mode. Records without line
breaks or doubled quotes in their cells, which is nearly all of nearly every file, are cut by
array operations over megabytes at a time (about 0.15 M records/s/core at twenty columns of
which fifteen are used); the others go through the csv module one by one. A quote that is never
closed spoils its own line, not the rest of the file.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import BinaryIO, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import csv as csv_reader

from oms.kernel.limits import FRAGMENT_BYTES_MAX

CHUNK_BYTES: Final = 2 * 1024 * 1024
RECORD_BYTES_MAX: Final = FRAGMENT_BYTES_MAX
_SHOWN_CHARACTERS: Final = 1000
_TAB, _LF, _CR, _SPACE, _DEL = 9, 10, 13, 32, 127

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


class Wrong(IntEnum):
    """Why a record is not readable."""

    NOTHING = 0
    FIELDS = 1
    QUOTES = 2
    CONTROLS = 3
    ENCODING = 4
    SIZE = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How the records of a file are written, and which of their fields are wanted."""

    delimiter: str
    quote: str
    fields_count: int
    used: tuple[int, ...]

    def cells(self, text: str, *, strict: bool = True) -> list[str]:
        """Split one record. Raises csv.Error when it is not exactly one."""
        reader = csv.reader(
            io.StringIO(text, newline="") if "\n" in text or "\r" in text else [text],
            delimiter=self.delimiter,
            quotechar=self.quote or None,
            quoting=csv.QUOTE_MINIMAL if self.quote else csv.QUOTE_NONE,
            strict=strict,
        )
        rows = [row for row in reader if row]
        if len(rows) != 1:
            raise csv.Error("not one record")
        return rows[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place in a file: bytes before it, lines before it, records before it."""

    at: int = 0
    line: int = 0
    record: int = 0


@dataclass(slots=True, kw_only=True)
class _Lines:
    """The physical lines of a chunk, and what was found out about them."""

    data: bytes
    starts: Ints
    ends: Ints  # where the line break is
    is_blank: Bools
    is_vector: Bools  # read by array operations
    is_continued: Bools  # inside a record that began before
    wrong: npt.NDArray[np.uint8]
    parsed: dict[int, tuple[int, list[str]]]  # first line: last line, cells

    def text(self, first: int, last: int | None = None) -> str:
        """Return a line, or the lines from first to last, without the final line break."""
        end = self.ends[first if last is None else last]
        return self.data[self.starts[first] : end].decode(errors="replace").removesuffix("\r")


def batches(file: BinaryIO, layout: Layout, place: Place) -> Iterator[pa.Table]:
    """Read the records of a UTF-8 file from a place on, some thousands at a time.

    Columns: ord, line, start, size, wrong, fields and one c0 … cn for each wanted field.
    """
    csv.field_size_limit(RECORD_BYTES_MAX * 2)
    file.seek(place.at)
    rest = b""
    while True:
        block = file.read(CHUNK_BYTES)
        is_last = not block
        data = rest + block
        if is_last and data and not data.endswith(b"\n"):
            data += b"\n"
        cut = data.rfind(b"\n") + 1
        if not cut and len(data) > RECORD_BYTES_MAX:
            skipped = _skip_line(file, place, data)
            yield _slow_table(layout, [skipped])
            place, rest = _behind(place, skipped), b""
            continue
        if cut:
            lines = _lines(data[:cut])
            taken = _join(lines, layout, is_last=is_last)
            yield from _tables(lines, layout, place, taken)
            place, used = _after(lines, place, taken)
            data = data[used:]
        rest = data
        if is_last:
            return


def _skip_line(file: BinaryIO, place: Place, data: bytes) -> "_Row":
    """Read to the end of a line that is longer than any record may be."""
    size = len(data)
    while block := file.readline(CHUNK_BYTES):
        size += len(block)
        if block.endswith(b"\n"):
            break
    return place.record + 1, place.line + 1, place.at, size, Wrong.SIZE, 0, []


def _behind(place: Place, row: "_Row") -> Place:
    return Place(at=place.at + row[3], line=place.line + 1, record=place.record + 1)


def _lines(data: bytes) -> _Lines:
    buffer = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(buffer == _LF).astype(np.int64)
    starts = np.concatenate(([0], ends[:-1] + 1)).astype(np.int64)
    returns = (ends > starts) & (buffer[np.maximum(ends - 1, 0)] == _CR)
    count = len(ends)
    lines = _Lines(
        data=data,
        starts=starts,
        ends=ends,
        is_blank=(ends - returns) == starts,
        is_vector=np.ones(count, np.bool_),
        is_continued=np.zeros(count, np.bool_),
        wrong=np.zeros(count, np.uint8),
        parsed={},
    )
    lines.wrong[ends - starts > RECORD_BYTES_MAX] = Wrong.SIZE
    _mark_characters(lines, buffer)
    bare = np.flatnonzero(buffer == _CR)
    bare = bare[buffer[bare + 1] != _LF]
    lines.is_vector[np.searchsorted(ends, bare)] = False
    return lines


def _mark_characters(lines: _Lines, buffer: npt.NDArray[np.uint8]) -> None:
    """Mark the lines with control characters, and those that are not UTF-8."""
    is_control = (buffer < _SPACE) | (buffer == _DEL)
    is_control &= (buffer != _TAB) & (buffer != _LF) & (buffer != _CR)
    if is_control.any():
        lines.wrong[np.searchsorted(lines.ends, np.flatnonzero(is_control))] = Wrong.CONTROLS
    try:
        lines.data.decode()
    except UnicodeDecodeError:
        for number, (start, end) in enumerate(zip(lines.starts, lines.ends, strict=True)):
            try:
                lines.data[start:end].decode()
            except UnicodeDecodeError:
                lines.wrong[number] = Wrong.ENCODING


def _join(lines: _Lines, layout: Layout, *, is_last: bool) -> int:
    """Find the records that run over several lines; return how many lines are complete."""
    if not layout.quote:
        return len(lines.ends)
    buffer = np.frombuffer(lines.data, np.uint8)
    quotes = np.flatnonzero(buffer == ord(layout.quote))
    per_line = np.diff(np.searchsorted(quotes, lines.ends), prepend=0)
    odd = np.flatnonzero(per_line & 1).tolist()
    lines.is_vector[odd] = False
    step = 0
    while step < len(odd):
        first = odd[step]
        if _is_whole(lines, layout, first):
            step += 1
            continue
        is_open = step + 1 == len(odd)
        begun = int(lines.ends[-1] - lines.starts[first])
        if is_open and not is_last and begun < RECORD_BYTES_MAX:
            return first
        if not is_open and _is_joined(lines, layout, first, odd[step + 1]):
            step += 2
            continue
        lines.wrong[first] = lines.wrong[first] or Wrong.QUOTES
        step += 1
    return len(lines.ends)


def _is_whole(lines: _Lines, layout: Layout, number: int) -> bool:
    """Try to read one line with an odd number of quotes as a record: 5" is just a text."""
    if lines.ends[number] - lines.starts[number] > RECORD_BYTES_MAX:
        return False
    try:
        cells = layout.cells(lines.text(number))
    except csv.Error:
        return False
    lines.parsed[number] = (number, cells)
    return True


def _is_joined(lines: _Lines, layout: Layout, first: int, last: int) -> bool:
    """Try to read several lines as one record."""
    if lines.ends[last] - lines.starts[first] > RECORD_BYTES_MAX:
        return False
    try:
        cells = layout.cells(lines.text(first, last))
    except csv.Error:
        return False
    if len(cells) != layout.fields_count:
        return False
    lines.parsed[first] = (last, cells)
    lines.is_vector[first : last + 1] = False
    lines.is_continued[first + 1 : last + 1] = True
    lines.wrong[first] = lines.wrong[first : last + 1].max()
    return True


def _after(lines: _Lines, place: Place, taken: int) -> tuple[Place, int]:
    """Return the place after the lines taken, and their size."""
    used = int(lines.ends[taken - 1]) + 1 if taken else 0
    records = int((~lines.is_blank & ~lines.is_continued)[:taken].sum())
    after = Place(at=place.at + used, line=place.line + taken, record=place.record + records)
    return after, used


def _tables(lines: _Lines, layout: Layout, place: Place, taken: int) -> Iterator[pa.Table]:
    """Return the records of the lines taken: the many, then those that needed care."""
    is_record = ~lines.is_blank & ~lines.is_continued
    is_record[taken:] = False
    ordinals = (place.record + np.cumsum(is_record)).astype(np.int64)
    _find_unclean(lines, layout)
    many = np.flatnonzero(is_record & lines.is_vector & (lines.wrong == 0))
    if len(many):
        cells, read = _parse(lines, layout, many)
        is_record[read] = False
        yield _with_facts(lines, layout, place, (read, ordinals[read]), cells)
    rows = [
        _slow_row(lines, layout, place, int(number), int(ordinals[number]))
        for number in np.flatnonzero(is_record)
    ]
    if rows:
        yield _slow_table(layout, rows)


def _find_unclean(lines: _Lines, layout: Layout) -> None:
    """Leave lines to the csv module whose quotes do not just stand around whole fields."""
    if not layout.quote:
        return
    buffer = np.frombuffer(lines.data, np.uint8)
    quotes = np.flatnonzero(buffer == ord(layout.quote))
    line = np.searchsorted(lines.ends, quotes)
    is_even = lines.is_vector[line]
    quotes, line = quotes[is_even], line[is_even]
    opening, closing = quotes[0::2], quotes[1::2]
    before = np.where(opening > 0, buffer[np.maximum(opening - 1, 0)], _LF)
    after = buffer[closing + 1]
    delimiter = ord(layout.delimiter)
    is_unclean = ~(
        ((before == delimiter) | (before == _LF))
        & ((after == delimiter) | (after == _LF) | (after == _CR))
    )
    lines.is_vector[line[0::2][is_unclean]] = False


def _parse(lines: _Lines, layout: Layout, many: Ints) -> tuple[pa.Table, Ints]:
    """Parse clean lines in bulk; return their cells and which lines these are."""
    data = lines.data
    if len(many) < len(lines.ends):
        is_kept = np.zeros(len(lines.ends), np.bool_)
        is_kept[many] = True
        bytes_kept = np.repeat(is_kept, lines.ends - lines.starts + 1)
        data = np.frombuffer(data, np.uint8)[: len(bytes_kept)][bytes_kept].tobytes()
    ragged: list[int] = []

    def skip(row: csv_reader.InvalidRow) -> str:
        ragged.append(row.number - 1)
        return "skip"

    wanted = {field: f"c{number}" for number, field in enumerate(layout.used)}
    names = [wanted.get(field, f"x{field}") for field in range(layout.fields_count)]
    table = csv_reader.read_csv(
        pa.BufferReader(data),
        csv_reader.ReadOptions(use_threads=False, column_names=names, block_size=len(data) + 1),
        csv_reader.ParseOptions(
            delimiter=layout.delimiter, quote_char=layout.quote or False,
            ignore_empty_lines=False, invalid_row_handler=skip,
        ),
        csv_reader.ConvertOptions(
            include_columns=list(wanted.values()),
            column_types=dict.fromkeys(wanted.values(), pa.string()),
            strings_can_be_null=False, quoted_strings_can_be_null=False,
        ),
    )  # fmt: skip
    lines.wrong[many[ragged]] = Wrong.FIELDS
    return table, np.delete(many, ragged)


def _with_facts(
    lines: _Lines, layout: Layout, place: Place, read: tuple[Ints, Ints], cells: pa.Table
) -> pa.Table:
    """Put before the cells of lines where each of them stands."""
    numbers, ordinals = read
    starts, count = lines.starts[numbers], len(numbers)
    facts = [
        _numbers(ordinals),
        _numbers(numbers + place.line + 1),
        _numbers(starts + place.at),
        _numbers(lines.ends[numbers] - starts),
        _numbers(np.zeros(count, np.int64)),
        _numbers(np.full(count, layout.fields_count, np.int64)),
    ]
    return pa.table([*facts, *cells.columns], schema=schema_of(len(layout.used)))


def _numbers(values: Ints) -> pa.Array:
    # Not pa.array: that imports pandas to look at a NumPy array, which takes a second.
    return pa.Array.from_buffers(pa.int64(), len(values), [None, pa.py_buffer(values)])


_Row = tuple[int, int, int, int, int, int, list[str]]


def _slow_row(lines: _Lines, layout: Layout, place: Place, number: int, ordinal: int) -> _Row:
    """Read one record with the csv module, or say what is wrong with it."""
    last, cells = lines.parsed.get(number, (number, []))
    wrong = int(lines.wrong[number])
    if not cells and wrong != Wrong.SIZE:
        text = lines.text(number)
        try:
            cells = layout.cells(text, strict=wrong in {Wrong.NOTHING, Wrong.FIELDS})
        except csv.Error:
            wrong = Wrong.QUOTES
            cells = _as_far_as_it_goes(layout, text)
    if not wrong and len(cells) != layout.fields_count:
        wrong = Wrong.FIELDS
    size = int(lines.ends[last] - lines.starts[number])
    at = place.at + int(lines.starts[number])
    return ordinal, place.line + number + 1, at, size, wrong, len(cells), cells


def _as_far_as_it_goes(layout: Layout, text: str) -> list[str]:
    try:
        return layout.cells(text, strict=False)
    except csv.Error:
        return []


def _slow_table(layout: Layout, rows: Sequence[_Row]) -> pa.Table:
    columns: list[list[object]] = [list(column) for column in zip(*rows, strict=True)][:6]
    columns.extend([_cell(row, field) for row in rows] for field in layout.used)
    return pa.table(
        [
            pa.array(column, kind)
            for column, kind in zip(columns, schema_of(len(layout.used)).types, strict=True)
        ],
        schema=schema_of(len(layout.used)),
    )


def _cell(row: _Row, field: int) -> str | None:
    """Return a cell, made harmless and short where the record is not readable anyway."""
    wrong, cells = row[4], row[6]
    if field >= len(cells):
        return None
    if not wrong:
        return cells[field]
    return "".join(c if c.isprintable() else "\ufffd" for c in cells[field][:_SHOWN_CHARACTERS])


def schema_of(cells_count: int) -> pa.Schema:
    """Return the columns of a batch of records with so many wanted fields."""
    facts = [(name, pa.int64()) for name in ("ord", "line", "start", "size", "wrong", "fields")]
    return pa.schema([*facts, *((f"c{number}", pa.string()) for number in range(cells_count))])
