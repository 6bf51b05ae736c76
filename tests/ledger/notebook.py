"""A channel's format for the tests of ingest: a list of short notes in JSON, mapped in slices.

A note is {"ref": "W-1", "quantity": 2}, or has one of these: "is_wrong" (its mapping refuses
it), "changes" of an order sent elsewhere, "breaks" (its mapping breaks at it), "kills" (the
process dies at it, until the file of that name is there).
"""

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from oms.workflows.documents import (
    Documents,
    Fragment,
    Problem,
    RejectedDocument,
    Source,
    Unreadable,
)
from tests.builders import Draft, a_change, a_line, a_partial, an_order, drafts

SLICE: Final = 4

Note = dict[str, Any]


def notes(*written: Note) -> bytes:
    """Return a payload of notes."""
    return json.dumps(written).encode()


class Notebook:
    """Reads notebooks; `seen` is called before each note is read."""

    topics = frozenset({"notes"})

    def __init__(self, seen: Callable[[Note], None] = lambda _: None) -> None:
        """Take who wants to know of each note."""
        self.seen = seen

    def documents(self, source: Source, *, after: int = 0) -> Iterator[Documents]:
        """Map a notebook slice by slice."""
        try:
            written: list[Note] = json.loads(source.read())
        except ValueError:
            raise Unreadable("this is no notebook") from None
        for start in range(after, len(written), SLICE):
            yield self.mapped(written[start : start + SLICE], first=start + 1)

    def mapped(self, written: list[Note], *, first: int) -> Documents:
        """Map a slice."""
        wrong = [n for n, note in enumerate(written, start=first) if note.get("is_wrong")]
        return Documents(
            first=first,
            count=len(written),
            tables=drafts(*(self.draft(note) for note in written), first=first),
            fragment=lambda position: Fragment(
                line=position, body=notes(written[position - first])
            ),
            rejected=tuple(
                RejectedDocument(
                    position=position, external_ref=written[position - first]["ref"],
                    problems=(Problem(field="", code="MALFORMED", detail="This is wrong."),),
                )
                for position in wrong
            ),
        )  # fmt: skip

    def draft(self, note: Note) -> Draft:
        """Map a note."""
        self.seen(note)
        if note.get("breaks"):
            raise RuntimeError("the mapping is broken")
        if (alive := note.get("kills")) and not Path(alive).exists():
            Path(alive).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if note.get("is_wrong"):
            return Draft()
        if "changes" in note:
            return a_partial(note["ref"], *(a_change(**change) for change in note["changes"]))
        return an_order(
            note["ref"], lines=[a_line(note.get("sku", "PEN"), note.get("quantity", 1))]
        )
