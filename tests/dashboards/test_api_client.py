"""What the API refuses is told as what a person can do; what is done is done once."""

import http.server
import json
import socket
import threading

import pytest

from dashboards.api_client import ApiRefusal, Client, refusal
from tests.console import WAIT_SECONDS_MAX, Counter


class _MeetingServer:
    """A server that answers nobody before two have asked."""

    def __enter__(self) -> str:
        """Begin to serve; give the address."""
        meeting = threading.Barrier(2)

        class Answer(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                meeting.wait(WAIT_SECONDS_MAX)
                body = json.dumps({"path": self.path}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        return f"http://127.0.0.1:{self._server.server_port}"

    def __exit__(self, *_: object) -> None:
        """End it."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class TestRefusals:
    @pytest.mark.parametrize(
        ("status", "problem", "told"),
        [
            (401, {}, "Sign in with one that is"),
            (403, {"detail": "The API key does not allow this.", "scope": "stock:read"},
             "does not allow this. It needs stock:read. Ask who gave you the key"),
            (404, {"detail": "There is no such order."}, "There is no such order."),
            (409, {"detail": "it is packed", "allowed_actions": ["ship", "unpack"]},
             "it is packed. What can be done now: ship, unpack."),
            (409, {"detail": "it is done", "allowed_actions": []}, "can be done now: nothing."),
            (412, {}, "Somebody changed this since you opened it"),
            (422, {"detail": "Invalid.", "errors": [{"pointer": "/sku", "detail": "unknown"}]},
             "Invalid. sku: unknown."),
            (428, {}, "Reload it"),
            (429, {"detail": "Too many.", "retry_after_seconds": 7}, "again in 7 seconds"),
            (500, {"correlation_id": "abc"}, "under abc"),
            (503, {}, "Do it again in a moment"),
        ],
    )  # fmt: skip
    def test_say_what_to_do(self, status: int, problem: dict[str, object], told: str) -> None:
        assert told in refusal(status, problem).sentence

    def test_that_nobody_answers_is_one(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        with pytest.raises(ApiRefusal, match="cannot be reached"):
            Client(f"http://127.0.0.1:{port}", "oms_a_b").get("/v1/orders")

    @pytest.mark.parametrize("key", ["", "oms_é", "two words\n"])
    def test_that_a_key_is_no_key_is_one(self, counter: Counter, key: str) -> None:
        with pytest.raises(ApiRefusal) as refused:
            Client(f"http://127.0.0.1:{counter.port}", key).get("/v1/orders")
        assert refused.value.is_of_the_key


class TestBesides:
    def test_is_asked_at_once_and_told_when_it_is_taken(self) -> None:
        with _MeetingServer() as address:
            client = Client(address, "oms_a_b")
            first = client.begin("/first")
            assert client.get("/second") == {"path": "/second"}, "answered once both are asked"
            assert first() == {"path": "/first"}

    def test_is_refused_when_it_is_taken(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        begun = Client(f"http://127.0.0.1:{port}", "oms_a_b").begin("/v1/orders")
        with pytest.raises(ApiRefusal, match="cannot be reached"):
            begun()


class TestOnce:
    def test_the_same_intention_acts_once_and_another_turn_again(self, counter: Counter) -> None:
        number = counter.ordered("ONCE-1")["order_number"]
        client = Client(f"http://127.0.0.1:{counter.port}", counter.keys["agent"])
        for turn in (0, 0, 1):
            client.post(f"/v1/orders/{number}/notes", {"body": "Ring twice"}, turn=turn)
        assert len(counter.order(number)["notes"]) == 2
