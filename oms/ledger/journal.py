"""The journal: what changed in the ledger, in the order it may safely be read.

Every journaled row carries changed_xid, the transaction that last wrote it. Transactions
commit in another order than their numbers, so a reader takes only rows below the horizon:
the oldest transaction still running. Below it nothing can appear any more; what lies at or
above it is taken next time. A watermark is the horizon of the last reading.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import BinaryIO, Final, LiteralString

from psycopg import sql
from sqlalchemy import text

from oms.ledger.copying import copy_out
from oms.ledger.database import Tx


@dataclass(frozen=True, kw_only=True)
class Journaled:
    """A table whose rows are journaled: its key, and its columns with their DuckDB types.

    Of some tables only certain rows are of use: `only` is the condition they meet, for good.
    """

    table: str
    key: tuple[str, ...]
    columns: tuple[tuple[str, str], ...]
    append_only: bool
    only: LiteralString

    @cached_property
    def column_names(self) -> tuple[str, ...]:
        """The columns' names, in order."""
        return tuple(name for name, _ in self.columns)


def _journaled(
    table: str, key: str, columns: str, *, append_only: bool = False, only: LiteralString = "true"
) -> Journaled:
    pairs = tuple(
        (name, _TYPES.get(kind, kind))
        for name, _, kind in (column.partition(":") for column in columns.split())
    )
    return Journaled(
        table=table, key=tuple(key.split()), columns=pairs, append_only=append_only, only=only
    )


_TYPES: Final = {
    "": "varchar", "id": "bigint", "n": "bigint", "at": "timestamptz", "on": "date",
    "is": "boolean", "deg": "double",
}  # fmt: skip

JOURNALED: Final[tuple[Journaled, ...]] = (
    _journaled(
        "channels", "channel_id",
        "channel_id:id channel_code name kind currency prices_include_tax:is time_zone"
        " threshold:n is_enabled:is updated_at:at",
    ),
    _journaled(
        "locations", "location_id",
        "location_id:id location_code name kind city region country_code latitude:deg"
        " longitude:deg time_zone is_enabled:is updated_at:at",
    ),
    _journaled(
        "products", "product_id",
        "product_id:id sku gtin title product_type category brand tax_class is_sellable:is"
        " updated_at:at",
    ),
    _journaled(
        "product_versions", "product_id version",
        "product_id:id version:n valid_from_at:at sku gtin title product_type category brand"
        " tax_class is_sellable:is",
        append_only=True,
    ),
    _journaled(
        "orders", "order_id",
        "order_id:id order_number channel_id:id external_ref external_number order_type"
        " order_state fulfillment_state fulfillment_method location_id:id placed_at:at"
        " placed_on:on recorded_at:at updated_at:at currency prices_include_tax:is"
        " customer_key country_code items_net_minor:n items_tax_minor:n shipping_net_minor:n"
        " shipping_tax_minor:n total_minor:n stated_total_minor:n has_exception:is is_test:is"
        " is_historical:is version:n",
    ),
    _journaled(
        "order_lines", "order_id line_no",
        "order_id:id line_no:n line_ref product_id:id sku title quantity:n canceled:n shipped:n"
        " returned:n backordered:n unit_price_minor:n list_minor:n discount_minor:n net_minor:n"
        " tax_minor:n group_no:n",
    ),
    _journaled(
        "line_events", "order_id line_no kind change_ref",
        "order_id:id line_no:n kind change_ref quantity:n discount_net_minor:n net_minor:n"
        " tax_minor:n occurred_at:at occurred_on:on location_id:id reason",
        append_only=True,
    ),
    _journaled("order_groups", "order_id group_no", "order_id:id group_no:n method location_id:id"),
    # When locations did what: the only record of it. Of the rest of a story the marts know already.
    _journaled(
        "order_events", "order_id seq",
        "order_id:id seq:n type occurred_at:at data",
        append_only=True, only="split_part(type, '.', 1) in ('fulfillment', 'transfer')",
    ),
    _journaled(
        "order_holds", "order_id hold_no",
        "order_id:id hold_no:n type placed_at:at released_at:at",
    ),
    _journaled(
        "fulfillment_orders", "fulfillment_id",
        "fulfillment_id:id fulfillment_number order_id:id group_no:n location_id:id method state"
        " created_at:at changed_at:at collect_by:at carrier reason",
    ),
    _journaled(
        "fulfillment_lines", "fulfillment_id line_no",
        "fulfillment_id:id line_no:n order_id:id product_id:id quantity:n picked:n done:n"
        " removed:n",
    ),
    _journaled(
        "parcels", "parcel_id",
        "parcel_id:id parcel_number fulfillment_id:id order_id:id carrier service weight_grams:n"
        " cost_minor:n cost_currency state eta_at:at handed_over_at:at voided_at:at created_at:at"
        " changed_at:at",
    ),
    _journaled(
        "tracking_events", "parcel_id event_ref",
        "parcel_id:id event_ref occurred_at:at recorded_at:at state status",
        append_only=True,
    ),
    _journaled(
        "transfers", "transfer_id",
        "transfer_id:id transfer_number from_location_id:id to_location_id:id order_id:id"
        " fulfillment_id:id state created_at:at changed_at:at shipped_at:at carrier reason",
    ),
    _journaled(
        "transfer_lines", "transfer_id line_no",
        "transfer_id:id line_no:n product_id:id quantity:n removed:n picked:n shipped:n received:n"
        " damaged:n missing:n",
    ),
    _journaled(
        "transfer_receipts", "transfer_id receipt_id",
        "transfer_id:id receipt_id received_at:at",
        append_only=True,
    ),
    _journaled(
        "transfer_discrepancies", "discrepancy_id",
        "discrepancy_id:id transfer_id:id receipt_id line_no:n kind sku quantity:n found_at:at",
        append_only=True,
    ),
    _journaled(
        "returns", "return_id",
        "return_id:id return_number order_id:id kind state method location_id:id"
        " is_after_expiry:is created_at:at changed_at:at",
    ),
    _journaled(
        "return_lines", "return_id line_no",
        "return_id:id line_no:n product_id:id expected:n received:n missing:n inspected:n"
        " accepted:n rejected:n reason resolution",
    ),
    _journaled(
        "return_decisions", "return_id line_no act",
        "return_id:id line_no:n act:n verdict quantity:n told_before:n goods_net_minor:n"
        " goods_tax_minor:n shipping_net_minor:n shipping_tax_minor:n fee_minor:n decided_at:at",
        append_only=True,
    ),
    _journaled(
        "return_receipts", "receipt_no", "receipt_no:id location_id:id received_at:at",
    ),
    _journaled(
        "return_receipt_lines", "row_id",
        "row_id:id receipt_no:id return_id:id line_no:n state sku quantity:n",
    ),
    _journaled(
        "return_inspections", "row_id units_before",
        "row_id:id units_before:n return_id:id line_no:n quantity:n condition disposition"
        " inspected_at:at",
    ),
    _journaled(
        "sourcing_rule_sets", "version",
        "version:n state rules created_at:at activated_at:at archived_at:at",
    ),
    _journaled(
        "sourcing_decisions", "decision_id",
        "decision_id:id order_id:id group_no:n version:n decided_at:at outcome",
        append_only=True,
    ),
    _journaled(
        "documents", "document_id",
        "document_id:id document_number document_type fiscal_year:n order_id:id channel_id:id"
        " preceding_id:id issued_at:at issued_on:on currency net_minor:n tax_minor:n"
        " total_minor:n destination_code seller_code is_one_stop_shop:is",
        append_only=True,
    ),
    _journaled(
        "document_lines", "document_id line_no",
        "document_id:id line_no:n quantity:n net_minor:n tax_minor:n rate_ppm:n category",
        append_only=True,
    ),
    _journaled(
        "stock_levels", "product_id location_id",
        "product_id:id location_id:id on_hand:n unavailable:n allocated:n safety_stock:n"
        " is_oversold:is updated_at:at",
    ),
    _journaled(
        "stock_movements", "movement_id",
        "movement_id:id product_id:id location_id:id kind on_hand_delta:n unavailable_delta:n"
        " cause_type cause_id cause_line occurred_at:at occurred_on:on recorded_at:at",
        append_only=True,
    ),
    _journaled(
        "reservations", "reservation_id",
        "reservation_id:id kind state product_id:id location_id:id channel_id:id quantity:n"
        " order_id:id line_no:n expires_at:at created_at:at",
    ),
    # Never what a payment is made with: neither its token nor digits of it.
    _journaled(
        "payments", "payment_id",
        "payment_id:id payment_number order_id:id tender psp managed_by brand currency"
        " amount_minor:n state location_id:id created_at:at changed_at:at",
    ),
    _journaled(
        "payment_transactions", "transaction_id",
        "transaction_id:id transaction_number payment_id:id order_id:id type state amount_minor:n"
        " currency psp source psp_at:at requested_at:at finished_at:at tender location_id:id"
        " rounding_minor:n",
    ),
    _journaled(
        "refunds", "refund_id",
        "refund_id:id refund_number order_id:id kind state paid_as amount_minor:n currency"
        " created_at:at changed_at:at",
    ),
    _journaled(
        "order_balances", "order_id",
        "order_id:id payment_state currency due_minor:n authorized_minor:n captured_minor:n"
        " refunded_minor:n changed_at:at",
    ),
    _journaled(
        "settlement_reports", "report_id",
        "report_id:id report_number psp layout rows_count:n received_at:at",
    ),
    _journaled(
        "settlement_rows", "report_id row_no",
        "report_id:id row_no:n psp entry_ref payout_ref type currency amount_minor:n net_currency"
        " fee_minor:n net_minor:n occurred_at:at transaction_id:id finding",
    ),
    _journaled(
        "settlement_differences", "difference_id",
        "difference_id:id difference_number psp report_id:id row_no:n transaction_id:id finding"
        " ours_minor:n ours_currency theirs_minor:n theirs_currency state found_at:at"
        " resolved_at:at",
    ),
    _journaled(
        "inbox", "inbox_id",
        "inbox_id:id channel_id:id transport topic size_bytes:n file_name received_at:at state"
        " documents_count:n captured_count:n updated_count:n duplicate_count:n stale_count:n"
        " quarantined_count:n finished_at:at",
    ),
    _journaled(
        "quarantine", "quarantine_id",
        "quarantine_id:id inbox_id:id channel_id:id topic position:n line:n external_ref code"
        " problems state attempts:n first_seen_at:at last_tried_at:at resolved_at:at",
    ),
)  # fmt: skip


def horizon(tx: Tx) -> int:
    """Return the transaction below which everything has ended, as this moment sees it."""
    return int(tx.execute(text("select pg_snapshot_xmin(pg_current_snapshot())")).scalar_one())


def has_changes(tx: Tx, journaled: Journaled, *, after: int, upto: int) -> bool:
    """Tell whether transactions from `after` up to but not including `upto` wrote any row."""
    bounds = {"after": str(after), "upto": str(upto)}
    return bool(tx.execute(_HAS[journaled.table], bounds).scalar())


def rows_before(tx: Tx, table: str, *, after: int, upto: int, rows_max: int) -> int:
    """Return a bound up to `upto` below which a table has about so many rows to read.

    What one transaction wrote is never taken apart, so it may be more.
    """
    changed = f"select changed_xid::text::bigint as xid from {table} where {_BETWEEN}"  # noqa: S608 - our own tables
    row = tx.execute(
        text(
            f"select ({changed} order by changed_xid limit 1) as first,"
            f" ({changed} order by changed_xid offset :rows_max limit 1) as beyond"
        ),
        {"after": str(after), "upto": str(upto), "rows_max": rows_max},
    ).one()
    if row.beyond is None:
        return upto
    return int(row.beyond) if row.beyond > row.first else int(row.first) + 1


_BETWEEN: Final = "changed_xid >= cast(:after as xid8) and changed_xid < cast(:upto as xid8)"
_HAS: Final = {
    journaled.table: text(
        f"select exists (select from {journaled.table} where changed_xid >= cast(:after as xid8)"  # noqa: S608 - our own tables
        f" and changed_xid < cast(:upto as xid8) and {journaled.only})"
    )
    for journaled in JOURNALED
}


def copy_changes(tx: Tx, journaled: Journaled, *, after: int, upto: int, to: BinaryIO) -> int:
    """Copy the rows written by transactions from `after` up to but not including `upto`, as CSV.

    Columns come in their declared order, NULL as an unquoted empty field and everything else
    quoted. Returns the number of rows.
    """
    query = sql.SQL(
        "select {} from {} where changed_xid >= {}::text::xid8 and changed_xid < {}::text::xid8"
        " and {}"
    ).format(
        sql.SQL(", ").join(map(sql.Identifier, journaled.column_names)),
        sql.Identifier(journaled.table), sql.Literal(str(after)), sql.Literal(str(upto)),
        sql.SQL(journaled.only),
    )  # fmt: skip
    return copy_out(tx, query, to)
