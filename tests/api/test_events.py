"""GET /v1/events: what happened, from any place on, to whom it may be told."""

import pytest

from tests.api.conftest import House
from tests.api.wire import an_order


@pytest.fixture
def told(stocked: House) -> House:
    """Give the retailer with an order of the web shop, a note on it, and one of the market."""
    stocked.order(an_order("W-1", ship_to={"street": "Canal 1"}))
    stocked.post("/v1/orders/R100000001/notes", {"body": "Hm."}, once="n")
    stocked.order(an_order("M-1", channel_code="market"))
    return stocked


def names(house: House, key: str = "admin", query: str = "") -> list[tuple[str, int]]:
    """Return the events a key reads: the order and the number of each."""
    answer = house.get(f"/v1/events{query}", key)
    assert answer.status_code == 200, answer.text
    return [
        (each["data"]["order"]["external_ref"], each["sequence"]) for each in answer.json()["items"]
    ]


class TestList:
    def test_gives_every_event_and_where_to_go_on(self, told: House) -> None:
        assert names(told) == [("W-1", 1), ("W-1", 2), ("M-1", 1)]
        first = told.get("/v1/events?limit=1").json()
        assert first["has_more"]
        assert names(told, query=f"?after={first['next_after']}") == [("W-1", 2), ("M-1", 1)]
        last = told.get("/v1/events").json()
        assert not last["has_more"]
        assert names(told, query=f"?after={last['next_after']}") == []
        told.order(an_order("W-2"))
        assert names(told, query=f"?after={last['next_after']}") == [("W-2", 1)]

    def test_says_what_happened_and_how_the_order_is(self, told: House) -> None:
        event = told.get("/v1/events").json()["items"][0]
        assert event["event_id"] == "evt_R100000001_1"
        assert event["type"] == "order.captured"
        assert event["occurred_at"] == "2026-01-05T12:00:00Z"
        assert event["data"]["order"]["ship_to"] == {"street": "Canal 1"}
        assert event["data"]["order"]["total"] == {"amount": "10.00", "currency": "EUR"}
        assert event["data"]["order"]["lines"][0]["net"] == {"amount": "8.27", "currency": "EUR"}

    def test_can_be_read_again_from_any_place(self, told: House) -> None:
        assert told.get("/v1/events?limit=1").json() == told.get("/v1/events?limit=1").json()

    @pytest.mark.parametrize("after", ["x", "LTEuMi4z"])
    def test_refuses_a_cursor_that_is_none_of_ours(self, house: House, after: str) -> None:
        answer = house.get(f"/v1/events?after={after}")
        assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_CURSOR")


class TestScope:
    def test_a_key_reads_its_channels_only(self, told: House) -> None:
        assert names(told, "web") == [("W-1", 1), ("W-1", 2)]
        assert names(told, "market") == [("M-1", 1)]
        assert len(names(told, "both")) == 3
        assert names(told, "nowhere") == []

    def test_a_foreign_channel_reads_as_one_that_is_not_there(self, told: House) -> None:
        answers = [told.get(f"/v1/events?channel={code}", "web") for code in ("market", "nonesuch")]
        assert [answer.json()["items"] for answer in answers] == [[], []]
        assert names(told, query="?channel=market") == [("M-1", 1)]

    def test_who_may_not_read_orders_sees_no_customer(self, told: House) -> None:
        seen = told.get("/v1/events", "engineer").text
        for each in ("Ada Pen", "ada@example.org", "Canal 1", "ship_to", "customer_name"):
            assert each not in seen
            assert each in told.get("/v1/events", "admin").text
