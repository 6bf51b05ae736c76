"""Guards: the raw tables are the ledger's rows, whatever is in them and whatever is interrupted."""

import random
from datetime import timedelta
from typing import Any

import duckdb
import pytest

from oms.ledger.journal import JOURNALED
from pipelines.lib import builds, loading
from pipelines.lib.builds import Built
from pipelines.lib.loading import Position
from pipelines.lib.warehouse import Warehouse
from tests.warehouse.fakes import NOW, FakeLedger, Retailer

NASTY = (
    "", " ", "NULL", "\\N", '"', '""', "a,b", "line\nline", "line\r\nline", "\r", "007", "1e5",
    "ü€漢🙂", "=1+1",
    "'; drop table orders", "tab\tstop", "\u2028", "x" * 3_000_000, "true", "2026-01-01",
)  # fmt: skip


def load(warehouse: Warehouse, ledger: FakeLedger, *, at: Any = NOW) -> loading.Load | None:
    with warehouse.open() as connection:
        return loading.load(ledger, connection, warehouse.spool_dir, at=at)


def raw(warehouse: Warehouse) -> dict[str, set[tuple[Any, ...]]]:
    """Return every raw table's rows without the number of their load."""
    with warehouse.open() as connection:
        return {
            journaled.table: set(
                connection.execute(
                    f"select {', '.join(journaled.column_names)} from raw.{journaled.table}"
                ).fetchall()
            )
            for journaled in JOURNALED
        }


def written(ledger: FakeLedger) -> dict[str, set[tuple[Any, ...]]]:
    return {
        journaled.table: {
            tuple(row[name] for name in journaled.column_names)
            for row in ledger.rows[journaled.table].values()
        }
        for journaled in JOURNALED
    }


@pytest.fixture
def ledger() -> FakeLedger:
    return FakeLedger()


@pytest.fixture
def retailer(ledger: FakeLedger) -> Retailer:
    retailer = Retailer(ledger, seed=11)
    for _ in range(3):
        retailer.step()
    return retailer


class TestLoad:
    def test_takes_everything_and_then_only_changes(
        self, empty: Warehouse, ledger: FakeLedger, retailer: Retailer
    ) -> None:
        first = load(empty, ledger)
        assert first is not None
        assert first.rows_count == sum(map(len, ledger.rows.values()))
        assert load(empty, ledger) is None
        retailer.order()
        second = load(empty, ledger)
        assert second is not None
        assert second.position.batch == 2
        assert second.rows_count < 10
        assert raw(empty) == written(ledger)

    def test_keeps_every_text_as_it_is(self, empty: Warehouse, ledger: FakeLedger) -> None:
        for number, text in enumerate(NASTY):
            ledger.write(
                "products", product_id=number, sku=f"{number}{text}", title=text, brand=None,
                category=text, tax_class="standard", is_sellable=True, updated_at=NOW,
            )  # fmt: skip
        load(empty, ledger)
        assert raw(empty)["products"] == written(ledger)["products"]

    def test_leaves_what_a_running_transaction_could_still_precede(
        self, empty: Warehouse, ledger: FakeLedger, retailer: Retailer
    ) -> None:
        load(empty, ledger)
        before = raw(empty)
        ledger.running_since = ledger.xid
        retailer.order()
        with empty.open() as connection:
            assert loading.load(ledger, connection, empty.spool_dir, at=NOW) is None
        assert raw(empty) == before
        ledger.running_since = None
        load(empty, ledger)
        assert raw(empty) == written(ledger)

    def test_counts_the_orders_its_watermark_covers(
        self, empty: Warehouse, ledger: FakeLedger, retailer: Retailer
    ) -> None:
        retailer.order()
        ledger.commit()
        ledger.running_since = ledger.xid
        retailer.order()
        retailer.order()
        load(empty, ledger)
        with empty.open() as connection:
            counts = connection.execute(
                "select orders_count, (select count(*) from raw.orders) from raw.loads"
            ).fetchone()
        assert counts == (len(ledger.rows["orders"]) - 2,) * 2

    def test_starts_anew_on_another_ledger(
        self, empty: Warehouse, ledger: FakeLedger, retailer: Retailer
    ) -> None:
        load(empty, ledger)
        with empty.open() as connection:
            builds.end_build(connection, Built(batch=1, models_sha256="x"), at=NOW)
        other = FakeLedger(xid=3)
        Retailer(other, seed=12).order()
        assert loading.has_changes(other, since=Position(batch=1, watermark=ledger.xid))
        load(empty, other)
        assert raw(empty) == written(other)
        with empty.open() as connection:
            assert builds.built_of(connection) is None
            assert loading.position_of(connection).batch == 2

    def test_reads_a_table_again_whose_columns_are_new(
        self, empty: Warehouse, ledger: FakeLedger, retailer: Retailer
    ) -> None:
        load(empty, ledger)
        with empty.open() as connection:
            builds.end_build(connection, Built(batch=1, models_sha256="x"), at=NOW)
            connection.execute("alter table raw.products drop column brand")
        retailer.order()
        load(empty, ledger)
        assert raw(empty) == written(ledger)
        with empty.open() as connection:
            assert builds.built_of(connection) is None

    def test_remembers_loads_for_a_while(
        self, empty: Warehouse, ledger: FakeLedger, retailer: Retailer
    ) -> None:
        load(empty, ledger, at=NOW - loading.LOADS_KEPT - timedelta(seconds=1))
        retailer.order()
        load(empty, ledger)
        with empty.open() as connection:
            kept = connection.execute("select batch from raw.loads").fetchall()
        assert kept == [(2,)]


class Killed(BaseException):
    """The process has ended here."""


class Mortal:
    """A connection that dies before one of its statements."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, statements: int) -> None:
        self._connection = connection
        self._left = statements

    def __getattr__(self, name: str) -> Any:
        self._left -= 1
        if self._left == 0:
            raise Killed
        return getattr(self._connection, name)


class TestKilledLoad:
    def test_is_made_good_by_the_next_wherever_it_died(
        self, empty: Warehouse, ledger: FakeLedger, retailer: Retailer, seed: int
    ) -> None:
        load(empty, ledger)
        statements = random.Random(seed)
        deaths = 0
        for _ in range(12):
            retailer.step()
            try:
                with empty.open() as connection:
                    mortal: Any = Mortal(connection, statements.randint(1, 60))
                    loading.load(ledger, mortal, empty.spool_dir, at=NOW)
            except Killed:
                deaths += 1
            if statements.random() < 0.5:
                load(empty, ledger)
                assert raw(empty) == written(ledger)
        load(empty, ledger)
        assert raw(empty) == written(ledger)
        assert deaths > 3
        with empty.open() as connection:
            counts = connection.execute("select count(*), count(distinct batch) from raw.loads")
            total, batches = counts.fetchall()[0]
        assert total == batches
