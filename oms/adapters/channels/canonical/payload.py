"""A payload in our format, split into its documents: lines of NDJSON, members of an array, or one.

Documents stay the bytes they came as. What breaks a line costs that line; what breaks an array
costs the rest of it, because nothing says where its next member would begin.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO, Final

from oms.kernel.limits import FRAGMENT_BYTES_MAX
from oms.workflows.documents import Source, Unreadable

BOM: Final = b"\xef\xbb\xbf"
# An array is read as a whole; a larger one is better sent as lines.
ARRAY_BYTES_MAX: Final = 256 * 1024 * 1024
_HEAD_BYTES: Final = 64 * 1024
_SPACE: Final = " \t\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A document as it came, cut just behind the largest size one may have."""

    line: int
    body: bytes

    @property
    def is_too_long(self) -> bool:
        """Whether it is larger than a document may be."""
        return len(self.body) > FRAGMENT_BYTES_MAX


def pieces(source: Source) -> Iterator[Piece]:
    """Split a payload. Raises Unreadable when there is nothing in it to split."""
    with _opened(source) as file:
        head = file.read(_HEAD_BYTES)
        if head.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise Unreadable("the payload is UTF-16; JSON is sent as UTF-8")
        file.seek(len(BOM) if head.startswith(BOM) else 0)
        text = head.removeprefix(BOM).lstrip()
        if not text:
            raise Unreadable("the payload is empty")
        if _is_ndjson(source, text):
            yield from _lines(file)
        elif text.startswith(b"["):
            yield from _members(file)
        else:
            yield _only(file)


@contextmanager
def _opened(source: Source) -> Iterator[BinaryIO]:
    if source.path is None:
        yield BytesIO(source.read())
        return
    with source.path.open("rb") as file:
        yield file


def _is_ndjson(source: Source, head: bytes) -> bool:
    """Tell lines from one document: by what is said of it, else by how its second line begins."""
    if "ndjson" in source.content_type or "jsonl" in source.content_type:
        return True
    if (source.file_name or "").lower().endswith((".ndjson", ".jsonl")):
        return True
    following = head.split(b"\n", 1)[1].lstrip() if b"\n" in head else b""
    return head.startswith(b"{") and following.startswith(b"{")


def _lines(file: BinaryIO) -> Iterator[Piece]:
    number = 0
    while line := file.readline(FRAGMENT_BYTES_MAX + 2):
        number += 1
        rest = line
        while not rest.endswith(b"\n") and rest:
            rest = file.readline(FRAGMENT_BYTES_MAX)
        if body := line.strip():
            yield Piece(line=number, body=body)


def _only(file: BinaryIO) -> Piece:
    text = file.read(_HEAD_BYTES + FRAGMENT_BYTES_MAX)
    begin = text[: len(text) - len(text.lstrip())]
    return Piece(line=1 + begin.count(b"\n"), body=text.strip()[: FRAGMENT_BYTES_MAX + 1])


def _members(file: BinaryIO) -> Iterator[Piece]:
    data = file.read(ARRAY_BYTES_MAX + 1)
    if len(data) > ARRAY_BYTES_MAX:
        raise Unreadable(f"an array has at most {ARRAY_BYTES_MAX} bytes; send a line a document")
    text = data.decode(errors="surrogateescape")
    decoder = json.JSONDecoder()
    place, line, counted = _after_space(text, text.index("[") + 1), 1, 0
    if text[place : place + 1] == "]":
        return
    while True:
        line, counted = line + text.count("\n", counted, place), place
        try:
            _, end = decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            yield _piece(line, text[place:])
            return
        yield _piece(line, text[place:end])
        end = _after_space(text, end)
        if text[end : end + 1] == "]" and not text[end + 1 :].strip(_SPACE):
            return
        if text[end : end + 1] != ",":
            yield _piece(line, text[end:] or "the array has no end")
            return
        place = _after_space(text, end + 1)


def _piece(line: int, text: str) -> Piece:
    body = text[: FRAGMENT_BYTES_MAX + 1].encode(errors="surrogateescape")
    return Piece(line=line, body=body[: FRAGMENT_BYTES_MAX + 1])


def _after_space(text: str, place: int) -> int:
    while text[place : place + 1] in {" ", "\t", "\r", "\n"}:
        place += 1
    return place
