"""Guards: a refresh ends in published marts that are the ledger's, from wherever it starts."""

import os
from typing import Any

import pytest

from oms.ledger.database import LedgerAway
from pipelines.lib import builds, publishing, refreshing, transforming
from pipelines.lib.transforming import TransformFailed
from pipelines.lib.warehouse import WarehouseBusy
from tests.pipelines.conftest import Shop, published
from tests.warehouse.fakes import NOW


class Killed(BaseException):
    """The process has ended here."""


def orders_in(shop: Shop) -> list[tuple[Any, ...]]:
    return published(shop.warehouse, "select count(*), count(distinct order_id) from fct_orders")


def sales_in(shop: Shop) -> list[tuple[Any, ...]]:
    """Return sales by currency, from the rollup and from the lines."""
    return published(
        shop.warehouse,
        "select currency, sum(net_amount) from sales_by_product_daily where basis = 'event'"
        " group by currency union all select currency, -sum(net_amount) from fct_order_lines"
        " where not is_test group by currency order by all",
    )


def assert_is_up_to_date(shop: Shop) -> None:
    orders = len(shop.ledger.rows["orders"])
    assert orders_in(shop) == [(orders, orders)]
    sums: dict[str, Any] = {}
    for currency, amount in sales_in(shop):
        sums[currency] = sums.get(currency, 0) + amount
    assert set(sums.values()) == {0}


class TestRefresh:
    def test_publishes_what_changed_and_rests_when_nothing_did(self, shop: Shop) -> None:
        refresh = shop.refresher()
        assert refresh() is None
        shop.retailer.order()
        refreshed = refresh()
        assert refreshed is not None
        assert refreshed.publication.version == 2
        assert refreshed.publication.batch == 2
        assert refresh() is None
        assert_is_up_to_date(shop)

    def test_leaves_alone_what_no_change_reaches(self, shop: Shop) -> None:
        refresh = shop.refresher()
        refresh()
        shop.retailer.move_stock()
        refreshed = refresh()
        assert refreshed is not None
        assert 0 < refreshed.models_count < 10

    def test_builds_anew_when_models_changed(self, shop: Shop) -> None:
        shop.transformer.models_sha256 = "changed"
        with shop.warehouse.open() as connection:
            connection.execute("delete from marts.marts.fct_orders")
        refreshed = shop.refresher()()
        assert refreshed is not None
        assert refreshed.publication.version == 2
        assert_is_up_to_date(shop)

    def test_builds_anew_when_the_marts_are_gone(self, shop: Shop) -> None:
        refresh = shop.refresher()
        refresh()
        shop.warehouse.marts_path.unlink()
        shop.retailer.order()
        refresh()
        assert_is_up_to_date(shop)

    def test_goes_on_after_the_ledger_was_away(self, shop: Shop) -> None:
        refresh = shop.refresher()
        refresh()
        shop.retailer.order()
        shop.ledger.is_away = True
        with pytest.raises(LedgerAway):
            refresh()
        shop.ledger.is_away = False
        refresh()
        assert_is_up_to_date(shop)

    def test_waits_for_whoever_else_writes(
        self, shop: Shop, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(refreshing, "LOCK_WAIT_SECONDS", 0.0)
        with shop.warehouse.locked(wait_seconds=0), pytest.raises(WarehouseBusy):
            shop.refresher()()

    def test_follows_what_another_loaded_but_did_not_build(self, shop: Shop) -> None:
        refresh = shop.refresher()
        refresh()
        shop.retailer.order()
        with shop.warehouse.open() as connection:
            refreshing.loading.load(shop.ledger, connection, shop.warehouse.spool_dir, at=NOW)
        refresh()
        assert_is_up_to_date(shop)

    @pytest.mark.parametrize(
        ("where", "what"),
        [
            (refreshing, "follow"),
            (builds, "end_build"),
            (publishing, "stamp"),
            (publishing, "release"),
        ],
    )
    def test_is_made_good_by_the_next_wherever_it_died(
        self, shop: Shop, monkeypatch: pytest.MonkeyPatch, where: Any, what: str
    ) -> None:
        def dies(*_: Any, **__: Any) -> None:
            raise Killed

        refresh = shop.refresher()
        refresh()
        before = orders_in(shop)
        shop.retailer.order()
        with monkeypatch.context() as patched:
            patched.setattr(where, what, dies)
            with pytest.raises(Killed):
                refresh()
        assert orders_in(shop) == before
        shop.refresher()()
        assert_is_up_to_date(shop)

    def test_leaves_the_marts_whole_when_a_model_fails(self, shop: Shop) -> None:
        refresh = shop.refresher()
        refresh()
        with shop.warehouse.open() as connection:
            before = connection.execute("select count(*) from marts.marts.fct_orders").fetchall()
            connection.execute("alter table marts.marts.stock_by_product rename brand to label")
        shop.retailer.order()
        with pytest.raises(Exception, match=r"label|brand"):
            refresh()
        with shop.warehouse.open() as connection:
            after = connection.execute("select count(*) from marts.marts.fct_orders").fetchall()
        assert after == before


class TestTransformer:
    def test_says_which_model_failed(self, shop: Shop) -> None:
        with shop.warehouse.open() as connection:
            connection.execute("alter table raw.channels rename name to label")
        with pytest.raises(TransformFailed, match="stg_ledger__channels"):
            shop.transformer.run("stg_ledger__channels")

    def test_leaves_the_environment_as_it_was(
        self, shop: Shop, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("OMS_MARTS_PATH", "mine")
        monkeypatch.delenv("OMS_WAREHOUSE_PATH", raising=False)
        with transforming.dbt_environment(shop.warehouse):
            assert os.environ["OMS_WAREHOUSE_PATH"] == str(shop.warehouse.path)
        assert os.environ["OMS_MARTS_PATH"] == "mine"
        assert "OMS_WAREHOUSE_PATH" not in os.environ
