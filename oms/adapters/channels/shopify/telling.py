"""Telling a shop what it may sell: quantities of inventory items, by its GraphQL Admin API."""

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from pydantic import ValidationError

from oms.adapters.channels.shopify.options import Options
from oms.webhooks.model import BUSY, STOCK_TOPIC, Answer, Endpoint, Sending
from oms.webhooks.port import Exchange

# From this version on a quantity says that it does not depend on the former one, and a repeated
# call is known by its key.
PATH: Final = "/admin/api/2026-04/graphql.json"
LOCATION_PREFIX: Final = "gid://shopify/Location/"
# An input list of the API holds at most 250; looked up are fewer, as a SKU may be several items.
SET_ITEMS_MAX: Final = 250
LOOKED_UP_SKUS_MAX: Final = 50
# What the shop does not have may be made there at any time.
UNKNOWN_SECONDS: Final = 600.0
KNOWN_SKUS_MAX: Final = 500_000

_LOOK_UP: Final = """query ($first: Int!, $query: String!) {
  productVariants(first: $first, query: $query) { nodes { sku inventoryItem { id } } }
}"""
_SET: Final = """mutation ($input: InventorySetQuantitiesInput!, $key: String!) {
  inventorySetQuantities(input: $input) @idempotent(key: $key) { userErrors { code message } }
}"""

T = TypeVar("T")


class _Ended(Exception):
    """The shop gave an answer that ends the telling."""

    def __init__(self, answer: Answer) -> None:
        """Take the answer."""
        super().__init__(answer.status_code or answer.error_kind)
        self.answer = answer


@dataclass(frozen=True, slots=True)
class _Known:
    """The inventory items of a SKU, none where the shop did not have it just now."""

    items: tuple[str, ...]
    until: float


class ShopTeller:
    """Sets in shops what they may sell; safe to be used by several threads."""

    def __init__(self, exchange: Exchange) -> None:
        """Take what calls the shops."""
        self._exchange = exchange
        self._known: dict[tuple[str, str], _Known] = {}

    def problem(self, endpoint: Endpoint) -> str | None:
        """Return why the shop cannot be told."""
        if set(endpoint.topics) != {STOCK_TOPIC}:
            return f"a shop is told of {STOCK_TOPIC} only"
        options = Options.model_validate(endpoint.adapter_options)
        if not (options.url and options.token.get_secret_value() and options.available_location):
            return "the channel's options lack one of url, token and available_location"
        return self._exchange.problem(options.url + PATH)

    def tell(self, sending: Sending) -> Answer:
        """Set what the shop has of a message's SKUs; the others are none of its business."""
        begun = time.monotonic()
        try:
            options = Options.model_validate(sending.endpoint.adapter_options)
            self._set(options, sending)
        except (ValidationError, KeyError, TypeError):  # its answer is not of this form
            return Answer(error_kind="platform")
        except _Ended as ended:
            answer = ended.answer
        else:
            answer = Answer(status_code=200)
        return replace(answer, duration_ms=int((time.monotonic() - begun) * 1000))

    def _set(self, options: Options, sending: Sending) -> None:
        """Set quantities; raises _Ended when the shop does not take them."""
        told: list[dict[str, Any]] = json.loads(sending.body)["data"]["items"]
        items = self._items(options, [each["sku"] for each in told])
        quantities = [
            {
                "inventoryItemId": item, "locationId": _location(options),
                "quantity": each["available_to_sell"], "changeFromQuantity": None,
            }
            for each in told for item in items[each["sku"]]
        ]  # fmt: skip
        for number, part in enumerate(_parts(quantities, SET_ITEMS_MAX)):
            done = self._call(options, _SET, {
                "key": f"{sending.message_id}-{number}",
                "input": {
                    "name": "available", "reason": "correction", "quantities": part,
                    "referenceDocumentUri": f"oms://stock/{sending.message_id}",
                },
            })  # fmt: skip
            if done["inventorySetQuantities"]["userErrors"]:
                # One of them may be an item that is gone: they are looked up again.
                self._forget(options, items)
                raise _Ended(Answer(status_code=422))

    def _items(self, options: Options, skus: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Return the shop's inventory items of SKUs; raises _Ended when it does not say."""
        given: dict[str, tuple[str, ...]] = {}
        for number, sku in options.inventory_items.items():
            given[sku] = (*given.get(sku, ()), f"gid://shopify/InventoryItem/{number}")
        now = time.monotonic()
        asked = [
            sku for sku in skus
            if sku not in given and now >= getattr(self._known.get((options.url, sku)), "until", 0)
        ]  # fmt: skip
        for part in _parts(asked, LOOKED_UP_SKUS_MAX):
            self._look_up(options, part, now=now)
        return {
            sku: given[sku] if sku in given else self._known[options.url, sku].items
            for sku in skus
        }  # fmt: skip

    def _look_up(self, options: Options, skus: Sequence[str], *, now: float) -> None:
        query = " OR ".join(f"sku:{json.dumps(sku)}" for sku in skus)
        found = self._call(options, _LOOK_UP, {"first": SET_ITEMS_MAX, "query": query})
        items: dict[str, list[str]] = {sku: [] for sku in skus}
        for node in found["productVariants"]["nodes"]:
            # The shop's search is a loose one: what only resembles a SKU is not it.
            if node["sku"] in items:
                items[node["sku"]].append(node["inventoryItem"]["id"])
        if len(self._known) > KNOWN_SKUS_MAX:
            self._known.clear()
        for sku, numbers in items.items():
            until = float("inf") if numbers else now + UNKNOWN_SECONDS
            self._known[options.url, sku] = _Known(tuple(numbers), until)

    def _forget(self, options: Options, skus: Iterable[str]) -> None:
        for sku in skus:
            self._known.pop((options.url, sku), None)

    def _call(self, options: Options, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        """Ask the shop; raises _Ended when it does not answer with data."""
        headers = {
            "content-type": "application/json",
            "x-shopify-access-token": options.token.get_secret_value(),
        }
        body = json.dumps({"query": query, "variables": variables}).encode()
        answer, said = self._exchange.exchange(options.url + PATH, headers, body)
        if answer.status_code != 200:  # noqa: PLR2004 - GraphQL's only success
            # It was not this message that a shop refuses so, but the call.
            is_busy = answer.status_code in BUSY
            kind = answer.error_kind or "platform"
            raise _Ended(answer if is_busy else Answer(error_kind=kind))
        try:
            document = json.loads(said)
            if "errors" in document:
                raise _Ended(_throttled(document) or Answer(error_kind="platform"))
            data: dict[str, Any] = document["data"]
        except (ValueError, KeyError, TypeError):
            raise _Ended(Answer(error_kind="platform")) from None
        return data


def _throttled(document: dict[str, Any]) -> Answer | None:
    """Return when to come again, where the shop says that it was asked too much."""
    codes = {(each.get("extensions") or {}).get("code") for each in document["errors"]}
    if "THROTTLED" not in codes:
        return None
    cost = (document.get("extensions") or {}).get("cost") or {}
    status = cost.get("throttleStatus") or {}
    missing = cost.get("requestedQueryCost", 0) - status.get("currentlyAvailable", 0)
    seconds = max(1.0, missing / max(status.get("restoreRate", 50), 1))
    return Answer(status_code=429, retry_after_seconds=seconds)


def _location(options: Options) -> str:
    given = options.available_location
    return given if given.startswith(LOCATION_PREFIX) else LOCATION_PREFIX + given


def _parts(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for begin in range(0, len(items), size):
        yield items[begin : begin + size]
