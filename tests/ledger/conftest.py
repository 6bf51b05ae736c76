"""A furnished retailer for every ledger test; each leaves a ledger that keeps all invariants."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace

import pytest
from sqlalchemy import Engine

from oms.channels import operations as channels
from oms.ledger.database import Ledger
from oms.ledger.embedded import Server
from tests.builders import NOW
from tests.ledger.shop import CHANNELS, Shop, furnish

Clone = Callable[[str], AbstractContextManager[Ledger]]


@pytest.fixture(scope="session")
def furnished(server: Server, admin: Engine, blank: str) -> str:
    """Make the database shops are cloned from."""
    with admin.connect() as connection:
        connection.exec_driver_sql(f"create database furnished template {blank}")
    made = Ledger(server.url.replace("@/oms?", "@/furnished?"))
    furnish(made)
    made.close()
    return "furnished"


@pytest.fixture(scope="session")
def house(clone: Clone, furnished: str) -> Iterator[Shop]:
    """Open the one retailer that tests use in turn, its connections warm."""
    with clone(furnished) as made:
        yield Shop(made)


@pytest.fixture
def shop(house: Shop, request: pytest.FixtureRequest) -> Iterator[Shop]:
    """Give a test the retailer as it was furnished, and hold it to the invariants in the end."""
    house.restore()
    yield house
    if request.node.get_closest_marker("xfail") is None:
        assert house.violations() == {}


@pytest.fixture
def routed(shop: Shop) -> Shop:
    """Give the retailer whose web shop leaves it to us who picks what."""
    with shop.ledger.transaction() as tx:
        channels.register(tx, replace(CHANNELS[0], is_routed=True), at=NOW)
    return shop


@pytest.fixture(scope="module")
def common_shop(clone: Clone, furnished: str) -> Iterator[Shop]:
    """Give the random tests of a module one retailer; each example has its own SKUs in it."""
    with clone(furnished) as made:
        yield Shop(made)
