"""Stock that changes, pushed to five endpoints of which four are sick, and a worker killed amid it.

10,000 changes over 1,000 SKUs in 10 seconds. One endpoint is well; of the others one is down, one
is slow, one answers 429, one refuses a SKU. How old is a change when the one that is well has it,
or a later one of its SKU? Then the sick ones recover, and the worker is killed amid more changes:
in the end everybody holds the latest value of every SKU, and nobody got an older version after a
newer one.
"""

import contextlib
import os
import signal
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlsplit

from benchmarks import orders
from benchmarks.stage import Stage, stage
from oms.adapters.endpoints import HttpSender
from oms.ledger.database import Tx
from oms.stock import operations as stock
from oms.stock.availability import available_to_sell
from oms.webhooks import operations as webhooks
from oms.webhooks.model import SubscriptionDraft
from tests.builders import a_movement, drafts
from tests.endpoints import Reply, Sent, listening, nobody
from tests.ledger.subscribers import webhooks as telling_by

CHANNEL = "bench-json"
TELLERS = telling_by(HttpSender(is_local_allowed=True))
SKUS = 1_000
CHANGES = 10_000
SECONDS = 10.0
BATCH = 100
SLOW_SECONDS = 1.0
REFUSED = orders.sku(7)
SETTLING_SECONDS_MAX = 90.0
# The whole catalog was just worked out, after which the worker rests longer than between changes.
WARM_SECONDS = 5.0


@dataclass
class Receiver:
    """What an endpoint got: of each SKU the versions and values, and when."""

    name: str
    got: dict[str, list[tuple[float, int, int]]] = field(default_factory=lambda: defaultdict(list))
    calls: int = 0
    is_sick: bool = True
    backwards: int = 0

    def take(self, sent: Sent) -> Reply:
        self.calls += 1
        status, headers = self._answer(sent)
        if status == 204:
            now = time.perf_counter()
            for item in sent.document["data"]["items"]:
                known = self.got[item["sku"]]
                if known and item["version"] < known[-1][1]:
                    self.backwards += 1
                known.append((now, item["version"], item["available_to_sell"]))
        return status, headers

    def _answer(self, sent: Sent) -> Reply:
        if not self.is_sick:
            return 204, {}
        if self.name == "slow":
            time.sleep(SLOW_SECONDS)
        if self.name == "429":
            return 429, {"Retry-After": "1"}
        if self.name == "refusing" and REFUSED.encode() in sent.body:
            return 422, {}
        return 204, {}

    def holds(self, expected: dict[str, int]) -> bool:
        """Tell whether it has the latest value of every SKU."""
        return all(
            sku in self.got and self.got[sku][-1][2] == value for sku, value in expected.items()
        )


Changes = list[tuple[float, str, int]]
"""When a change was committed, of which SKU, and what may be sold of it then."""


def measure() -> None:
    os.environ["OMS_ALLOW_LOCAL_TARGETS"] = "true"
    receivers = {name: Receiver(name) for name in ("well", "down", "slow", "429", "refusing")}
    receivers["well"].is_sick = False
    print(f"push: {CHANGES:,} changes over {SKUS:,} SKUs in {SECONDS:.0f} s to five endpoints")
    with stage() as made, ExitStack() as open_ports:
        urls = {"down": nobody()}
        for name, receiver in receivers.items():
            if name != "down":
                urls[name] = open_ports.enter_context(listening(receiver.take)).url
        subscribe(made, urls)
        made.start("worker", "-m", "oms.worker")
        made.until(lambda: len(receivers["well"].got) == orders.SKUS)
        time.sleep(WARM_SECONDS)
        changes = change(made, CHANGES, SECONDS, ref="a")
        _report_staleness(receivers["well"], changes)
        _recover(receivers, urls["down"], open_ports)
        _report(made, receivers, "after recovery")
        change(made, 2_000, 2.0, ref="b", amid=lambda: kill(made))
        _report(made, receivers, "after kill -9")
    print("  older after newer: " + ", ".join(
        f"{name} {each.backwards}" for name, each in receivers.items()))  # fmt: skip


def subscribe(made: Stage, urls: dict[str, str]) -> None:
    with made.system.ledger.transaction() as tx:
        for name, url in urls.items():
            draft = SubscriptionDraft(
                url=url, topics=("stock.available",), channel_code=None, channel_codes=(CHANNEL,),
                description=name, batch_seconds=0.2,
            )  # fmt: skip
            webhooks.subscribe(tx, draft, by="bench", tellers=TELLERS, at=datetime.now(UTC))


def change(
    made: Stage, count: int, seconds: float, *, ref: str, amid: Callable[[], None] | None = None
) -> Changes:
    """Receive one unit after another at an even pace; half-way do something else."""
    base = sellable(made)
    begun, changes = time.perf_counter(), []
    for first in range(0, count, BATCH):
        numbers = range(first, min(first + BATCH, count))
        skus = [orders.sku(number % SKUS) for number in numbers]
        documents = [
            a_movement(1, sku=sku, location="BENCH-DC", ref=f"{ref}-{number}", at=datetime.now(UTC))
            for number, sku in zip(numbers, skus, strict=True)
        ]

        def work(tx: Tx, tables: dict[str, bytes] = drafts(*documents)) -> None:  # noqa: B008 - this batch
            stock.record(tx, tables, at=datetime.now(UTC))

        made.system.ledger.run(work)
        now = time.perf_counter()
        for sku in skus:
            base[sku] += 1
            changes.append((now, sku, base[sku]))
        if amid is not None and first >= count // 2:
            amid()
            amid = None
        time.sleep(max(0.0, begun + seconds * (first + BATCH) / count - time.perf_counter()))
    took = time.perf_counter() - begun
    print(f"  {count:,} changes written in {took:.1f} s")
    return changes


def sellable(made: Stage) -> dict[str, int]:
    skus = [orders.sku(number) for number in range(SKUS)]
    with made.system.ledger.snapshot() as tx:
        found = available_to_sell(tx, skus, channel_codes=[CHANNEL], at=datetime.now(UTC))
    return {each.sku: each.available_to_sell for each in found}


def _report_staleness(well: Receiver, changes: Changes) -> None:
    expected = {sku: value for _, sku, value in changes}
    with _bounded():
        while not well.holds(expected):
            time.sleep(0.02)
    ages = sorted(_ages(well, changes))
    last = changes[-1][0]
    held = max(next(at for at, _, value in well.got[sku] if value == expected[sku])
               for sku in expected)  # fmt: skip
    middle, high = ages[len(ages) // 2], ages[int(len(ages) * 0.99)]
    print(f"  a change's age when the endpoint that is well has it: p50 {middle:.2f} s,"
          f" p99 {high:.2f} s, worst {ages[-1]:.2f} s")  # fmt: skip
    print(f"  it holds the latest value of every SKU {held - last:.2f} s after the last change,"
          f" told in {well.calls} calls")  # fmt: skip


def _ages(well: Receiver, changes: Changes) -> Iterator[float]:
    """Yield how old each change was when it, or a later one of its SKU, arrived."""
    for committed, sku, value in changes:
        yield next(at for at, _, got in well.got[sku] if got >= value) - committed


def _recover(receivers: dict[str, Receiver], url: str, open_ports: ExitStack) -> None:
    for receiver in receivers.values():
        receiver.is_sick = False
    port = urlsplit(url).port or 0
    open_ports.enter_context(listening(receivers["down"].take, port=port))


def _report(made: Stage, receivers: dict[str, Receiver], when: str) -> None:
    expected, begun = sellable(made), time.perf_counter()
    waiting = dict(receivers)
    with _bounded():
        while waiting:
            for name in [name for name, each in waiting.items() if each.holds(expected)]:
                calls, seconds = waiting.pop(name).calls, time.perf_counter() - begun
                print(f"  {when}: {name} has all within {seconds:.1f} s, {calls} calls so far")
            time.sleep(0.02)


@contextlib.contextmanager
def _bounded() -> Iterator[None]:
    """End with an error where something never comes."""

    def late(*_: object) -> None:
        raise TimeoutError("an endpoint does not hold what it should")

    signal.signal(signal.SIGALRM, late)
    signal.alarm(int(SETTLING_SECONDS_MAX))
    yield
    signal.alarm(0)


def kill(made: Stage) -> None:
    made.processes["worker"].kill()
    made.processes["worker"].wait()
    made.start("worker", "-m", "oms.worker")
