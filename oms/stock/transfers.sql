-- Stock on its way from one location to another: kept where it leaves, gone, and there.

-- name: open_level
-- A level row for each of these products at a place, so that it can be locked.
with missing as (
    select p.product_id
    from unnest(cast(:product_ids as integer[])) as p(product_id)
    where not exists (
        select from stock_levels l
        where l.product_id = p.product_id and l.location_id = :location_id)
),
held as (
    select product_id from products
    where product_id in (select product_id from missing)
    order by product_id
    for update
)
insert into stock_levels (product_id, location_id, updated_at)
select product_id, :location_id, cast(:at as timestamptz) from held order by product_id
on conflict do nothing;

-- name: assign_transfer
-- Say with which transfer units will come.
update reservations r
set transfer_id = u.transfer_id
from jsonb_to_recordset(cast(:pairs as jsonb)) as u(reservation_id bigint, transfer_id bigint)
where r.reservation_id = u.reservation_id;

-- name: short_for_shelves
-- What of these units a location cannot spare.
with asked as (
    select product_id, sum(quantity) as quantity
    from jsonb_to_recordset(cast(:units as jsonb)) as u(product_id integer, quantity bigint)
    group by product_id
)
select p.sku, a.quantity as requested, coalesce(l.quantity, 0) as available
from asked a
join products p using (product_id)
left join lateral (
    select available_to_fulfill(s.on_hand, s.unavailable, s.allocated, coalesce((
        select sum(h.quantity) from reservations h
        where h.product_id = s.product_id and h.location_id = s.location_id
          and h.kind = 'hold' and h.state = 'active' and h.expires_at > :at), 0)::bigint,
        s.safety_stock) as quantity
    from stock_levels s
    where s.product_id = a.product_id and s.location_id = :location_id
) l on true
where a.quantity > coalesce(l.quantity, 0)
order by p.sku;

-- name: keep_for_shelves
-- Keep units at a location for other shelves.
with asked as (
    select * from jsonb_to_recordset(cast(:units as jsonb)) as u(line_no smallint, product_id integer, quantity bigint)
),
kept as (
    insert into reservations (
        kind, state, product_id, location_id, quantity, hold_ref, line_no, transfer_id, wanted_at,
        created_at
    )
    select 'transfer', 'active', product_id, :location_id, quantity, :cause, line_no,
        :transfer_id, :at, :at
    from asked
    returning product_id, quantity
),
sums as (
    select product_id, sum(quantity) as quantity from kept group by product_id
)
update stock_levels l
set allocated = l.allocated + s.quantity, updated_at = :at
from sums s
where l.product_id = s.product_id and l.location_id = :location_id;

-- name: send
-- What is kept for a transfer leaves; the units of an order stay its own on their way.
with gone as (
    select line_no, product_id, location_id, sum(quantity) as quantity
    from reservations
    where transfer_id = :transfer_id and state = 'active'
    group by line_no, product_id, location_id
),
sent as (
    update reservations
    set state = case when kind = 'order' then 'in_transit' else 'consumed' end,
        location_id = :to_location_id
    where transfer_id = :transfer_id and state = 'active'
),
moved as (
    insert into stock_movements (
        product_id, location_id, kind, on_hand_delta, cause_type, cause_id, cause_line,
        occurred_at, occurred_on, recorded_at
    )
    select g.product_id, g.location_id, 'transfer_out', -g.quantity, 'transfer', :cause,
        g.line_no::text, :at, cast(cast(:at as timestamptz) at time zone x.time_zone as date), :at
    from gone g
    join locations x using (location_id)
    returning product_id, location_id, on_hand_delta
),
sums as (
    select product_id, location_id, -sum(on_hand_delta) as quantity
    from moved group by product_id, location_id
)
update stock_levels l
set on_hand = l.on_hand - s.quantity, allocated = l.allocated - s.quantity,
    is_oversold = l.allocated - s.quantity > l.on_hand - s.quantity - l.unavailable,
    updated_at = :at
from sums s
where l.product_id = s.product_id and l.location_id = s.location_id;

-- name: redirect
-- What is on its way to an order goes to another location first; on its way it is no level's.
update reservations set location_id = :location_id
where transfer_id = :transfer_id and state = 'in_transit';

-- name: receive
-- What came is there, what of it is damaged not for sale; what an order waits for is kept for it
-- in the same moment, the oldest reservation first. What came elsewhere than to its place, or its
-- hub, stays the order's there, and nobody has been asked for it yet.
with told as (
    select * from jsonb_to_recordset(cast(:units as jsonb)) as u(
        line_no smallint, product_id integer, received bigint, damaged bigint)
),
coming as (
    select r.*, least(r.quantity, greatest(0, t.received - sum(r.quantity) over (
        partition by r.line_no order by r.reservation_id) + r.quantity)) as arrived
    from reservations r
    join told t using (line_no)
    where r.transfer_id = :transfer_id and r.state = 'in_transit'
),
whole as (
    update reservations r
    set state = 'active', transfer_id = null,
        fulfillment_id = case when coalesce(r.place_id, r.hub_id) = :location_id
            then r.fulfillment_id end,
        hub_id = nullif(r.hub_id, :location_id)
    from coming c
    where r.reservation_id = c.reservation_id and c.arrived = c.quantity
),
shrunk as (
    update reservations r
    set quantity = r.quantity - c.arrived
    from coming c
    where r.reservation_id = c.reservation_id and c.arrived > 0 and c.arrived < c.quantity
),
parts as (
    insert into reservations (
        kind, state, product_id, location_id, channel_id, quantity, order_id, line_no, wanted_at,
        created_at, place_id, hub_id, fulfillment_id
    )
    select kind, 'active', product_id, location_id, channel_id, arrived, order_id, line_no,
        wanted_at, :at, place_id, nullif(hub_id, :location_id),
        case when coalesce(place_id, hub_id) = :location_id then fulfillment_id end
    from coming
    where arrived > 0 and arrived < quantity
),
moved as (
    insert into stock_movements (
        product_id, location_id, kind, on_hand_delta, unavailable_delta, cause_type, cause_id,
        cause_line, occurred_at, occurred_on, recorded_at
    )
    select t.product_id, x.location_id, 'transfer_in', t.received + t.damaged, t.damaged,
        'transfer', :cause, t.line_no || ':' || :receipt_id, :at,
        cast(cast(:at as timestamptz) at time zone x.time_zone as date), :at
    from told t
    join locations x on x.location_id = :location_id
    where t.received + t.damaged > 0
    returning product_id, on_hand_delta, unavailable_delta
),
sums as (
    select product_id, sum(on_hand_delta) as on_hand, sum(unavailable_delta) as unavailable,
        coalesce((select sum(c.arrived) from coming c where c.product_id = m.product_id), 0) as kept
    from moved m
    group by product_id
)
update stock_levels l
set on_hand = l.on_hand + s.on_hand, unavailable = l.unavailable + s.unavailable,
    allocated = l.allocated + s.kept,
    is_oversold = l.allocated + s.kept > l.on_hand + s.on_hand - l.unavailable - s.unavailable,
    updated_at = :at
from sums s
where l.product_id = s.product_id and l.location_id = :location_id
returning l.product_id;

-- name: coming_for_order
-- How much of each line an order still expects of a transfer that is on its way.
select line_no, sum(quantity) as quantity
from reservations
where transfer_id = :transfer_id and state = 'in_transit'
group by line_no;
