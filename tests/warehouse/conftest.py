"""One warehouse a session, kept up to date by increments, and the same built in one go."""

import os
import random
import shutil
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb
import pytest

from pipelines.lib import builds, loading
from pipelines.lib.builds import Built
from pipelines.lib.transforming import Transformer, follow
from pipelines.lib.warehouse import Warehouse
from tests.warehouse.fakes import NOW, FakeLedger, Retailer

INCREMENTS: Final = 34
# Every so often through dbt itself: both ways must come to the same.
DBT_EVERY: Final = 17


@dataclass(frozen=True, kw_only=True)
class Followed:
    """A warehouse, what builds it, and the ledger it follows."""

    warehouse: Warehouse
    transformer: Transformer
    ledger: FakeLedger


@pytest.fixture(scope="session")
def seed() -> int:
    chosen = int(os.environ.get("OMS_TEST_SEED") or random.randrange(2**32))
    print(f"OMS_TEST_SEED={chosen}")
    return chosen


@pytest.fixture(scope="session")
def followed(tmp_path_factory: pytest.TempPathFactory, seed: int) -> Followed:
    """Build once, then follow one increment after another."""
    warehouse = a_warehouse(tmp_path_factory.mktemp("followed"))
    transformer = Transformer(warehouse)
    ledger = FakeLedger()
    retailer = Retailer(ledger, seed)
    retailer.step()
    load(warehouse, ledger)
    build(warehouse, transformer)
    models = transformer.hot_models()
    for number in range(1, INCREMENTS + 1):
        retailer.step()
        with warehouse.open() as connection:
            loading.load(ledger, connection, warehouse.spool_dir, at=NOW)
            if number % 5 == 0:  # the marts may lag behind by more than one load
                continue
            if number % DBT_EVERY:
                follow(connection, models, builds.changed_since_build(connection))
            else:
                transformer.run("tag:hot")
            mark(connection, transformer)
    return Followed(warehouse=warehouse, transformer=transformer, ledger=ledger)


@pytest.fixture(scope="session")
def rebuilt(followed: Followed, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """Build everything anew from the same raw tables."""
    warehouse = a_warehouse(tmp_path_factory.mktemp("rebuilt"))
    shutil.copy(followed.warehouse.path, warehouse.path)
    followed.transformer.on(warehouse).build(full_refresh=True)
    return warehouse


@pytest.fixture
def spoiled(followed: Followed, tmp_path: Path) -> Iterator[Warehouse]:
    """Give a copy of the warehouse that a test may damage."""
    warehouse = a_warehouse(tmp_path)
    shutil.copy(followed.warehouse.path, warehouse.path)
    shutil.copy(followed.warehouse.marts_path, warehouse.marts_path)
    yield warehouse


@pytest.fixture(autouse=True, scope="session")
def _dbt_warns_about_itself() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning, module=r"dbt\..*")
        yield


def a_warehouse(folder: Path) -> Warehouse:
    return Warehouse(
        path=folder / "warehouse.duckdb",
        marts_path=folder / "marts.duckdb",
        published_dir=folder / "published",
    )


def load(warehouse: Warehouse, ledger: FakeLedger) -> loading.Load | None:
    with warehouse.open() as connection:
        return loading.load(ledger, connection, warehouse.spool_dir, at=NOW)


def build(warehouse: Warehouse, transformer: Transformer) -> None:
    transformer.build(full_refresh=True)
    with warehouse.open() as connection:
        mark(connection, transformer)


def mark(connection: duckdb.DuckDBPyConnection, transformer: Transformer) -> None:
    """Note that the marts have followed what is loaded."""
    batch = loading.position_of(connection).batch
    built = Built(batch=batch, models_sha256=transformer.models_sha256)
    builds.end_build(connection, built, at=NOW)
