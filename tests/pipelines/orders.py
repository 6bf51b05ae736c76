"""Rows of a real ledger, written plainly: what the journal must carry over as it is."""

from sqlalchemy import text

from oms.ledger.database import Ledger

SHOP = """
    insert into channels (channel_code, name, kind, currency, currencies, prices_include_tax,
        time_zone, adapter, updated_at)
    values ('web', :name, 'webshop', 'EUR', '{EUR}', true, 'Europe/Berlin', 'canonical', now());
    insert into products (sku, title, brand, updated_at) values ('MUG', :name, '', now());
    insert into product_versions (product_id, version, valid_from_at, sku, title, brand, tax_class,
        is_sellable)
    select product_id, 1, now(), sku, title, brand, tax_class, is_sellable from products;
    insert into inbox (channel_id, transport, topic, external_ref, sha256, content_type, size_bytes,
        received_at)
    select channel_id, 'push', 'orders', :name, '', 'text/plain', 1, now() from channels;
    insert into quarantine (inbox_id, channel_id, position, topic, problems, code, fragment,
        first_seen_at, last_tried_at)
    select inbox_id, channel_id, 1, 'orders',
        jsonb_build_array(jsonb_build_object('field', '/x', 'detail', cast(:name as text))), 'X',
        '', now(), now()
    from inbox;
"""
ORDER = """
    with made as (
        insert into orders (channel_id, external_ref, sha256, order_state, fulfillment_state,
            fulfillment_method, placed_at, placed_on, recorded_at, updated_at, currency,
            prices_include_tax, customer_email, items_net_minor, items_tax_minor, total_minor)
        select channel_id, :ref, '', 'placed', 'allocated', 'ship_home', now(), current_date,
            now(), now(), 'EUR', true, 'ada@example.org', 1681, 319, 2000
        from channels
        returning order_id, placed_at, placed_on
    ),
    lines as (
        insert into order_lines (order_id, line_no, line_ref, product_id, sku, title, quantity,
            list_minor, discount_minor, net_minor, tax_minor)
        select order_id, 1, 'l1', product_id, sku, title, 2, 2000, 0, 1681, 319 from made, products
    )
    insert into line_events (order_id, line_no, kind, change_ref, quantity, net_minor, tax_minor,
        occurred_at, occurred_on)
    select order_id, 1, 'sale', '', 2, 1681, 319, placed_at, placed_on from made
"""
CAPTURE = """
    with paid as (
        insert into payments (order_id, external_ref, tender, managed_by, currency, amount_minor,
            created_at, changed_at)
        select min(order_id), :cause, 'cash', 'channel', 'EUR', 500, now(), now() from orders
        returning payment_id, order_id
    )
    insert into payment_transactions (payment_id, order_id, type, state, amount_minor, currency,
        source, cause, idempotency_key, requested_at, finished_at)
    select payment_id, order_id, 'capture', 'succeeded', 500, 'EUR', 'channel', :cause, :cause,
        now(), now()
    from paid
"""


def open_shop(ledger: Ledger, name: str = "Web") -> None:
    """Write a channel, a product, a payload and a document set aside, all called something."""
    with ledger.transaction() as tx:
        for statement in SHOP.split(";\n"):
            if statement.strip():
                tx.execute(text(statement), {"name": name})


def add_order(ledger: Ledger, ref: str) -> None:
    """Write an order with one line."""
    with ledger.transaction() as tx:
        tx.execute(text(ORDER), {"ref": ref})


def add_capture(ledger: Ledger, cause: str) -> None:
    """Write 5.00 in cash for the first order."""
    with ledger.transaction() as tx:
        tx.execute(text(CAPTURE), {"cause": cause})
