"""Publishing: a checkpointed copy of the marts under a new name, then the pointer moved to it.

Readers find the file by the pointer CURRENT and attach it read-only; a published file never
changes. Whatever is killed in between, the pointer names a whole publication: the last one.
"""

import contextlib
import os
import re
import shutil
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import duckdb

from pipelines.lib.builds import built_of, marts_there
from pipelines.lib.warehouse import THOROUGH_VACUUM_TASKS, Warehouse

POINTER: Final = "CURRENT"
FILE_NAME: Final = re.compile(r"marts-(\d{6,18})\.duckdb")
# A reader has opened a version milliseconds after it read the pointer; an open file stays
# readable after its name is gone. The bytes keep frequent publications from filling the disk.
VERSIONS_KEPT: Final = 3
YOUNG: Final = timedelta(minutes=2)
YOUNG_BYTES_MAX: Final = 2 * 1024**3
# How often the small row groups that increments leave behind are merged.
THOROUGH_EVERY: Final = 100
COPY_BYTES: Final = 1 << 20
# Linux: share the blocks instead of copying them, where the file system can.
FICLONE: Final = 0x40049409


class NothingBuilt(Exception):
    """The marts have never been built completely; there is nothing to publish."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """A published version and what it says of itself."""

    version: int
    watermark: int
    batch: int
    published_at: datetime
    ledger_orders_count: int
    mart_orders_count: int


def stamp(
    connection: duckdb.DuckDBPyConnection, warehouse: Warehouse, *, at: datetime
) -> Publication:
    """Write the next version into the marts and make their file whole. Only under the lock.

    Raises NothingBuilt before the first complete build.
    """
    built = built_of(connection)
    if built is None:
        raise NothingBuilt
    version = 1 + max(_versions(warehouse.published_dir), default=0)
    connection.execute(
        "create or replace table marts.marts.publication as"
        " select cast(? as bigint) as version, watermark_upto as watermark, batch,"
        " cast(? as timestamptz) as published_at, orders_count as ledger_orders_count,"
        " (select count(*) from marts.marts.fct_orders) as mart_orders_count"
        " from raw.loads where batch = ?",
        [version, at, built.batch],
    )
    row = connection.execute("from marts.marts.publication").fetchone()
    assert row is not None, "the load that was built is remembered"
    if version % THOROUGH_EVERY == 0:
        connection.execute(f"set max_vacuum_tasks = {THOROUGH_VACUUM_TASKS}")
    connection.execute("checkpoint marts")
    return Publication(
        version=row[0], watermark=row[1], batch=row[2], published_at=at,
        ledger_orders_count=row[4], mart_orders_count=row[5],
    )  # fmt: skip


def release(warehouse: Warehouse, publication: Publication, *, at: datetime) -> Path:
    """Copy the stamped marts and move the pointer to the copy. Only under the lock.

    No connection may be open here: closing our copy's handle would drop DuckDB's own lock.
    """
    folder = warehouse.published_dir
    folder.mkdir(parents=True, exist_ok=True)
    for unfinished in folder.glob("*.part"):
        unfinished.unlink(missing_ok=True)
    target = folder / _name(publication.version)
    part = target.with_suffix(".part")
    _copy(warehouse.marts_path, part)
    part.replace(target)
    _point(folder, target.name)
    _prune(folder, keep=target.name, at=at)
    return target


def is_published(connection: duckdb.DuckDBPyConnection, warehouse: Warehouse) -> bool:
    """Tell whether the pointer names the last complete build; not so after a death in between."""
    built, path = built_of(connection), current(warehouse.published_dir)
    if built is None or path is None or "publication" not in marts_there(connection):
        return False
    row = connection.execute("select version, batch from marts.marts.publication").fetchone()
    return row is not None and (_name(row[0]), row[1]) == (path.name, built.batch)


def current(folder: Path) -> Path | None:
    """Return the current publication's file, if there is one."""
    try:
        path = folder / (folder / POINTER).read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return None
    return path if path.exists() else None


def confirm(folder: Path) -> None:
    """Note that the current publication still shows all there is: the pointer's time says when."""
    with contextlib.suppress(FileNotFoundError):
        os.utime(folder / POINTER)


def _name(version: int) -> str:
    return f"marts-{version:06d}.duckdb"


def _point(folder: Path, name: str) -> None:
    part = folder / f"{POINTER}.part"
    with part.open("w", encoding="ascii") as file:
        file.write(f"{name}\n")
        file.flush()
        os.fsync(file.fileno())
    part.replace(folder / POINTER)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _copy(source: Path, target: Path) -> None:
    with source.open("rb") as old, target.open("wb") as new:
        if not _shared(old.fileno(), new.fileno()):
            shutil.copyfileobj(old, new, COPY_BYTES)
        new.flush()
        os.fsync(new.fileno())


def _shared(old: int, new: int) -> bool:
    if sys.platform != "linux":
        return False
    import fcntl

    try:
        fcntl.ioctl(new, FICLONE, old)
    except OSError:
        return False
    return True


def _versions(folder: Path) -> dict[int, Path]:
    if not folder.exists():
        return {}
    found = ((FILE_NAME.fullmatch(path.name), path) for path in folder.iterdir())
    return {int(match[1]): path for match, path in found if match}


def _prune(folder: Path, *, keep: str, at: datetime) -> None:
    """Remove old versions: all but the last few, and but the young ones while they are small."""
    versions = _versions(folder)
    newest_first = sorted(versions, reverse=True)
    young_bytes = 0
    for version in newest_first[VERSIONS_KEPT:]:
        path = versions[version]
        facts = path.stat()
        young_bytes += facts.st_size
        is_young = facts.st_mtime > (at - YOUNG).timestamp()
        if path.name != keep and not (is_young and young_bytes <= YOUNG_BYTES_MAX):
            path.unlink(missing_ok=True)
