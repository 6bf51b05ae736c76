"""A small publication: every published table with its exact columns, filled with a retailer.

The columns are one declared list, so that a test can hold it against the warehouse's own.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import duckdb

from tests.dashboards import retailer

AS_OF: Final = datetime(2025, 9, 28, 14, 32, 10, tzinfo=UTC)
VERSION: Final = 7
WATERMARK: Final = 48_213_377

_MEASURES: Final = (
    "orders_count bigint, units bigint, gross_amount decimal(18,3),"
    " discount_amount decimal(18,3), demand_amount decimal(18,3), canceled_amount decimal(18,3),"
    " returned_amount decimal(18,3), net_amount decimal(18,3), tax_amount decimal(18,3)"
)
_ATTRIBUTES: Final = "product_type varchar, category varchar, brand varchar"
_DECLARED: Final = {
    "publication": (
        "version bigint, watermark bigint, batch bigint, published_at timestamptz,"
        " ledger_orders_count bigint, mart_orders_count bigint"
    ),
    "dim_channels": (
        "channel_id bigint, channel_code varchar, channel_name varchar, channel_kind varchar,"
        " currency varchar, time_zone varchar"
    ),
    "dim_locations": (
        "location_id bigint, location_code varchar, location_name varchar,"
        " location_kind varchar, city varchar, region varchar, country_code varchar,"
        " latitude double, longitude double, time_zone varchar, is_enabled boolean"
    ),
    "dim_products": (
        "product_key varchar, product_id bigint, version bigint, sku varchar, gtin varchar,"
        f" title varchar, {_ATTRIBUTES}, tax_class varchar, is_sellable boolean,"
        " valid_from_at timestamptz, valid_to_at timestamptz, is_current boolean"
    ),
    "dim_customers": (
        "customer_key varchar, country_code varchar, first_order_on date, last_order_on date,"
        " orders_count bigint"
    ),
    "dim_dates": (
        "date_on date, year bigint, quarter bigint, month bigint, month_name varchar,"
        " iso_year bigint, iso_week bigint, day_of_week bigint, day_name varchar,"
        " is_weekend boolean, retail_year bigint, retail_period bigint, retail_week bigint"
    ),
    "dim_currencies": "currency varchar, currency_name varchar, exponent bigint",
    "fct_orders": (
        "order_id bigint, order_number varchar, external_ref varchar, external_number varchar,"
        " channel_id bigint, channel_code varchar, location_id bigint, location_code varchar,"
        " customer_key varchar, order_state varchar, fulfillment_state varchar,"
        " fulfillment_method varchar, currency varchar, country_code varchar,"
        " placed_at timestamptz, placed_on date, first_shipped_at timestamptz,"
        " last_event_at timestamptz, lines_count bigint, units bigint,"
        " items_net_amount decimal(18,3), items_tax_amount decimal(18,3),"
        " shipping_net_amount decimal(18,3), shipping_tax_amount decimal(18,3),"
        " total_amount decimal(18,3), canceled_net_amount decimal(18,3),"
        " returned_net_amount decimal(18,3), has_exception boolean, is_test boolean,"
        " is_historical boolean"
    ),
    "fct_order_lines": (
        "order_id bigint, order_number varchar, line_no bigint, event_kind varchar,"
        " change_ref varchar, channel_id bigint, channel_code varchar, product_id bigint,"
        " product_key varchar, sku varchar, location_id bigint, event_location_id bigint,"
        " customer_key varchar, currency varchar, event_at timestamptz, event_on date,"
        " placed_at timestamptz, placed_on date, quantity bigint, gross_amount decimal(18,3),"
        " discount_amount decimal(18,3), net_amount decimal(18,3), tax_amount decimal(18,3),"
        " reason varchar, is_test boolean, is_historical boolean"
    ),
    "fct_stock_movements": (
        "movement_id bigint, product_id bigint, sku varchar, location_id bigint,"
        " location_code varchar, movement_kind varchar, on_hand_delta bigint,"
        " unavailable_delta bigint, cause_type varchar, cause_id varchar,"
        " occurred_at timestamptz, occurred_on date"
    ),
    "fct_stock_daily": (
        "stock_on date, product_id bigint, sku varchar, location_id bigint,"
        " location_code varchar, on_hand bigint, unavailable bigint, sold_units bigint,"
        " received_units bigint"
    ),
    "fct_stock_levels": (
        "product_id bigint, sku varchar, location_id bigint, location_code varchar,"
        " on_hand bigint, unavailable bigint, allocated bigint, safety_stock bigint,"
        " available_to_fulfill bigint, is_oversold boolean, updated_at timestamptz"
    ),
    "fct_fulfillments": (
        "fulfillment_id bigint, fulfillment_number varchar, order_id bigint, order_number"
        " varchar, group_no bigint, channel_code varchar, location_id bigint, location_code"
        " varchar, fulfillment_method varchar, fulfillment_state varchar, reason varchar, units"
        " bigint, picked_units bigint, done_units bigint, removed_units bigint, short_units"
        " bigint, failures_count bigint, created_on date, placed_at timestamptz, created_at"
        " timestamptz, assigned_at timestamptz, accepted_at timestamptz, picked_at timestamptz,"
        " packed_at timestamptz, ready_at timestamptz, shipped_at timestamptz, delivered_at"
        " timestamptz, collected_at timestamptz, uncollected_at timestamptz, rejected_at"
        " timestamptz, canceled_at timestamptz, collect_by timestamptz, promised_at timestamptz,"
        " out_at timestamptz, is_on_time boolean, order_to_out_seconds bigint, work_seconds"
        " bigint, accept_seconds bigint, pick_seconds bigint, pack_seconds bigint,"
        " delivery_seconds bigint, shelf_seconds bigint, is_test boolean"
    ),
    "fct_fulfillment_lines": (
        "fulfillment_id bigint, fulfillment_number varchar, order_id bigint, order_number"
        " varchar, line_no bigint, channel_code varchar, location_id bigint, location_code"
        " varchar, product_id bigint, sku varchar, units bigint, picked_units bigint, done_units"
        " bigint, removed_units bigint, short_units bigint, short_reason varchar"
    ),
    "fct_delivery_groups": (
        "order_id bigint, order_number varchar, group_no bigint, channel_code varchar,"
        " fulfillment_method varchar, created_on date, decisions_count bigint, planned_parts_count"
        " bigint, planned_distance_km double, fulfillments_count bigint, shipments_count bigint,"
        " shipped_from_count bigint, is_split boolean, rejections_count bigint, short_units"
        " bigint, first_out_at timestamptz, last_out_at timestamptz, is_test boolean"
    ),
    "fct_sourcing_decisions": (
        "decision_id bigint, order_id bigint, order_number varchar, group_no bigint, decision_no"
        " bigint, channel_code varchar, rules_version bigint, decided_at timestamptz, promised_at"
        " timestamptz, parts_count bigint, late_parts_count bigint, left_units bigint, distance_km"
        " double, currency varchar, cost_amount decimal(18,3), is_test boolean"
    ),
    "fct_documents": (
        "document_id bigint, document_number varchar, document_type varchar, fiscal_year bigint,"
        " preceding_id bigint, order_id bigint, order_number varchar, channel_code varchar,"
        " issued_at timestamptz, issued_on date, currency varchar, net_amount decimal(18,3),"
        " tax_amount decimal(18,3), total_amount decimal(18,3), billed_sign integer"
    ),
    "fct_document_lines": (
        "document_id bigint, line_no bigint, document_number varchar, document_type varchar,"
        " order_id bigint, order_number varchar, channel_code varchar, line_kind varchar,"
        " seller_code varchar, destination_code varchar, tax_scheme varchar,"
        " tax_rate decimal(18,6), issued_on date, currency varchar, net_amount decimal(18,3),"
        " tax_amount decimal(18,3), total_amount decimal(18,3), billed_sign integer"
    ),
    "fct_settlements": (
        "report_id bigint, row_no bigint, report_number varchar, service varchar,"
        " entry_ref varchar, payout_ref varchar, row_type varchar, finding varchar,"
        " is_agreed boolean, difference_number varchar, difference_state varchar,"
        " transaction_id bigint, transaction_number varchar, order_number varchar,"
        " channel_code varchar, currency varchar, amount decimal(18,3), net_currency varchar,"
        " fee_amount decimal(18,3), net_amount decimal(18,3), occurred_at timestamptz,"
        " settled_on date, paid_out_at timestamptz, payout_seconds bigint,"
        " received_at timestamptz, is_test boolean"
    ),
    "fct_settlement_differences": (
        "difference_id bigint, difference_number varchar, service varchar,"
        " report_number varchar, row_no bigint, finding varchar, difference_state varchar,"
        " transaction_number varchar, order_number varchar, channel_code varchar,"
        " currency varchar, ours_amount decimal(18,3), ours_currency varchar,"
        " theirs_amount decimal(18,3), differs_amount decimal(18,3), found_at timestamptz,"
        " found_on date, resolved_at timestamptz, open_seconds bigint"
    ),
    "fct_parcels": (
        "parcel_id bigint, parcel_number varchar, fulfillment_id bigint, fulfillment_number"
        " varchar, order_id bigint, order_number varchar, channel_code varchar, location_code"
        " varchar, carrier varchar, service varchar, parcel_state varchar, weight_grams bigint,"
        " cost_currency varchar, cost_amount decimal(18,3), scans_count bigint, failures_count"
        " bigint, created_on date, created_at timestamptz, handed_over_at timestamptz, arrived_at"
        " timestamptz, voided_at timestamptz, transit_seconds bigint, is_test boolean"
    ),
    "fct_order_holds": (
        "order_id bigint, order_number varchar, hold_no bigint, channel_code varchar, hold_type"
        " varchar, held_on date, held_at timestamptz, released_at timestamptz, held_seconds"
        " bigint, is_test boolean"
    ),
    "fct_transfers": (
        "transfer_id bigint, transfer_number varchar, order_id bigint, fulfillment_id bigint,"
        " from_location_code varchar, to_location_code varchar, transfer_state varchar, reason"
        " varchar, units bigint, removed_units bigint, shipped_units bigint, received_units"
        " bigint, damaged_units bigint, missing_units bigint, over_units bigint, wrong_units"
        " bigint, discrepancies_count bigint, created_on date, created_at timestamptz, shipped_at"
        " timestamptz, first_received_at timestamptz, last_received_at timestamptz, send_seconds"
        " bigint, transit_seconds bigint"
    ),
    "fct_returns": (
        "return_id bigint, line_no bigint, return_number varchar, order_id bigint, order_number"
        " varchar, product_id bigint, channel_code varchar, location_code varchar, return_kind"
        " varchar, return_state varchar, reason varchar, resolution varchar, expected_units"
        " bigint, received_units bigint, missing_units bigint, accepted_units bigint,"
        " rejected_units bigint, told_before_units bigint, currency varchar, goods_net_minor"
        " bigint, goods_tax_minor bigint, shipping_minor bigint, fee_minor bigint, asked_on date,"
        " asked_at timestamptz, decided_at timestamptz, decide_seconds bigint,"
        " received_at timestamptz, refunded_at timestamptz, refund_seconds bigint,"
        " sku varchar, product_type varchar, is_test boolean"
    ),
    "fct_return_units": (
        "row_id bigint, units_before bigint, return_id bigint, return_number varchar,"
        " line_no bigint, order_number varchar, channel_code varchar, location_code varchar,"
        " sku varchar, product_type varchar, return_kind varchar, reason varchar,"
        " resolution varchar, condition varchar, disposition varchar, units bigint,"
        " received_at timestamptz, inspected_at timestamptz, inspected_on date,"
        " inspect_seconds bigint, is_test boolean"
    ),
    "fct_unit_flows": (
        "order_id bigint, order_number varchar, line_no bigint, channel_code varchar, sku"
        " varchar, fulfillment_method varchar, placed_on date, sold_location_code varchar,"
        " fulfilled_location_code varchar, is_returned boolean, returned_location_code varchar,"
        " units bigint, is_omnichannel boolean, is_test boolean"
    ),
    "fct_payments": (
        "transaction_id bigint, transaction_number varchar, payment_id bigint, payment_number"
        " varchar, order_id bigint, order_number varchar, channel_code varchar, location_code"
        " varchar, transaction_type varchar, tender varchar, service varchar, brand varchar,"
        " managed_by varchar, source varchar, is_store_credit boolean, currency varchar,"
        " amount decimal(18,3), cash_amount decimal(18,3), rounding_amount decimal(18,3),"
        " requested_at timestamptz,"
        " occurred_at timestamptz, occurred_on date, placed_on date, is_test boolean"
    ),
    "fct_refunds": (
        "refund_id bigint, refund_number varchar, order_id bigint, order_number varchar,"
        " channel_code varchar, refund_kind varchar, refund_state varchar, paid_as varchar,"
        " currency varchar, amount decimal(18,3), requested_on date, requested_at timestamptz,"
        " ended_at timestamptz, refund_seconds bigint, placed_on date, is_test boolean"
    ),
    "fct_order_balances": (
        "order_id bigint, order_number varchar, channel_code varchar, payment_state varchar,"
        " currency varchar, due_amount decimal(18,3), authorized_amount decimal(18,3),"
        " captured_amount decimal(18,3), refunded_amount decimal(18,3), placed_on date, changed_at"
        " timestamptz, is_test boolean"
    ),
    "cash_by_channel_daily": (
        "occurred_on date, channel_code varchar, currency varchar, transactions_count bigint,"
        " captured_amount decimal(18,3), refunded_amount decimal(18,3), charged_back_amount"
        " decimal(18,3), cash_amount decimal(18,3)"
    ),
    "stock_by_product": (
        f"sku varchar, product_id bigint, title varchar, {_ATTRIBUTES}, on_hand bigint,"
        " unavailable bigint, allocated bigint, queued bigint, available_to_fulfill bigint,"
        " locations_count bigint, units_sold_28d bigint, cover_days decimal(18,1)"
    ),
    "sales_by_channel_daily": (
        f"basis varchar, sold_on date, channel_code varchar, currency varchar, {_MEASURES}"
    ),
    "sales_by_product_daily": (
        f"basis varchar, sold_on date, sku varchar, currency varchar, {_ATTRIBUTES}, {_MEASURES}"
    ),
    "sales_by_channel_product_daily": (
        "basis varchar, sold_on date, channel_code varchar, sku varchar, currency varchar,"
        f" {_ATTRIBUTES}, {_MEASURES}"
    ),
    "feeds_daily": (
        "received_on date, channel_code varchar, transport varchar, topic varchar,"
        " payloads_count bigint, documents_count bigint, captured_count bigint,"
        " updated_count bigint, duplicate_count bigint, stale_count bigint,"
        " quarantined_count bigint, failed_count bigint, size_bytes bigint,"
        " last_received_at timestamptz"
    ),
    "quarantine_items": (
        "quarantine_id bigint, inbox_id bigint, channel_code varchar, topic varchar,"
        " position bigint, line bigint, external_ref varchar, code varchar, field varchar,"
        " detail varchar, problems_count bigint, state varchar, attempts bigint,"
        " first_seen_at timestamptz, resolved_at timestamptz, file_name varchar"
    ),
}


def _columns(declared: str) -> tuple[tuple[str, str], ...]:
    """Split 'name type, name decimal(18,3)' into names and types."""
    parts = declared.replace("(18,", "(18;").split(",")
    pairs = (part.strip().replace(";", ",").split(" ", 1) for part in parts)
    return tuple((name, kind) for name, kind in pairs)


TABLES: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    table: _columns(declared) for table, declared in _DECLARED.items()
}


def publish(
    directory: Path,
    *,
    orders: int = 3_000,
    products: int = 48,
    version: int = VERSION,
    as_of: datetime = AS_OF,
) -> Path:
    """Make a publication and point to it; without orders it has its tables and a stamp only."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"marts-{version:06d}.duckdb"
    path.unlink(missing_ok=True)
    warehouse = duckdb.connect(":memory:")
    warehouse.execute("set timezone = 'UTC'")
    warehouse.execute(f"attach '{path}' as marts (storage_version 'v1.5.0')")
    warehouse.execute("create schema marts.marts")
    warehouse.execute("use marts.marts")
    warehouse.execute("begin")
    for table, columns in TABLES.items():
        listed = ", ".join(f'"{name}" {kind}' for name, kind in columns)
        warehouse.execute(f"create table {table} ({listed})")
    if orders:
        retailer.fill(warehouse, orders=orders, products=products, as_of=as_of)
    warehouse.execute(
        "insert into publication select ?, ?, 41, ?, count(*), count(*) from fct_orders",
        [version, WATERMARK, as_of],
    )
    warehouse.execute("commit")
    warehouse.execute("checkpoint marts")
    warehouse.close()
    (directory / "CURRENT").write_text(path.name, encoding="utf-8")
    return path
