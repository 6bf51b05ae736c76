"""Guards: the project's own tests pass on a warehouse that has lived, and fail on a spoiled one."""

import pytest

from pipelines.lib.transforming import TransformFailed
from pipelines.lib.warehouse import Warehouse
from tests.dashboards.published import TABLES
from tests.warehouse.conftest import Followed

SPOILED = {
    "order_events_reach_the_marts": (
        "update marts.marts.fct_order_lines set net_amount = net_amount + 0.010"
        " where order_id = (select min(order_id) from marts.marts.fct_order_lines)"
    ),
    "orders_reach_the_marts": (
        "delete from marts.marts.fct_orders"
        " where order_id = (select max(order_id) from marts.marts.fct_orders)"
    ),
    "stock_reaches_the_marts": (
        "insert into marts.marts.fct_stock_movements"
        " select * from marts.marts.fct_stock_movements limit 1"
    ),
    "documents_reach_the_marts": (
        "update marts.marts.fct_documents set tax_amount = tax_amount + 1"
        " where document_id = (select min(document_id) from marts.marts.fct_documents)"
    ),
    "document_lines_agree_with_their_documents": (
        "update marts.marts.fct_document_lines set tax_amount = tax_amount + 0.010"
        " where document_id = (select min(document_id) from marts.marts.fct_document_lines)"
    ),
    "settlements_reach_the_marts": (
        "update marts.marts.fct_settlements set fee_amount = fee_amount + 0.010"
        " where report_id = (select min(report_id) from marts.marts.fct_settlements)"
    ),
    "settlements_agree_with_payments": (
        "update marts.marts.fct_settlements set difference_number = null where not is_agreed"
    ),
    "payloads_reach_the_marts": "delete from marts.marts.feeds_daily where channel_code = 'web'",
    "sales_rollups_agree_with_the_lines": (
        "update marts.marts.sales_by_product_daily set units = units + 1"
        " where sku = 'TINY-LAMP' and basis = 'placed'"
    ),
    "orders_agree_with_their_lines": (
        "update marts.marts.fct_orders set returned_net_amount = returned_net_amount - 1"
    ),
    "customers_agree_with_their_orders": "delete from marts.marts.dim_customers",
    "stock_levels_are_the_sum_of_movements": (
        "update marts.marts.fct_stock_daily set on_hand = on_hand + 1"
    ),
    "work_reaches_the_marts": (
        "update marts.marts.fct_fulfillments set out_at = null"
        " where out_at = (select max(out_at) from marts.marts.fct_fulfillments)"
    ),
    "money_reaches_the_marts": (
        "update marts.marts.fct_payments set occurred_on = occurred_on + 1"
        " where transaction_id = (select max(transaction_id) from marts.marts.fct_payments)"
    ),
    "cash_agrees_with_its_parts": (
        "update marts.marts.cash_by_channel_daily set cash_amount = cash_amount + 0.001"
        " where occurred_on = (select max(occurred_on) from marts.marts.cash_by_channel_daily)"
    ),
    "unit_flows_agree_with_what_left_and_came_back": (
        "update marts.marts.fct_unit_flows set fulfilled_location_code = 'BER1'"
        " where fulfilled_location_code is null"
    ),
    "codes_agree_with_the_dimensions": (
        "update marts.marts.dim_channels set channel_code = 'shop' where channel_code = 'web'"
    ),
    "grain_fct_stock_movements_movement_id": "select 1",
}


class TestModels:
    def test_pass_their_unit_and_data_tests(self, followed: Followed) -> None:
        results = followed.transformer.dbt("test").results
        assert len(results) > 60
        assert {result.status for result in results} == {"pass"}

    def test_are_caught_when_what_they_hold_is_spoiled(
        self, followed: Followed, spoiled: Warehouse
    ) -> None:
        with spoiled.open() as connection:
            for damage in SPOILED.values():
                connection.execute(damage)
        with pytest.raises(TransformFailed) as caught:
            followed.transformer.on(spoiled).dbt("test", "--select", "test_type:data")
        failed = {line.partition(":")[0] for line in str(caught.value).splitlines()}
        assert set(SPOILED) <= failed

    def test_have_the_columns_their_readers_were_promised(self, followed: Followed) -> None:
        with followed.warehouse.open() as connection:
            rows = connection.execute(
                "select table_name, column_name, lower(data_type) from duckdb_columns()"
                " where database_name = 'marts' order by table_name, column_index"
            ).fetchall()
        made: dict[str, list[tuple[str, str]]] = {}
        for table, column, kind in rows:
            made.setdefault(table, []).append((column, SHORT.get(kind, kind)))
        promised = {table: list(columns) for table, columns in TABLES.items()}
        promised.pop("publication")  # written when the marts are published
        assert made == promised


SHORT = {"timestamp with time zone": "timestamptz"}
