"""What the commands share: a running system, and words for a person."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import typer

from oms import bootstrap
from oms.kernel.errors import OmsError
from oms.settings import Settings

TERMINAL_SECONDS: Final = 0.1
LOG_SECONDS: Final = 5.0


@contextmanager
def running_system(*, connections_max: int = 5) -> Iterator[bootstrap.System]:
    """Build the system for a command, and turn anticipated errors into a sentence."""
    try:
        system = bootstrap.build(Settings(), connections_max=connections_max)
    except OmsError as error:
        raise fail(error.detail) from None
    try:
        yield system
    except OmsError as error:
        raise fail(error.detail) from None
    finally:
        system.close()


def fail(sentence: str) -> typer.Exit:
    """Say why it cannot be done, and end with 1."""
    typer.secho(sentence, fg=typer.colors.RED, err=True)
    return typer.Exit(code=1)


class Progress:
    """A line that counts up on a terminal, and a line now and then in a log."""

    def __init__(self, what: str, total: int | None = None) -> None:
        """Begin to count."""
        self.what, self.total, self.done = what, total, 0
        self.is_terminal = sys.stderr.isatty()
        self._next_at = 0.0

    def step(self, by: int = 1) -> None:
        """Count, and show it when a while has passed."""
        self.done += by
        now = time.monotonic()
        if now >= self._next_at:
            self._next_at = now + (TERMINAL_SECONDS if self.is_terminal else LOG_SECONDS)
            self._show("\r" if self.is_terminal else "\n")

    def end(self) -> None:
        """Show where it ended."""
        if self.done:
            self._show("\n")

    def _show(self, end: str) -> None:
        of = f" of {self.total:,}" if self.total else ""
        sys.stderr.write(f"  {self.what}: {self.done:,}{of}{end}")
        sys.stderr.flush()
