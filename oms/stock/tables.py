"""The work tables of stock: what a batch wants of it, staged in the connection."""

from typing import Final

WORK_TABLES: Final = {
    # Lines of orders, how much of each is to be supplied in all, and when its turn comes. A new
    # one has no reservations to look for; what is collected is supplied by its place alone.
    "work_demand": "order_id bigint, line_no integer, product_id integer, channel_id integer,"
    " placed_at timestamptz, quantity bigint, is_new boolean not null default false,"
    " place_id integer,"
    " turn integer not null default 1",
    # Goods that moved because of an order, by which fulfillment order if by one of ours; `taken`
    # is positive when they left.
    "work_goods": "order_id bigint, line_no integer, product_id integer, kind text,"
    " location_id integer, taken bigint, change_ref text, occurred_at timestamptz,"
    " fulfillment_id bigint",
    "draft_counts": "position bigint, count_ref text, sku text, location_code text,"
    " counted bigint, counted_at timestamptz",
    "draft_movements": "position bigint, movement_ref text, kind text, sku text,"
    " location_code text, quantity bigint, occurred_at timestamptz, reason text",
}
