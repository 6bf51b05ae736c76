"""Streams of events: answers that go on as server-sent events until either side ends them."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

import anyio
from fastapi import Response
from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope, Send

from api.problems import TooManyRequests
from oms.kernel.errors import OmsError
from oms.kernel.limits import KEY_STREAMS_MAX, PROCESS_STREAMS_MAX

POLL_SECONDS: Final = 0.5
# Between us and a client may be what cuts a connection over which nothing is said for a minute.
HEARTBEAT_SECONDS: Final = 15.0
# A client comes again where it was: so processes share their streams evenly after a while.
STREAM_SECONDS_MAX: Final = 900.0
BACK_AFTER_MILLISECONDS: Final = 2_000

Read = Callable[[str], tuple[list[bytes], str, bool]]
"""What comes after a place: frames, the place to go on from, and whether more waits."""


class TooManyStreams(TooManyRequests):
    """The key has as many streams open as it may, or the process has; end one, or come later."""

    code = "TOO_MANY_STREAMS"


class Streams:
    """The streams that are open in this process, and how long each may be.

    As with requests, each of several processes grants a key its share.
    """

    def __init__(
        self, *, processes_count: int, poll_seconds: float = POLL_SECONDS,
        heartbeat_seconds: float = HEARTBEAT_SECONDS, seconds_max: float = STREAM_SECONDS_MAX,
    ) -> None:  # fmt: skip
        """Begin without any."""
        self.poll_seconds, self.heartbeat_seconds = poll_seconds, heartbeat_seconds
        self.seconds_max = seconds_max
        self.is_closed = False
        self._key_max = max(1, KEY_STREAMS_MAX // processes_count)
        self._open: Counter[str] = Counter()

    @contextmanager
    def place(self, key_id: str) -> Iterator[None]:
        """Hold a place for a stream of a key; raises TooManyStreams."""
        if self._open[key_id] >= self._key_max or self._open.total() >= PROCESS_STREAMS_MAX:
            raise TooManyStreams(retry_after_seconds=5)
        self._open[key_id] += 1
        try:
            yield
        finally:
            self._open[key_id] -= 1
            self._open += Counter()  # forgets the keys that have none

    def close(self) -> None:
        """Let every stream end: its client will come again, to another process."""
        self.is_closed = True


class EventStream(Response):
    """An answer whose events come as they happen, each with the place to go on from."""

    media_type = "text/event-stream"

    def __init__(self, streams: Streams, key_id: str, after: str, read: Read) -> None:
        """Take where to begin, and what reads on from a place; its errors end the stream."""
        super().__init__(headers={"X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._streams, self._key_id, self._after, self._read = streams, key_id, after, read

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Send until it is over or the client is gone; raises TooManyStreams."""
        with self._streams.place(self._key_id):
            await send({
                "type": "http.response.start", "status": 200, "headers": self.raw_headers
            })  # fmt: skip
            async with anyio.create_task_group() as group:

                async def watch() -> None:
                    while (await receive())["type"] != "http.disconnect":
                        pass
                    group.cancel_scope.cancel()

                group.start_soon(watch)
                with suppress(OSError):  # the client is gone
                    await self._send_all(send)
                group.cancel_scope.cancel()

    async def _send_all(self, send: Send) -> None:
        async for part in self._parts():
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def _parts(self) -> AsyncIterator[bytes]:
        yield f"retry: {BACK_AFTER_MILLISECONDS}\n\n".encode()
        streams, begun = self._streams, time.monotonic()
        said_at = begun
        while not streams.is_closed:
            try:
                frames, self._after, has_more = await run_in_threadpool(self._read, self._after)
            except OmsError:
                return  # as the key is no longer good, or the ledger away: its next request says
            now = time.monotonic()
            if frames:
                yield b"".join(frames)
            elif now - said_at >= streams.heartbeat_seconds:
                # Without data it is no event, but its place is kept like that of one.
                yield f": nothing new\nid: {self._after}\n\n".encode()
            else:
                now = said_at
            said_at = now
            if has_more:
                continue
            if time.monotonic() - begun >= streams.seconds_max:
                return
            await asyncio.sleep(streams.poll_seconds)


def frame(event: str, data: bytes, *, place: str | None) -> bytes:
    """Write an event, and the place after it where it is one to go on from."""
    head = f"id: {place}\n" if place is not None else ""
    return f"{head}event: {event}\ndata: ".encode() + data + b"\n\n"
