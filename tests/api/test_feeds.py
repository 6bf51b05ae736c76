"""Feeds over the API: what a channel may sell, followed by version; switched, held, compared."""

from typing import Any

import pytest
from sqlalchemy import text

from oms.feeds import operations
from oms.kernel import clock
from oms.ledger.followers import follow
from tests.api.conftest import House
from tests.api.wire import a_movement, an_order

PATH = "/v1/channels/web/availability"


def recompute(house: House) -> None:
    """Let the follower see what changed."""
    ledger = house.shop.ledger
    for _ in range(2):
        follow(ledger, operations.FOLLOWER, operations.mark_changed)
    while ledger.run(lambda tx: operations.recompute(tx, at=clock.now())):
        pass


@pytest.fixture
def fed(stocked: House) -> House:
    """Give the retailer with ten pens, and the feeds worked out."""
    recompute(stocked)
    return stocked


def values(answer: Any) -> dict[str, int]:
    return {each["sku"]: each["available_to_sell"] for each in answer.json()["items"]}


class TestAvailability:
    def test_is_followed_by_version(self, fed: House) -> None:
        first = fed.get(PATH, "web")
        assert values(first) == {"PEN": 10, "INK": 0, "LAMP": 0}
        after = first.json()["next_after"]
        fed.order(an_order("W-1"))
        fed.post("/v1/stock/movements", {"movements": [a_movement("m-2", 5)]})
        recompute(fed)
        second = fed.get(f"{PATH}?after={after}", "web")
        assert values(second) == {"PEN": 14}
        assert second.json()["next_after"] > after
        last = fed.get(f"{PATH}?after={second.json()['next_after']}", "web").json()
        assert (last["items"], last["next_after"]) == ([], second.json()["next_after"])

    def test_is_what_the_stock_says(self, fed: House) -> None:
        (channel,) = fed.get("/v1/stock/PEN", "web").json()["channels"]
        assert channel["available_to_sell"] == values(fed.get(PATH, "web"))["PEN"]

    def test_comes_in_pages(self, fed: House) -> None:
        found: dict[str, int] = {}
        after, has_more, count = 0, True, 0
        while has_more:
            page = fed.get(f"{PATH}?after={after}&limit=1")
            found |= values(page)
            after, has_more, count = page.json()["next_after"], page.json()["has_more"], count + 1
        assert (len(found), count) == (3, 3)

    @pytest.mark.parametrize("path", [PATH, f"{PATH}:compare", "/v1/channels/web/feed"])
    def test_of_a_foreign_channel_is_not_there(self, fed: House, path: str) -> None:
        body = {"items": [{"sku": "PEN", "available_to_sell": 1}]}
        for each, key in ((path, "market"), (path.replace("web", "none"), "admin")):
            answer = fed.post(each, body, key) if "compare" in each else fed.get(each, key)
            assert (answer.status_code, answer.json()["code"]) == (404, "UNKNOWN_CHANNEL")


class TestCompare:
    def test_names_what_has_drifted(self, fed: House) -> None:
        items = [
            {"sku": sku, "available_to_sell": said}
            for sku, said in {"PEN": 10, "INK": 4, "GONE": 1}.items()
        ]
        answer = fed.post(f"{PATH}:compare", {"items": items}, "web").json()
        assert answer["compared_count"] == 3
        assert answer["differences"] == [
            {"sku": "GONE", "ours": None, "theirs": 1}, {"sku": "INK", "ours": 0, "theirs": 4},
        ]  # fmt: skip


class TestFeed:
    def test_is_switched_off_and_on(self, fed: House) -> None:
        off = fed.post("/v1/channels/web/feed", {"is_enabled": False, "few_units": 2}).json()
        assert (off["is_enabled"], off["few_units"]) == (False, 2)
        closed = fed.get(PATH, "web").json()
        assert (closed["is_open"], closed["items"]) == (False, [])
        on = fed.post("/v1/channels/web/feed", {"is_enabled": True}).json()
        assert (on["is_enabled"], on["few_units"]) == (True, 2)
        assert len(values(fed.get(PATH, "web"))) == 3

    def test_that_is_held_is_released_once(self, fed: House) -> None:
        with fed.shop.ledger.transaction() as tx:
            channel = fed.shop.channel("web").channel_id
            operations.SQL.run(tx, "hold", channel_id=channel, reason="why", at=clock.now())
        assert fed.get("/v1/channels/web/feed").json()["held_reason"] == "why"
        assert not fed.get(PATH).json()["is_open"]
        assert fed.post("/v1/channels/web/feed:release").json()["held_at"] is None
        again = fed.post("/v1/channels/web/feed:release")
        assert (again.status_code, again.json()["code"]) == (409, "FEED_NOT_HELD")

    def test_is_told_anew_when_asked_for(self, fed: House) -> None:
        answer = fed.post("/v1/channels/web/feed:reconcile")
        assert answer.status_code == 202
        assert answer.json()["reconciled_at"] == "2026-01-05T12:00:00Z"
        assert fed.count("availability_due") == 3

    def test_of_another_channel_is_switched_by_nobody_bound(self, fed: House) -> None:
        answer = fed.post("/v1/channels/market/feed", {"is_enabled": False}, "web admin")
        assert answer.status_code == 404


class TestTold:
    def test_says_of_a_sku_what_each_channel_has(self, fed: House) -> None:
        path = "/v1/stock/feeds?sku=PEN"
        body = {"url": "https://shop.example.org/hooks", "topics": ["stock.available"]}
        number = fed.post("/v1/webhooks", body, once="told").json()["subscription_id"]
        web = {each["channel_code"]: each for each in fed.get(path).json()}["web"]
        feed = values(fed.get(PATH))
        assert (web["available_to_sell"], web["subscribers"]) == (feed["PEN"], [])
        with fed.system.ledger.transaction() as tx:
            tx.execute(text(
                "insert into feed_cursors (subscription_id, channel_id, version, pushed_at)"
                " select :s, channel_id, :v, now() from channels where channel_code = 'web'"
            ), {"s": number, "v": web["version"]})  # fmt: skip
        assert [each["is_told"] for each in told(fed, path)] == [True]
        fed.order(an_order("W-9"))
        recompute(fed)
        assert [each["is_told"] for each in told(fed, path)] == [False]
        assert [each["channel_code"] for each in fed.get(path, "market").json()] == ["market"]


def told(house: House, path: str) -> Any:
    """Return who is told of the web shop's number."""
    return {each["channel_code"]: each for each in house.get(path).json()}["web"]["subscribers"]
