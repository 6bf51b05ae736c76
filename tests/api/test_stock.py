"""Stock: read with the reason why, followed by its changes, counted and moved."""

import pytest

from tests.api.conftest import House
from tests.api.wire import a_count, a_line, a_movement, an_order


class TestRead:
    def test_says_how_much_where_for_whom_and_when(self, stocked: House) -> None:
        stocked.order(an_order(lines=[a_line(quantity=3)]))
        stock = stocked.get("/v1/stock/PEN").json()
        assert stock["as_of"] == "2026-01-05T12:00:00Z"
        (level,) = stock["levels"]
        assert (level["location_code"], level["on_hand"], level["allocated"]) == ("DC", 10, 3)
        assert level["available_to_fulfill"] == 7
        by_channel = {each["channel_code"]: each["available_to_sell"] for each in stock["channels"]}
        assert by_channel == {"market": 7, "shopify": 7, "till": 0, "trade": 7, "web": 7}

    def test_tells_a_bound_key_of_its_channels_only(self, stocked: House) -> None:
        stock = stocked.get("/v1/stock/PEN", "web").json()
        assert [each["channel_code"] for each in stock["channels"]] == ["web"]

    def test_takes_a_sku_with_a_slash(self, house: House) -> None:
        house.post("/v1/products", {"products": [{"sku": "PEN/BLUE", "title": "Blue pen"}]})
        assert house.get("/v1/stock/PEN/BLUE").json()["sku"] == "PEN/BLUE"

    @pytest.mark.parametrize("sku", ["NIB", "changes2"])
    def test_does_not_know(self, house: House, sku: str) -> None:
        answer = house.get(f"/v1/stock/{sku}")
        assert (answer.status_code, answer.json()["code"]) == (404, "UNKNOWN_SKU")


class TestETag:
    def test_spares_what_is_known(self, stocked: House) -> None:
        first = stocked.get("/v1/stock/PEN")
        tag = first.headers["etag"]
        again = stocked.get("/v1/stock/PEN", headers={"If-None-Match": f'"other", {tag}'})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag

    def test_changes_with_the_stock(self, stocked: House) -> None:
        tag = stocked.get("/v1/stock/PEN").headers["etag"]
        stocked.order(an_order())
        after = stocked.get("/v1/stock/PEN", headers={"If-None-Match": tag})
        assert after.status_code == 200
        assert after.headers["etag"] != tag

    def test_differs_by_what_may_be_seen(self, stocked: House) -> None:
        tags = {stocked.get("/v1/stock/PEN", key).headers["etag"] for key in ("admin", "web")}
        assert len(tags) == 2


class TestBatch:
    def test_names_what_is_unknown(self, stocked: House) -> None:
        answer = stocked.post("/v1/stock:batchGet", {"skus": ["PEN", "NIB", "PEN", "INK"]}).json()
        assert [item["sku"] for item in answer["items"]] == ["INK", "PEN"]
        assert answer["unknown"] == ["NIB"]
        assert answer["as_of"] == "2026-01-05T12:00:00Z"

    @pytest.mark.parametrize("skus", [[], ["x"] * 501, ["a\x00"], [""], "PEN", [1]])
    def test_refuses(self, house: House, skus: object) -> None:
        assert house.post("/v1/stock:batchGet", {"skus": skus}).status_code == 422


class TestChanges:
    def test_lead_on_from_position_to_position(self, stocked: House) -> None:
        start = stocked.get("/v1/stock/changes").json()["next_after"]
        assert stocked.get(f"/v1/stock/changes?after={start}").json()["items"] == []
        stocked.order(an_order())
        changes = stocked.get(f"/v1/stock/changes?after={start}").json()
        assert [item["sku"] for item in changes["items"]] == ["PEN"]
        assert changes["items"][0]["levels"][0]["allocated"] == 1
        assert changes["next_after"] > start

    def test_come_in_pages(self, house: House) -> None:
        start = house.get("/v1/stock/changes").json()["next_after"]
        for sku in ("PEN", "INK", "LAMP"):
            house.post("/v1/stock/movements", {"movements": [a_movement(f"m-{sku}", sku=sku)]})
        found, has_more = [], True
        while has_more:
            page = house.get(f"/v1/stock/changes?after={start}&limit=1").json()
            found += [item["sku"] for item in page["items"]]
            start, has_more = page["next_after"], page["has_more"]
        assert found == ["PEN", "INK", "LAMP"]

    @pytest.mark.parametrize("query", ["after=-1", "after=x", "limit=201", "after=9e99"])
    def test_refuse(self, house: House, query: str) -> None:
        assert house.get(f"/v1/stock/changes?{query}").status_code == 422


class TestCounts:
    def test_set_what_is_there(self, stocked: House) -> None:
        answer = stocked.post("/v1/stock/counts", {"counts": [a_count()]}, "store")
        assert answer.status_code == 200
        assert answer.json() == {
            "received_count": 1, "changed_count": 1, "as_of": "2026-01-05T12:00:00Z"
        }  # fmt: skip
        assert stocked.shop.shelf().on_hand == 7

    def test_act_once(self, stocked: House) -> None:
        for _ in range(2):
            stocked.post("/v1/stock/counts", {"counts": [a_count()]})
        assert stocked.shop.shelf().on_hand == 7

    def test_are_taken_all_or_none(self, stocked: House) -> None:
        counts = [a_count(), a_count("c-2", sku="NIB"), a_count("c-3", location_code="MOON")]
        answer = stocked.post("/v1/stock/counts", {"counts": counts})
        assert answer.status_code == 422
        assert [(each["pointer"], each["code"]) for each in answer.json()["errors"]] == [
            ("/counts/1/sku", "UNKNOWN_SKU"), ("/counts/2/location_code", "UNKNOWN_LOCATION")
        ]  # fmt: skip
        assert stocked.shop.shelf().on_hand == 10


class TestMovements:
    def test_serve_who_waits(self, house: House) -> None:
        house.order(an_order(lines=[a_line(quantity=2)], allow_backorder=True))
        assert house.shop.states() == ("placed", "backordered")
        answer = house.post("/v1/stock/movements", {"movements": [a_movement()]})
        assert answer.json()["changed_count"] == 1
        assert house.shop.states() == ("placed", "allocated")

    def test_act_once(self, house: House) -> None:
        bodies = [{"movements": [a_movement()]}, {"movements": [a_movement()]}]
        answers = [house.post("/v1/stock/movements", body).json() for body in bodies]
        assert [answer["changed_count"] for answer in answers] == [1, 0]
        assert house.shop.shelf().on_hand == 5

    @pytest.mark.parametrize(
        ("fields", "pointer"),
        [
            ({"quantity": 0}, "/movements/0/quantity"),
            ({"quantity": -1}, "/movements/0/quantity"),
            ({"quantity": 10**7}, "/movements/0/quantity"),
            ({"kind": "pos_sale"}, "/movements/0/kind"),
            ({"sku": "NIB"}, "/movements/0/sku"),
        ],
    )
    def test_refuse(self, house: House, fields: dict[str, object], pointer: str) -> None:
        answer = house.post("/v1/stock/movements", {"movements": [a_movement(**fields)]})
        assert answer.status_code == 422
        assert [each["pointer"] for each in answer.json()["errors"]] == [pointer]
        assert house.count("stock_movements") == 0
