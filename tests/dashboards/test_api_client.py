"""What the API refuses is told as what a person can do; what is done is done once."""

import socket

import pytest

from dashboards.api_client import ApiRefusal, Client, refusal
from tests.console import Counter


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


class TestOnce:
    def test_the_same_intention_acts_once_and_another_turn_again(self, counter: Counter) -> None:
        number = counter.ordered("ONCE-1")["order_number"]
        client = Client(f"http://127.0.0.1:{counter.port}", counter.keys["agent"])
        for turn in (0, 0, 1):
            client.post(f"/v1/orders/{number}/notes", {"body": "Ring twice"}, turn=turn)
        assert len(counter.order(number)["notes"]) == 2
