"""What makes files of documents."""

from typing import Protocol

from oms.billing.model import FileKind, Paper


class Renderer(Protocol):
    """Makes files of documents."""

    def render(self, paper: Paper, kind: FileKind) -> bytes:
        """Return a document as a file: the same document, the same bytes."""
        ...
