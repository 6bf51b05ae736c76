"""API keys: made, used, revoked, and never stronger than who made them."""

from typing import Any

import pytest

from oms.access.operations import revoke_key
from tests.api.conftest import House
from tests.conftest import Clock


def use(house: House, key: str, path: str = "/v1/channels") -> int:
    """Get a path with the text of a key; return the status."""
    return house.client.get(path, headers={"Authorization": f"Bearer {key}"}).status_code


class TestMake:
    def test_shows_the_secret_once(self, house: House) -> None:
        made = house.post("/v1/keys", {"name": "shop", "role": "finance"})
        assert made.status_code == 201
        key = made.json()["key"]
        assert use(house, key) == 200
        assert key not in house.get("/v1/keys").text
        assert "key" not in house.get("/v1/keys").json()[0]

    def test_keeps_no_secret_for_repetitions(self, house: House) -> None:
        body = {"name": "shop", "role": "finance"}
        made, again = (house.post("/v1/keys", body, once="k") for _ in range(2))
        assert (made.status_code, again.status_code) == (201, 201)
        assert again.json() == made.json() | {"key": None}
        assert made.json()["key"] not in house.shop.value(
            "select response::text from idempotency_keys"
        )
        assert made.json()["key"].split("_")[2] not in house.shop.value(
            "select response::text from idempotency_keys"
        )

    @pytest.mark.parametrize(
        ("fields", "pointer"),
        [
            ({"role": "king"}, "/role"), ({"name": ""}, "/name"),
            ({"channel_codes": ["nonesuch"]}, "/channel_codes"),
            ({"channel_codes": []}, "/channel_codes"),
            ({"expires_at": "2026-01-05T12:00:00Z"}, "/expires_at"),
            ({"expires_at": "9999-12-31T23:59:59-14:00"}, "/expires_at"),
            ({"expires_at": "2027-01-01T00:00:00"}, "/expires_at"),
            ({"scopes": ["keys:write"]}, "/scopes"),
        ],
    )  # fmt: skip
    def test_refuses(self, house: House, fields: dict[str, Any], pointer: str) -> None:
        answer = house.post("/v1/keys", {"name": "shop", "role": "finance", **fields})
        assert answer.status_code == 422
        assert [each["pointer"] for each in answer.json()["errors"]] == [pointer]

    def test_ends_when_it_says(self, house: House, clock: Clock) -> None:
        made = house.post(
            "/v1/keys", {"name": "x", "role": "finance", "expires_at": "2026-01-05T13:00:00Z"}
        )
        clock.forward(minutes=59)
        assert use(house, made.json()["key"]) == 200
        clock.forward(minutes=1)
        assert use(house, made.json()["key"]) == 401


class TestBound:
    """An administrator bound to channels governs keys of those channels only."""

    def test_makes_keys_of_its_channels(self, house: House) -> None:
        made = house.post("/v1/keys", {"name": "x", "role": "channel"}, "web admin")
        assert made.json()["channel_codes"] == ["web"]

    def test_makes_no_others(self, house: House) -> None:
        body = {"name": "x", "role": "channel", "channel_codes": ["web", "market"]}
        assert house.post("/v1/keys", body, "web admin").status_code == 422

    def test_sees_and_revokes_no_others(self, house: House) -> None:
        keys = house.get("/v1/keys", "web admin").json()
        assert {key["name"] for key in keys} == {"web", "web admin", "nowhere"}
        admin = house.keys.of["admin"].split("_")[1]
        assert house.delete(f"/v1/keys/{admin}", "web admin").status_code == 404
        assert use(house, house.keys.of["admin"]) == 200


class TestRevoke:
    def test_works_at_once(self, house: House) -> None:
        made = house.post("/v1/keys", {"name": "x", "role": "finance"}).json()
        assert use(house, made["key"]) == 200
        for _ in range(2):
            assert house.delete(f"/v1/keys/{made['key_id']}").status_code == 204
        assert use(house, made["key"]) == 401

    def test_does_not_know(self, house: House) -> None:
        assert house.delete("/v1/keys/00").status_code == 404
        assert house.delete("/v1/keys/xyz").status_code == 422

    def test_by_another_process_works_within_a_second(self, house: House, clock: Clock) -> None:
        made = house.post("/v1/keys", {"name": "x", "role": "finance"}).json()
        assert use(house, made["key"]) == 200
        with house.system.ledger.transaction() as tx:
            revoke_key(tx, made["key_id"], at=clock())
        clock.forward(milliseconds=500)
        assert use(house, made["key"]) == 401


class TestUse:
    def test_is_noted_to_the_minute(self, house: House, clock: Clock) -> None:
        key_id = house.keys.of["finance"].split("_")[1]

        def noted() -> Any:
            keys = house.get("/v1/keys").json()
            return next(key["last_used_at"] for key in keys if key["key_id"] == key_id)

        house.app.state.keyring.forget()
        assert noted() is None
        for forward, expected in ((0, "12:00:00"), (59, "12:00:00"), (1, "12:01:00")):
            clock.forward(seconds=forward)
            house.get("/v1/channels", "finance")
            assert noted() == f"2026-01-05T{expected}Z"
