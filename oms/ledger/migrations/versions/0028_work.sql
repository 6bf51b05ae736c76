-- How many minutes of its opening hours a location has to accept work; null: it is never hurried.
alter table locations add column accept_minutes integer check (accept_minutes > 0);

-- By when work that is assigned is to be accepted.
alter table fulfillment_orders add column accept_by timestamptz;
create index fulfillment_orders_to_accept on fulfillment_orders (accept_by, fulfillment_id)
    where state = 'assigned' and accept_by is not null;
create index fulfillment_orders_timed_out on fulfillment_orders (changed_at)
    where reason = 'timeout';

-- What is on its way may be sent elsewhere, or back to where it comes from.
alter table transfers add column first_to_location_id integer references locations;
alter table transfers drop constraint transfers_check, add constraint it_goes_elsewhere
    check (from_location_id <> to_location_id or first_to_location_id is not null);

-- Labels that were taken back unused, until their carrier knows.
alter table parcels add column void_told_at timestamptz;
update parcels set void_told_at = voided_at where voided_at is not null;
create index parcels_void_to_tell on parcels (carrier, parcel_id)
    where voided_at is not null and void_told_at is null;

-- What never arrived comes back to who sent it, and is taken back there.
alter table fulfillment_orders drop constraint fulfillment_orders_state_check, add constraint
    fulfillment_orders_state_check check (state in (
        'waiting_for_transfer', 'assigned', 'accepted', 'picking', 'picked', 'packed',
        'ready_for_collection', 'shipped', 'delivered', 'delivery_failed', 'at_pickup_point',
        'returned_to_sender', 'taken_back', 'collected', 'uncollected', 'rejected', 'canceled'));
