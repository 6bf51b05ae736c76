"""A home of its own with a ledger, and the command line on it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from oms.bootstrap import System
from oms.cli import app
from oms.ledger.database import Ledger
from oms.settings import Settings


@dataclass(frozen=True, slots=True)
class Home:
    """A home, the system on it, and its command line."""

    system: System

    @property
    def root(self) -> Path:
        return self.system.settings.root

    def oms(self, *arguments: str | Path) -> Result:
        """Run a command; an error that was not anticipated is the test's."""
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result


@pytest.fixture
def home(ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    root = tmp_path / "home"
    root.mkdir()
    monkeypatch.setenv("OMS_HOME", str(root))
    url = ledger.engine.url.render_as_string(hide_password=False)
    monkeypatch.setenv("OMS_LEDGER_URL", url)
    yield Home(System(settings=Settings(), ledger=ledger))
