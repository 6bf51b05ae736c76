"""The dashboards in a real browser, over a small publication."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from scripts import browser as finder
from tests import console
from tests.conftest import Clone
from tests.dashboards import published

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

ROOT = Path(__file__).resolve().parents[2]
# A wait ends with its condition. This is only when to give up, on a machine with much else to do.
WAIT_SECONDS_MAX = 240
STARTS_MAX = 3


@pytest.fixture(scope="module")
def dashboards(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the dashboards of a home with a publication; give their address."""
    home = tmp_path_factory.mktemp("home")
    published.publish(home / "published")
    for _ in range(STARTS_MAX):
        with _served(home) as address:
            if address is None:
                continue  # another program took the port before they could
            yield address
            return
    raise AssertionError((home / "streamlit.log").read_text())


@pytest.fixture(scope="module")
def counter(
    clone: Clone, blank: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[console.Counter]:
    """Serve the API of a shop with some orders."""
    home = tmp_path_factory.mktemp("shop")
    with clone(blank) as ledger, console.serving(ledger, home, orders_count=60) as served:
        yield served


@pytest.fixture(scope="module")
def consoles(counter: console.Counter, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the console of the shop, which offers its admin key; give its address."""
    home = tmp_path_factory.mktemp("home")
    (home / "admin.key").write_text(counter.keys["admin"])
    more = {"OMS_API_PORT": str(counter.port), "OMS_OFFER_ADMIN_KEY": "true"}
    for _ in range(STARTS_MAX):
        with _served(home, **more) as address:
            if address is None:
                continue  # another program took the port before they could
            yield address
            return
    raise AssertionError((home / "streamlit.log").read_text())


@pytest.fixture(scope="module")
def chromium() -> Iterator["Browser"]:
    """Run one headless Chromium; `make test` sees to it that there is one."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=WAIT_SECONDS_MAX * 1000)
    path = finder.find()
    assert path is not None, "no Chromium: `make test` installs one"
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-background-networking", "--disable-gpu"]
        running = playwright.chromium.launch(
            executable_path=path, args=arguments, timeout=WAIT_SECONDS_MAX * 1000
        )
        yield running
        running.close()


@pytest.fixture
def windows(chromium: "Browser") -> Iterator[Callable[[], "Page"]]:
    """Open windows of people who share nothing, none of which shall meet an error."""
    opened: list[BrowserContext] = []
    errors: list[str] = []

    def one() -> "Page":
        window = chromium.new_context(viewport={"width": 1400, "height": 1000})
        window.set_default_timeout(WAIT_SECONDS_MAX * 1000)
        window.on("weberror", lambda found: errors.append(str(found.error)))
        opened.append(window)
        return window.new_page()

    yield one
    for each in opened:
        each.close()
    assert not errors


@pytest.fixture
def page(windows: Callable[[], "Page"]) -> "Page":
    """Open one window."""
    return windows()


@contextmanager
def _served(home: Path, **more: str) -> Iterator[str | None]:
    """Run the dashboards until the end of the block; give their address, or None if they ended."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "dashboards" / "app.py"),
               "--server.port", str(port), "--server.address", "127.0.0.1"]  # fmt: skip
    environment = {**os.environ, "OMS_HOME": str(home), "PYTHONPATH": str(ROOT), **more}
    address = f"http://127.0.0.1:{port}"
    with (home / "streamlit.log").open("ab") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            yield address if _answers(f"{address}/_stcore/health", process) else None
        finally:
            process.terminate()
            process.wait(WAIT_SECONDS_MAX)


def _answers(url: str, process: subprocess.Popen[bytes]) -> bool:
    """Wait until the process answers: True; or until it has ended: False."""
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while process.poll() is None:
        if time.monotonic() > deadline:
            raise TimeoutError(url)
        with suppress(OSError), urllib.request.urlopen(url, timeout=WAIT_SECONDS_MAX):
            return process.poll() is None
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.1)
    return False
