"""The inbox: pushed payloads are kept once, by key or by signature, and processed later."""

import base64
import hashlib
import hmac
import json
from dataclasses import replace

import httpx
import pytest

from oms.billing import operations as billing
from oms.kernel.limits import INBOX_BODY_BYTES_MAX, INBOX_INLINE_BYTES_MAX
from oms.workflows import ingest
from tests.api.conftest import SECRET, House
from tests.api.wire import an_order
from tests.builders import NOW
from tests.ledger.issuing import ENTITY


def document(ref: str = "W-1") -> bytes:
    """Return an order document as a channel pushes it."""
    body = an_order(ref)
    del body["channel_code"]
    return json.dumps(body).encode()


def push(
    house: House, body: bytes, key: str = "web", *, code: str = "web", topic: str = "orders",
    **headers: str,
) -> httpx.Response:  # fmt: skip
    """Push a payload to a channel's inbox with a key."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return house.post(
        f"/v1/channels/{code}/inbox", None, key, params={"topic": topic}, content=body,
        headers={"content-type": "application/json"} | named,
    )  # fmt: skip


def webhook(
    house: House, body: bytes, *, secret: str = SECRET, topic: str = "orders/create",
    code: str = "shopify", **headers: str,
) -> httpx.Response:  # fmt: skip
    """Push a webhook as Shopify does: signed, without a key."""
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    return house.client.post(
        f"/v1/channels/{code}/inbox", content=body,
        headers={
            "content-type": "application/json", "x-shopify-topic": topic,
            "x-shopify-hmac-sha256": base64.b64encode(digest).decode(),
            **{name.replace("_", "-"): value for name, value in headers.items()},
        },
    )  # fmt: skip


class TestPush:
    def test_is_kept_and_processed_later(self, stocked: House) -> None:
        answer = push(stocked, document())
        assert (answer.status_code, answer.json()["state"]) == (202, "received")
        assert stocked.count("orders") == 0
        ingest.process_waiting(stocked.system.intake)
        payload = stocked.get(f"/v1/inbox/{answer.json()['inbox_id']}", "web").json()
        assert (payload["state"], payload["captured_count"]) == ("processed", 1)
        assert payload["sha256"] == hashlib.sha256(document()).hexdigest()

    def test_is_taken_once_by_content(self, house: House) -> None:
        answers = [push(house, document()).json() for _ in range(2)]
        assert [answer["is_new"] for answer in answers] == [True, False]
        assert answers[0]["inbox_id"] == answers[1]["inbox_id"]

    @pytest.mark.parametrize("name", ["x_message_id", "webhook_id", "idempotency_key"])
    def test_is_taken_once_by_message_id(self, house: House, name: str) -> None:
        answers = [push(house, document(ref), **{name: "m-1"}).json() for ref in ("W-1", "W-2")]
        assert [answer["is_new"] for answer in answers] == [True, False]

    def test_keeps_large_payloads_beside_the_ledger(self, house: House) -> None:
        orders = [json.loads(document(f"W-{n}")) | {"note": "x" * 10_000} for n in range(30)]
        body = json.dumps(orders).encode()
        assert len(body) > INBOX_INLINE_BYTES_MAX
        assert push(house, body).status_code == 202
        assert house.shop.value("select body is null from inbox")
        ingest.process_waiting(house.system.intake)
        assert house.count("orders") == 30

    @pytest.mark.parametrize("topic", ["", "nonsense", "orders/create"])
    def test_refuses_an_unknown_topic(self, house: House, topic: str) -> None:
        answer = push(house, document(), topic=topic)
        assert answer.status_code == 422
        assert topic == "" or answer.json()["code"] == "UNKNOWN_TOPIC"
        assert house.count("inbox") == 0

    def test_refuses_an_empty_body(self, house: House) -> None:
        assert push(house, b"").status_code == 422

    def test_refuses_an_unusable_message_id(self, house: House) -> None:
        assert (
            push(house, document(), x_message_id="x" * 201).json()["code"] == "MESSAGE_ID_INVALID"
        )

    def test_refuses_more_than_it_holds(self, house: House) -> None:
        answer = push(house, b" " * (INBOX_BODY_BYTES_MAX + 1))
        assert (answer.status_code, answer.json()["code"]) == (413, "PAYLOAD_TOO_LARGE")

    @pytest.mark.parametrize("code", ["market", "nonesuch"])
    def test_goes_to_no_foreign_channel(self, house: House, code: str) -> None:
        answer = push(house, document(), code=code)
        assert (answer.status_code, answer.json()["code"]) == (404, "UNKNOWN_CHANNEL")

    @pytest.mark.parametrize("inbox_id", ["0", "x", str(2**63)])
    def test_has_a_number(self, house: House, inbox_id: str) -> None:
        assert house.get(f"/v1/inbox/{inbox_id}").status_code == 422

    def test_is_seen_by_its_channel_only(self, house: House) -> None:
        inbox_id = push(house, document()).json()["inbox_id"]
        assert house.get(f"/v1/inbox/{inbox_id}", "market").status_code == 404
        assert house.get("/v1/inbox/999", "market").status_code == 404

    def test_does_not_tell_how_we_are_built(self, house: House) -> None:
        inbox_id = push(house, document()).json()["inbox_id"]
        with house.system.ledger.transaction() as tx:
            tx.exec_driver_sql(
                "update inbox set state='failed', failure='DataError: select secret'"
            )
        assert "secret" not in house.get(f"/v1/inbox/{inbox_id}").text


class TestWebhook:
    def test_needs_no_key_but_its_signature(self, house: House) -> None:
        answer = webhook(house, b'{"id": 1}')
        assert answer.status_code == 202
        assert house.shop.value("select topic from inbox") == "orders/create"

    def test_is_taken_once_by_its_id(self, house: House) -> None:
        answers = [webhook(house, b'{"id": 1}', x_shopify_webhook_id="w").json() for _ in range(2)]
        assert [answer["is_new"] for answer in answers] == [True, False]

    def test_is_refused_when_forged_or_altered(self, house: House) -> None:
        forged = webhook(house, b'{"id": 1}', secret="guess")
        good = base64.b64encode(hmac.new(SECRET.encode(), b"{}", hashlib.sha256).digest()).decode()
        altered = webhook(house, b'{"id": 1}', x_shopify_hmac_sha256=good)
        assert (forged.status_code, altered.status_code) == (401, 401)
        assert house.count("inbox") == 0

    def test_is_refused_with_a_key_alone(self, house: House) -> None:
        assert push(house, b"{}", "admin", code="shopify", topic="orders").status_code == 401

    @pytest.mark.parametrize("code", ["web", "nonesuch"])
    def test_opens_no_other_channel(self, house: House, code: str) -> None:
        """A signature tells neither that a channel is there nor that it is not."""
        assert webhook(house, b"{}", code=code).status_code == 401

    def test_never_opens_a_channel_without_a_secret(self, house: House) -> None:
        with house.system.ledger.transaction() as tx:
            tx.exec_driver_sql("update channels set adapter_options='{}' where adapter='shopify'")
        assert webhook(house, b"{}", secret="").status_code == 401


class TestChannels:
    def test_are_listed_without_their_secrets(self, house: House) -> None:
        answer = house.get("/v1/channels")
        codes = [channel["channel_code"] for channel in answer.json()]
        assert codes == ["market", "shopify", "till", "trade", "web"]
        assert SECRET not in answer.text

    def test_say_who_sends_and_when_they_are_invoiced(self, house: House) -> None:
        with house.system.ledger.transaction() as tx:
            tx.exec_driver_sql("update channels set is_routed = true where channel_code = 'web'")
            billing.register(tx, replace(ENTITY, channels={"web": "on_shipment"}), at=NOW)
        told = {each["channel_code"]: each for each in house.get("/v1/channels").json()}
        assert (told["web"]["is_routed"], told["web"]["billing_policy"]) == (True, "on_shipment")
        assert (told["till"]["is_routed"], told["till"]["billing_policy"]) == (False, None)

    def test_are_listed_as_far_as_they_may_be_known(self, house: House) -> None:
        answer = house.get("/v1/channels", "web admin")
        assert [channel["channel_code"] for channel in answer.json()] == ["web"]
