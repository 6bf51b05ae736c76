"""/v1/views: questions to the list of orders, kept for oneself or for everybody of a role."""

from typing import Any

import pytest

from tests.api.conftest import House

BODY = {"name": "Open in Utrecht", "query": {"q": "utrecht", "order_state": ["placed"]}}


def names(house: House, key: str) -> list[str]:
    """List the views a key sees."""
    return [each["name"] for each in house.get("/v1/views", key).json()]


class TestViews:
    def test_a_view_is_kept_and_is_what_the_list_is_asked(self, house: House) -> None:
        answer = house.post("/v1/views", BODY, "agent", once="k")
        assert answer.status_code == 201
        assert answer.json() == house.get("/v1/views", "agent").json()[0]
        kept = answer.json()
        assert (kept["query"], kept["created_by"], kept["is_shared"]) == (
            BODY["query"], "agent", False
        )  # fmt: skip
        assert house.get("/v1/orders", "agent", params=kept["query"]).status_code == 200

    def test_it_acts_once_per_key(self, house: House) -> None:
        first = house.post("/v1/views", BODY, "agent", once="k")
        again = house.post("/v1/views", BODY, "agent", once="k")
        assert again.json() == first.json()
        assert house.post("/v1/views", BODY, "agent").json()["code"] == "IDEMPOTENCY_KEY_MISSING"

    def test_it_is_given_up(self, house: House) -> None:
        view_id = house.post("/v1/views", BODY, "agent", once="k").json()["view_id"]
        assert house.delete(f"/v1/views/{view_id}", "admin").status_code == 404
        assert house.delete(f"/v1/views/{view_id}", "agent").status_code == 204
        answer = house.delete(f"/v1/views/{view_id}", "agent")
        assert (answer.status_code, answer.json()["code"]) == (404, "VIEW_NOT_FOUND")
        assert names(house, "agent") == []

    def test_a_shared_one_is_seen_by_who_is_bound_to_the_same_channels(self, house: House) -> None:
        house.post("/v1/views", {**BODY, "is_shared": True}, "web", once="k")
        assert names(house, "web") == [BODY["name"]]
        for other in ("market", "both", "nowhere", "channel", "web admin", "admin"):
            assert names(house, other) == [], other

    @pytest.mark.parametrize(
        "body",
        [
            {}, {"name": "x"}, {"name": "", "query": {}}, {"name": "x", "query": {"color": "red"}},
            {"name": "x", "query": {"order_state": ["lost"]}}, {"name": "x" * 101, "query": {}},
            {"name": "x", "query": {"after": "W10"}}, {"name": "x", "query": {}, "is_shared": 1},
            {"name": "x", "query": {"q": "a\x00"}},
        ],
    )  # fmt: skip
    def test_what_is_no_question_is_not_kept(self, house: House, body: dict[str, Any]) -> None:
        assert house.post("/v1/views", body, "agent", once="k").status_code == 422
        assert names(house, "agent") == []
