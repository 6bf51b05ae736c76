"""Calls of endpoints: to checked addresses only, pinned, bounded in time, never redirected."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from oms.adapters.endpoints import HttpSender
from oms.webhooks.model import Answer, Verdict
from tests.endpoints import listening

BODY = b"{}"


@pytest.fixture
def sender() -> Iterator[HttpSender]:
    made = HttpSender(is_local_allowed=True, seconds_max=0.5)
    yield made
    made.close()


@pytest.fixture
def strict() -> Iterator[HttpSender]:
    made = HttpSender(seconds_max=0.5)
    yield made
    made.close()


@contextmanager
def talking(talk: Callable[[socket.socket], None]) -> Iterator[int]:
    """Listen on a port and say something raw to whoever connects."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def once() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                talk(connection)

        thread = threading.Thread(target=once)
        thread.start()
        yield server.getsockname()[1]
        thread.join()


def resolving(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """Let every name lead to these addresses; return what was asked for."""
    asked: list[str] = []

    def getaddrinfo(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


class TestTarget:
    @pytest.mark.parametrize(
        "addresses",
        [("127.0.0.1",), ("10.0.0.1",), ("169.254.169.254",), ("1.1.1.1", "10.0.0.1"),
         ("::ffff:127.0.0.1",)],
    )  # fmt: skip
    def test_a_name_that_leads_inside_is_not_called(
        self, strict: HttpSender, monkeypatch: pytest.MonkeyPatch, addresses: tuple[str, ...]
    ) -> None:
        resolving(monkeypatch, *addresses)
        assert strict.post("https://shop.example/", {}, BODY).error_kind == "target"

    def test_a_number_that_leads_inside_is_not_called(self, strict: HttpSender) -> None:
        for host in ("2130706433", "0x7f000001", "127.1"):
            assert strict.post(f"https://{host}/", {}, BODY).error_kind in {"target", "dns"}

    def test_only_this_machine_is_allowed_by_the_setting(
        self, sender: HttpSender, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        resolving(monkeypatch, "10.0.0.1")
        assert sender.post("https://shop.example/", {}, BODY).error_kind == "target"

    def test_the_address_that_was_checked_is_the_one_that_is_called(
        self, sender: HttpSender, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The name is resolved once: a second answer could be another one."""
        with listening() as endpoint:
            asked = resolving(monkeypatch, "127.0.0.1")
            answer = sender.post(f"http://localhost:{endpoint.port}/", {}, BODY)
            assert (answer.status_code, asked) == (204, ["localhost", "127.0.0.1"])
            assert endpoint.sent[0].headers["host"] == f"localhost:{endpoint.port}"

    def test_an_unknown_name_is_said_to_be_one(
        self, sender: HttpSender, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def unknown(*_: Any, **__: Any) -> None:
            raise socket.gaierror

        monkeypatch.setattr(socket, "getaddrinfo", unknown)
        assert sender.post("https://shop.example/", {}, BODY).error_kind == "dns"


class TestPost:
    def test_gives_the_status_and_when_to_come_again(self, sender: HttpSender) -> None:
        with listening(lambda _: (429, {"Retry-After": "30"})) as endpoint:
            answer = sender.post(endpoint.url, {"webhook-id": "x"}, BODY)
        assert (answer.status_code, answer.retry_after_seconds) == (429, 30.0)
        assert endpoint.sent[0].headers["webhook-id"] == "x"
        assert endpoint.sent[0].body == BODY

    def test_one_that_drips_is_hung_up_on(self, sender: HttpSender) -> None:
        """Each byte comes in time; all of them together do not."""
        stopped = threading.Event()

        def drip(connection: socket.socket) -> None:
            try:
                while not stopped.wait(0.05):
                    connection.sendall(b"H")
            except OSError:
                pass

        with talking(drip) as port:
            answer = sender.post(f"http://127.0.0.1:{port}/", {}, BODY)
            stopped.set()
        assert answer.error_kind in {"timeout", "protocol"}
        assert answer.duration_ms < 5_000

    def test_an_endless_answer_is_not_read(self, sender: HttpSender) -> None:
        def flood(connection: socket.socket) -> None:
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 999999999\r\n\r\n")
            try:
                while True:
                    connection.sendall(b"x" * 65536)
            except OSError:
                pass

        with talking(flood) as port:
            assert sender.post(f"http://127.0.0.1:{port}/", {}, BODY).status_code == 200

    def test_what_is_no_http_is_said_to_be_none(self, sender: HttpSender) -> None:
        with talking(lambda connection: connection.sendall(b"220 mail\r\n")) as port:
            answer = sender.post(f"http://127.0.0.1:{port}/", {}, BODY)
        assert answer.error_kind == "protocol"

    def test_a_certificate_is_asked_for(self, sender: HttpSender) -> None:
        def refuse(connection: socket.socket) -> None:
            connection.sendall(b"no tls here")

        with talking(refuse) as port:
            assert sender.post(f"https://127.0.0.1:{port}/", {}, BODY).error_kind == "tls"

    def test_certificates_are_checked_unless_told_otherwise(self) -> None:
        made = HttpSender()
        context = made._pool._ssl_context
        made.close()
        assert isinstance(context, ssl.SSLContext)
        assert context.check_hostname
        assert context.verify_mode is ssl.CERT_REQUIRED


class TestVerdict:
    @pytest.mark.parametrize(
        ("status", "verdict"),
        [(200, Verdict.DELIVERED), (204, Verdict.DELIVERED), (301, Verdict.DOWN),
         (307, Verdict.DOWN), (400, Verdict.REFUSED), (401, Verdict.DOWN), (404, Verdict.DOWN),
         (408, Verdict.DOWN), (410, Verdict.GONE), (422, Verdict.REFUSED), (429, Verdict.BUSY),
         (500, Verdict.FAILED), (502, Verdict.FAILED), (503, Verdict.BUSY), (None, Verdict.DOWN)],
    )  # fmt: skip
    def test_says_what_an_answer_means(self, status: int | None, verdict: Verdict) -> None:
        assert Answer(status_code=status).verdict is verdict
