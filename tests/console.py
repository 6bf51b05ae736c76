"""A shop the console looks at: the real API on a port of this machine, and its keys."""

import itertools
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import httpx
import uvicorn
from sqlalchemy import text

from api.app import create_app
from oms.access.model import ROLES
from oms.access.operations import make_key
from oms.bootstrap import System
from oms.channels import operations as channels
from oms.ledger.database import Ledger
from oms.ledger.followers import follow
from oms.settings import Settings
from oms.worker import index_orders
from oms.workflows import fulfillment, ingest
from tests.builders import NOW, a_movement, a_receipt, an_order
from tests.ledger.shop import CHANNELS, Shop, furnish

WAIT_SECONDS_MAX: Final = 60
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Counter:
    """The API as it is served, and the ledger behind it."""

    port: int
    shop: Shop
    keys: Mapping[str, str]
    system: System

    def ask(
        self, method: str, path: str, body: Any = None, key: str = "admin",
        version: int | None = None,
    ) -> Any:  # fmt: skip
        """Ask the API as another program would, and return what it answers."""
        headers = {
            "Authorization": f"Bearer {self.keys[key]}",
            "Idempotency-Key": f"test-{next(_numbers)}",
            **({} if version is None else {"If-Match": str(version)}),
        }
        url = f"http://127.0.0.1:{self.port}{path}"
        answer = httpx.request(method, url, json=body, headers=headers, trust_env=False)
        assert answer.is_success, answer.text
        return answer.json()

    def ordered(self, ref: str, **fields: Any) -> dict[str, Any]:
        """Post an order of two pens, have it given to its location, and return it."""
        line = {"line_ref": "PEN", "sku": "PEN", "quantity": 2, "total": "20.00", "tax": "3.47"}
        body = {
            "channel_code": "web", "external_ref": ref, "external_number": f"#{ref}", "version": 1,
            "placed_at": "2026-01-05T12:00:00Z", "currency": "EUR", "lines": [line],
            "customer_name": "Ada van der Berg", "customer_email": "ada@example.org", **fields,
        }  # fmt: skip
        number = self.ask("POST", "/v1/orders", body)["order_number"]
        followed(self.shop.ledger)
        return self.order(number)

    def sold(self, ref: str, **fields: Any) -> str:
        """Sell a pen at the till; return the order's number."""
        line = {"line_ref": "PEN", "sku": "PEN", "quantity": 1, "total": "10.00", "tax": "1.73"}
        body = {
            "channel_code": "till", "external_ref": ref, "external_number": ref, "version": 1,
            "placed_at": "2026-01-05T12:00:00Z", "currency": "EUR", "lines": [line],
            "customer_name": "Ada Pen", "fulfillment_method": "carry_out", "location_code": "AMS",
            **fields,
        }  # fmt: skip
        return str(self.ask("POST", "/v1/orders", body)["order_number"])

    def act(self, work: dict[str, Any], action: str) -> dict[str, Any]:
        """Do something with a fulfillment order as its location would; return what it is then."""
        path = f"/v1/fulfillments/{work['fulfillment_number']}/actions"
        done: dict[str, Any] = self.ask("POST", path, {"action": action}, version=work["version"])
        return done

    def collected_in_store(self, ref: str) -> dict[str, Any]:
        """Post an order that is collected at the distribution center, and return it."""
        group = {"method": "collect_store", "line_refs": ["PEN"], "location_code": "DC"}
        return self.ordered(ref, groups=[group])

    def quarantined(self, ref: str) -> int:
        """Push an order of a SKU nobody knows to a channel; return its number in quarantine."""
        line = {"line_ref": "NIB", "sku": "NIB", "quantity": 1, "total": "10.00", "tax": "1.74"}
        body = {
            "external_ref": ref, "version": 1, "placed_at": "2026-01-05T12:00:00Z",
            "currency": "EUR", "lines": [line],
        }  # fmt: skip
        self.ask("POST", "/v1/channels/web/inbox?topic=orders", body)
        ingest.process_waiting(self.system.intake)
        (item,) = self.ask("GET", f"/v1/quarantine?external_ref={ref}")["items"]
        return int(item["quarantine_id"])

    def order(self, number: str) -> dict[str, Any]:
        """Return an order as it is now."""
        found: dict[str, Any] = self.ask("GET", f"/v1/orders/{number}")
        return found


def followed(ledger: Ledger) -> None:
    """Let what follows the journal take in what it has: who works on an order, and its words."""
    for _ in range(2):  # at first a follower only begins
        follow(ledger, "routing", lambda tx, a, u: fulfillment.route(tx, a, u, at=NOW))
        index_orders(ledger)
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while _is_behind(ledger):  # whoever writes meanwhile holds the journal's horizon back
        assert time.monotonic() < deadline, "there is an order nobody indexes"
        follow(ledger, "routing", lambda tx, a, u: fulfillment.route(tx, a, u, at=NOW))
        index_orders(ledger)


def _is_behind(ledger: Ledger) -> bool:
    with ledger.snapshot() as tx:
        return bool(tx.execute(text(
            "select exists (select from orders o where not exists ("
            "select from order_search s where s.order_id = o.order_id))"
        )).scalar())  # fmt: skip


@contextmanager
def serving(ledger: Ledger, home: Path, *, orders_count: int = 0) -> Iterator[Counter]:
    """Serve the API of a furnished ledger with so many orders until the end of the block."""
    furnish(ledger)
    shop = Shop(ledger)
    with ledger.transaction() as tx:
        channels.register(tx, replace(CHANNELS[0], is_routed=True), at=NOW)
        keys = {role: make_key(tx, role, role=role, channel_codes=None, at=NOW) for role in ROLES}
    if orders_count:
        shop.take(a_movement(orders_count + 1_000))
        shop.take(*(a_receipt(f"T-{at}") for at in range(2)), channel="till")
        shop.take(*(an_order(f"M-{at}") for at in range(orders_count)), channel="market")
        followed(ledger)
    system = System(settings=Settings(home=home), ledger=ledger)
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_app(system), log_config=None, ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield Counter(int(listener.getsockname()[1]), shop, keys, system)
    finally:
        server.should_exit = True
        thread.join(WAIT_SECONDS_MAX)
        listener.close()
