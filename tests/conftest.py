"""What every test stands on: closed sockets, a fixed clock, one PostgreSQL, time per tier.

Warnings are errors and the order is random with a printed seed (pyproject.toml,
pytest-randomly). Each folder of tests/ is a tier and a marker: `pytest -m ledger`.
"""

import itertools
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import HealthCheck, settings

ROOT: Final = Path(__file__).resolve().parent.parent
TIERS: Final = tuple(
    sorted(
        each.name for each in (ROOT / "tests").iterdir() if each.is_dir() and each.name[0] != "_"
    )
)
sys.path.insert(0, str(ROOT))

from tests.builders import EFFORT, NOW  # noqa: E402 - found through the line above

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from oms.ledger.database import Ledger
    from oms.ledger.embedded import Server

SERVER_BYTES_MAX: Final = 2 << 30
Clone = Callable[[str], AbstractContextManager["Ledger"]]

settings.register_profile(
    "fast", deadline=None, max_examples=100 * EFFORT, print_blob=True, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
settings.load_profile("fast")

_seconds: Counter[str] = Counter()
_tests: Counter[str] = Counter()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Close the network but for this machine, and name the tiers."""
    config.option.allow_hosts = "127.0.0.1,::1"
    config.option.allow_unix_socket = True
    # Files of the same name in two tiers are two modules.
    config.option.importmode = "importlib"
    for tier in TIERS:
        config.addinivalue_line("markers", f"{tier}: the tests under tests/{tier}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test with its tier."""
    for item in items:
        item.add_marker(tier_of(item.nodeid))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Add up what each tier takes, fixtures included."""
    tier = tier_of(report.nodeid)
    _seconds[tier] += report.duration
    _tests[tier] += report.when == "call"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the time of each tier."""
    if not _tests:
        return
    terminalreporter.section("tiers")
    for tier in sorted(_tests):
        terminalreporter.write_line(f"{tier:<12}{_tests[tier]:>6} tests {_seconds[tier]:>8.1f} s")
    terminalreporter.write_line(
        f"{'all':<12}{_tests.total():>6} tests {sum(_seconds.values()):>8.1f} s"
    )


def tier_of(nodeid: str) -> str:
    """Return the tier of a test: its folder under tests/."""
    return nodeid.partition("tests/")[2].partition("/")[0]


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self, at: datetime) -> None:
        """Start at a moment."""
        self.at = at

    def __call__(self) -> datetime:
        """Return what the clock shows."""
        return self.at

    def forward(self, **amount: float) -> datetime:
        """Move the clock by a timedelta given in its words; return what it shows."""
        self.at += timedelta(**amount)
        return self.at


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Stop the one clock of the system at the tests' now."""
    stopped = Clock(NOW)
    monkeypatch.setattr("oms.kernel.clock.now", stopped)
    return stopped


@pytest.fixture
def short_dir() -> Iterator[Path]:
    """Give a folder with a short path that a server of another account may pass through."""
    with tempfile.TemporaryDirectory(prefix="oms-") as made:
        Path(made).chmod(0o755)
        yield Path(made)


def in_memory() -> Path | None:
    """Return where files never touch a disk, if there is room: ledgers take half as long there."""
    shared = Path("/dev/shm")
    if shared.is_dir() and shutil.disk_usage(shared).free > SERVER_BYTES_MAX:
        return shared
    return None


@pytest.fixture(scope="session")
def server() -> Iterator["Server"]:
    """Run one embedded PostgreSQL for all tests, in a folder of its own."""
    from oms.ledger import embedded

    home = Path(tempfile.mkdtemp(prefix="oms-", dir=in_memory()))
    home.chmod(0o755)
    running = embedded.start(home / "pg")
    try:
        yield running
    finally:
        embedded.stop(home / "pg")
        shutil.rmtree(running.data, ignore_errors=True)
        shutil.rmtree(running.socket_dir, ignore_errors=True)
        shutil.rmtree(home)


@pytest.fixture(scope="session")
def admin(server: "Server") -> Iterator["Engine"]:
    """Connect to the server itself, for making databases; nothing of them need survive a crash."""
    from sqlalchemy import create_engine, text

    engine = create_engine(server.url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for line in (
            "fsync = off",
            "synchronous_commit = off",
            "full_page_writes = off",
            "deadlock_timeout = '50ms'",
            "jit = off",  # compiling statements for a handful of rows
            "autovacuum = off",  # its transactions hold back the journal's horizon
        ):
            connection.execute(text(f"alter system set {line}"))
        connection.execute(text("select pg_reload_conf()"))
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def clone(server: "Server", admin: "Engine") -> Clone:
    """Give what makes a ledger of a copy of another database, and drops it afterwards."""
    from sqlalchemy import text

    from oms.ledger.database import Ledger

    numbers = itertools.count(1)
    old: list[str] = []

    @contextmanager
    def cloned(template: str) -> Iterator[Ledger]:
        name = f"t{next(numbers)}"
        with admin.connect() as connection:
            # Dropped one test late: until its last connection is gone a drop waits 0.1 s.
            while old:
                connection.execute(text(f"drop database {old.pop()} with (force)"))
            connection.execute(
                text(f"create database {name} template {template} strategy file_copy")
            )
        ledger = Ledger(server.url.replace("@/oms?", f"@/{name}?"))
        try:
            yield ledger
        finally:
            ledger.close()
            old.append(name)

    return cloned


@pytest.fixture(scope="session")
def blank(server: "Server", admin: "Engine") -> str:
    """Make the database ledgers are cloned from: migrated, empty."""
    from oms.ledger.database import Ledger
    from oms.ledger.migrate import migrate

    # The admin's own connections would keep the server's first database from being copied.
    made = Ledger(server.url.replace("@/oms?", "@/blank?"))
    with admin.connect() as connection:
        connection.exec_driver_sql("create database blank")
    migrate(made)
    made.close()
    return "blank"


@pytest.fixture
def ledger(clone: Clone, blank: str) -> Iterator["Ledger"]:
    """Give a test a migrated, empty ledger of its own."""
    with clone(blank) as made:
        yield made
