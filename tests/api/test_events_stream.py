"""GET /v1/events/stream: the events of /v1/events as they happen, each with where to go on."""

import json
import os
import re
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from api.streams import Streams
from oms.kernel.limits import KEY_STREAMS_MAX, PROCESS_STREAMS_MAX
from tests.api.conftest import House
from tests.api.test_events import told
from tests.api.test_process import running
from tests.api.wire import an_order

PATH: Final = "/v1/events/stream"
SECONDS_MAX: Final = 60
__all__ = ["told"]  # a fixture


@dataclass(frozen=True, slots=True)
class Heard:
    """What a reader of a stream makes of one block of it."""

    place: str | None
    event: str | None
    document: Any


def heard(text: str) -> list[Heard]:
    """Read a stream as the standard of server-sent events says."""
    blocks = [block for block in text.split("\n\n") if block]
    fields = [dict(re.findall(r"^(id|event|data): (.*)$", block, re.MULTILINE)) for block in blocks]
    return [
        Heard(each.get("id"), each.get("event"), json.loads(each.get("data", "null")))
        for each in fields
        if each
    ]


def listen(house: House, key: str = "admin", query: str = "", last: str = "") -> list[Heard]:
    """Hear everything a key's stream tells."""
    headers = {"Last-Event-ID": last} if last else {}
    answer = house.get(f"{PATH}{query}", key, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/event-stream")
    return heard(answer.text)


def names(found: list[Heard]) -> list[str]:
    return [each.document["event_id"] for each in found if each.document is not None]


class TestStream:
    def test_tells_what_the_list_does(self, told: House) -> None:
        for key in ("admin", "web", "market", "both", "nowhere", "engineer"):
            found = listen(told, key)
            assert [each.document for each in found] == told.get("/v1/events", key).json()["items"]
            assert [each.event for each in found] == [each.document["type"] for each in found]
        assert names(listen(told, "web", "?channel=market")) == []
        assert len(listen(told, query="?channel=market")) == 1

    def test_goes_on_after_the_place_that_was_heard_last(self, told: House) -> None:
        every = listen(told)
        assert len(every) == 3
        for count, each in enumerate(every, 1):
            assert each.place is not None
            assert names(listen(told, last=each.place)) == names(every[count:])
            assert names(listen(told, query=f"?after={each.place}")) == names(every[count:])
        first = f"?after={every[0].place}"
        assert names(listen(told, query=first, last=every[2].place or "")) == []

    def test_may_begin_with_what_happens_from_now_on(self, told: House) -> None:
        assert listen(told, query="?after=now") == []

    def test_reads_on_until_everything_was_told(
        self, told: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("api.routers.events.READ_EVENTS_MAX", 1)
        assert len(listen(told)) == 3

    def test_of_nothing_new_still_says_where_to_go_on(self, told: House) -> None:
        """Who hears of a quiet channel only need not have the others' events gone through again."""
        told.app.state.streams = Streams(processes_count=1, seconds_max=0, heartbeat_seconds=0)
        (only,) = listen(told, "nowhere")
        assert (only.event, only.document) == (None, None)
        assert only.place is not None
        told.order(an_order("W-9"))
        assert names(listen(told, last=only.place)) == ["evt_R100000003_1"]

    @pytest.mark.parametrize("last", ["x", "LTEuMi4z", "now x"])
    def test_refuses_a_place_that_is_none_of_ours(self, house: House, last: str) -> None:
        answer = house.get(PATH, headers={"Last-Event-ID": last})
        assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_CURSOR")


class TestPlaces:
    def test_are_so_many_for_a_key(self, house: House) -> None:
        streams: Streams = house.app.state.streams
        key_id = house.keys.of["web"].split("_")[1]
        with ExitStack() as held:
            for _ in range(KEY_STREAMS_MAX):
                held.enter_context(streams.place(key_id))
            answer = house.get(PATH, "web")
            assert (answer.status_code, answer.json()["code"]) == (429, "TOO_MANY_STREAMS")
            assert answer.headers["retry-after"] == "5"
            assert house.get(PATH, "market").status_code == 200
        assert house.get(PATH, "web").status_code == 200

    def test_are_so_many_for_all(self, house: House) -> None:
        streams: Streams = house.app.state.streams
        with ExitStack() as held:
            for number in range(PROCESS_STREAMS_MAX):
                held.enter_context(streams.place(str(number)))
            assert house.get(PATH).status_code == 429

    def test_are_given_back_by_streams_that_ended(self, house: House) -> None:
        for _ in range(KEY_STREAMS_MAX + 1):
            assert house.get(PATH).status_code == 200


class Listener:
    """A client that hears a stream in a thread of its own, until it ends."""

    def __init__(self, port: int, headers: dict[str, str]) -> None:
        self.found: list[str] = []
        self.is_complete = False
        self._changed = threading.Condition()
        self._url, self._headers = f"http://127.0.0.1:{port}{PATH}", headers
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        with httpx.stream("GET", self._url, headers=self._headers, timeout=SECONDS_MAX) as answer:
            for line in answer.iter_lines():
                with self._changed:
                    self.found.append(line)
                    self._changed.notify_all()
        self.is_complete = True

    def until(self, start: str) -> None:
        with self._changed:
            assert self._changed.wait_for(
                lambda: any(line.startswith(start) for line in self.found), SECONDS_MAX
            ), self.found

    def has_ended(self) -> bool:
        """Wait for the end; tell whether it was a proper one."""
        self._thread.join(SECONDS_MAX)
        return self.is_complete


@contextmanager
def served(house: House, folder: Path) -> Iterator[tuple[int, int]]:
    """Run the API in a process of its own; give its port and its number."""
    with running(house.system.ledger, folder) as (port, process):
        yield port, process.pid
        os.kill(process.pid, signal.SIGTERM)
        process.wait(SECONDS_MAX)


class TestOpenStream:
    def test_tells_at_once_and_ends_with_its_key_or_its_server(
        self, stocked: House, tmp_path: Path
    ) -> None:
        house, header = stocked, stocked.keys.header
        with served(house, tmp_path) as (port, number):
            url = f"http://127.0.0.1:{port}{PATH}"
            admin, web = Listener(port, header()), Listener(port, header("web"))
            for each in (admin, web):
                each.until("retry: ")
            house.order(an_order("W-1"))
            for each in (admin, web):
                each.until("event: order.captured")
            # Who hangs up leaves a place to others.
            for _ in range(KEY_STREAMS_MAX + 2):
                with httpx.stream("GET", url, headers=header("market")) as answer:
                    assert answer.status_code == 200
            house.delete(f"/v1/keys/{house.keys.of['web'].split('_')[1]}")
            assert web.has_ended()
            assert not admin.is_complete
            os.kill(number, signal.SIGTERM)
            assert admin.has_ended()
        assert "graceful shutdown exceeded" not in (tmp_path / "log").read_text()
