"""Settlement reports from a folder: one for each service, taken when nobody writes to them."""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

from oms.ledger.database import Ledger
from oms.settlements import operations
from oms.settlements.model import SERVICE, UnknownLayout, Unreadable
from oms.settlements.port import Layout

log = logging.getLogger("oms.settlements")

# A file that was written to since is not finished.
QUIET_FOR: Final = timedelta(seconds=10)
TAKEN: Final = "taken"
REFUSED: Final = "refused"


def layout_of(layouts: Mapping[str, Layout], name: str) -> Layout:
    """Return a layout. Raises UnknownLayout."""
    if name not in layouts:
        raise UnknownLayout(f"there is no layout {name[:40]!r}, but {', '.join(sorted(layouts))}")
    return layouts[name]


def take_dropped(
    ledger: Ledger, layouts: Mapping[str, Layout], folder: Path, *, at: datetime
) -> bool:
    """Take in the files of `<folder>/<service>/`; tell whether there was any.

    A service without a layout of its name says which by a second folder: `<service>/<layout>/`.
    What was read is moved to `taken`, what cannot be to `refused` with the reason beside it.
    """
    found = False
    for path in sorted(folder.glob("*/*.csv")) + sorted(folder.glob("*/*/*.csv")):
        service, *inner = path.relative_to(folder).parts[:-1]
        layout = layouts.get(inner[0] if inner else service)
        is_quiet = path.stat().st_mtime <= (at - QUIET_FOR).timestamp()
        if layout is not None and is_quiet and SERVICE.fullmatch(service):
            _take(ledger, layout, path, service, at=at)
            found = True
    return found


def _take(ledger: Ledger, layout: Layout, path: Path, psp: str, *, at: datetime) -> None:
    take_in = partial(
        operations.take_in, layout=layout, content=path.read_bytes(), psp=psp,
        name=path.name[:200], by="folder", at=at,
    )  # fmt: skip
    try:
        report, is_new = ledger.run(take_in)
    except Unreadable as error:
        log.warning("%s of %s: %s", path.name, psp, error.detail)
        moved = _move(path, REFUSED)
        moved.with_suffix(".txt").write_text(f"{error.detail}\n", encoding="utf-8")
        return
    log.info("%s of %s: %s%s", path.name, psp, report.report_number, "" if is_new else " again")
    _move(path, TAKEN)


def _move(path: Path, name: str) -> Path:
    """Move a file into a folder beside it, under a name that is free."""
    folder = path.parent / name
    folder.mkdir(exist_ok=True)
    target, number = folder / path.name, 1
    while target.exists():
        number += 1
        target = folder / f"{path.stem} ({number}){path.suffix}"
    return path.rename(target)
