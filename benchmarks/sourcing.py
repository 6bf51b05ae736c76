"""Orders given to locations, by rules and without: how many a second, and how long others wait.

As the worker does it, a transaction after the other. While it writes what it planned, a
transaction holds levels of stock: whoever sells these goods waits so long. The floor is COPY of
the same rows into plain tables.
"""

import json
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import psycopg

from benchmarks import orders
from benchmarks.stage import Stage, stage
from oms import worker
from oms.channels import operations as channels
from oms.channels import queries as channel_queries
from oms.channels.model import Channel, ChannelDraft
from oms.ledger import embedded
from oms.ledger.database import Tx
from oms.locations import operations as locations
from oms.locations.model import Location
from oms.sourcing import messages, operations
from oms.stock import operations as stock
from oms.workflows.capture import capture
from tests.builders import Draft, a_line, a_movement, an_order, drafts

ORDERS = 5_000
STORES = 15
SKUS = 500
LINES = 2
CHANNEL = "bench-routed"
AT = datetime(2026, 1, 5, 12, tzinfo=UTC)
RULES = {
    "name": "stores near by, else the center",
    "groups": [
        {
            "name": "all",
            "rules": [
                {"name": "near", "kinds": ["store"], "distance_km_max": 60,
                 "sort": ["distance", "capacity_left"]},
                {"name": "center", "kinds": ["dc"]},
                {"name": "any", "sort": ["stock_left"]},
            ],
            "split": {"parts_max": 3},
        }
    ],
}  # fmt: skip
COPIED = ("fulfillment_orders", "fulfillment_lines", "sourcing_decisions")


@dataclass
class Clock:
    """When the transaction at hand began to hold levels, and how long those before it did."""

    since: float | None = None
    held: list[float] = field(default_factory=list)
    transactions: list[float] = field(default_factory=list)


def measure() -> None:
    print(
        f"sourcing: {ORDERS:,} orders of {LINES} lines, {SKUS:,} articles, {STORES + 1} locations"
    )
    with stage() as made:
        channel = _furnish(made)
        step = worker.routing(made.system)
        step()  # it only begins
        rates = {}
        for name in ("without rules", "with rules"):
            if name == "with rules":
                _activate(made)
            _capture(made, channel, name)
            rates[name] = _route(made, name, step)
        print(f"          {rates['without rules'] / rates['with rules']:.1f} x without rules")
        seconds = _copy_floor(made)
        took = ORDERS / rates["with rules"]
        print(f"          {took / seconds:.1f} x COPY of the same rows ({seconds:.2f} s)")


def _route(made: Stage, name: str, step: Callable[[], bool]) -> float:
    before = _count(made, "fulfillment_orders")
    with _watched() as clock:
        begun = time.perf_counter()
        found = True
        while found:
            since = time.perf_counter()
            found = step()
            ended = time.perf_counter()
            if found:
                clock.transactions.append(ended - since)
            if clock.since is not None:
                clock.held.append(ended - clock.since)
                clock.since = None
        seconds = time.perf_counter() - begun
    asked = _count(made, "fulfillment_orders") - before
    assert asked >= ORDERS, f"{asked} were asked for {ORDERS} orders"
    print(f"  {name}: {ORDERS / seconds:,.0f} orders/s; {_spread(clock.transactions)}")
    if clock.held:
        print(f"          levels are held {_spread(clock.held)}")
    return ORDERS / seconds


def _spread(seconds: list[float]) -> str:
    return (
        f"{len(seconds)} transactions, p50 {statistics.median(seconds):.3f} s,"
        f" worst {max(seconds):.3f} s"
    )


@contextmanager
def _watched() -> Iterator[Clock]:
    """Note when levels begin to be held."""
    clock, hold = Clock(), stock.hold

    def noted(tx: Tx, product_ids: list[int], location_ids: list[int]) -> None:
        clock.since = clock.since or time.perf_counter()
        hold(tx, product_ids, location_ids)

    stock.hold = noted
    yield clock
    stock.hold = hold


def _furnish(made: Stage) -> Channel:
    """Open the stores, each with some of everything."""
    places = [
        Location(
            code=f"S{number:02}", name="Store" if number else "Center",
            kind="store" if number else "dc", country_code="NL", time_zone="Europe/Amsterdam",
            latitude=51 + number * 0.1, longitude=4.5 + number * 0.05, node_cost_minor=number,
            capacity_per_day=ORDERS // 10 if number else None,
        )
        for number in range(STORES + 1)
    ]  # fmt: skip
    with made.system.ledger.transaction() as tx:
        locations.register(tx, places, at=AT)
        draft = ChannelDraft(
            code=CHANNEL, name=CHANNEL, kind="webshop", currency="EUR", prices_include_tax=True,
            time_zone="Europe/Amsterdam", adapter="canonical", is_routed=True,
            network=tuple(place.code for place in places),
        )  # fmt: skip
        channels.register(tx, draft, at=AT)
        channel = channel_queries.channel(tx, CHANNEL)
    for place in places:
        received = [
            a_movement(ORDERS, sku=orders.sku(number), location=place.code,
                       ref=f"{place.code}-{number}")
            for number in range(SKUS)
        ]  # fmt: skip
        _take(made, channel, received)
    return channel


def _capture(made: Stage, channel: Channel, name: str) -> None:
    """Take orders of customers all over the stores' country."""
    taken = [
        an_order(
            f"{name}-{number}", placed_at=AT,
            lines=[a_line(orders.sku((number * 7 + line * 31) % SKUS), 1 + line)
                   for line in range(LINES)],
            ship_to=json.dumps({"latitude": 51 + number % 16 * 0.1, "longitude": 4.6}),
        )
        for number in range(ORDERS)
    ]  # fmt: skip
    _take(made, channel, taken)


def _take(made: Stage, channel: Channel, documents: list[Draft]) -> None:
    tables = drafts(*documents)
    made.system.ledger.run(
        lambda tx: capture(tx, tables, channel=channel, actor_type="channel", actor="bench", at=AT)
    )


def _activate(made: Stage) -> None:
    with made.system.ledger.transaction() as tx:
        version = operations.draft(tx, messages.read_rules(RULES), by="bench", at=AT)
        operations.activate(tx, version, by="bench", at=AT)


def _connection(made: Stage) -> psycopg.Connection[tuple[int, ...]]:
    server = embedded.server_at(made.settings.pgdata_path)
    return psycopg.connect(f"host={server.socket_dir} user=postgres dbname=oms")


def _count(made: Stage, table: str) -> int:
    with _connection(made) as connection:
        row = connection.execute(f"select count(*) from {table}").fetchone()
    assert row is not None
    return row[0]


def _copy_floor(made: Stage) -> float:
    """The rows of one of the two runs into plain tables with a key, by COPY, in one transaction."""
    seconds = 0.0
    with _connection(made) as connection:
        for table in COPIED:
            connection.execute(f"create table floor_{table} (like {table} including identity)")
            with connection.cursor().copy(
                f"copy (select * from {table} order by 1 desc limit {ORDERS}) to stdout"
            ) as copy:
                rows = b"".join(map(bytes, copy))
            begun = time.perf_counter()
            with connection.cursor().copy(f"copy floor_{table} from stdin") as copy:
                copy.write(rows)
            seconds += time.perf_counter() - begun
        begun = time.perf_counter()
        connection.commit()
        return seconds + time.perf_counter() - begun
