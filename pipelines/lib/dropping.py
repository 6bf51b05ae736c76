"""Drop folders: which files are complete, and handing them to the inbox.

A channel's files lie in drop/<channel>/, or in drop/<channel>/<topic>/ when they are not orders.
A file is complete when two looks in a row find the same size and time of change. It moves to
done/ beside it as the very last step, so that whatever is killed, it is taken again.
"""

import json
import mimetypes
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from oms.channels.model import PayloadEmpty
from oms.workflows import ingest
from oms.workflows.ingest import Intake

DONE: Final = "done"
TOPIC: Final = "orders"
UNFINISHED: Final = (".part", ".tmp", ".crdownload", ".filepart")
FILES_PER_RUN_MAX: Final = 100
CONTENT_TYPE: Final = "application/octet-stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A file as one look saw it."""

    path: str  # below the drop folder
    size_bytes: int
    changed_ns: int

    @property
    def key(self) -> str:
        """Name the file and the state it is in."""
        return f"{self.path}:{self.size_bytes}:{self.changed_ns}"

    @property
    def channel_code(self) -> str:
        """The channel whose folder it lies in."""
        return Path(self.path).parts[0]

    @property
    def topic(self) -> str:
        """What is inside, by the folders below the channel's."""
        return "/".join(Path(self.path).parts[1:-1]) or TOPIC


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a look found: complete files nobody has asked for yet, and what to compare with next."""

    complete: tuple[Found, ...]
    cursor: str

    def runs(self) -> Iterator[tuple[str, tuple[Found, ...]]]:
        """Group the files by channel, a bearable number together."""
        for channel_code in sorted({found.channel_code for found in self.complete}):
            files = tuple(f for f in self.complete if f.channel_code == channel_code)
            for start in range(0, len(files), FILES_PER_RUN_MAX):
                yield channel_code, files[start : start + FILES_PER_RUN_MAX]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of the files of a run."""

    new: int = 0
    known: int = 0
    empty: int = 0
    missing: int = 0
    still_changing: int = 0


def look(drop_dir: Path, cursor: str | None) -> Look:
    """Look into every drop folder and compare with the last look."""
    seen: Mapping[str, bool] = json.loads(cursor) if cursor else {}
    complete: list[Found] = []
    following: dict[str, bool] = {}
    for found in sorted(_files(drop_dir), key=lambda found: found.path):
        was_asked_for = seen.get(found.key)
        if was_asked_for is False:
            complete.append(found)
        following[found.key] = was_asked_for is not None
    return Look(complete=tuple(complete), cursor=json.dumps(following))


def take(intake: Intake, drop_dir: Path, keys: list[str], *, at: datetime) -> Taken:
    """Hand files to the inbox, each named by its key, and move them to done/.

    A file that is gone was taken before; one that has changed since is left for a later look.
    Raises UnknownChannel.
    """
    counts = {"new": 0, "known": 0, "empty": 0, "missing": 0, "still_changing": 0}
    for key in keys:
        path = drop_dir / key.rsplit(":", 2)[0]
        counts[_take(intake, drop_dir, path, key, at=at)] += 1
    return Taken(**counts)


def left_behind(drop_dir: Path, *, before: datetime) -> list[str]:
    """Return the files that have lain in the drop folders since before a moment."""
    limit_ns = int(before.timestamp() * 1e9)
    return sorted(found.path for found in _files(drop_dir) if found.changed_ns < limit_ns)


def _take(intake: Intake, drop_dir: Path, path: Path, key: str, *, at: datetime) -> str:
    found = _found(drop_dir, path)
    if found is None:
        return "missing"
    if found.key != key:
        return "still_changing"
    try:
        received = ingest.receive_file(
            intake, path, channel_code=found.channel_code, topic=found.topic, at=at,
            content_type=mimetypes.guess_type(path.name)[0] or CONTENT_TYPE,
        )  # fmt: skip
    except PayloadEmpty:
        outcome = "empty"
    else:
        outcome = "new" if received.is_new else "known"
    if _found(drop_dir, path) != found:
        return "still_changing"
    _put_away(path, found)
    return outcome


def _put_away(path: Path, found: Found) -> None:
    folder = path.parent / DONE
    folder.mkdir(exist_ok=True)
    target = folder / path.name
    if target.exists():
        target = folder / f"{path.stem}-{found.changed_ns}{path.suffix}"
    path.replace(target)


def _files(drop_dir: Path) -> Iterator[Found]:
    """Find the files below every channel's folder; links are not followed out of it."""
    if not drop_dir.exists():
        return
    for folder, folders, names in os.walk(drop_dir):
        folders[:] = [name for name in folders if name != DONE and not name.startswith(".")]
        for name in names:
            found = _found(drop_dir, Path(folder) / name)
            if found is not None:
                yield found


def _found(drop_dir: Path, path: Path) -> Found | None:
    """Return a file as it is now; None for what is unfinished, no file, or nobody's."""
    inside = path.relative_to(drop_dir)
    is_unfinished = path.name.startswith(".") or path.name.lower().endswith(UNFINISHED)
    if is_unfinished or len(inside.parts) == 1 or path.is_symlink() or not path.is_file():
        return None
    try:
        facts = path.stat()
    except FileNotFoundError:
        return None
    return Found(path=str(inside), size_bytes=facts.st_size, changed_ns=facts.st_mtime_ns)
