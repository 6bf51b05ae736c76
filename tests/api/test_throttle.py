"""The throttle: a key has so many requests a minute, and never all of the API."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from api import throttle
from api.problems import TooManyRequests
from api.throttle import Throttle
from oms.access.model import ROLES, Caller
from oms.kernel.errors import Rejected
from oms.settings import Settings
from tests.api.conftest import House
from tests.api.test_process import running
from tests.api.wire import an_order
from tests.builders import NOW
from tests.conftest import Clock

SECONDS_MAX = 30
Limit = Callable[..., None]
CALLER = Caller(key_id="k", name="k", role="agent", scopes=frozenset(), channels=None)


@pytest.fixture
def limit(house: House) -> Limit:
    """Give what lets the application have other limits, by role."""

    def limit(workers: int = 1, connections_max: int = 20, **per_minute: int) -> None:
        settings = Settings(api_workers=workers, requests_per_minute=per_minute)
        house.app.state.throttle = Throttle.of(settings, connections_max=connections_max)

    return limit


def admitted(made: Throttle, count: int, *, at: datetime) -> int:
    """Ask so many times at a moment; return how many were let in."""
    done = 0
    for _ in range(count):
        with suppress(TooManyRequests):
            made.admit(CALLER, at=at)
            done += 1
    return done


def statuses(house: House, count: int, key: str = "agent", path: str = "/v1/orders") -> list[int]:
    """Get a path several times; return the statuses in order."""
    return [house.get(path, key).status_code for _ in range(count)]


class TestAKey:
    def test_has_so_many_requests_and_is_told_when_there_are_more(
        self, house: House, limit: Limit, clock: Clock
    ) -> None:
        limit(agent=3)
        assert statuses(house, 3) == [200] * 3
        answer = house.get("/v1/orders", "agent")
        assert (answer.status_code, answer.json()["code"]) == (429, "TOO_MANY_REQUESTS")
        assert answer.headers["retry-after"] == "20"
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["requests_per_minute"] == 3
        clock.forward(seconds=19)
        assert house.get("/v1/orders", "agent").headers["retry-after"] == "1"
        clock.forward(seconds=1)
        assert statuses(house, 2) == [200, 429]

    def test_loses_nothing_by_a_clock_that_is_set_back(
        self, house: House, limit: Limit, clock: Clock
    ) -> None:
        limit(agent=2)
        assert statuses(house, 1) == [200]
        clock.forward(hours=-1)
        assert statuses(house, 2) == [200, 429]
        clock.forward(seconds=30)
        assert statuses(house, 2) == [200, 429]

    def test_has_its_own(self, house: House, limit: Limit) -> None:
        limit(agent=1, channel=1)
        for key in ("agent", "web", "market"):
            assert statuses(house, 2, key) == [200, 429]
        assert statuses(house, 9, "finance") == [200] * 9

    def test_spends_them_on_what_it_may_not_do_too(self, house: House, limit: Limit) -> None:
        limit(agent=2)
        assert statuses(house, 3, path="/v1/keys") == [403, 403, 429]

    def test_acts_no_more_when_it_has_none_left(self, stocked: House, limit: Limit) -> None:
        """And what was refused so is not the answer to a repetition."""
        limit(channel=1)
        assert stocked.order(an_order("W-1"), "web").status_code == 201
        assert stocked.order(an_order("W-2"), "web", once="k").status_code == 429
        assert stocked.count("orders") == 1
        limit(channel=1)
        assert stocked.order(an_order("W-2"), "web", once="k").status_code == 201

    def test_spends_nothing_on_health(self, house: House, limit: Limit) -> None:
        limit(agent=1)
        for path in ("/health/deep", "/health/live", "/health/ready"):
            assert statuses(house, 5, path=path) == [200] * 5
        assert statuses(house, 2) == [200, 429]
        assert house.get("/health/deep", "agent").status_code == 200

    @pytest.mark.parametrize(("workers", "share"), [(2, 3), (3, 2), (7, 1)])
    def test_has_a_share_with_each_process(
        self, house: House, limit: Limit, workers: int, share: int
    ) -> None:
        limit(workers=workers, agent=6)
        assert statuses(house, share + 1) == [200] * share + [429]


class TestAMinute:
    """Counted without the rest of the API, for numbers as large as they are."""

    @pytest.mark.parametrize("limit", [1, 7, 13, 600, 29_999])
    def test_brings_as_many_again_and_never_more(self, limit: int) -> None:
        made = Throttle({"agent": limit}, processes_count=1, slots_max=1)
        for at in (NOW, NOW + timedelta(minutes=1), NOW + timedelta(days=3)):
            assert admitted(made, limit + 5, at=at) == limit

    @pytest.mark.parametrize("limit", [1, 7, 13, 600])
    def test_is_waited_for_as_long_as_is_told(self, limit: int) -> None:
        made = Throttle({"agent": limit}, processes_count=1, slots_max=1)
        at, done = NOW, admitted(made, limit, at=NOW)
        while at < NOW + timedelta(minutes=2):
            with pytest.raises(TooManyRequests) as told:
                made.admit(CALLER, at=at)
            at += timedelta(seconds=told.value.facts["retry_after_seconds"])
            more = admitted(made, limit, at=at)
            assert more >= 1
            done += more
        assert done <= limit * (1 + (at - NOW) / timedelta(minutes=1))


class TestLimits:
    def test_each_role_has_one(self) -> None:
        made = Throttle.of(Settings(), connections_max=20)
        assert {role: made._per_minute[role] >= 6_000 for role in ROLES} == dict.fromkeys(
            ROLES, True
        )

    def test_come_from_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("OMS_REQUESTS_PER_MINUTE", '{"channel": 600}')
        made = Throttle.of(Settings(), connections_max=20)
        assert (made._per_minute["channel"], made._per_minute["agent"]) == (600, 6_000)

    def test_of_a_role_there_is_not_are_refused(self) -> None:
        with pytest.raises(Rejected, match="emperor"):
            Throttle.of(Settings(requests_per_minute={"emperor": 1}), connections_max=20)


class TestLine:
    @pytest.fixture
    def noisy(self, stocked: House, limit: Limit) -> Iterator[ThreadPoolExecutor]:
        """Give threads whose orders, posted by one key, all wait for a lock until the end."""
        limit(connections_max=20)
        with (
            ThreadPoolExecutor(40) as pool,
            stocked.system.ledger.transaction() as tx,
        ):
            tx.execute(text("select * from stock_levels for update"))
            yield pool

    def test_lets_others_be_answered_while_a_key_is_noisy(
        self, stocked: House, noisy: ThreadPoolExecutor
    ) -> None:
        posting = [
            noisy.submit(stocked.order, an_order(f"W-{n}"), "web", f"noisy-{n}") for n in range(30)
        ]
        await_blocked(stocked, 10)
        quiet = noisy.submit(stocked.get, "/v1/orders", "market")
        assert quiet.result(SECONDS_MAX).status_code == 200
        assert not any(each.done() for each in posting)
        assert blocked(stocked) == 10

    def test_refuses_who_stands_in_it_too_often(
        self, stocked: House, noisy: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(throttle, "KEY_REQUESTS_AT_ONCE_MAX", 12)
        entered = threading.Semaphore(0)
        posting = [
            noisy.submit(stocked.order, an_order(f"W-{n}"), "web", f"noisy-{n}") for n in range(15)
        ]
        for each in posting:
            each.add_done_callback(lambda _: entered.release())
        for _ in range(3):
            assert entered.acquire(timeout=SECONDS_MAX)
        told = [each.result() for each in posting if each.done()]
        assert [(each.status_code, each.headers["retry-after"]) for each in told] == [
            (429, "1")
        ] * 3

    def test_is_gone_when_nobody_stands_in_it(self, stocked: House, limit: Limit) -> None:
        limit(connections_max=1)
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda _: stocked.get("/v1/orders").status_code, range(24)))
        assert found == [200] * 24
        assert stocked.app.state.throttle._lines == {}


class TestProcesses:
    def test_grant_no_more_together_than_one_limit(self, house: House, tmp_path: Path) -> None:
        settings = {"OMS_REQUESTS_PER_MINUTE": '{"agent": 4}'}
        with running(house.system.ledger, tmp_path, "--workers", "2", **settings) as (port, _):
            began, url = time.monotonic(), f"http://127.0.0.1:{port}/v1/channels"
            # Each on a connection of its own, which the processes take as they come.
            answers = [httpx.get(url, headers=house.keys.header("agent")) for _ in range(12)]
            minutes = (time.monotonic() - began) / 60
        counted = Counter(answer.status_code for answer in answers)
        assert set(counted) == {200, 429}
        assert 2 <= counted[200] <= 4 * (1 + minutes)


def blocked(house: House) -> int:
    """Return how many transactions wait for a lock."""
    with house.system.ledger.snapshot() as tx:
        found = tx.execute(
            text(
                "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
                " and datname = current_database()"
            )
        ).scalar_one()
    return int(found)


def await_blocked(house: House, count: int) -> None:
    """Wait until so many transactions wait for a lock."""
    deadline = time.monotonic() + SECONDS_MAX
    while blocked(house) < count:
        assert time.monotonic() < deadline, f"{blocked(house)} wait"
