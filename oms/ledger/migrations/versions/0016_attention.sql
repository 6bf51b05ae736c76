-- Indexes over the little that needs a person, so that asking for it costs nothing.

create index inbox_failed on inbox (received_at) where state = 'failed';
create index webhook_deliveries_parked on webhook_deliveries (subscription_id)
    where state = 'parked';
create index order_holds_open on order_holds (placed_at) where released_at is null;
create index transfers_away on transfers (shipped_at)
    where state in ('shipped', 'partially_received');
create index parcels_on_their_way on parcels (last_event_at)
    where state in ('handed_over', 'in_transit', 'out_for_delivery', 'delivery_delayed',
        'on_hold', 'delivery_failed', 'damaged', 'lost');
create index fulfillment_orders_untouched on fulfillment_orders (created_at)
    where state = 'assigned';
