"""Guards: what increments come to is what building everything anew comes to, table by table."""

from typing import Final

import pytest

from pipelines.lib.warehouse import Warehouse
from tests.warehouse.conftest import Followed

MARTS: Final = (
    "cash_by_channel_daily", "dim_channels", "dim_currencies", "dim_customers", "dim_dates",
    "dim_locations", "dim_products", "fct_delivery_groups", "fct_document_lines", "fct_documents",
    "fct_fulfillment_lines", "fct_fulfillments", "fct_order_balances", "fct_order_holds",
    "fct_order_lines", "fct_orders", "fct_parcels", "fct_payments", "fct_refunds",
    "fct_return_units", "fct_returns", "fct_settlement_differences", "fct_settlements",
    "fct_sourcing_decisions", "fct_stock_daily", "fct_stock_levels", "fct_stock_movements",
    "fct_transfers", "fct_unit_flows", "feeds_daily", "quarantine_items", "sales_by_channel_daily",
    "sales_by_channel_product_daily", "sales_by_product_daily", "stock_by_product",
)  # fmt: skip


class TestIncrements:
    @pytest.mark.parametrize("mart", MARTS)
    def test_end_in_the_same_table_as_a_full_rebuild(
        self, mart: str, followed: Followed, rebuilt: Warehouse
    ) -> None:
        with followed.warehouse.open() as connection:
            connection.execute(f"attach '{rebuilt.marts_path}' as rebuilt (read_only)")
            rows = connection.execute(f"select count(*) from marts.marts.{mart}").fetchall()
            different = connection.execute(
                f"(select 'increments', * from marts.marts.{mart}"
                f" except all select 'increments', * from rebuilt.marts.{mart})"
                f" union all (select 'rebuilt', * from rebuilt.marts.{mart}"
                f" except all select 'rebuilt', * from marts.marts.{mart})"
            ).fetchall()
        assert rows[0][0] > 0
        assert different == []

    def test_are_compared_in_every_mart(self, followed: Followed) -> None:
        assert set(MARTS) == followed.transformer.mart_names()

    def test_leave_nothing_remembered(self, followed: Followed) -> None:
        with followed.warehouse.open() as connection:
            left = connection.execute(
                "select (select count(*) from raw.orders_replaced),"
                " (select count(*) from raw.order_lines_replaced),"
                " (select count(*) from raw.payment_transactions_replaced)"
            ).fetchone()
        assert left == (0, 0, 0)
