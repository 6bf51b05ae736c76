"""The launcher: every process of the system as a child of one command."""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx

from oms.kernel.errors import Conflict
from oms.settings import Settings

STOP_SECONDS_MAX: Final = 15
READY_SECONDS_MAX: Final = 120
PROJECT: Final = Path(__file__).resolve().parent.parent


class AlreadyUp(Conflict):
    """The system is already up on this home."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One process: how it is started, and where it says that it is ready."""

    name: str
    command: tuple[str, ...]
    url: str | None = None
    ready: str | None = None


@dataclass(slots=True, kw_only=True)
class Running:
    """The processes that were started, in their order."""

    settings: Settings
    children: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, program: Program) -> None:
        """Start a program; what it prints goes to its log."""
        self.settings.logs_dir.mkdir(parents=True, exist_ok=True)
        with (self.settings.logs_dir / f"{program.name}.log").open("ab") as output:
            self.children[program.name] = subprocess.Popen(
                program.command, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                cwd=PROJECT, env=environment(self.settings), start_new_session=True,
            )  # fmt: skip

    def ended(self) -> list[str]:
        """Return the names of programs that are no longer running."""
        return [name for name, child in self.children.items() if child.poll() is not None]

    def stop(self) -> None:
        """Stop everything, the last started first; what does not obey is killed."""
        for child in reversed(self.children.values()):
            if child.poll() is None:
                child.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS_MAX
        for child in self.children.values():
            try:
                child.wait(timeout=max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGKILL)
        # A program's own children may outlive it: they share its session.
        for child in self.children.values():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(child.pid, signal.SIGKILL)


def programs(settings: Settings, *, workers: int) -> list[Program]:
    """Return the programs of the system."""
    python = sys.executable
    api = f"http://127.0.0.1:{settings.api_port}"
    dashboards = f"http://127.0.0.1:{settings.dashboards_port}"
    psp = f"http://127.0.0.1:{settings.sandbox_psp_port}"
    dagster = f"http://127.0.0.1:{settings.dagster_port}"
    return [
        Program(
            name="api", command=(python, "-m", "api", "--workers", str(workers)),
            url=f"{api}/docs", ready=f"{api}/health/ready",
        ),
        Program(
            name="sandbox psp", command=(python, "-m", "oms.sandbox"), ready=f"{psp}/health"
        ),
        Program(name="worker", command=(python, "-m", "oms.worker")),
        Program(name="refresher", command=(python, "-m", "pipelines.refresher")),
        Program(
            name="dashboards",
            command=(
                python, "-m", "streamlit", "run", str(PROJECT / "dashboards" / "app.py"),
                "--server.port", str(settings.dashboards_port),
                "--server.address", "127.0.0.1", "--server.headless", "true",
                "--browser.gatherUsageStats", "false",
            ),
            url=dashboards, ready=f"{dashboards}/_stcore/health",
        ),
        Program(
            name="dagster",
            command=(
                python, "-m", "dagster", "dev", "-m", "pipelines.definitions",
                "-h", "127.0.0.1", "-p", str(settings.dagster_port),
            ),
            url=dagster, ready=f"{dagster}/server_info",
        ),
    ]  # fmt: skip


def environment(settings: Settings) -> dict[str, str]:
    """Return the environment of a child: ours, with the home as an absolute path."""
    dagster_home = settings.root / "dagster"
    dagster_home.mkdir(parents=True, exist_ok=True)
    configuration = dagster_home / "dagster.yaml"
    if not configuration.exists():
        configuration.write_text("telemetry:\n  enabled: false\n")
    return {
        **os.environ,
        "OMS_HOME": str(settings.root),
        "OMS_API_PORT": str(settings.api_port),
        "OMS_SANDBOX_PSP_PORT": str(settings.sandbox_psp_port),
        "OMS_DASHBOARDS_PORT": str(settings.dashboards_port),
        "OMS_DAGSTER_PORT": str(settings.dagster_port),
        "DAGSTER_HOME": str(dagster_home),
        "DO_NOT_TRACK": "1",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "PYTHONPATH": str(PROJECT),
    }


@contextlib.contextmanager
def only_one(settings: Settings) -> Iterator[None]:
    """Hold the home for one launcher; raises AlreadyUp when another has it."""
    settings.root.mkdir(parents=True, exist_ok=True)
    with (settings.root / "up.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyUp(f"the system is already up on {settings.root}") from None
        yield


def wait_ready(running: Running, program: Program, *, tell: Callable[[str], None]) -> bool:
    """Wait until a program answers; tell and return False when it ends or takes too long."""
    deadline = time.monotonic() + READY_SECONDS_MAX
    while program.ready is not None and time.monotonic() < deadline:
        if program.name in running.ended():
            tell(f"{program.name} ended; its log is {running.settings.logs_dir / program.name}.log")
            return False
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(program.ready, timeout=2).is_success:
                return True
        time.sleep(0.2)
    return program.ready is None
