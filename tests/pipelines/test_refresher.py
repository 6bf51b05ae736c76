"""Guards: the process keeps the marts in step, says trouble once, and ends when it is told to."""

import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from oms.ledger.database import Ledger, LedgerAway
from oms.ledger.journal import JOURNALED
from pipelines import refresher
from pipelines.lib import loading
from pipelines.lib.journals import LedgerJournal
from pipelines.lib.refreshing import Refreshed
from pipelines.lib.warehouse import Warehouse
from tests.pipelines.conftest import published
from tests.pipelines.orders import add_order, open_shop
from tests.warehouse.conftest import a_warehouse
from tests.warehouse.fakes import NOW

ROOT = Path(__file__).parents[2]
PUBLICATION: Any = None


class Script:
    """A refresh that does one thing after another, and stops the loop after the last."""

    def __init__(self, stopping: threading.Event, *outcomes: Any) -> None:
        self.stopping = stopping
        self.outcomes = list(outcomes)

    def __call__(self) -> Refreshed | None:
        outcome = self.outcomes.pop(0)
        if not self.outcomes:
            self.stopping.set()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


class TestLoop:
    def test_says_trouble_once_and_when_it_is_over(self, caplog: pytest.LogCaptureFixture) -> None:
        stopping = threading.Event()
        script = Script(stopping, None, LedgerAway(), LedgerAway(), LedgerAway(), None, None)
        with caplog.at_level(logging.INFO, "pipelines.refresher"):
            refresher.keep_refreshing(script, stopping, pause_seconds=0)
        said = [record.getMessage() for record in caplog.records]
        assert said == [
            'trouble kind=LedgerAway detail="The database is away; try again later."',
            "well_again after=LedgerAway",
        ]

    def test_says_trouble_of_another_kind(self, caplog: pytest.LogCaptureFixture) -> None:
        stopping = threading.Event()
        script = Script(stopping, LedgerAway(), OSError("disk full"), OSError("disk full"), None)
        with caplog.at_level(logging.INFO, "pipelines.refresher"):
            refresher.keep_refreshing(script, stopping, pause_seconds=0)
        said = [record.getMessage() for record in caplog.records]
        assert said == [
            'trouble kind=LedgerAway detail="The database is away; try again later."',
            'trouble kind=OSError detail="disk full"',
            "well_again after=OSError",
        ]

    def test_does_not_survive_what_nobody_anticipated(self) -> None:
        stopping = threading.Event()
        with pytest.raises(ZeroDivisionError):
            refresher.keep_refreshing(
                Script(stopping, ZeroDivisionError(), None), stopping, pause_seconds=0
            )


class TestJournal:
    def test_carries_every_value_of_a_real_ledger_over(
        self, ledger: Ledger, tmp_path: Path
    ) -> None:
        open_shop(ledger, name='"Ü", \\N;\r\nNULL\t')
        add_order(ledger, "")
        add_order(ledger, " 007 ")
        warehouse = a_warehouse(tmp_path)
        with warehouse.open() as connection:
            journal = LedgerJournal(ledger=ledger)
            loading.load(journal, connection, warehouse.spool_dir, at=NOW)
            for journaled in JOURNALED:
                columns = ", ".join(journaled.column_names)
                raw = connection.execute(f"select {columns} from raw.{journaled.table}").fetchall()
                assert set(raw) == set(_rows(ledger, journaled))
            counted = connection.execute("select orders_count from raw.loads").fetchall()
        assert counted == [(2,)]

    def test_waits_for_a_transaction_that_is_still_open(
        self, ledger: Ledger, tmp_path: Path
    ) -> None:
        open_shop(ledger)
        warehouse = a_warehouse(tmp_path)
        with ledger.transaction() as tx:
            tx.execute(text("update channels set threshold = 7"))
            add_order(ledger, "committed while another transaction runs")
            assert _loaded_orders(ledger, warehouse) == (0, 0)
        assert _loaded_orders(ledger, warehouse) == (1, 1)


class TestProcess:
    def test_is_killed_started_again_and_ends_when_told_to(
        self, ledger: Ledger, tmp_path: Path
    ) -> None:
        open_shop(ledger)
        add_order(ledger, "first")
        warehouse = a_warehouse(tmp_path / "warehouse")
        with _running(ledger, tmp_path) as process:
            _wait_for(process, "published")
            process.kill()
        add_order(ledger, "second")
        with _running(ledger, tmp_path) as process:
            _wait_for(process, "published")
            add_order(ledger, "third")
            _wait_for(process, "published")
            process.send_signal(signal.SIGTERM)
            _wait_for(process, "stopped")
            assert process.wait(timeout=30) == 0
        published_to = Warehouse(
            path=warehouse.path, marts_path=warehouse.marts_path,
            published_dir=tmp_path / "published",
        )  # fmt: skip
        assert published(published_to, "select external_ref from fct_orders order by order_id") == [
            ("first",), ("second",), ("third",),
        ]  # fmt: skip
        assert published(
            published_to, "select ledger_orders_count, mart_orders_count from publication"
        ) == [(3, 3)]


def _rows(ledger: Ledger, journaled: Any) -> list[Any]:
    columns = ", ".join(
        f"{name}::text" if name == "problems" else name for name in journaled.column_names
    )
    url = ledger.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, options="-c timezone=UTC") as connection:
        return connection.execute(f"select {columns} from {journaled.table}").fetchall()  # type: ignore[call-overload,no-any-return]  # built from the journal's own names


def _loaded_orders(ledger: Ledger, warehouse: Warehouse) -> tuple[int, int]:
    with warehouse.open() as connection:
        journal = LedgerJournal(ledger=ledger)
        loading.load(journal, connection, warehouse.spool_dir, at=NOW)
        row = connection.execute(
            "select count(*), (select arg_max(orders_count, batch) from raw.loads) from raw.orders"
        ).fetchone()
    assert row is not None
    return row


class _running:  # noqa: N801 - reads as what it gives
    """The refresher as a process of its own; its log lines are read as they come."""

    def __init__(self, ledger: Ledger, home: Path) -> None:
        url = ledger.engine.url.render_as_string(hide_password=False)
        self._environment = {
            **os.environ, "OMS_HOME": str(home), "OMS_LEDGER_URL": url,
            "OMS_REFRESH_SECONDS": "0.05", "PYTHONPATH": str(ROOT),
        }  # fmt: skip
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> "subprocess.Popen[str]":
        self._process = subprocess.Popen(
            [sys.executable, "-m", "pipelines.refresher"], env=self._environment, cwd=ROOT,
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        return self._process

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        if self._process.stderr is not None:
            self._process.stderr.close()


def _wait_for(process: "subprocess.Popen[str]", event: str) -> None:
    lines: Iterator[str] = iter(process.stderr or ())
    seen = []
    for line in lines:
        seen.append(line)
        if f" pipelines.refresher {event}" in line:
            return
    raise AssertionError("".join(seen))
