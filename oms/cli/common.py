"""What the commands share: a running system, and words for a person."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import typer
from pydantic import ValidationError
from pydantic_settings import SettingsError

from oms import bootstrap
from oms.kernel.errors import OmsError
from oms.settings import Settings

TERMINAL_SECONDS: Final = 0.1
LOG_SECONDS: Final = 5.0


def settings() -> Settings:
    """Read the settings; what is wrong with one is said in a sentence."""
    try:
        return Settings()
    except ValidationError as error:
        faults = [_setting_fault(fault) for fault in error.errors(include_url=False)]
        raise fail("\n".join(faults)) from None
    except SettingsError as error:
        raise fail(f"A setting cannot be read: {error}") from None


def _setting_fault(fault: Any) -> str:
    name = str(fault["loc"][0])
    limits = {
        key: value
        for rule in Settings.model_fields[name].metadata
        for key in ("ge", "gt", "le")
        if (value := getattr(rule, key, None)) is not None
    }
    if Settings.model_fields[name].annotation is int:
        wanted = f"must be a whole number from {limits['ge']} to {limits['le']}"
    elif limits:
        wanted = f"must be a number above {limits['gt']:g} and at most {limits['le']:g}"
    else:
        wanted = str(fault["msg"])
    return f"OMS_{name.upper()}: {wanted}"


@contextmanager
def running_system(*, connections_max: int = 5) -> Iterator[bootstrap.System]:
    """Build the system for a command, and turn anticipated errors into a sentence."""
    try:
        system = bootstrap.build(settings(), connections_max=connections_max)
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
