"""A web shop's server for pulling: the part of the Shopify Admin REST API that channels use."""

from __future__ import annotations

import base64
import binascii
import json
import threading
from bisect import bisect_right, insort
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple, Self
from urllib.parse import parse_qs, urlencode, urlsplit

from oms.simulator.formats.shopify import PAGE_ORDERS_MAX
from oms.simulator.formats.texts import compact
from oms.simulator.streams import scatter

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from oms.simulator.model import Product

VERSION = "2025-07"
BASE = f"/admin/api/{VERSION}"
TOO_MANY_EVERY = 16  # one request in so many is told to come back later
RETRY_AFTER_SECONDS = 1
ACCESS_TOKEN = "simulated-access-token"  # noqa: S105  # of a shop that does not exist
STOP_SECONDS_MAX = 0.02
PAGE_DEFAULT = 50


class Answer(NamedTuple):
    """What the shop answers to a request."""

    status: HTTPStatus
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


class BadRequest(Exception):  # named after the answer it becomes
    """The request cannot be understood."""


class Records:
    """What the shop keeps: orders by the time of their last update, products, stock levels."""

    def __init__(self, products: Sequence[Product] = ()) -> None:
        """Open a shop without orders."""
        self._lock = threading.Lock()
        self._orders: dict[int, dict[str, Any]] = {}
        self._by_update: list[tuple[datetime, int]] = []
        self.products = [_product(product) for product in products]
        self.levels: dict[tuple[int, int], dict[str, Any]] = {}

    def append(self, page: bytes) -> int:
        """Take in a page of orders as the list endpoint writes it, and count them."""
        orders = json.loads(page)["orders"]
        with self._lock:
            for order in orders:
                self._put(order)
        return len(orders)

    def _put(self, order: dict[str, Any]) -> None:
        """Keep the newest state of an order: a shop itself is never stale."""
        number, at = order["id"], _instant(order["updated_at"])
        known = self._orders.get(number)
        if known is not None:
            before = _instant(known["updated_at"])
            if before > at:
                return
            self._by_update.remove((before, number))
        self._orders[number] = order
        insort(self._by_update, (at, number))

    def after(self, at: datetime, number: int, limit: int) -> tuple[list[dict[str, Any]], bool]:
        """List orders updated after a place in time's order, and whether there are more."""
        with self._lock:
            start = bisect_right(self._by_update, (at, number))
            chosen = self._by_update[start : start + limit]
            is_more = start + limit < len(self._by_update)
            return [self._orders[number] for _, number in chosen], is_more

    def count(self) -> int:
        """Count the orders."""
        with self._lock:
            return len(self._orders)

    def set_level(self, level: dict[str, Any]) -> dict[str, Any]:
        """Take in how much is available of an item at a location."""
        kept = {
            "inventory_item_id": int(level["inventory_item_id"]),
            "location_id": int(level["location_id"]),
            "available": int(level["available"]),
        }
        with self._lock:
            self.levels[kept["location_id"], kept["inventory_item_id"]] = kept
        return kept

    def some_levels(self, items: frozenset[int], places: frozenset[int]) -> list[dict[str, Any]]:
        """List the levels of some items at some locations; an empty set means all of them."""
        with self._lock:
            return [
                level
                for (place, item), level in sorted(self.levels.items())
                if (not items or item in items) and (not places or place in places)
            ]


def _instant(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise BadRequest("updated_at_min is no date") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _product(product: Product) -> dict[str, Any]:
    return {
        "id": 8_000_000_000_000 + product.index,
        "title": product.title,
        "vendor": product.brand,
        "product_type": product.product_type,
        "variants": [
            {
                "id": 9_000_000_000_000 + product.index,
                "sku": product.sku,
                "barcode": product.gtin,
                "inventory_item_id": 4_000_000_000_000 + product.index,
            }
        ],
    }


class Shop:
    """The shop's server on 127.0.0.1; a context manager that stops it at the end."""

    def __init__(
        self, records: Records, *, token: str = ACCESS_TOKEN, seed: int = 1, port: int = 0
    ) -> None:  # fmt: skip
        """Listen on a port, or on any that is free."""
        self.records, self.token, self.seed = records, token, seed
        self._asked, self._lock = 0, threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(STOP_SECONDS_MAX,), daemon=True
        )

    @property
    def url(self) -> str:
        """Say where the shop is."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def append(self, page: bytes) -> int:
        """Take in a page of orders, as live tells them, and count them."""
        return self.records.append(page)

    def __enter__(self) -> Self:
        """Start to answer."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop answering and close the port."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def is_busy(self) -> bool:
        """Tell whether this request is one too many: the seed decides which ones are."""
        with self._lock:
            self._asked += 1
            return scatter(self.seed, self._asked) % TOO_MANY_EVERY == 0

    def answer(self, method: str, target: str, token: str | None, body: bytes) -> Answer:
        """Answer a request as the documented API does."""
        if token != self.token:
            return _error(HTTPStatus.UNAUTHORIZED, "[API] Invalid API key or access token")
        if self.is_busy():
            retry = (("Retry-After", f"{RETRY_AFTER_SECONDS}.0"),)
            text = "Exceeded 2 calls per second for api client."
            return _error(HTTPStatus.TOO_MANY_REQUESTS, text)._replace(headers=retry)
        parts = urlsplit(target)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        try:
            return self._route(method, parts.path, query, body)
        except (BadRequest, KeyError, ValueError, TypeError) as error:
            return _error(HTTPStatus.BAD_REQUEST, str(error))

    def _route(self, method: str, path: str, query: dict[str, str], body: bytes) -> Answer:
        """Find the endpoint of a path."""
        match method, path.removeprefix(BASE):
            case "GET", "/orders.json":
                answer = self._orders(query)
            case "GET", "/orders/count.json":
                answer = _ok({"count": self.records.count()})
            case "GET", "/products.json":
                answer = self._products(query)
            case "GET", "/inventory_levels.json":
                ids = (_ids(query, "inventory_item_ids"), _ids(query, "location_ids"))
                answer = _ok({"inventory_levels": self.records.some_levels(*ids)})
            case "POST", "/inventory_levels/set.json":
                answer = _ok({"inventory_level": self.records.set_level(json.loads(body))})
            case _:
                answer = _error(HTTPStatus.NOT_FOUND, "Not Found")
        return answer

    def _orders(self, query: dict[str, str]) -> Answer:
        """List orders by the time of their update, a page at a time."""
        limit = _limit(query)
        if "page_info" in query:
            at, number = _place(query["page_info"])
        else:
            since = query.get("updated_at_min")
            at, number = (_instant(since), -1) if since else (datetime.min.replace(tzinfo=UTC), -1)
        orders, is_more = self.records.after(at, number, limit)
        if not is_more:
            return _ok({"orders": orders})
        last = orders[-1]
        place = _page_info(_instant(last["updated_at"]), last["id"])
        return _ok({"orders": orders}, self._next("/orders.json", place, limit))

    def _products(self, query: dict[str, str]) -> Answer:
        """List products, a page at a time."""
        limit = _limit(query)
        start = _place(query["page_info"])[1] if "page_info" in query else 0
        chosen = self.records.products[start : start + limit]
        if start + limit >= len(self.records.products):
            return _ok({"products": chosen})
        place = _page_info(datetime.min.replace(tzinfo=UTC), start + limit)
        return _ok({"products": chosen}, self._next("/products.json", place, limit))

    def _next(self, path: str, page_info: str, limit: int) -> tuple[tuple[str, str], ...]:
        """Write the Link header that leads to the next page."""
        query = urlencode({"limit": limit, "page_info": page_info})
        return (("Link", f'<{self.url}{BASE}{path}?{query}>; rel="next"'),)


def _limit(query: dict[str, str]) -> int:
    limit = int(query.get("limit", PAGE_DEFAULT))
    if not 1 <= limit <= PAGE_ORDERS_MAX:
        raise BadRequest(f"limit is from 1 to {PAGE_ORDERS_MAX}")
    return limit


def _ids(query: dict[str, str], name: str) -> frozenset[int]:
    return frozenset(int(part) for part in query.get(name, "").split(",") if part)


def _page_info(at: datetime, number: int) -> str:
    """Write a place in a list so that nobody is tempted to read it."""
    return base64.urlsafe_b64encode(f"{at.isoformat()} {number}".encode()).decode()


def _place(page_info: str) -> tuple[datetime, int]:
    try:
        at, _, number = base64.urlsafe_b64decode(page_info).decode().partition(" ")
        return _instant(at), int(number)
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise BadRequest("page_info is invalid") from None


def _ok(document: dict[str, Any], headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    return Answer(HTTPStatus.OK, compact(document), headers)


def _error(status: HTTPStatus, text: str) -> Answer:
    return Answer(status, compact({"errors": text}))


def _handler(shop: Shop) -> type[BaseHTTPRequestHandler]:
    """Bind a request handler to a shop."""

    class Handler(BaseHTTPRequestHandler):
        """Hands each request to the shop."""

        protocol_version = "HTTP/1.1"
        # Headers and body in one packet: in two, each answer waits 40 ms for an acknowledgment.
        wbufsize = -1
        disable_nagle_algorithm = True

        def do_GET(self) -> None:  # the name the server looks for
            self._answer("GET")

        def do_POST(self) -> None:  # the name the server looks for
            self._answer("POST")

        def _answer(self, method: str) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            token = self.headers.get("X-Shopify-Access-Token")
            answer = shop.answer(method, self.path, token, self.rfile.read(size))
            self.send_response(answer.status)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(answer.body)))
            for name, value in answer.headers:
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name there
            """Keep quiet: what is asked is seen by the one who asks."""

    return Handler
