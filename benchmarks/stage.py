"""A system of its own for a measurement: a fresh home, its processes, and what they use."""

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import psutil

from benchmarks import orders
from oms import bootstrap
from oms.channels import operations as channels
from oms.channels.model import ChannelDraft
from oms.kernel.errors import OmsError
from oms.ledger import embedded
from oms.locations import operations as locations
from oms.locations.model import Location
from oms.reports.published import Publications
from oms.settings import Settings
from oms.workflows import ingest

POLL_SECONDS = 0.05
WAIT_SECONDS_MAX = 600
PROJECT = Path(__file__).resolve().parent.parent
MAPPING = """\
mapping: bench
version: 1
about: One row per line.
documents: orders
file: {format: csv, delimiter: ";"}
order:
  external_ref: order
  placed_at: placed
  currency: {constant: EUR}
  customer_name: customer
  customer_email: email
  fulfillment_method: {constant: ship_home}
lines:
  line_ref: line
  sku: sku
  quantity: quantity
  total: total
  tax: tax
"""


@dataclass
class Stage:
    system: bootstrap.System
    settings: Settings
    folder: Path
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, *command: str) -> None:
        environment = {**os.environ, "PYTHONPATH": str(PROJECT),
                       "OMS_HOME": str(self.settings.root),
                       "OMS_API_PORT": str(self.settings.api_port)}  # fmt: skip
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, *command], stdout=log, stderr=log, cwd=PROJECT, env=environment
            )

    def stop(self) -> None:
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            process.wait(60)

    def published_orders(self) -> int:
        try:
            return Publications(self.settings.published_dir).current().stamp.mart_orders_count
        except OmsError:
            return -1

    def until(self, is_so: Callable[[], bool]) -> float:
        """Wait until something is so; return the seconds it took."""
        begun = time.perf_counter()
        while not is_so():
            if time.perf_counter() - begun > WAIT_SECONDS_MAX:
                raise TimeoutError("it took too long; see the logs")
            for name, process in self.processes.items():
                if process.poll() is not None:
                    raise RuntimeError(
                        f"{name} ended: {(self.folder / f'{name}.log').read_text()[-2000:]}"
                    )
            time.sleep(POLL_SECONDS)
        return time.perf_counter() - begun


class Memory:
    """The most memory each process held while it was watched, in MiB."""

    def __init__(self, stage: Stage) -> None:
        self.peaks: dict[str, float] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, args=(stage,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self, stage: Stage) -> None:
        while not self._stop.wait(0.2):
            for name, process in stage.processes.items():
                self._note(name, [process.pid])
            server = embedded.server_at(stage.settings.pgdata_path).pid
            if server is not None:
                self._note("postgres", [server], private=True)

    def _note(self, name: str, pids: list[int], *, private: bool = False) -> None:
        total = 0
        for pid in pids:
            try:
                family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
                for process in family:
                    memory = process.memory_info()
                    # Backends share one buffer pool: counted once, not per backend.
                    total += memory.rss - (memory.shared if private else 0)
            except psutil.Error:
                continue
        self.peaks[name] = max(self.peaks.get(name, 0), total / 2**20)


@contextmanager
def stage(*, ports: int = 18000, kept: Path | None = None) -> Iterator[Stage]:
    """Set a system up in a folder that is kept, or in one that is removed afterwards."""
    folder = kept or Path(tempfile.mkdtemp(prefix="oms-bench-"))
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    settings = Settings(home=folder / "home", api_port=ports)
    system = bootstrap.build(settings)
    made = Stage(system=system, settings=settings, folder=folder)
    try:
        _register(made)
        yield made
    finally:
        made.stop()
        system.close()
        embedded.stop(settings.pgdata_path)
        if kept is None:
            shutil.rmtree(folder, ignore_errors=True)


def _register(made: Stage) -> None:
    at = datetime(2025, 12, 31, tzinfo=UTC)
    mapping = made.folder / "bench.yaml"
    mapping.write_text(MAPPING)
    with made.system.ledger.transaction() as tx:
        place = Location(
            code="BENCH-DC", name="DC", kind="dc", country_code="NL", time_zone="Europe/Amsterdam"
        )
        locations.register(tx, [place], at=at)
        for code, adapter, options in (
            ("bench-json", "canonical", {}), ("bench-paid", "canonical", {}),
            ("bench-csv", "tabular", {"mapping": str(mapping)}),
        ):  # fmt: skip
            draft = ChannelDraft(
                code=code, name=code, kind="webshop", currency="EUR", prices_include_tax=True,
                time_zone="Europe/Amsterdam", adapter=adapter, adapter_options=options,
                network=("BENCH-DC",),
            )  # fmt: skip
            channels.register(tx, draft, at=at)
    catalog, receipts = made.folder / "products.ndjson", made.folder / "movements.ndjson"
    orders.write_catalog(catalog)
    orders.write_receipts(receipts, at)
    for path, topic in ((catalog, "products"), (receipts, "movements")):
        received = receive(made, path, channel="bench-json", topic=topic)
        ingest.process(made.system.intake, received)


def receive(made: Stage, path: Path, *, channel: str, topic: str) -> int:
    return ingest.receive_file(
        made.system.intake, path, channel_code=channel, topic=topic,
        content_type="application/octet-stream", at=datetime.now(UTC),
    ).inbox_id  # fmt: skip
