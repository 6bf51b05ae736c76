"""The shop's server: pages, tokens, patience, stock levels."""

from collections.abc import Iterator
from datetime import date

import httpx
import pytest

from oms.simulator.catalogue import catalogue
from oms.simulator.model import CALM
from oms.simulator.shop import ACCESS_TOKEN, BASE, Records, Shop
from tests.unit.simulator.stories import a_story


@pytest.fixture
def shop() -> Iterator[Shop]:
    records = Records(catalogue(9, date(2025, 10, 11))[:120])
    with Shop(records, seed=3) as shop:
        for payload in a_story(rates=CALM).payloads:
            if payload.channel_code == "webshop-uk":
                shop.append(payload.body)
        yield shop


@pytest.fixture
def client(shop: Shop) -> Iterator[httpx.Client]:
    headers = {"X-Shopify-Access-Token": ACCESS_TOKEN}
    with httpx.Client(base_url=shop.url + BASE, headers=headers) as client:
        yield client


def patiently(client: httpx.Client, url: str, **query: str | int) -> httpx.Response:
    """Ask again when told to come back later, without waiting for it."""
    for _ in range(10):
        response = client.get(url, params=query or None)
        if response.status_code != 429:
            return response
        assert float(response.headers["Retry-After"]) > 0
    raise AssertionError("the shop never has time")


def pages(client: httpx.Client, url: str, **query: str | int) -> Iterator[httpx.Response]:
    response = patiently(client, url, **query)
    while True:
        assert response.status_code == 200
        yield response
        if "next" not in response.links:
            return
        response = patiently(client, response.links["next"]["url"])


class TestOrders:
    def test_come_in_pages_in_order_of_their_update(self, shop: Shop, client: httpx.Client) -> None:
        found = [
            order
            for page in pages(client, "/orders.json", status="any", limit=40)
            for order in page.json()["orders"]
        ]
        assert len(found) == shop.records.count() > 40
        assert len({order["id"] for order in found}) == len(found)
        updates = [order["updated_at"] for order in found]
        assert updates == sorted(updates, key=_utc)

    def test_are_those_since_a_moment(self, client: httpx.Client) -> None:
        everything = patiently(client, "/orders.json", limit=250).json()["orders"]
        since = everything[100]["updated_at"]
        found = patiently(client, "/orders.json", limit=250, updated_at_min=since).json()["orders"]
        assert found[0]["updated_at"] == since
        assert len(found) < len(everything) or len(everything) == 250

    def test_show_the_newest_state_only(self, shop: Shop, client: httpx.Client) -> None:
        order = patiently(client, "/orders.json", limit=1).json()["orders"][0]
        newer = {**order, "updated_at": "2031-01-01T00:00:00+00:00", "note": "newer"}
        count = shop.records.count()
        shop.append(httpx.Response(200, json={"orders": [newer]}).content)
        shop.append(httpx.Response(200, json={"orders": [order]}).content)
        found = patiently(
            client, "/orders.json", updated_at_min="2030-01-01T00:00:00+00:00"
        ).json()["orders"]
        assert [each["note"] for each in found] == ["newer"]
        assert shop.records.count() == count

    @pytest.mark.parametrize(
        "query",
        [{"limit": "251"}, {"limit": "0"}, {"limit": "x"}, {"page_info": "?"},
         {"updated_at_min": "soon"}],
    )  # fmt: skip
    def test_refuse_nonsense(self, client: httpx.Client, query: dict[str, str]) -> None:
        response = patiently(client, "/orders.json", **query)
        assert response.status_code == 400
        assert "errors" in response.json()


class TestShop:
    def test_wants_its_token(self, shop: Shop) -> None:
        for headers in ({}, {"X-Shopify-Access-Token": "another"}):
            response = httpx.get(shop.url + BASE + "/orders.json", headers=headers)
            assert response.status_code == 401

    def test_is_sometimes_too_busy_in_the_same_places(self, client: httpx.Client) -> None:
        asked = [client.get("/orders/count.json").status_code for _ in range(60)]
        assert {200, 429} == set(asked)
        assert asked.count(429) < 15
        with Shop(Records(), seed=3) as again:
            assert [again.is_busy() for _ in range(60)] == [status == 429 for status in asked]

    def test_has_products_in_pages(self, client: httpx.Client) -> None:
        found = [
            product
            for page in pages(client, "/products.json", limit=50)
            for product in page.json()["products"]
        ]
        assert len({product["variants"][0]["sku"] for product in found}) == 120

    def test_keeps_the_stock_it_is_told(self, shop: Shop, client: httpx.Client) -> None:
        level = {"inventory_item_id": 4_000_000_000_001, "location_id": 7, "available": 12}
        while client.post("/inventory_levels/set.json", json=level).status_code == 429:
            pass
        found = patiently(client, "/inventory_levels.json", location_ids=7).json()
        assert found == {"inventory_levels": [level]}
        none = patiently(client, "/inventory_levels.json", location_ids=8).json()
        assert none == {"inventory_levels": []}

    def test_knows_nothing_else(self, client: httpx.Client) -> None:
        assert patiently(client, "/customers.json").status_code == 404


def _utc(text: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(text).timestamp()
