"""Refunds asked for over HTTP while the API and the workers are killed: each is paid once.

`make soak` asks for thousands.
"""

import os
import queue
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from oms.payments.model import TransactionType
from oms.refunds.model import Mode, Policy, RefundKind
from tests.api.conftest import House
from tests.builders import EFFORT, a_movement
from tests.conftest import ROOT
from tests.ledger.shop import Shop
from tests.ledger.test_payments_killed import ask, bought, left, settle
from tests.payers import Payer, paying
from tests.payment_workers import Workers
from tests.policies import set_policy

ORDERS: Final = 3 * EFFORT
REFUNDS: Final = 6  # an order
KILLS: Final = max(2, EFFORT)
CALLERS: Final = 3
READY_SECONDS_MAX: Final = 120.0
ANSWER_SECONDS_MAX: Final = 600.0
# What nobody may have to wait longer for once everything is up again.
STUCK_SECONDS_MAX: Final = 60.0
ACCEPTED: Final = 201
OVERLOADED: Final = frozenset({409, 429, 500, 502, 503, 504})  # of which a caller asks again


@pytest.fixture
def payer(tmp_path: Path) -> Iterator[Payer]:
    with paying(tmp_path) as payer:
        yield payer


@dataclass
class Api:
    """The API as a process of its own, on one port, however often it is killed."""

    url: str
    folder: Path
    port: int = field(init=False)
    process: "subprocess.Popen[bytes]" = field(init=False)

    def __post_init__(self) -> None:
        """Choose a port, and start."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])
        self.start()

    def start(self) -> None:
        """Start it, and wait until it serves."""
        settings = {
            "OMS_HOME": str(self.folder), "OMS_LEDGER_URL": self.url,
            "OMS_API_PORT": str(self.port),
        }  # fmt: skip
        with (self.folder / "api.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "api"], cwd=ROOT, stdout=log, stderr=log,
                start_new_session=True, env=os.environ | settings,
            )  # fmt: skip
        deadline = time.monotonic() + READY_SECONDS_MAX
        while not self.is_ready():
            assert self.process.poll() is None, (self.folder / "api.log").read_text()[-2000:]
            assert time.monotonic() < deadline, "it did not become ready"
            time.sleep(0.05)

    def is_ready(self) -> bool:
        """Tell whether it serves."""
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/health/ready").is_success
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        """Kill it as a power failure does."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@dataclass
class Callers:
    """Who asks for refunds: each of theirs by one key until they have an answer."""

    api: Api
    header: dict[str, str]
    asked: "queue.Queue[tuple[str, int]]"
    answers: dict[tuple[str, int], str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def call(self) -> None:
        """Ask for one after another until there is none left."""
        while not self.faults:
            try:
                number, refund_no = self.asked.get_nowait()
            except queue.Empty:
                return
            self.until_answered(number, refund_no)

    def until_answered(self, number: str, refund_no: int) -> None:
        """Ask for one refund, as often as nobody answers, by the same key."""
        body = {
            "kind": "goodwill", "reason": "late",
            "amount": {"amount": f"{10 + refund_no / 100:.2f}", "currency": "EUR"},
        }  # fmt: skip
        headers = self.header | {"Idempotency-Key": f"{number}-{refund_no}"}
        url = f"http://127.0.0.1:{self.api.port}/v1/orders/{number}/refunds"
        deadline, said = time.monotonic() + ANSWER_SECONDS_MAX, "nobody answered"
        while time.monotonic() < deadline:
            try:
                answer = httpx.post(url, json=body, headers=headers, timeout=10)
            except httpx.TransportError:
                time.sleep(0.02)
                continue
            if answer.status_code == ACCEPTED:
                self.answers[number, refund_no] = answer.json()["refund_number"]
                return
            said = f"{answer.status_code} {answer.text}"
            if answer.status_code not in OVERLOADED:
                break
            time.sleep(0.02)
        self.faults.append(f"{number} {refund_no}: {said}")


def disturbed(api: Api, payer: Payer, callers: Callers, dice: random.Random) -> None:
    """Let the callers ask while API and workers are killed in turn."""
    threads = [threading.Thread(target=callers.call) for _ in range(CALLERS)]
    with Workers(api.url, payer.port) as workers:
        for each in threads:
            each.start()
        for _ in range(KILLS):
            threads[0].join(dice.random() * 0.4 + 0.1)
            api.kill()
            workers.replace()
            api.start()
        for thread in threads:
            thread.join()


def settle_undisturbed(shop: Shop, url: str, payer: Payer) -> None:
    """Have everything up again, and what was lost asked for when it is due by itself."""
    payer.behaves(lost_answer_ratio=0.0, away_ratio=0.0, pending_ratio=0.0)
    wait_seconds = shop.value(
        "select coalesce(extract(epoch from max(next_try_at) - clock_timestamp()), 0)"
        " from payment_transactions where next_try_at is not null"
    )
    print(f"{left(shop)} are left, the last of them due in {max(0, wait_seconds):.1f} s")
    assert wait_seconds < STUCK_SECONDS_MAX, "something is stuck"
    began = time.monotonic()
    settle(shop, url, payer, random.Random(0), kills=0, hurried=False)
    assert time.monotonic() - began < STUCK_SECONDS_MAX, "something was stuck"
    assert left(shop) == 0


def test_each_is_paid_once_though_api_and_workers_are_killed(
    stocked: House, payer: Payer, tmp_path: Path
) -> None:
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    shop = stocked.shop
    url = shop.ledger.engine.url.render_as_string(hide_password=False)
    shop.take(a_movement(10 * ORDERS, ref="soak"))
    orders = [bought(shop, 1000 + number) for number in range(ORDERS)]
    policy = Policy(mode=Mode.AUTO, limit_minor=10_000)
    shop.ledger.run(lambda tx: set_policy(tx, None, RefundKind.GOODWILL, policy))
    settle(shop, url, payer, random.Random(seed), kills=0)
    for order_id in orders:
        ask(shop, order_id, TransactionType.CAPTURE, 10_000, "all")
    settle(shop, url, payer, random.Random(seed), kills=0)

    payer.behaves(lost_answer_ratio=0.3, away_ratio=0.1, pending_ratio=0.0)
    asked: queue.Queue[tuple[str, int]] = queue.Queue()
    for order_id in orders:
        for refund_no in range(REFUNDS):
            asked.put((f"R{order_id}", refund_no))
    api = Api(url, tmp_path)
    callers = Callers(api, stocked.keys.header("agent"), asked)
    try:
        disturbed(api, payer, callers, random.Random(seed))
    finally:
        api.kill()
    assert callers.faults == []
    settle_undisturbed(shop, url, payer)

    ours = Counter[Any](shop.rows(
        "select transaction_number, amount_minor::int from payment_transactions"
        " where type = 'refund' and state = 'succeeded'"
    ))  # fmt: skip
    theirs = Counter[Any](
        (each.reference, each.amount_minor) for each in payer.record() if each.type == "refund"
    )
    assert theirs == ours
    assert len(callers.answers) == len(set(callers.answers.values())) == ORDERS * REFUNDS
    assert set(ours.values()) == {1}
    assert len(ours) == ORDERS * REFUNDS
    assert shop.value("select count(*) from refunds where state = 'succeeded'") == len(ours)
    assert sum(amount for _, amount in ours) == sum(
        1000 + refund_no for _, refund_no in callers.answers
    )
