"""The work tables of stock: what a batch wants of it, staged in the connection."""

from typing import Final

WORK_TABLES: Final = (
    # Lines of orders, how much of each is to be supplied in all, and when its turn comes.
    "create temp table work_demand (order_id bigint, line_no integer, product_id integer,"
    " channel_id integer, placed_at timestamptz, quantity bigint,"
    " turn integer not null default 1) on commit delete rows",
    # Goods that moved because of an order; `taken` is positive when they left.
    "create temp table work_goods (order_id bigint, line_no integer, product_id integer,"
    " kind text, location_id integer, taken bigint, change_ref text, occurred_at timestamptz"
    ") on commit delete rows",
    "create temp table draft_counts (position bigint, count_ref text, sku text,"
    " location_code text, counted bigint, counted_at timestamptz) on commit delete rows",
    "create temp table draft_movements (position bigint, movement_ref text, kind text, sku text,"
    " location_code text, quantity bigint, occurred_at timestamptz, reason text"
    ") on commit delete rows",
)
