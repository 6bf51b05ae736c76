"""Pulling from a shop: page after page, patiently, and on from where it broke off."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from oms.adapters.channels.shopify.client import ShopAway, ShopifyClient
from oms.adapters.channels.shopify.options import Options

Answer = httpx.Response | Exception
URL = "https://shop.example"


class Shop:
    """Answers one request after another, and remembers what it was asked."""

    def __init__(self, *answers: Answer) -> None:
        self.answers: Iterator[Answer] = iter(answers)
        self.asked: list[dict[str, str]] = []
        self.tokens: list[str | None] = []
        self.waits: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(dict(request.url.params))
        self.tokens.append(request.headers.get("X-Shopify-Access-Token"))
        answer = next(self.answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def client(self) -> ShopifyClient:
        options = Options.model_validate({"url": URL, "token": "shpat_1"})
        return ShopifyClient(options, wait=self.waits.append, transport=httpx.MockTransport(self))


def page(*updated: str, following: str | None = None) -> httpx.Response:
    link = f'<{URL}/admin/api/2025-07/orders.json?limit=250&page_info={following}>; rel="next"'
    orders = [{"id": n, "updated_at": at} for n, at in enumerate(updated)]
    return httpx.Response(200, json={"orders": orders}, headers={"Link": link} if following else {})


def status(code: int, **headers: str) -> httpx.Response:
    return httpx.Response(code, headers={k.replace("_", "-"): v for k, v in headers.items()})


MONDAY, TUESDAY = "2026-03-02T10:00:00+01:00", "2026-03-03T10:00:00+01:00"


class TestPages:
    def test_follows_the_links_and_tells_the_cursor_behind_each_page(self):
        shop = Shop(page(MONDAY, following="p2"), page(TUESDAY))
        cursors = [each.cursor for each in shop.client().pages("orders", cursor=None)]
        assert shop.asked[0]["status"] == "any"
        assert "updated_at_min" not in shop.asked[0]
        assert shop.asked[1] == {"limit": "250", "page_info": "p2"}
        assert cursors == [f"{MONDAY}|p2", f"{TUESDAY}|"]
        assert shop.tokens == ["shpat_1"] * 2

    def test_goes_on_inside_a_sweep_that_broke_off(self):
        shop = Shop(page(MONDAY, following="p2"), page(TUESDAY))
        first = next(shop.client().pages("orders", cursor=None))
        (last,) = shop.client().pages("orders", cursor=first.cursor)
        assert shop.asked[1]["page_info"] == "p2"
        assert last.cursor == f"{TUESDAY}|"

    def test_begins_the_next_sweep_a_second_before_the_last_update(self):
        shop = Shop(page())
        (only,) = shop.client().pages("orders", cursor=f"{TUESDAY}|")
        assert shop.asked[0]["updated_at_min"] == "2026-03-03T09:59:59+01:00"
        assert only.cursor == f"{TUESDAY}|"

    def test_the_cursor_never_goes_back(self):
        shop = Shop(page("2026-03-03T08:30:00Z", MONDAY))
        (only,) = shop.client().pages("orders", cursor=f"{TUESDAY}|")
        assert only.cursor == f"{TUESDAY}|"

    @pytest.mark.parametrize("code", [400, 404, 410])
    def test_a_page_that_is_gone_begins_the_sweep_again_once(self, code):
        shop = Shop(status(code), page(TUESDAY))
        (only,) = shop.client().pages("orders", cursor=f"{MONDAY}|stale")
        assert shop.asked[1]["updated_at_min"] == "2026-03-02T09:59:59+01:00"
        assert only.cursor == f"{TUESDAY}|"
        with pytest.raises(ShopAway):
            list(Shop(status(code), status(code)).client().pages("orders", cursor="|stale"))


class TestPatience:
    @pytest.mark.parametrize(
        ("answer", "wait"),
        [
            (lambda: status(429, Retry_After="2.5"), 2.5), (lambda: status(503), 1.0),
            (lambda: status(500, Retry_After="soon"), 1.0),
            (lambda: status(429, Retry_After="86400"), 60.0),
            (lambda: status(429, Retry_After="-1"), 0.0), (lambda: httpx.ReadTimeout("slow"), 1.0),
            (lambda: httpx.ConnectError("down"), 1.0),
        ],
    )  # fmt: skip
    def test_waits_as_the_shop_says_and_asks_again(self, answer: Callable[[], Answer], wait: float):
        shop = Shop(answer(), page(MONDAY))
        assert len(list(shop.client().pages("orders", cursor=None))) == 1
        assert shop.waits == [wait]
        assert shop.asked[0] == shop.asked[1]

    def test_waits_longer_each_time_and_gives_up_in_the_end(self):
        shop = Shop(*[status(503) for _ in range(20)])
        with pytest.raises(ShopAway):
            list(shop.client().pages("orders", cursor=None))
        assert shop.waits == [1, 2, 4, 8, 16, 32, 60, 60]

    def test_pages_kept_before_it_gave_up_stay_kept(self):
        shop = Shop(page(MONDAY, following="p2"), *[status(503) for _ in range(20)])
        pages = shop.client().pages("orders", cursor=None)
        assert next(pages).cursor == f"{MONDAY}|p2"
        with pytest.raises(ShopAway):
            next(pages)

    @pytest.mark.parametrize(
        "answer",
        [status(401), status(403), status(302, Location="https://evil.example/"),
         httpx.Response(200, text="<html>"), httpx.Response(200, json=[]),
         httpx.Response(200, json={"errors": "no"})],
    )  # fmt: skip
    def test_an_answer_that_is_no_page_ends_the_pull(self, answer: Any):
        shop = Shop(answer)
        with pytest.raises(ShopAway):
            list(shop.client().pages("orders", cursor=None))
        assert shop.waits == []
