"""Guards: a home is told one story, from wherever it was broken off, and nothing twice live."""

import hashlib
import itertools
import stat
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import typer
from sqlalchemy import text

from oms.access import operations as access
from oms.access import queries as access_queries
from oms.cli import receiving, simulation
from oms.cli.story import Story
from oms.simulator.history import history
from oms.simulator.model import Payload
from oms.simulator.settling import TRANSPORT
from oms.webhooks import operations, queries
from oms.webhooks.model import STOCK_TOPIC
from tests.cli.conftest import Home
from tests.conftest import Clock

STORY = {"days": 1, "per_day": 12, "seed": 5, "process": False}
START = datetime(2026, 1, 1, tzinfo=UTC)


class StopsAfter(threading.Event):
    """Says stop when it was asked so often; nobody waits for a worker that is not there."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.counting = itertools.count()
        self.count = count

    def is_set(self) -> bool:
        return next(self.counting) >= self.count

    def wait(self, timeout: float | None = None) -> bool:
        return True


class Told:
    """Notes what is delivered and recalled; breaks off where it shall."""

    def __init__(self, breaks_at: int | None = None) -> None:
        self.delivered: list[bytes] = []
        self.recalled: list[bytes] = []
        self.breaks_at = breaks_at

    def deliver(self, payload: Payload) -> None:
        if len(self.delivered) == self.breaks_at:
            raise KeyboardInterrupt
        self.delivered.append(payload.body)

    def recall(self, payload: Payload) -> None:
        self.recalled.append(payload.body)


def received(home: Home) -> set[str]:
    with home.system.ledger.snapshot() as tx:
        rows = tx.execute(text("select encode(sha256, 'hex') from inbox where topic <> 'products'"))
        return set(rows.scalars())


class TestHistory:
    def test_goes_on_with_the_same_story_on_another_day(self, home: Home, clock: Clock) -> None:
        until = clock().date() - timedelta(days=1)
        simulation.play_history(home.system, StopsAfter(3), **STORY)
        story = Story.read(home.system.settings)
        assert story is not None
        assert (story.until, story.is_complete) == (until.isoformat(), False)
        clock.forward(days=2)
        simulation.first_history(home.system, StopsAfter(10**6), days=90, per_day=400)
        assert Story.read(home.system.settings) == replace(story, is_complete=True)
        assert received(home) == {
            hashlib.sha256(payload.body).hexdigest()
            for payload in history(5, 1, 12, until, is_routed=True)
            if payload.topic != "products" and payload.transport != TRANSPORT
        }

    @pytest.mark.parametrize("other", [{"seed": 6}, {"days": 2}, {"per_day": 13}])
    def test_refuses_another_story_and_names_the_one_it_was_told(
        self, home: Home, other: dict[str, int], capsys: pytest.CaptureFixture[str]
    ) -> None:
        known = Story(seed=5, days=1, orders_per_day=12, until="2026-01-01")
        known.write(home.system.settings)
        with pytest.raises(typer.Exit):
            simulation.play_history(home.system, StopsAfter(0), **{**STORY, **other})
        said = capsys.readouterr().err
        assert "--seed 5 --days 1 --orders-per-day 12, until 2026-01-01" in said
        assert received(home) == set()


class TestLive:
    def test_goes_on_where_it_was_broken_off(
        self, home: Home, clock: Clock, capsys: pytest.CaptureFixture[str]
    ) -> None:
        settings = home.system.settings
        payloads = [a_payload(minutes) for minutes in range(6)]
        story = Story(seed=5, days=1, orders_per_day=12, until="2026-01-01")
        first, second = Told(breaks_at=4), Told()
        clock.at = START + timedelta(hours=1)
        with pytest.raises(KeyboardInterrupt):
            simulation.tell_live(settings, story, payloads, first, start=START, speed=1e9)
        kept = Story.read(settings)
        assert kept is not None
        simulation.tell_live(settings, kept, payloads, second, start=START, speed=1e9)
        assert first.delivered == [b"0", b"1", b"2", b"3"]
        assert second.recalled == [b"0", b"1", b"2"]
        assert second.delivered == [b"3", b"4", b"5"]
        assert "Catching up from 2026-01-01 00:03" in capsys.readouterr().out

    def test_pushes_with_one_key_as_long_as_it_holds(self, home: Home, clock: Clock) -> None:
        made = simulation.channels_key(home.system)
        assert simulation.channels_key(home.system) == made
        assert stat.S_IMODE((home.root / "simulator.key").stat().st_mode) == 0o600
        with home.system.ledger.transaction() as tx:
            access.revoke_key(tx, made.split("_")[1], at=clock())
        another = simulation.channels_key(home.system)
        assert another != made
        with home.system.ledger.snapshot() as tx:
            assert access_queries.caller(tx, another, at=clock()).role == "channel"


class TestReceivers:
    def test_are_subscribed_once_and_stay_as_somebody_left_them(
        self, home: Home, clock: Clock
    ) -> None:
        simulation._register(home.system, shop_url="", is_routed=False)
        folders = receiving.subscribed(home.system, at=clock())
        with home.system.ledger.transaction() as tx:
            orders, stock = queries.subscriptions(tx)
            operations.change_state(tx, stock.subscription_id, "paused", reason="x", at=clock())
        assert (orders.topics, stock.topics) == (("order.*",), (STOCK_TOPIC,))
        assert (orders.channel_code, stock.channel_code) == (None, "marketplace")
        outbox = home.system.settings.outbox_dir
        assert folders == [outbox / str(orders.folder), outbox / str(stock.folder)]
        assert receiving.subscribed(home.system, at=clock()) == folders
        with home.system.ledger.snapshot() as tx:
            assert [each.state for each in queries.subscriptions(tx)] == ["enabled", "paused"]

    def test_take_everything_but_the_newest_and_what_is_being_written(self, tmp_path: Path) -> None:
        receiving.take(tmp_path / "none")
        names = [f"{number:012d}-order.captured.json" for number in range(25)]
        for name in [*names, ".000000000000-order.captured.json.part"]:
            (tmp_path / name).touch()
        receiving.take(tmp_path)
        left = sorted(each.name for each in tmp_path.iterdir())
        assert left == [".000000000000-order.captured.json.part", *names[-receiving.LEFT_FILES :]]


def a_payload(minutes: int) -> Payload:
    return Payload(
        channel_code="tills", transport="file", topic="orders", content_type="text/csv",
        file_name=None, body=str(minutes).encode(), at=START + timedelta(minutes=minutes),
    )  # fmt: skip
