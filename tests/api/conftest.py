"""One furnished retailer behind one application; each test gets both as they were at first."""

import itertools
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, text

from api.app import create_app
from api.streams import Streams
from api.throttle import Guesses, Throttle
from oms.access.model import ROLES
from oms.access.operations import make_key, revoke_key
from oms.bootstrap import System
from oms.channels import operations as channels
from oms.channels.model import ChannelDraft
from oms.ledger.database import Ledger, Tx
from oms.ledger.embedded import Server
from oms.ledger.followers import follow
from oms.settings import Settings
from oms.workflows import fulfillment
from tests.builders import NOW, a_movement
from tests.ledger.shop import CHANNELS, Shop, furnish

with warnings.catch_warnings():
    # Its client's library has a successor, which we do not have.
    warnings.simplefilter("ignore")
    from fastapi.testclient import TestClient

Clone = Callable[[str], AbstractContextManager[Ledger]]

SECRET: Final = "hush"
_numbers = itertools.count(1)
SHOPIFY: Final = ChannelDraft(
    code="shopify", name="Shopify", kind="webshop", currency="EUR", prices_include_tax=True,
    time_zone="Europe/Amsterdam", adapter="shopify", network=("DC",),
    adapter_options={"secret": SECRET},
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of the tests: one of each role, and some that are not as they should be."""

    of: Mapping[str, str]

    def header(self, name: str = "admin") -> dict[str, str]:
        """Return the header a key is sent in."""
        return {"Authorization": f"Bearer {self.of[name]}"}


@dataclass(frozen=True, slots=True)
class House:
    """The retailer, the application, its keys, and who calls."""

    app: FastAPI
    client: TestClient
    system: System
    shop: Shop
    keys: Keys

    def get(self, path: str, key: str = "admin", **options: Any) -> httpx.Response:
        """Get a path with a key."""
        return self._ask("GET", path, key, **options)

    def post(
        self, path: str, body: Any = None, key: str = "admin", *, once: str | None = None,
        **options: Any,
    ) -> httpx.Response:  # fmt: skip
        """Post a body with a key, and with an idempotency key where there is one."""
        headers = options.pop("headers", {}) | ({"Idempotency-Key": once} if once else {})
        if body is not None:
            options["json"] = body
        return self._ask("POST", path, key, headers=headers, **options)

    def delete(self, path: str, key: str = "admin") -> httpx.Response:
        """Delete a path with a key."""
        return self._ask("DELETE", path, key)

    def order(self, body: Any, key: str = "admin", once: str | None = None) -> httpx.Response:
        """Post an order, each under an idempotency key of its own unless the test says more."""
        return self.post("/v1/orders", body, key, once=once or f"once-{next(_numbers)}")

    def routed_order(self, body: Any) -> dict[str, Any]:
        """Post an order, have it given to its locations, and return it."""
        number = self.order(body).json()["order_number"]
        for _ in range(2):  # at first the follower only begins
            follow(
                self.system.ledger, "routing", lambda tx, a, u: fulfillment.route(tx, a, u, at=NOW)
            )
        found: dict[str, Any] = self.get(f"/v1/orders/{number}").json()
        return found

    def count(self, table: str) -> int:
        """Return how many rows a table has."""
        return int(self.shop.value(f"select count(*) from {table}"))

    def _ask(self, method: str, path: str, key: str, **options: Any) -> httpx.Response:
        headers = self.keys.header(key) | options.pop("headers", {})
        return self.client.request(method, path, headers=headers, **options)


@pytest.fixture(scope="session")
def api_furnished(server: Server, admin: Engine, blank: str) -> tuple[str, Keys]:
    """Make the database of the tests: the retailer, a Shopify shop, and the keys."""
    with admin.connect() as connection:
        connection.exec_driver_sql(f"create database api_furnished template {blank}")
    made = Ledger(server.url.replace("@/oms?", "@/api_furnished?"))
    furnish(made)
    with made.transaction() as tx:
        channels.register(tx, SHOPIFY, at=NOW)
        keys = _make_keys(tx)
        for table in ("channels", "channel_locations", "api_keys"):
            tx.execute(text(f"drop table if exists kept.{table}"))
            tx.execute(text(f"create table kept.{table} as table {table}"))
    made.close()
    return "api_furnished", keys


@pytest.fixture(scope="session")
def rooms(
    clone: Clone, api_furnished: tuple[str, Keys], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """Open the one application that tests use in turn."""
    template, keys = api_furnished
    home = tmp_path_factory.mktemp("home")
    with clone(template) as ledger:
        system = System(settings=Settings(home=home), ledger=ledger)
        app = create_app(system)
        with TestClient(app, raise_server_exceptions=False) as client:
            app.state.untouched_at = None
            yield House(app, client, system, Shop(ledger), keys)


@pytest.fixture
def house(rooms: House, clock: Callable[[], Any]) -> Iterator[House]:
    """Give a test the retailer as it was furnished, and hold it to the invariants in the end."""
    if rooms.app.state.untouched_at != _position(rooms):
        rooms.shop.restore()
        rooms.app.state.untouched_at = _position(rooms)
    # The clock stands still and brings nothing back of what earlier tests have asked for.
    rooms.app.state.throttle = Throttle.of(rooms.system.settings, connections_max=20)
    rooms.app.state.guesses = Guesses(processes_count=1)
    # Here a stream ends when everything there is was told.
    rooms.app.state.streams = Streams(processes_count=1, seconds_max=0)
    yield rooms
    if rooms.app.state.untouched_at != _position(rooms):
        assert rooms.shop.violations() == {}


def _position(rooms: House) -> Any:
    """The next transaction that writes: as long as it is the same, nothing has changed."""
    return rooms.shop.value("select pg_snapshot_xmax(pg_current_snapshot())::text")


@pytest.fixture
def stocked(house: House) -> House:
    """Give a test the retailer with ten pens in its distribution center."""
    house.shop.take(a_movement(10))
    return house


@pytest.fixture
def routed(stocked: House) -> House:
    """Give a test the retailer whose web shop leaves it to us who picks what."""
    with stocked.system.ledger.transaction() as tx:
        channels.register(tx, replace(CHANNELS[0], is_routed=True), at=NOW)
    return stocked


@pytest.fixture
def published(house: House) -> Iterator[Path]:
    """Give the folder of published marts, empty again afterwards."""
    folder = house.system.settings.published_dir
    folder.mkdir(parents=True, exist_ok=True)
    yield folder
    for path in folder.iterdir():
        path.unlink()


def _make_keys(tx: Tx) -> Keys:
    keys = {role: make_key(tx, role, role=role, channel_codes=None, at=NOW) for role in ROLES}
    for name, codes in {
        "web": ["web"],
        "market": ["market"],
        "both": ["market", "web"],
        "nowhere": [],
    }.items():
        keys[name] = make_key(tx, name, role="channel", channel_codes=codes, at=NOW)
    keys["DC"] = make_key(tx, "DC", role="store", channel_codes=None, location_codes=["DC"], at=NOW)
    keys["web admin"] = make_key(tx, "web admin", role="admin", channel_codes=["web"], at=NOW)
    keys["expired"] = make_key(
        tx, "expired", role="admin", channel_codes=None, at=NOW - timedelta(days=2), expires_at=NOW
    )
    keys["revoked"] = make_key(tx, "revoked", role="admin", channel_codes=None, at=NOW)
    revoke_key(tx, keys["revoked"].split("_")[1], at=NOW)
    flipped = "0" if keys["admin"][-1] != "0" else "1"
    keys["altered"] = keys["admin"][:-1] + flipped
    keys["unknown"] = f"oms_{'0' * 12}_{'0' * 64}"
    keys["no key at all"] = "hello"
    return Keys(keys)
