"""Tags over HTTP: put on, taken off, found by, counted, added up, taken away, told."""

import csv
import io
from typing import Any

import httpx
import pytest

from oms.kernel.limits import TAGS_MAX
from tests.api.conftest import House
from tests.api.wire import a_line, an_order
from tests.ledger.finding import indexed


def tag(house: House, number: str, once: str, key: str = "admin", **said: Any) -> httpx.Response:
    return house.post(f"/v1/orders/{number}/tags", said, key, once=once)


@pytest.fixture
def two(stocked: House) -> list[str]:
    """Give the numbers of two orders."""
    return [
        str(stocked.order(an_order(ref)).json()["order_number"]) for ref in ("W-1", "W-2")
    ]  # fmt: skip


class TestTag:
    def test_put_on_and_taken_off_they_are_told(self, house: House, two: list[str]) -> None:
        answer = tag(house, two[0], "a", "agent", add=["VIP", " gift   wrap ", "vip"])
        assert answer.json() == {"order_number": two[0], "tags": ["gift wrap", "vip"]}
        assert tag(house, two[0], "b", remove=["vip", "never"]).json()["tags"] == ["gift wrap"]
        order = house.get(f"/v1/orders/{two[0]}").json()
        assert order["tags"] == ["gift wrap"]
        assert [(each["type"], each["actor"], each["data"]) for each in order["events"][1:]] == [
            ("order.tagged", "agent", {"added": ["gift wrap", "vip"], "removed": []}),
            ("order.tagged", "admin", {"added": [], "removed": ["vip"]}),
        ]  # fmt: skip

    def test_done_twice_it_is_as_done_once(self, house: House, two: list[str]) -> None:
        version = house.get(f"/v1/orders/{two[0]}").json()["version"]
        for once in ("a", "b"):
            assert tag(house, two[0], once, add=["vip"], remove=["new"]).status_code == 200
        order = house.get(f"/v1/orders/{two[0]}").json()
        assert (len(order["events"]), order["version"]) == (2, version)

    @pytest.mark.parametrize(
        "said",
        [
            {}, {"add": []}, {"add": ["a,b"]}, {"add": [" "]}, {"add": ["x" * 51]},
            {"add": ["\u200b"]}, {"add": ["a\u202eb"]}, {"add": ["VIP"], "remove": ["vip"]},
            {"add": "vip"}, {"add": ["x"] * 51},
        ],
    )  # fmt: skip
    def test_refuses_what_is_none(self, house: House, two: list[str], said: Any) -> None:
        assert tag(house, two[0], "a", **said).status_code == 422
        assert house.get(f"/v1/orders/{two[0]}").json()["tags"] == []

    def test_there_are_so_many_and_no_more(self, house: House, two: list[str]) -> None:
        full = [f"t{n:02}" for n in range(TAGS_MAX)]
        assert tag(house, two[0], "a", add=full).json()["tags"] == full
        refused = tag(house, two[0], "b", add=["more"])
        assert (refused.status_code, refused.json()["code"]) == (409, "TOO_MANY_TAGS")
        assert len(tag(house, two[0], "c", add=["more"], remove=["t00"]).json()["tags"]) == TAGS_MAX

    def test_a_foreign_order_reads_like_none(self, house: House, two: list[str]) -> None:
        assert tag(house, two[0], "a", "market", add=["x"]).status_code == 404

    def test_a_newer_document_leaves_them(self, house: House, two: list[str]) -> None:
        tag(house, two[0], "a", add=["vip"])
        newer = an_order("W-1", version=2, lines=[a_line(quantity=2)])
        assert house.order(newer).json()["outcome"] == "updated"
        assert house.get(f"/v1/orders/{two[0]}").json()["tags"] == ["vip"]


class TestFind:
    def test_orders_are_found_counted_and_added_up_by_them(
        self, house: House, two: list[str]
    ) -> None:
        tag(house, two[0], "a", add=["vip", "new"])
        tag(house, two[1], "b", add=["new"])
        indexed(house.shop.ledger)
        for asked, count in (("VIP", 1), ("new", 2), ("ne", 0), (["vip", "new"], 2)):
            found = house.get("/v1/orders", params={"tag": asked}).json()["items"]
            assert len(found) == count, asked
        counted = house.get("/v1/orders/facets").json()["facets"]["tag"]
        assert counted == [
            {"value": "new", "orders_count": 2}, {"value": "vip", "orders_count": 1},
        ]  # fmt: skip
        added_up = house.get("/v1/orders/analysis?by=tag&tag=vip").json()["items"]
        assert [(each["values"]["tag"], each["orders_count"]) for each in added_up] == [
            ("new", 1), ("vip", 1),
        ]  # fmt: skip
        file = house.get("/v1/orders/export?tag=vip").content.decode("utf-8-sig")
        lines = [line for line in file.splitlines() if line[:1] != "#"]
        (row,) = csv.DictReader(io.StringIO("\n".join(lines)))
        assert row["Tags"] == "new, vip"

    def test_an_order_without_any_is_added_up_as_such(self, house: House, two: list[str]) -> None:
        (group,) = house.get("/v1/orders/analysis?by=tag").json()["items"]
        assert (group["values"]["tag"], group["orders_count"]) == (None, len(two))

    def test_a_view_keeps_them(self, house: House) -> None:
        query = {"tag": ["vip"], "note": "call", "sort": "state_since"}
        body = {"name": "VIPs", "query": query}
        assert house.post("/v1/views", body, once="v").json()["query"] == query


class TestAllOfASearch:
    def test_is_tagged_as_it_was_found(self, house: House, two: list[str]) -> None:
        indexed(house.shop.ledger)
        tag(house, two[0], "a", add=["vip"])
        body = {"query": {"channel": ["web"], "q": "ada"}, "add": ["vip"], "remove": ["x"]}
        answer = house.post("/v1/orders:tag", body, once="all")
        assert answer.json() == {"orders_count": 2, "changed_count": 1}
        assert [house.get(f"/v1/orders/{each}").json()["tags"] for each in two] == [["vip"]] * 2
        foreign = house.post("/v1/orders:tag", {"query": {}, "add": ["z"]}, "market", once="f")
        assert foreign.json() == {"orders_count": 0, "changed_count": 0}

    def test_that_is_too_wide_is_refused(
        self, house: House, two: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("oms.tags.operations.TAGGED_ORDERS_MAX", 1)
        answer = house.post("/v1/orders:tag", {"query": {}, "add": ["vip"]}, once="all")
        assert (answer.status_code, answer.json()["code"]) == (422, "RESULT_TOO_WIDE")
        assert house.shop.value("select count(*) from orders where tags <> '{}'") == 0
