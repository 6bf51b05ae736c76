"""Telling a shop what it may sell: only what it has, each once, and as patiently as it asks."""

import json
from collections.abc import Mapping
from typing import Any, Final

import pytest

from oms.adapters.channels.shopify import ShopTeller, telling
from oms.webhooks.model import Answer, Endpoint, Sending, Transport, Verdict

URL: Final = "https://shop.example"
OPTIONS: Final = {"url": URL, "token": "shpat_1", "available_location": "77"}


class Shop:
    """A shop's GraphQL API, as far as it is told of stock."""

    def __init__(self, *skus: str) -> None:
        self.variants = {sku: f"gid://shopify/InventoryItem/{n}" for n, sku in enumerate(skus)}
        self.available: dict[str, int] = {}
        self.keys: list[str] = []
        self.calls = 0
        self.answers: list[tuple[Answer, dict[str, Any]]] = []
        self.locations: set[str] = set()

    def problem(self, url: str) -> str | None:
        return None if url.startswith("https://") else "the URL must begin with https"

    def exchange(self, url: str, headers: Mapping[str, str], body: bytes) -> tuple[Answer, bytes]:
        assert url.startswith(URL)
        assert headers["x-shopify-access-token"] == "shpat_1"
        self.calls += 1
        if self.answers:
            answer, document = self.answers.pop(0)
            return answer, json.dumps(document).encode()
        asked = json.loads(body)
        is_set = "inventorySetQuantities" in asked["query"]
        data = self._set(asked["variables"]) if is_set else self._found(asked["variables"])
        return Answer(status_code=200), json.dumps({"data": data}).encode()

    def _found(self, variables: dict[str, Any]) -> dict[str, Any]:
        nodes = [
            {"sku": sku, "inventoryItem": {"id": item}} for sku, item in self.variants.items()
            if f"sku:{json.dumps(sku)}".casefold() in variables["query"].casefold()
        ]  # fmt: skip
        return {"productVariants": {"nodes": nodes}}

    def _set(self, variables: dict[str, Any]) -> dict[str, Any]:
        self.keys.append(variables["key"])
        quantities = variables["input"]["quantities"]
        assert all(each["changeFromQuantity"] is None for each in quantities)
        known = set(self.variants.values())
        errors = [
            {"code": "INVALID_INVENTORY_ITEM", "message": "gone"} for each in quantities
            if each["inventoryItemId"] not in known
        ]  # fmt: skip
        if not errors:
            for each in quantities:
                self.locations.add(each["locationId"])
                self.available[each["inventoryItemId"]] = each["quantity"]
        return {"inventorySetQuantities": {"userErrors": errors}}

    def holds(self) -> dict[str, int]:
        return {sku: self.available[item] for sku, item in self.variants.items()
                if item in self.available}  # fmt: skip


def an_endpoint(**options: Any) -> Endpoint:
    return Endpoint(
        transport=Transport.PLATFORM, url=None, folder=None, file_format=None,
        topics=("stock.available",), adapter="shopify", adapter_options={**OPTIONS, **options},
    )  # fmt: skip


def a_message(quantities: dict[str, int], *, number: int = 1, **options: Any) -> Sending:
    items = [
        {"sku": sku, "available_to_sell": units, "version": 1} for sku, units in quantities.items()
    ]
    return Sending(
        subscription_id=1, delivery_id=number, attempt_id=number, message_id=f"stk_{number}",
        topic="stock.available", endpoint=an_endpoint(**options), secrets=(), refusals_count=0,
        failures_count=0, body=json.dumps({"data": {"items": items}}).encode(), is_of_stock=True,
    )  # fmt: skip


class TestTell:
    def test_sets_what_the_shop_has_and_leaves_out_the_rest(self) -> None:
        shop = Shop("PEN", 'INK "black"', "PENCIL")
        answer = ShopTeller(shop).tell(a_message({"PEN": 3, 'INK "black"': 0, "LAMP": 9}))
        assert answer.verdict is Verdict.DELIVERED
        assert shop.holds() == {"PEN": 3, 'INK "black"': 0}
        assert shop.locations == {"gid://shopify/Location/77"}

    def test_what_only_resembles_a_sku_is_not_it(self) -> None:
        shop = Shop("pen")
        ShopTeller(shop).tell(a_message({"PEN": 3}))
        assert shop.holds() == {}

    def test_asks_once_which_items_a_sku_is(self) -> None:
        shop = Shop("PEN")
        teller = ShopTeller(shop)
        for number in (1, 2, 3):
            teller.tell(a_message({"PEN": number, "LAMP": 1}, number=number))
        assert (shop.calls, shop.holds()) == (4, {"PEN": 3})
        assert len(set(shop.keys)) == 3

    def test_what_the_shop_makes_later_is_found(self, monkeypatch: pytest.MonkeyPatch) -> None:
        shop = Shop()
        teller = ShopTeller(shop)
        teller.tell(a_message({"PEN": 3}))
        shop.variants["PEN"] = "gid://shopify/InventoryItem/5"
        monkeypatch.setattr(telling, "UNKNOWN_SECONDS", 0.0)
        teller = ShopTeller(shop)
        teller.tell(a_message({"PEN": 3}))
        assert shop.holds() == {"PEN": 3}

    def test_an_item_that_is_gone_is_refused_and_looked_up_again(self) -> None:
        shop = Shop("PEN", "INK")
        teller = ShopTeller(shop)
        teller.tell(a_message({"PEN": 1, "INK": 1}))
        shop.variants["PEN"] = "gid://shopify/InventoryItem/9"
        assert teller.tell(a_message({"PEN": 2, "INK": 2})).verdict is Verdict.REFUSED
        assert teller.tell(a_message({"PEN": 2, "INK": 2})).verdict is Verdict.DELIVERED
        assert shop.holds() == {"PEN": 2, "INK": 2}

    def test_given_items_are_not_asked_for(self) -> None:
        shop = Shop("PEN")
        ShopTeller(shop).tell(a_message({"PEN": 3}, inventory_items={"0": "PEN"}))
        assert (shop.calls, shop.holds()) == (1, {"PEN": 3})

    def test_tells_more_than_one_call_holds(self) -> None:
        skus = [f"S-{number:03}" for number in range(300)]
        shop = Shop(*skus)
        answer = ShopTeller(shop).tell(a_message(dict.fromkeys(skus, 4)))
        assert answer.verdict is Verdict.DELIVERED
        assert shop.holds() == dict.fromkeys(skus, 4)
        assert shop.keys == ["stk_1-0", "stk_1-1"]


THROTTLED: Final = {
    "errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}],
    "extensions": {"cost": {
        "requestedQueryCost": 210,
        "throttleStatus": {"currentlyAvailable": 10, "restoreRate": 50},
    }},
}  # fmt: skip


class TestAnswers:
    @pytest.mark.parametrize(
        ("answer", "document", "verdict", "seconds"),
        [
            (Answer(status_code=200), THROTTLED, Verdict.BUSY, 4.0),
            (Answer(status_code=429, retry_after_seconds=2.0), {}, Verdict.BUSY, 2.0),
            (Answer(status_code=401), {}, Verdict.DOWN, None),
            (Answer(status_code=422), {}, Verdict.DOWN, None),
            (Answer(error_kind="timeout"), {}, Verdict.DOWN, None),
            (Answer(status_code=200), {"errors": [{"message": "no such field"}]}, Verdict.DOWN,
             None),
            (Answer(status_code=200), {"data": None}, Verdict.DOWN, None),
        ],
    )  # fmt: skip
    def test_is_what_the_shop_said(
        self, answer: Answer, document: dict[str, Any], verdict: Verdict, seconds: float | None
    ) -> None:
        shop = Shop("PEN")
        shop.answers = [(answer, document)]
        said = ShopTeller(shop).tell(a_message({"PEN": 3}))
        assert (said.verdict, said.retry_after_seconds) == (verdict, seconds)
        assert shop.holds() == {}


class TestProblem:
    @pytest.mark.parametrize("missing", ["url", "token", "available_location"])
    def test_is_what_the_options_lack(self, missing: str) -> None:
        problem = ShopTeller(Shop()).problem(an_endpoint(**{missing: ""}))
        assert problem is not None
        assert missing in problem

    def test_is_none_of_a_whole_one(self) -> None:
        assert ShopTeller(Shop()).problem(an_endpoint()) is None

    def test_is_an_address_nobody_may_call(self) -> None:
        assert ShopTeller(Shop()).problem(an_endpoint(url="http://shop.example")) is not None
