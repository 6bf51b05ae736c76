-- Reservations that are paid in a store: fulfillment orders with the method reserve, which a
-- till's receipt turns into a sale.
alter table channels
    add column reserve_days smallint not null default 2 check (reserve_days > 0),  -- opening days
    add column reserve_max integer check (reserve_max > 0);  -- of one customer; null: without limit

-- A receipt, which is an order of the till's channel, and the reservation it took units of.
create table reservation_sales (
    sale_order_id bigint primary key,
    fulfillment_id bigint not null references fulfillment_orders,
    order_id bigint not null,                   -- the order that was reserved by
    quantities jsonb not null,                  -- by SKU
    sold_at timestamptz not null,
    sold_by text not null
);
create index reservation_sales_of_fulfillment on reservation_sales (fulfillment_id);

-- What has to be let go when nobody comes for it.
create index fulfillment_orders_due on fulfillment_orders (collect_by)
    where collect_by is not null and state in (
        'assigned', 'accepted', 'picking', 'picked', 'packed', 'ready_for_collection');

-- Keys carry the scopes their role had when they were made.
update api_keys set scopes = scopes || array['reservations:read', 'reservations:write']
where role in ('admin', 'agent', 'store');
