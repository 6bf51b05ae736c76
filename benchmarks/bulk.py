"""A file of 100,000 orders with 300,000 lines from the inbox to published marts.

As NDJSON, as CSV, and as NDJSON of orders that are paid: there the worker's follower of money
has balanced them, too.
"""

import time
from pathlib import Path

import duckdb
import psycopg

from benchmarks import orders
from benchmarks.stage import Memory, Stage, receive, stage
from oms.ledger import embedded

ORDERS = 100_000
SEED = 20260101


def measure() -> None:
    with stage() as made:
        ndjson, csv = made.folder / "orders.ndjson", made.folder / "orders.csv"
        paid = made.folder / "paid.ndjson"
        lines, total = orders.write_orders(ndjson, csv, orders=ORDERS, seed=SEED, paid=paid)
        print(f"bulk: {ORDERS:,} orders, {lines:,} lines, seed {SEED}")
        floors = {
            "PostgreSQL COPY of the same rows": _copy_floor(made, csv),
            "DuckDB reading the NDJSON": _read_floor(f"read_ndjson_auto('{ndjson}')"),
            "DuckDB reading the CSV": _read_floor(f"read_csv_auto('{csv}')"),
        }
        made.start("refresher", "-m", "pipelines.refresher")
        made.start("worker", "-m", "oms.worker")
        made.until(lambda: made.published_orders() == 0)
        before = 0
        channels = ((ndjson, "bench-json"), (csv, "bench-csv"), (paid, "bench-paid"))
        for path, channel in channels:
            _run(made, path, channel, before=before, total=total, floors=floors)
            before += ORDERS


def _run(
    made: Stage, path: Path, channel: str, *, before: int, total: int, floors: dict[str, float]
) -> None:
    with Memory(made) as memory:
        begun = time.perf_counter()
        inbox_id = receive(made, path, channel=channel, topic="orders")
        made.until(lambda: _is_processed(made, inbox_id))
        captured = time.perf_counter() - begun
        if channel == "bench-paid":
            made.until(lambda: _balanced(made) == ORDERS)
            print(f"  money   followed {time.perf_counter() - begun:6.1f} s after it came")
        made.until(lambda: made.published_orders() == before + ORDERS)
        published = time.perf_counter() - begun
    _check(made, channel, total)
    name = channel.removeprefix("bench-")
    print(
        f"  {name:<7} captured {captured:6.1f} s = {ORDERS / captured:7,.0f} orders/s;"
        f" published {published:6.1f} s = {ORDERS / published:7,.0f} orders/s"
    )
    for name, seconds in floors.items():
        print(f"          {published / seconds:6.1f} x {name} ({seconds:.2f} s)")
    peaks = ", ".join(f"{name} {mib:,.0f}" for name, mib in sorted(memory.peaks.items()))
    print(f"          peak memory, MiB: {peaks}")


def _is_processed(made: Stage, inbox_id: int) -> bool:
    with psycopg.connect(_url(made)) as connection:
        row = connection.execute(
            "select state, quarantined_count from inbox where inbox_id = %s", (inbox_id,)
        ).fetchone()
    assert row is not None
    assert row[0] != "failed", "the file could not be read"
    return row[0] == "processed"


def _balanced(made: Stage) -> int:
    """Return how many orders the follower of money is through with."""
    with psycopg.connect(_url(made)) as connection:
        row = connection.execute(
            "select count(*) from order_balances, followers f where f.follower = 'payments'"
            " and order_balances.changed_xid < f.watermark::text::xid8"
        ).fetchone()
    assert row is not None
    return int(row[0])


def _check(made: Stage, channel: str, total: int) -> None:
    """A measurement of something wrong is none."""
    with psycopg.connect(_url(made)) as connection:
        row = connection.execute(
            "select count(*), sum(total_minor) from orders join channels using (channel_id)"
            " where channel_code = %s", (channel,),
        ).fetchone()  # fmt: skip
    assert row == (ORDERS, total), f"captured {row}, sent {(ORDERS, total)}"


def _url(made: Stage) -> str:
    server = embedded.server_at(made.settings.pgdata_path)
    return f"host={server.socket_dir} user=postgres dbname=oms"


def _copy_floor(made: Stage, csv: Path) -> float:
    """The same rows into two plain tables with keys, by COPY, in one transaction."""
    header, lines = made.folder / "floor-orders.csv", made.folder / "floor-lines.csv"
    source = f"read_csv_auto('{csv}')"
    columns = '"order", placed, customer, email'
    duckdb.execute(
        f"copy (select {columns}, sum(total) from {source} group by all)"
        f" to '{header}' (header false)"
    )
    duckdb.execute(
        f'copy (select "order", line, sku, quantity, total, tax from {source})'
        f" to '{lines}' (header false)"
    )
    with psycopg.connect(_url(made)) as connection:
        connection.execute(
            "create table floor_orders (ref text primary key, placed timestamptz, customer text,"
            " email text, total numeric)"
        )
        connection.execute(
            "create table floor_lines (ref text, line int, sku text, quantity int, total numeric,"
            " tax numeric, primary key (ref, line))"
        )
        begun = time.perf_counter()
        for table, path in (("floor_orders", header), ("floor_lines", lines)):
            with connection.cursor().copy(f"copy {table} from stdin (format csv)") as copy:
                copy.write(path.read_bytes())
        connection.commit()
        seconds = time.perf_counter() - begun
        connection.execute("drop table floor_orders, floor_lines")
    return seconds


def _read_floor(source: str) -> float:
    begun = time.perf_counter()
    duckdb.execute(f"create or replace temp table floor as select * from {source}")
    return time.perf_counter() - begun
