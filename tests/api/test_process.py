"""The process: it starts from its settings, logs lines of JSON, and drops nothing when it stops."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from oms.ledger.database import Ledger
from tests.api.conftest import House
from tests.api.wire import an_order
from tests.conftest import ROOT

SECONDS_MAX = 120


@contextmanager
def running(
    ledger: Ledger, folder: Path, *options: str, **settings: str
) -> Iterator[tuple[int, "subprocess.Popen[bytes]"]]:
    """Run the API on a ledger until it is left; give its port and its process."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        number = int(free.getsockname()[1])
    url = ledger.engine.url.render_as_string(hide_password=False)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "api", *options], cwd=ROOT, stdout=log, stderr=log,
            start_new_session=True,
            env=os.environ | settings | {
                "OMS_HOME": str(folder), "OMS_LEDGER_URL": url, "OMS_API_PORT": str(number)
            },
        )  # fmt: skip
        try:
            _await_ready(number, process)
            yield number, process
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(SECONDS_MAX)
            # Its own processes outlive one that is killed.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture
def port(stocked: House, tmp_path: Path) -> Iterator[int]:
    """Run the API on the test's ledger; it must have ended by itself when the test is over."""
    with running(stocked.system.ledger, tmp_path) as (number, process):
        (tmp_path / "pid").write_text(str(process.pid))
        yield number
        process.wait(SECONDS_MAX)


def _await_ready(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + SECONDS_MAX
    while process.poll() is None and time.monotonic() < deadline:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/health/ready").is_success:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError("it did not become ready")


class TestStop:
    def test_answers_what_it_has_begun(self, stocked: House, port: int, tmp_path: Path) -> None:
        """An order waits for a lock; told to stop, the process still sees it through."""
        answers: list[httpx.Response] = []

        def post() -> None:
            answers.append(
                httpx.post(
                    f"http://127.0.0.1:{port}/v1/orders",
                    json=an_order(),
                    timeout=SECONDS_MAX,
                    headers=stocked.keys.header() | {"Idempotency-Key": "k"},
                )
            )

        with stocked.system.ledger.transaction() as tx:
            tx.execute(text("select * from stock_levels for update"))
            caller = threading.Thread(target=post)
            caller.start()
            _await_blocked(stocked)
            os.kill(int((tmp_path / "pid").read_text()), signal.SIGTERM)
        caller.join(SECONDS_MAX)
        assert [answer.status_code for answer in answers] == [201]
        lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
        (line,) = [each for each in lines if each.get("route") == "/v1/orders"]
        assert (line["method"], line["status"]) == ("POST", 201)
        assert line["request_id"] == answers[0].headers["x-request-id"]


def _await_blocked(house: House) -> None:
    deadline = time.monotonic() + SECONDS_MAX
    query = text("select exists (select from pg_locks where not granted)")
    while time.monotonic() < deadline:
        with house.system.ledger.snapshot() as tx:
            if tx.execute(query).scalar():
                return
    raise AssertionError("nobody waits")
