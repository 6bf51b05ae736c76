"""Tokens over HTTP: a client's key for a token, as OAuth 2.0 has it."""

import base64
from collections.abc import Callable
from typing import Any
from urllib.parse import quote_plus, urlencode

import httpx
import pytest

from oms.access.operations import revoke_key
from oms.kernel.limits import KEY_TOKENS_MAX
from tests.api.conftest import House
from tests.conftest import Clock

PATH = "/v1/oauth/token"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def client_of(house: House, name: str = "agent") -> dict[str, str]:
    """Return a client's name and secret as fields."""
    key = house.keys.of[name]
    return {"client_id": key.split("_")[1], "client_secret": key}


def ask(house: House, fields: Any, **headers: str) -> httpx.Response:
    """Ask for a token."""
    content = fields if isinstance(fields, bytes) else urlencode(fields).encode()
    return house.client.post(PATH, content=content, headers=FORM | headers)


def given(house: House, name: str = "agent", **fields: str) -> dict[str, Any]:
    """Ask for a token and get it."""
    answer = ask(house, {"grant_type": "client_credentials", **client_of(house, name), **fields})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def use(house: House, token: str, path: str = "/v1/orders") -> int:
    """Ask with a token; return the status."""
    return house.client.get(path, headers={"Authorization": f"Bearer {token}"}).status_code


def basic(client: str, secret: str) -> str:
    """Return a header of HTTP Basic, as OAuth 2.0 writes it."""
    text = f"{quote_plus(client)}:{quote_plus(secret)}"
    return f"Basic {base64.b64encode(text.encode()).decode()}"


class TestGiven:
    def test_stands_for_the_key(self, house: House) -> None:
        told = given(house)
        me = house.client.get(
            "/v1/me", headers={"Authorization": f"Bearer {told['access_token']}"}
        ).json()
        assert me == house.get("/v1/me", "agent").json()
        assert (told["token_type"], told["expires_in"]) == ("Bearer", 3600)
        assert told["scope"].split(" ") == me["scopes"]

    def test_by_http_basic(self, house: House) -> None:
        client = client_of(house)
        sent = basic(client["client_id"], client["client_secret"])
        answer = ask(house, {"grant_type": "client_credentials"}, Authorization=sent)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        assert use(house, answer.json()["access_token"]) == 200

    def test_allows_what_was_asked_for_only(self, house: House) -> None:
        told = given(house, scope="orders:read  stock:read")
        assert told["scope"] == "orders:read stock:read"
        assert use(house, told["access_token"]) == 200
        assert use(house, told["access_token"], "/v1/customers?q=a") == 403

    def test_allows_no_more_than_its_key_by_now(self, house: House) -> None:
        token = given(house)["access_token"]
        with house.system.ledger.transaction() as tx:
            tx.exec_driver_sql("update api_keys set scopes = '{stock:read}' where role = 'agent'")
        house.app.state.keyring.forget()
        assert use(house, token) == 403

    def test_knows_the_channels_of_its_key(self, house: House) -> None:
        headers = {"Authorization": f"Bearer {given(house, 'web')['access_token']}"}
        assert house.client.get("/v1/me", headers=headers).json()["channel_codes"] == ["web"]

    def test_is_nowhere_to_be_had_again(self, house: House) -> None:
        token = given(house)["access_token"]
        row = house.shop.value("select to_jsonb(t)::text from access_tokens t")
        assert token.split("_")[2] not in row


class TestEnd:
    def test_comes_after_an_hour(self, house: House, clock: Clock) -> None:
        token = given(house)["access_token"]
        clock.forward(minutes=59)
        assert use(house, token) == 200
        clock.forward(minutes=1)
        assert use(house, token) == 401

    def test_comes_with_its_key_at_once(self, house: House) -> None:
        key = house.post("/v1/keys", {"name": "crm", "role": "agent"}).json()
        answer = ask(house, {
            "grant_type": "client_credentials", "client_id": key["key_id"],
            "client_secret": key["key"],
        })  # fmt: skip
        token = answer.json()["access_token"]
        assert use(house, token) == 200
        assert house.delete(f"/v1/keys/{key['key_id']}").status_code == 204
        assert use(house, token) == 401

    def test_comes_with_its_key_when_another_process_revokes_it(
        self, house: House, clock: Clock
    ) -> None:
        token = given(house)["access_token"]
        assert use(house, token) == 200
        with house.system.ledger.transaction() as tx:
            revoke_key(tx, client_of(house)["client_id"], at=clock())
        clock.forward(milliseconds=500)
        assert use(house, token) == 401

    def test_is_not_after_that_of_its_key(self, house: House, clock: Clock) -> None:
        key = house.post(
            "/v1/keys", {"name": "x", "role": "agent", "expires_at": "2026-01-05T12:10:00Z"}
        ).json()
        answer = ask(house, {
            "grant_type": "client_credentials", "client_id": key["key_id"],
            "client_secret": key["key"],
        })  # fmt: skip
        assert answer.json()["expires_in"] == 600
        clock.forward(minutes=10)
        assert use(house, answer.json()["access_token"]) == 401

    def test_comes_to_the_oldest_of_too_many(self, house: House, clock: Clock) -> None:
        first = given(house)["access_token"]
        clock.forward(seconds=1)
        tokens = [given(house)["access_token"] for _ in range(KEY_TOKENS_MAX - 1)]
        assert use(house, first) == 200
        tokens.append(given(house)["access_token"])
        house.app.state.keyring.forget()
        assert [use(house, each) for each in (first, tokens[-1])] == [401, 200]
        assert house.count("access_tokens") == KEY_TOKENS_MAX

    def test_leaves_nothing_behind_when_the_next_is_given(self, house: House, clock: Clock) -> None:
        given(house)
        clock.forward(minutes=60)
        given(house)
        assert house.count("access_tokens") == 1


class TestRefused:
    @pytest.mark.parametrize(
        ("change", "error"),
        [
            ({"grant_type": ""}, "invalid_request"),
            ({"grant_type": "password"}, "unsupported_grant_type"),
            ({"grant_type": "\x00"}, "unsupported_grant_type"),
            ({"scope": "keys:write"}, "invalid_scope"), ({"scope": "\x00"}, "invalid_scope"),
            ({"scope": "orders:read no:such"}, "invalid_scope"),
        ],
    )  # fmt: skip
    def test_in_the_words_of_oauth(self, house: House, change: Any, error: str) -> None:
        fields = {"grant_type": "client_credentials", **client_of(house)}
        answer = ask(house, fields | change)
        assert (answer.status_code, answer.json()["error"]) == (400, error)
        assert answer.headers["cache-control"] == "no-store"
        assert house.count("access_tokens") == 0

    @pytest.mark.parametrize(
        "bend",
        [
            lambda one: one | {"client_secret": "oms_"}, lambda one: one | {"client_id": ""},
            lambda one: one | {"client_id": "0" * 12}, lambda one: one | {"client_secret": "\x00"},
            lambda one: {"client_id": one["client_id"]},
            lambda one: one | {"client_secret": one["client_secret"].split("_")[2]},
            lambda one: one | {"client_id": "\ufffd"},
        ],
    )  # fmt: skip
    def test_to_who_is_not_the_client(self, house: House, bend: Callable[[Any], Any]) -> None:
        answer = ask(house, {"grant_type": "client_credentials", **bend(client_of(house))})
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
        assert answer.headers["www-authenticate"] == 'Basic realm="oms"'

    @pytest.mark.parametrize("name", ["expired", "revoked", "altered", "unknown"])
    def test_to_a_useless_key(self, house: House, name: str) -> None:
        answer = ask(house, {"grant_type": "client_credentials", **client_of(house, name)})
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")

    def test_to_another_client_with_a_good_key(self, house: House) -> None:
        client = client_of(house) | {"client_id": client_of(house, "finance")["client_id"]}
        answer = ask(house, {"grant_type": "client_credentials", **client})
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")

    def test_to_a_token(self, house: House) -> None:
        client = client_of(house) | {"client_secret": given(house)["access_token"]}
        answer = ask(house, {"grant_type": "client_credentials", **client})
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")

    @pytest.mark.parametrize(
        "sent",
        ["Basic", "Basic é", "Basic !!!!", "Basic YQ==", "Bearer oms_1", "Basic /w=="],
    )
    def test_by_a_header_that_is_no_clients(self, house: House, sent: str) -> None:
        answer = house.client.post(
            PATH, content=b"grant_type=client_credentials",
            headers=[*FORM.items(), ("Authorization", sent.encode("latin-1"))],
        )  # fmt: skip
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")

    @pytest.mark.parametrize(
        "body", [b"", b"\xff", b"grant_type=%FF", b"a=1&a=2", b"&".join([b"a=1"] * 50), b"{}"]
    )
    def test_for_no_form(self, house: House, body: bytes) -> None:
        answer = ask(house, body, Authorization=basic("a", "b"))
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")

    def test_for_a_secret_in_two_places(self, house: House) -> None:
        client = client_of(house)
        answer = ask(
            house, {"grant_type": "client_credentials", **client},
            Authorization=basic(client["client_id"], client["client_secret"]),
        )  # fmt: skip
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")

    def test_for_json(self, house: House) -> None:
        answer = house.client.post(PATH, json={"grant_type": "client_credentials"})
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")

    def test_when_it_is_too_large(self, house: House) -> None:
        assert ask(house, b"a=" + b"x" * 20_000).status_code == 413

    def test_when_asked_too_often(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("api.routers.tokens.ADDRESS_PER_HOUR_MAX", 2)
        fields = {"grant_type": "client_credentials", **client_of(house, "altered")}
        statuses = [ask(house, fields).status_code for _ in range(3)]
        assert statuses == [401, 401, 429]
        good = ask(house, {"grant_type": "client_credentials", **client_of(house)})
        assert (good.status_code, good.json()["code"]) == (429, "TOO_MANY_GUESSES")
        assert int(good.headers["retry-after"]) > 0
