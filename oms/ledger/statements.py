"""Named SQL statements: files of them, each with a sentence saying what it does.

A file is a series of blocks that begin `-- name: the_name`, a comment with the purpose, then
one statement with :parameters.
"""

import re
from pathlib import Path
from typing import Any

from sqlalchemy import CursorResult, TextClause, text

from oms.ledger.database import Tx

_HEADER = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)


class Statements:
    """The statements of one file, by name."""

    def __init__(self, path: Path) -> None:
        """Read a file of named statements."""
        _, *parts = _HEADER.split(path.read_text(encoding="utf-8"))
        self._statements: dict[str, TextClause] = {
            name: text(body) for name, body in zip(parts[::2], parts[1::2], strict=True)
        }

    def run(self, tx: Tx, name: str, **parameters: Any) -> CursorResult[Any]:
        """Run a statement; raises KeyError for a name the file does not have."""
        return tx.execute(self._statements[name], parameters)
