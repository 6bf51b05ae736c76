"""Pulling from a shop: pages of what changed since a cursor, with the shop's own patience."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import httpx

from oms.adapters.channels.shopify.options import Options
from oms.kernel.errors import Unavailable
from oms.workflows.documents import Page

PAGE_ROWS: Final = 250
ATTEMPTS_MAX: Final = 8
WAIT_SECONDS: Final = 1.0
WAIT_SECONDS_MAX: Final = 60.0
TOO_MANY: Final = 429
GONE: Final = frozenset({400, 404, 410})
# Orders updated in the cursor's own second may come after the page that carried it.
OVERLAP: Final = timedelta(seconds=1)
PATHS: Final = {
    "orders": "/admin/api/2025-07/orders.json",
    "products": "/admin/api/2025-07/products.json",
    "inventory_levels": "/admin/api/2025-07/inventory_levels.json",
}


class ShopAway(Unavailable):
    """The shop does not answer; the next pull goes on from here."""


class ShopifyClient:
    """Reads a shop's Admin REST API."""

    def __init__(
        self, options: Options, *, wait: Callable[[float], None],
        transport: httpx.BaseTransport | None = None,
    ) -> None:  # fmt: skip
        """Take the shop's options, and how to wait."""
        self._wait = wait
        self._client = httpx.Client(
            base_url=options.url, timeout=30, transport=transport, follow_redirects=False,
            headers={"X-Shopify-Access-Token": options.token.get_secret_value()},
        )  # fmt: skip

    def pages(self, topic: str, *, cursor: str | None) -> Iterator[Page]:
        """Read the pages of what changed since a cursor.

        A cursor is the page to go on with, or the latest update seen. The caller keeps each
        page with its cursor before asking for the next. Raises ShopAway after the last attempt.
        """
        state = _State.read(cursor)
        parameters: dict[str, str] | None = _first(topic, state)
        may_be_gone = bool(state.page_info)
        while parameters is not None:
            response = self._get(PATHS[topic], parameters)
            if may_be_gone and response.status_code in GONE:
                # A page of the shop does not live long: the sweep begins again where it was.
                may_be_gone, state = False, _State(updated_at=state.updated_at)
                parameters = _first(topic, state)
                continue
            if not response.is_success:
                raise ShopAway(f"the shop answered {response.status_code}")
            may_be_gone = False
            state = state.seen(response, topic)
            following = _next(response)
            yield Page(
                body=response.content, content_type="application/json",
                cursor=state.write(following),
            )  # fmt: skip
            parameters = {"limit": str(PAGE_ROWS), "page_info": following} if following else None

    def _get(self, path: str, parameters: dict[str, str]) -> httpx.Response:
        for attempt in range(ATTEMPTS_MAX):
            pause = min(WAIT_SECONDS * 2**attempt, WAIT_SECONDS_MAX)
            try:
                response = self._client.get(path, params=parameters)
            except httpx.TransportError:
                self._wait(pause)
                continue
            if response.status_code == TOO_MANY or response.is_server_error:
                self._wait(_retry_after(response, pause))
                continue
            return response
        raise ShopAway


def puller(options: dict[str, Any]) -> ShopifyClient:
    """Make the client of a shop; raises pydantic's ValidationError for unknown options."""
    return ShopifyClient(Options.model_validate(options), wait=time.sleep)


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    """Where a pull is: the latest update seen, and the page to go on with inside a sweep."""

    updated_at: str = ""
    page_info: str = ""

    @classmethod
    def read(cls, cursor: str | None) -> "_State":
        updated_at, _, page_info = (cursor or "").partition("|")
        return cls(updated_at=updated_at, page_info=page_info)

    def write(self, following: str | None) -> str:
        return f"{self.updated_at}|{following or ''}"

    def seen(self, response: httpx.Response, topic: str) -> "_State":
        latest = self.updated_at
        try:
            documents = response.json()[topic]
        except (ValueError, KeyError, TypeError):
            raise ShopAway("the shop answered something else than a page") from None
        for document in documents:
            updated_at = str(document.get("updated_at") or "")
            if not latest or (updated_at and _at(updated_at) > _at(latest)):
                latest = updated_at
        return _State(updated_at=latest)


def _first(topic: str, state: _State) -> dict[str, str]:
    parameters = {"limit": str(PAGE_ROWS)}
    if state.page_info:
        return {**parameters, "page_info": state.page_info}
    if topic == "orders":
        parameters["status"] = "any"
        parameters["order"] = "updated_at asc"
    if state.updated_at:
        parameters["updated_at_min"] = (_at(state.updated_at) - OVERLAP).isoformat()
    return parameters


def _next(response: httpx.Response) -> str | None:
    link = response.links.get("next")
    if link is None:
        return None
    found = parse_qs(urlsplit(link["url"]).query).get("page_info")
    return found[0] if found else None


def _retry_after(response: httpx.Response, otherwise: float) -> float:
    try:
        return min(max(float(response.headers["Retry-After"]), 0.0), WAIT_SECONDS_MAX)
    except (KeyError, ValueError):
        return otherwise


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)
