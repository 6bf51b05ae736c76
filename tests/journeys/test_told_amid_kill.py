"""A worker killed amid telling: endpoints miss nothing, and nothing comes to them out of order."""

import json
from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import count
from typing import Final

import pytest

from benchmarks import orders
from benchmarks.push import CHANNEL, Receiver, change, kill, sellable, subscribe
from benchmarks.stage import Stage, receive, stage
from oms.adapters.endpoints import HttpSender
from oms.events import queries
from oms.events.model import Position
from oms.webhooks import operations as webhooks
from oms.webhooks.model import SubscriptionDraft
from tests.endpoints import Endpoint, Reply, Sent, listening
from tests.ledger.subscribers import webhooks as telling_by

ORDERS: Final = 150
CHANGES: Final = 1_000
PORT: Final = 20_300
TELLERS: Final = telling_by(HttpSender(is_local_allowed=True))


def follow_orders(made: Stage, url: str) -> None:
    draft = SubscriptionDraft(
        url=url, topics=("order.*",), channel_code=CHANNEL, channel_codes=(CHANNEL,)
    )
    with made.system.ledger.transaction() as tx:
        webhooks.subscribe(tx, draft, by="test", tellers=TELLERS, at=datetime.now(UTC))


def send_orders(made: Stage) -> None:
    """Hand over orders, and with them a later version of each."""
    path = made.folder / "orders.ndjson"
    orders.write_orders(path, made.folder / "orders.csv", orders=ORDERS, seed=7)
    receive(made, path, channel=CHANNEL, topic="orders")
    later = made.folder / "later.ndjson"
    with later.open("w") as file:
        for line in path.read_text().splitlines():
            order = json.loads(line) | {"version": 2, "customer_name": "Ada Pen"}
            file.write(json.dumps(order | {"updated_at": "2026-07-01T08:00:00Z"}) + "\n")
    receive(made, later, channel=CHANNEL, topic="orders")


def stories(endpoint: Endpoint) -> dict[str, list[int]]:
    """Return of each order the numbers of its events as they first came."""
    found: dict[str, list[int]] = {}
    for sent in [*endpoint.sent]:
        document = sent.document
        story = found.setdefault(document["order_number"], [])
        if document["sequence"] not in story:
            story.append(document["sequence"])
    return found


def kept(made: Stage) -> dict[str, list[int]]:
    """Return of each order the numbers of its events in the ledger."""
    found: dict[str, list[int]] = {}
    after, has_more = Position(), True
    with made.system.ledger.snapshot() as tx:
        while has_more:
            events, after, has_more = queries.page(tx, after, limit=200, channel_codes=None)
            for event in events:
                found.setdefault(event.order_number, []).append(event.seq)
    return found


class TestAWorkerKilledAmidTelling:
    def test_everything_arrives_and_nothing_older_after_newer(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("OMS_ALLOW_LOCAL_TARGETS", "true")
        receivers = {name: Receiver(name) for name in ("well", "slow")}
        calls = count(1)

        def take(_: Sent) -> Reply:
            """Be busy now and then."""
            return (429, {"Retry-After": "1"}) if next(calls) % 60 == 0 else (204, {})

        with stage(ports=PORT) as made, ExitStack() as open_ports:
            urls = {
                name: open_ports.enter_context(listening(receiver.take)).url
                for name, receiver in receivers.items()
            }
            told = open_ports.enter_context(listening(take))
            subscribe(made, urls)
            follow_orders(made, told.url)
            made.start("worker", "-m", "oms.worker")
            made.until(lambda: len(receivers["well"].got) == orders.SKUS)
            send_orders(made)
            made.until(lambda: len(told.sent) > ORDERS // 3)
            change(made, CHANGES, 1.0, ref="k", amid=lambda: kill(made))
            assert stories(told) != kept(made), "killed too late to prove anything"
            values = sellable(made)
            made.until(lambda: all(each.holds(values) for each in receivers.values()))
            made.until(lambda: stories(told).keys() == kept(made).keys())
            made.until(lambda: stories(told) == kept(made))
        assert {name: each.backwards for name, each in receivers.items()} == {"well": 0, "slow": 0}
        assert all(story == [1, 2] for story in stories(told).values())
