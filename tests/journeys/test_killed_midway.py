"""A bulk load with its worker, refresher and database killed amid it, beside one left alone."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest

from benchmarks import orders
from benchmarks.stage import Stage, receive, stage
from oms.ledger import embedded
from oms.reports.published import Publications
from oms.workflows import ingest

pytestmark = pytest.mark.filterwarnings("ignore")  # of dbt, which is not ours

ORDERS: Final = 12_000  # three slices, the last one short
SEED: Final = 20260101
PORT: Final = 18_300

# What a load leaves behind, in the channel's words: keys and moments of recording are ours.
LEFT: Final = {
    "orders": """
        select external_ref, order_state, fulfillment_state, placed_at, items_net_minor,
            items_tax_minor, total_minor, has_exception, last_seq, version
        from orders""",
    "lines": """
        select o.external_ref, line_no, line_ref, sku, quantity, canceled, shipped, backordered,
            net_minor, tax_minor
        from order_lines join orders o using (order_id)""",
    "line events": """
        select o.external_ref, line_no, kind, change_ref, e.quantity, net_minor, tax_minor,
            occurred_at
        from line_events e join orders o using (order_id)""",
    "story": """
        select o.external_ref, seq, type, occurred_at
        from order_events e join orders o using (order_id)""",
    "levels": """
        select sku, location_code, on_hand, allocated, is_oversold
        from stock_levels join products using (product_id) join locations using (location_id)""",
    "reservations": """
        select o.external_ref, line_no, sku, r.state, location_code, quantity
        from reservations r join orders o using (order_id) join products using (product_id)
        left join locations x on x.location_id = r.location_id""",
    "inbox": "select topic, state, documents_count, captured_count, duplicate_count from inbox",
}
SOLD: Final = """
    select o.order_number, e.line_no, e.kind, e.quantity, e.net_minor, e.tax_minor
    from line_events e join orders o using (order_id) order by 1, 2, 3
"""
SHOWN: Final = """
    select order_number, line_no, event_kind, quantity, cast(net_amount * 100 as bigint),
        cast(tax_amount * 100 as bigint)
    from fct_order_lines order by 1, 2, 3
"""


def asked(made: Stage, sql: str) -> list[tuple[Any, ...]]:
    server = embedded.server_at(made.settings.pgdata_path)
    with psycopg.connect(f"host={server.socket_dir} user=postgres dbname=oms") as connection:
        return connection.execute(sql).fetchall()


def left(made: Stage) -> dict[str, list[tuple[Any, ...]]]:
    return {name: sorted(asked(made, sql), key=str) for name, sql in LEFT.items()}


def position(made: Stage) -> int:
    """Say how many of the file's orders are dealt with; the ledger may be away just now."""
    try:
        ((found,),) = asked(made, "select position from inbox where topic = 'orders'")
    except psycopg.OperationalError:
        return -1
    return int(found)


def until(is_so: Callable[[], bool], made: Stage) -> None:
    """Wait until something is so, whoever of the processes has been killed meanwhile."""
    kept, made.processes = made.processes, {}
    try:
        made.until(is_so)
    finally:
        made.processes = kept


def load(made: Stage, path: Path) -> int:
    return receive(made, path, channel="bench-json", topic="orders")


def kill(made: Stage, name: str, *command: str) -> None:
    """Kill a process as a power failure does, and start its successor."""
    made.processes[name].kill()
    made.processes[name].wait()
    made.start(name, *command)


def kill_database(made: Stage) -> None:
    server = embedded.server_at(made.settings.pgdata_path)
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    embedded.start(made.settings.pgdata_path)


@pytest.fixture(scope="module")
def undisturbed() -> dict[str, list[tuple[Any, ...]]]:
    with stage(ports=PORT) as made:
        path = made.folder / "orders.ndjson"
        orders.write_orders(path, made.folder / "orders.csv", orders=ORDERS, seed=SEED)
        ingest.process(made.system.intake, load(made, path))
        return left(made)


class TestEverythingKilledAmidALoad:
    def test_it_ends_as_if_nothing_had_been(
        self, undisturbed: dict[str, list[tuple[Any, ...]]]
    ) -> None:
        with stage(ports=PORT) as made:
            path = made.folder / "orders.ndjson"
            orders.write_orders(path, made.folder / "orders.csv", orders=ORDERS, seed=SEED)
            worker, refresher = ("-m", "oms.worker"), ("-m", "pipelines.refresher")
            made.start("refresher", *refresher)
            made.until(lambda: made.published_orders() == 0)
            made.start("worker", *worker)
            load(made, path)
            made.until(lambda: position(made) >= 5_000)
            kill(made, "worker", *worker)
            kill(made, "refresher", *refresher)
            until(lambda: position(made) >= 10_000, made)
            kill_database(made)
            assert 0 < position(made) < ORDERS, "killed too late to prove anything"
            until(lambda: position(made) == ORDERS, made)
            until(lambda: made.published_orders() == ORDERS, made)
            found = left(made)
            for name, rows in undisturbed.items():
                assert found[name] == rows, name
            published = Publications(made.settings.published_dir).current()
            assert published.ask(SHOWN).rows() == asked(made, SOLD)
