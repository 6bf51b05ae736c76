"""Live sales: what is published and what the ledger has since, never both, never neither."""

import itertools
from pathlib import Path
from typing import Any

import duckdb
import pytest

from oms.ledger.journal import horizon
from tests.api.conftest import House
from tests.api.wire import a_line, an_order
from tests.builders import NOW, a_change, a_partial
from tests.conftest import Clock

ROWS = """
    select 'event', e.occurred_on, c.channel_code, o.currency,
        count(distinct e.order_id) filter (where e.kind = 'sale'), sum(e.quantity),
        sum(e.net_minor) / 100
    from line_events e join orders o using (order_id) join channels c using (channel_id)
    where e.kind <> 'ship' and not o.is_test
    group by 2, 3, 4
"""


# A published file never comes again under the same name.
VERSIONS = itertools.count(1)


def publish(house: House, folder: Path) -> int:
    """Publish the marts as they would be at this moment; return the version."""
    version = next(VERSIONS)
    with house.system.ledger.snapshot() as tx:
        watermark = horizon(tx)
        rows = [tuple(row) for row in tx.exec_driver_sql(ROWS)]
    name = f"marts-{version:06}.duckdb"
    with duckdb.connect(str(folder / name)) as marts:
        marts.execute("create schema marts; use marts")
        marts.execute(
            "create table sales_by_channel_daily (basis varchar, sold_on date, channel_code"
            " varchar, currency varchar, orders_count bigint, units bigint,"
            " net_amount decimal(18, 3))"
        )
        for row in rows:
            marts.execute("insert into sales_by_channel_daily values (?, ?, ?, ?, ?, ?, ?)", row)
        marts.execute(
            "create table publication as select $version::bigint as version,"
            " $watermark::bigint as watermark, 1::bigint as batch, $at::timestamptz as"
            " published_at, 0::bigint as ledger_orders_count, 0::bigint as mart_orders_count",
            {"version": version, "watermark": watermark, "at": NOW},
        )
    (folder / "CURRENT").write_text(name)
    return version


def totals(house: House, key: str = "admin", **query: str) -> dict[str, Any]:
    """Return the live totals by channel: orders, units and net of the period."""
    answer = house.get("/v1/sales/live", key, params=query)
    assert answer.status_code == 200, answer.text
    return {
        item["channel_code"]: (
            item["period"]["orders_count"], item["period"]["units"], item["period"]["net"]["amount"]
        )
        for item in answer.json()["items"]
    }  # fmt: skip


class TestLive:
    def test_is_what_is_published_and_what_came_since(
        self, stocked: House, published: Path
    ) -> None:
        stocked.order(an_order("W-1", lines=[a_line(quantity=2)]))
        publish(stocked, published)
        assert totals(stocked) == {"web": (1, 2, "16.53")}
        stocked.order(an_order("W-2"))
        stocked.order(an_order("M-1", channel_code="market"))
        stocked.shop.take(a_partial("W-1", a_change("ship"), a_change("return")))
        live = {"market": (1, 1, "8.27"), "web": (2, 2, "16.53")}
        assert totals(stocked) == live
        publish(stocked, published)
        assert totals(stocked) == live

    def test_is_all_from_the_ledger_before_anything_is_published(self, stocked: House) -> None:
        stocked.order(an_order("W-1"))
        assert totals(stocked) == {"web": (1, 1, "8.27")}
        assert stocked.get("/v1/sales/live").json()["publication"] is None

    def test_says_how_old_the_publication_is(
        self, stocked: House, published: Path, clock: Clock
    ) -> None:
        version = publish(stocked, published)
        clock.forward(seconds=90)
        told = stocked.get("/v1/sales/live").json()["publication"]
        assert (told["version"], told["age_seconds"]) == (version, 90.0)
        assert stocked.get("/health/deep").json()["status"] == "ok"

    def test_counts_no_test_orders(self, stocked: House) -> None:
        stocked.order(an_order("W-1", is_test=True))
        assert totals(stocked) == {}


class TestPeriod:
    @pytest.fixture
    def sold(self, stocked: House) -> House:
        for day in (3, 4, 5):
            stocked.order(an_order(f"W-{day}", placed_at=f"2026-01-0{day}T12:00:00Z"))
        return stocked

    @pytest.mark.parametrize(
        ("query", "orders"),
        [
            ({}, 1), ({"from_on": "2026-01-04"}, 2), ({"from_on": "2026-01-03"}, 3),
            ({"from_on": "2026-01-03", "to_on": "2026-01-04"}, 2), ({"from_on": "0001-01-01"}, 3),
        ],
    )  # fmt: skip
    def test_includes_both_ends(self, sold: House, query: dict[str, str], orders: int) -> None:
        assert totals(sold, **query)["web"][0] == orders

    @pytest.mark.parametrize(
        "query", [{"from_on": "2026-01-05", "to_on": "2026-01-04"}, {"from_on": "x"}, {"day": "1"}]
    )
    def test_is_refused(self, house: House, query: dict[str, str]) -> None:
        assert house.get("/v1/sales/live", params=query).status_code == 422

    def test_is_in_the_channels_own_calendar(self, stocked: House, clock: Clock) -> None:
        """Half past midnight in Amsterdam is still the day before in New York."""
        at = clock.forward(hours=11, minutes=30).isoformat()
        stocked.order(an_order("W-1", placed_at=at))
        stocked.order(an_order("N-1", placed_at=at, channel_code="trade"))
        items = stocked.get("/v1/sales/live").json()["items"]
        assert {item["channel_code"]: item["today_on"] for item in items} == {
            "trade": "2026-01-05", "web": "2026-01-06"
        }  # fmt: skip
        assert [item["today"]["orders_count"] for item in items] == [1, 1]


class TestScope:
    def test_is_the_callers(self, stocked: House) -> None:
        stocked.order(an_order("W-1"))
        stocked.order(an_order("M-1", channel_code="market"))
        assert set(totals(stocked, "web admin")) == {"web"}
        assert totals(stocked, "web admin", channel="market") == {}
        assert set(totals(stocked, channel="market")) == {"market"}
