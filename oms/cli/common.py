"""What the commands share: a running system, and words for a person."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from oms import bootstrap
from oms.kernel.errors import OmsError
from oms.settings import Settings


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
        self._shown = -1

    def step(self, by: int = 1) -> None:
        """Count, and show it when a percent or a hundred has passed."""
        self.done += by
        mark = self.done * 100 // self.total if self.total else self.done // 100
        if mark == self._shown or (not self.is_terminal and mark // 10 == self._shown // 10):
            return
        self._shown = mark
        of = f" of {self.total:,}" if self.total else ""
        end = "\r" if self.is_terminal else "\n"
        sys.stderr.write(f"  {self.what}: {self.done:,}{of}{end}")
        sys.stderr.flush()

    def end(self) -> None:
        """End the line."""
        if self.is_terminal and self._shown >= 0:
            sys.stderr.write("\n")
