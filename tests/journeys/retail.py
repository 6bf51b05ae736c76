"""A retailer behind a running API: shops order, stores work and carriers tell over HTTP."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

import httpx
from sqlalchemy import text

from oms.access.operations import make_key
from oms.channels import operations as channels
from oms.channels.model import ChannelDraft
from oms.kernel import clock
from oms.ledger.database import Ledger
from oms.ledger.followers import follow
from oms.locations import operations as locations
from oms.locations.model import Location
from oms.sourcing import operations as sourcing
from oms.sourcing.messages import read_rules
from oms.workflows import fulfillment
from tests.builders import NOW, a_movement, a_product
from tests.ledger.shop import Shop

PLACES: Final = {"DC": "dc", "AMS": "store", "UTR": "store"}
_once = itertools.count(1)

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where orders come from: a channel, who sends them, and what their documents say of it."""

    code: str
    kind: str
    network: tuple[str, ...]
    role: str = "channel"
    says: Mapping[str, Any] = field(default_factory=dict)


ADA: Final = {
    "customer_name": "Ada Pen", "customer_email": "ada@example.org",
    "ship_to": {"name": "Ada Pen", "street": "Laan 1", "postcode": "1011 AB", "city": "Amsterdam",
                "country_code": "NL"},
}  # fmt: skip
ORIGINS: Final = {
    "web": Origin(code="web", kind="webshop", network=("DC", "AMS", "UTR"), says=ADA),
    "store": Origin(
        code="till", kind="pos", network=("AMS", "DC", "UTR"), says={**ADA, "location_code": "AMS"}
    ),
    "kiosk": Origin(
        code="kiosk", kind="kiosk", network=("AMS", "DC", "UTR"), says={"location_code": "AMS"}
    ),
    "phone": Origin(
        code="phone", kind="phone", network=("DC", "AMS", "UTR"), role="agent",
        says={**ADA, "customer_phone": "+31 20 555 0101"},
    ),
    "marketplace": Origin(
        code="market", kind="marketplace", network=("UTR", "DC", "AMS"),
        says={**ADA, "external_number": "M-100"},
    ),
}  # fmt: skip


def furnish(
    ledger: Ledger, stock: Mapping[str, Mapping[str, int]], gathered: Sequence[str] = ()
) -> dict[str, str]:
    """Register places, channels and the articles of every journey; return a key for each caller.

    Of orders of some articles rules have the parts gathered at the center.
    """
    with ledger.transaction() as tx:
        places = [
            Location(code=code, name=code, kind=kind, country_code="NL",
                     time_zone="Europe/Amsterdam")
            for code, kind in PLACES.items()
        ]  # fmt: skip
        locations.register(tx, places, at=NOW)
        for origin in ORIGINS.values():
            draft = ChannelDraft(
                code=origin.code, name=origin.code, kind=origin.kind, currency="EUR",
                prices_include_tax=True, time_zone="Europe/Amsterdam", adapter="canonical",
                network=origin.network, is_routed=True, collect_supply="any",
            )  # fmt: skip
            channels.register(tx, draft, at=NOW)
        if gathered:
            rules = read_rules(_gathering(gathered))
            sourcing.activate(tx, sourcing.draft(tx, rules, by="test", at=NOW), by="test", at=NOW)
        keys = {
            name: make_key(tx, name, role=role, channel_codes=None, at=NOW)
            for name, role in (("agent", "agent"), ("clerk", "store"), ("carrier", "carrier"))
        }
        for name, origin in ORIGINS.items():
            bound = [origin.code]
            keys[name] = make_key(tx, name, role=origin.role, channel_codes=bound, at=NOW)
            # Who takes calls hears of no events; the channel's own system does.
            keys[f"{name} listener"] = make_key(
                tx, f"{name} listener", role="channel", channel_codes=bound, at=NOW
            )
    shop = Shop(ledger)
    shop.take(*(a_product(sku) for sku in stock))
    shop.take(*(
        a_movement(units, sku=sku, location=place, ref=f"PO-{sku}-{place}")
        for sku, places in stock.items()
        for place, units in places.items()
    ))  # fmt: skip
    return keys


def _gathering(skus: Sequence[str]) -> Json:
    """Return rules for orders of some articles: from wherever they are, by way of the center."""
    split = {"parts_max": 2, "consolidate": {"at": ["DC"]}}
    group = {"name": "gathered", "when": {"skus": list(skus)}, "rules": [{"name": "any"}],
             "split": split}  # fmt: skip
    return {"name": "journeys", "groups": [group]}


@dataclass(slots=True)
class Retail:
    """The retailer as its callers meet it."""

    client: httpx.Client
    ledger: Ledger
    keys: Mapping[str, str]
    _places: dict[str, str] = field(default_factory=dict)  # how far each channel was told

    def get(self, path: str, key: str = "agent") -> Json:
        """Get a path; it is there."""
        answer = self.client.get(path, headers=self._headers(key))
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()
        return found

    def ask(self, path: str, body: Json, key: str, version: int | None = None) -> httpx.Response:
        """Post a body once, in the version that was seen, and return whatever is answered."""
        headers = self._headers(key) | {"Idempotency-Key": f"once-{next(_once)}"}
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        return self.client.post(path, json=body, headers=headers)

    def post(self, path: str, body: Json, key: str, version: int | None = None) -> Json:
        """Post a body once; it is taken."""
        answer = self.ask(path, body, key, version)
        assert answer.is_success, answer.text
        found: Json = answer.json()
        return found

    def _headers(self, key: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.keys[key]}"}

    def route(self) -> None:
        """Let the follower give what is reserved to its locations, as the worker does."""
        follow(
            self.ledger, "routing",
            lambda tx, after, upto: fulfillment.route(tx, after, upto, at=clock.now()),
        )  # fmt: skip

    def let_time_pass(self, days: int) -> None:
        """Let what lies ready too long go back, as the worker would in so many days."""
        at = clock.now() + timedelta(days=days)
        while self.ledger.run(lambda tx: fulfillment.let_go_uncollected(tx, at=at)):
            pass

    def violations(self) -> dict[str, list[Any]]:
        """Return which invariants of the ledger are broken."""
        return Shop(self.ledger).violations()

    def code_of(self, fulfillment_number: str) -> str:
        """Return what the customer was given to show; no answer of the API says it."""
        with self.ledger.snapshot() as tx:
            found = tx.execute(
                text("select collect_code from fulfillment_orders where fulfillment_number = :of"),
                {"of": fulfillment_number},
            ).scalar_one()
        return str(found)

    def stock(self, sku: str) -> dict[str, tuple[int, int]]:
        """Return what is on hand and what of it is promised, at each place that has or had it."""
        levels = self.get(f"/v1/stock/{sku}")["levels"]
        return {
            each["location_code"]: (each["on_hand"], each["allocated"] + each["reserved_soft"])
            for each in levels
        }

    def told(self, origin: str) -> list[Json]:
        """Return what the channel of an origin is told that it was not told before."""
        heard: list[Json] = []
        while True:
            after = self._places.get(origin)
            query = "" if after is None else f"&after={after}"
            page = self.get(f"/v1/events?limit=200{query}", f"{origin} listener")
            heard += page["items"]
            self._places[origin] = page["next_after"]
            if not page["has_more"]:
                return heard


def types(events: Sequence[Json]) -> list[str]:
    """Return what happened, in its order."""
    return [each["type"] for each in events]
