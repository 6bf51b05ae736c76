"""The tables of orders as SQLAlchemy sees them, and the draft tables a batch is staged in.

The schema itself is made by the migrations; a test holds the two against each other.
"""

from typing import Final

from oms.orders.model import (
    CHANGE_DRAFT,
    GROUP_DRAFT,
    LINE_DRAFT,
    ORDER_DRAFT,
    OWN_LINE_DRAFT,
)

# The columns of the three drafts come first and in their declared order, what staging adds
# comes after.
_TYPES: Final = {
    "position": "bigint", "version": "bigint", "updated_at": "timestamptz",
    "placed_at": "timestamptz", "prices_include_tax": "boolean", "ship_to": "jsonb",
    "bill_to": "jsonb", "shipping_net_minor": "bigint", "shipping_tax_minor": "bigint",
    "total_minor": "bigint", "is_test": "boolean", "is_historical": "boolean",
    "is_partial": "boolean", "canceled_at": "timestamptz", "quantity": "bigint",
    "unit_price_minor": "bigint", "discount_minor": "bigint", "tax_minor": "bigint",
    "occurred_at": "timestamptz", "restock": "boolean", "group_no": "smallint",
    "pickup_point": "jsonb", "line_refs": "jsonb", "line_no": "integer", "list_minor": "bigint",
}  # fmt: skip


def _columns(names: tuple[str, ...]) -> str:
    return ", ".join(f"{name} {_TYPES.get(name, 'text')}" for name in names)


DRAFT_TABLES: Final = {
    # A document is judged again, in the next round, when another of its order was refused.
    # What of its order the writing needs stands beside it: orders may be many.
    "draft_orders": f"{_columns(ORDER_DRAFT)}, outcome text, order_id bigint, order_number text,"
    " order_version integer, order_location_id integer, order_is_historical boolean,"
    " round integer not null default 1",
    "draft_lines": f"{_columns(LINE_DRAFT)}, ordinal bigint generated always as identity",
    "draft_groups": _columns(GROUP_DRAFT),
    # What begins with one star is a change we named, so a channel's own gets a second one.
    "draft_changes": f"{_columns(CHANGE_DRAFT)}, ordinal bigint generated always as identity,"
    " is_ours boolean not null default false, own_ref text generated always as (case when"
    " change_ref like '*%' and not is_ours then '*' || change_ref else change_ref end) stored",
    "draft_own_lines": _columns(OWN_LINE_DRAFT),
    "draft_problems": "position bigint, field text, code text, detail text",
    # The lines of the batch as they shall be, beside what they were: of an order that is new, and
    # such that are there already; carried out of the shop as they are sold; ours, and what of
    # their money their document does not know of.
    "staged_lines": "position bigint, order_id bigint, is_new boolean, is_there boolean,"
    " line_no integer, line_ref text, product_id integer, sku text, title text, quantity bigint,"
    " unit_price_minor bigint, list_minor bigint, discount_minor bigint, net_minor bigint,"
    " tax_minor bigint, was_quantity bigint, was_net_minor bigint, was_tax_minor bigint,"
    " was_discount_net_minor bigint, discount_net_minor bigint, group_no smallint,"
    " is_carried boolean, is_ours boolean not null default false,"
    " kept_minor bigint not null default 0, told jsonb",
    # What newly happened to lines, with its money; of no units: what an edit makes of it, or what a
    # channel tells of goods we took back ourselves (`echoed`: how many).
    "staged_changes": "position bigint, order_id bigint, line_no integer, kind text,"
    " change_ref text, quantity bigint, net_minor bigint, tax_minor bigint,"
    " discount_net_minor bigint, occurred_at timestamptz, location_id integer, restock boolean,"
    " reason text, is_money_given boolean, echoed bigint not null default 0",
}
