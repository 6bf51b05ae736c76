"""Webhooks: who may subscribe whom to what, and what is shown of deliveries."""

from collections.abc import Iterator
from typing import Any

import pytest

from oms.adapters.endpoints import HttpSender
from oms.workflows import telling
from tests.api.conftest import House
from tests.api.wire import an_order
from tests.conftest import Clock
from tests.endpoints import Endpoint, listening
from tests.ledger.subscribers import move, webhooks

URL = "https://shop.example.com/hooks"


def a_subscription(**fields: Any) -> dict[str, Any]:
    """Return a subscription to every order, of the retailer itself, unless the test says more."""
    return {"url": URL, "topics": ["order.*"], **fields}


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with listening() as made:
        yield made


class Subscriber:
    """One subscription of the house, served by the test."""

    def __init__(self, house: House, endpoint: Endpoint, **fields: Any) -> None:
        self.house = house
        made = house.post("/v1/webhooks", a_subscription(**fields), once="s").json()
        self.number, self.secret = made["subscription_id"], made["secret"]
        self.path = f"/v1/webhooks/{self.number}"
        self.point_to(endpoint)

    def point_to(self, endpoint: Endpoint) -> None:
        """Let it lead to an endpoint of the test, which the API would not take."""
        move(self.house.shop.ledger, self.number, endpoint)

    def serve(self) -> None:
        sender = HttpSender(is_local_allowed=True)
        telling.serve(self.house.shop.ledger, webhooks(sender), self.number)
        sender.close()


@pytest.fixture
def subscriber(stocked: House, endpoint: Endpoint) -> Subscriber:
    return Subscriber(stocked, endpoint)


class TestSubscribe:
    def test_shows_the_secret_once(self, house: House) -> None:
        made, again = (house.post("/v1/webhooks", a_subscription(), once="k") for _ in range(2))
        assert (made.status_code, again.status_code) == (201, 201)
        assert made.json()["secret"].startswith("whsec_")
        assert again.json() == made.json() | {"secret": None}
        assert made.json()["secret"] not in house.get("/v1/webhooks").text
        assert made.json()["state"] == "enabled"

    def test_needs_an_idempotency_key(self, house: House) -> None:
        answer = house.post("/v1/webhooks", a_subscription())
        assert answer.json()["code"] == "IDEMPOTENCY_KEY_MISSING"

    @pytest.mark.parametrize(
        "url", ["http://shop.example.com/", "https://u:p@shop.example.com/", "https://127.0.0.1/",
                "https://169.254.169.254/", "http://localhost:9/", "https://[::ffff:10.0.0.1]/"],
    )  # fmt: skip
    def test_refuses_what_nothing_may_be_sent_to(self, house: House, url: str) -> None:
        answer = house.post("/v1/webhooks", a_subscription(url=url), once="k")
        assert (answer.status_code, answer.json()["code"]) == (422, "TARGET_REFUSED")
        assert house.count("webhook_subscriptions") == 0

    @pytest.mark.parametrize(
        ("fields", "pointer"),
        [
            ({"topics": []}, "/topics"), ({"topics": ["orders"]}, "/topics/0"),
            ({"topics": ["stock.*"]}, "/topics/0"), ({"channel_code": "x"}, "/channel_code"),
            ({"channel_codes": ["x"]}, "/channel_codes"), ({"secret": "x"}, "/secret"),
            ({"batch_seconds": -1}, "/batch_seconds"),
        ],
    )  # fmt: skip
    def test_refuses(self, house: House, fields: dict[str, Any], pointer: str) -> None:
        answer = house.post("/v1/webhooks", a_subscription(**fields), once="k")
        assert answer.status_code == 422
        assert [each["pointer"] for each in answer.json()["errors"]] == [pointer]


class TestTransports:
    @pytest.mark.parametrize(
        ("fields", "pointer"),
        [
            ({"transport": "file", "url": URL}, "/url"), ({"url": None}, "/url"),
            ({"file_format": "csv"}, "/file_format"),
            ({"transport": "platform", "url": None}, "/channel_code"),
            ({"transport": "pigeon"}, "/transport"),
        ],
    )  # fmt: skip
    def test_have_no_use_for(self, house: House, fields: dict[str, Any], pointer: str) -> None:
        answer = house.post("/v1/webhooks", a_subscription(**fields), once="k")
        assert answer.status_code == 422
        assert [each["pointer"] for each in answer.json()["errors"]] == [pointer]
        assert house.count("webhook_subscriptions") == 0

    def test_files_have_a_folder_and_come_less_often(self, house: House) -> None:
        body = {"transport": "file", "topics": ["stock.available"], "channel_code": "web",
                "file_format": "csv"}  # fmt: skip
        made = house.post("/v1/webhooks", body, once="k").json()
        assert made["url"] is None
        assert made["folder"] == f"web-{made['subscription_id']}"
        assert made["batch_seconds"] == 60

    def test_a_channel_on_no_platform_cannot_be_told_by_one(self, house: House) -> None:
        body = {"transport": "platform", "topics": ["stock.available"], "channel_code": "web"}
        answer = house.post("/v1/webhooks", body, once="k")
        assert (answer.status_code, answer.json()["code"]) == (422, "TARGET_REFUSED")
        assert house.count("webhook_subscriptions") == 0


class TestBound:
    """A key bound to channels subscribes endpoints of theirs, to what it may know itself."""

    @pytest.mark.parametrize(
        ("fields", "status"),
        [
            ({"channel_code": "web", "channel_codes": ["web"]}, 201), ({}, 422),
            ({"channel_code": "web"}, 422), ({"channel_codes": ["web"]}, 422),
            ({"channel_code": "market", "channel_codes": ["web"]}, 422),
            ({"channel_code": "web", "channel_codes": ["web", "market"]}, 422),
        ],
    )  # fmt: skip
    def test_gives_nobody_more_than_it_has(
        self, house: House, fields: dict[str, Any], status: int
    ) -> None:
        answer = house.post("/v1/webhooks", a_subscription(**fields), "web admin", once="k")
        assert answer.status_code == status

    def test_knows_of_no_others(self, house: House) -> None:
        for number, code in enumerate((None, "market", "web")):
            house.post("/v1/webhooks", a_subscription(channel_code=code), once=f"k{number}")
        every = [each["subscription_id"] for each in house.get("/v1/webhooks").json()]
        (own,) = house.get("/v1/webhooks", "web admin").json()
        assert own["channel_code"] == "web"
        for number in every:
            status = 200 if number == own["subscription_id"] else 404
            path = f"/v1/webhooks/{number}"
            assert house.get(path, "web admin").status_code == status
            assert house.get(f"{path}/deliveries", "web admin").status_code == status
            for verb in ("pause", "enable", "disable"):
                assert house.post(f"{path}:{verb}", None, "web admin").status_code == status


class TestSwitch:
    def test_a_paused_one_is_told_when_it_is_enabled_again(
        self, subscriber: Subscriber, endpoint: Endpoint
    ) -> None:
        house = subscriber.house
        assert house.post(f"{subscriber.path}:pause").json()["state"] == "paused"
        house.order(an_order("W-1"))
        subscriber.serve()
        assert endpoint.sent == []
        assert house.post(f"{subscriber.path}:enable").json()["state"] == "enabled"
        subscriber.serve()
        assert len(endpoint.sent) == 1

    def test_a_new_secret_is_shown_once(self, subscriber: Subscriber) -> None:
        first, again = (
            subscriber.house.post(f"{subscriber.path}:rotate", {"overlap_hours": 1}, once="r")
            for _ in range(2)
        )
        assert first.json()["secret"] not in {None, subscriber.secret}
        assert first.json()["former_until_at"] == "2026-01-05T13:00:00Z"
        assert again.json()["secret"] is None


class TestDeliveries:
    def test_show_the_body_and_every_attempt(
        self, subscriber: Subscriber, endpoint: Endpoint, clock: Clock
    ) -> None:
        endpoint.answer = lambda _: (500, {})
        subscriber.house.order(an_order("W-1"))
        subscriber.serve()
        endpoint.answer = lambda _: (200, {})
        clock.forward(minutes=1)
        subscriber.serve()
        (listed,) = subscriber.house.get(f"{subscriber.path}/deliveries").json()["items"]
        assert (listed["state"], listed["attempts_count"]) == ("delivered", 2)
        shown = subscriber.house.get(f"{subscriber.path}/deliveries/{listed['delivery_id']}").json()
        assert shown["body"] == endpoint.sent[0].document
        assert [each["status_code"] for each in shown["attempts"]] == [500, 200]

    def test_are_paged_and_filtered(self, subscriber: Subscriber) -> None:
        for number in range(3):
            subscriber.house.order(an_order(f"W-{number}"))
        subscriber.serve()
        page = subscriber.house.get(f"{subscriber.path}/deliveries?limit=2").json()
        after = page["next_after"]
        rest = subscriber.house.get(f"{subscriber.path}/deliveries?limit=2&after={after}").json()
        numbers = [each["order_number"] for each in page["items"] + rest["items"]]
        assert numbers == ["R100000003", "R100000002", "R100000001"]
        assert rest["next_after"] is None
        parked = subscriber.house.get(f"{subscriber.path}/deliveries?state=parked")
        assert parked.json()["items"] == []

    def test_are_sent_again_when_asked_for(
        self, subscriber: Subscriber, endpoint: Endpoint
    ) -> None:
        subscriber.house.order(an_order("W-1"))
        subscriber.serve()
        (listed,) = subscriber.house.get(f"{subscriber.path}/deliveries").json()["items"]
        path = f"{subscriber.path}/deliveries/{listed['delivery_id']}"
        assert subscriber.house.post(f"{path}:redeliver").json()["state"] == "pending"
        again = subscriber.house.post(f"{path}:redeliver")
        assert (again.status_code, again.json()["code"]) == (409, "NOT_REDELIVERABLE")
        subscriber.serve()
        assert len({(sent.headers["webhook-id"], sent.body) for sent in endpoint.sent}) == 1
        assert len(endpoint.sent) == 2

    def test_of_another_subscription_are_not_there(self, subscriber: Subscriber) -> None:
        subscriber.house.order(an_order("W-1"))
        subscriber.serve()
        (listed,) = subscriber.house.get(f"{subscriber.path}/deliveries").json()["items"]
        other = subscriber.house.post("/v1/webhooks", a_subscription(), once="o").json()
        path = f"/v1/webhooks/{other['subscription_id']}/deliveries/{listed['delivery_id']}"
        assert subscriber.house.get(path).status_code == 404
        assert subscriber.house.post(f"{path}:redeliver").status_code == 404
