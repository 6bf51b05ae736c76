"""The scratch table a batch of orders is assigned to customers in."""

from typing import Final

BATCH: Final = {
    "customer_batch": "order_id bigint, channel_id integer, is_till boolean, channel_ref text,"
    " email text, phone text, placed_at timestamptz, customer_id bigint, basis text"
}
