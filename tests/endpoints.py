"""Endpoints of channels: real HTTP servers on this machine that keep what they are sent."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

WAIT_SECONDS_MAX: Final = 30


@dataclass(frozen=True, slots=True)
class Sent:
    """One request an endpoint got."""

    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> dict[str, Any]:
        """What is in it."""
        found: dict[str, Any] = json.loads(self.body)
        return found

    @property
    def items(self) -> dict[str, int]:
        """What may be sold of each SKU, as a message of stock says."""
        return {each["sku"]: each["available_to_sell"] for each in self.document["data"]["items"]}


Reply = tuple[int, dict[str, str]]


def well(_: Sent) -> Reply:
    """Take everything."""
    return 204, {}


@dataclass
class Endpoint:
    """What a channel listens with: answers as the test says, and keeps every request."""

    port: int
    answer: Callable[[Sent], Reply] = well
    sent: list[Sent] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}/hooks"

    def take(self, sent: Sent) -> Reply:
        """Keep a request and answer it."""
        with self.changed:
            self.sent.append(sent)
            self.changed.notify_all()
        return self.answer(sent)

    def until(self, is_so: Callable[[list[Sent]], bool]) -> None:
        """Wait until what was sent is as it should be."""
        with self.changed:
            assert self.changed.wait_for(lambda: is_so(self.sent), WAIT_SECONDS_MAX), self.sent


@contextmanager
def listening(answer: Callable[[Sent], Reply] = well, *, port: int = 0) -> Iterator[Endpoint]:
    """Run an endpoint, on a port of its own unless the test says where."""
    endpoint = Endpoint(port=0, answer=answer)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, extra = endpoint.take(Sent(headers, body))
            self.send_response(status)
            for name, value in {**extra, "content-length": "0"}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    endpoint.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield endpoint
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def nobody() -> str:
    """Return a URL on this machine where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/hooks"
