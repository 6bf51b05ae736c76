"""A warehouse that has been built and published once, for each test to go on from."""

import copy
import os
import random
import shutil
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

with warnings.catch_warnings():
    # A parser that dagster-dbt brings along recommends its successor while it is imported.
    warnings.filterwarnings("ignore", "sqlglotrs is deprecated", DeprecationWarning)
    import dagster_dbt  # noqa: F401 - for the warning it would give later

from pipelines.lib import publishing
from pipelines.lib.refreshing import Refresh
from pipelines.lib.transforming import Transformer
from pipelines.lib.warehouse import Warehouse
from tests.warehouse.conftest import a_warehouse
from tests.warehouse.fakes import NOW, FakeLedger, Retailer


@dataclass(frozen=True, kw_only=True)
class Shop:
    """A ledger, the retailer who writes to it, and the warehouse that follows it."""

    ledger: FakeLedger
    retailer: Retailer
    warehouse: Warehouse
    transformer: Transformer

    def refresher(self) -> Refresh:
        """Return a refresher as a freshly started process has it."""
        return Refresh(self.warehouse, self.ledger, self.transformer, lambda: NOW)


@pytest.fixture(scope="session")
def first_shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    warehouse = a_warehouse(tmp_path_factory.mktemp("first"))
    ledger = FakeLedger()
    retailer = Retailer(ledger, seed=7)
    for _ in range(4):
        retailer.step()
    shop = Shop(
        ledger=ledger, retailer=retailer, warehouse=warehouse, transformer=Transformer(warehouse)
    )
    shop.refresher()()
    return shop


@pytest.fixture
def shop(first_shop: Shop, tmp_path: Path) -> Shop:
    warehouse = a_warehouse(tmp_path / "home")
    shutil.copytree(first_shop.warehouse.path.parent, warehouse.path.parent)
    retailer = copy.deepcopy(first_shop.retailer)
    return Shop(
        ledger=retailer.ledger, retailer=retailer, warehouse=warehouse,
        transformer=first_shop.transformer.on(warehouse),
    )  # fmt: skip


@pytest.fixture
def seed() -> int:
    chosen = int(os.environ.get("OMS_TEST_SEED") or random.randrange(2**32))
    print(f"OMS_TEST_SEED={chosen}")
    return chosen


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Warehouse]:
    """Give a warehouse nothing has been loaded into."""
    yield a_warehouse(tmp_path)


def published(warehouse: Warehouse, sql: str) -> list[tuple[Any, ...]]:
    """Ask the current publication as every reader does."""
    path = publishing.current(warehouse.published_dir)
    assert path is not None, "something is published"
    with duckdb.connect(":memory:") as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute(f"attach '{path}' as marts (read_only)")
        connection.execute("use marts.marts")
        return connection.execute(sql).fetchall()
