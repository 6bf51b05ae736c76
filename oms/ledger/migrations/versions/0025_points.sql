-- Pick-up points: the point a parcel is addressed to, as it was then, and until when it is kept
-- there; work whose parcels all lie at one.
alter table parcels
    add column pickup_point jsonb,              -- null: it goes to the customer's address
    add column collect_by timestamptz;
alter table tracking_events add column collect_by timestamptz;

alter table fulfillment_orders drop constraint fulfillment_orders_state_check, add constraint
    fulfillment_orders_state_check check (state in (
        'waiting_for_transfer', 'assigned', 'accepted', 'picking', 'picked', 'packed',
        'ready_for_collection', 'shipped', 'at_pickup_point', 'delivered', 'delivery_failed',
        'collected', 'uncollected', 'rejected', 'canceled'));

-- The groups whose points are looked at as long as something is to be sent there.
create index order_groups_at_points on order_groups (order_id) where pickup_point is not null;
