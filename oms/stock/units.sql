-- Units kept for fulfillment orders: who picks them, and what a location cannot supply.

-- name: unassigned_of
-- Units kept for these orders that nobody has been asked to pick, of channels whose orders we give
-- to locations.
select r.reservation_id, r.order_id, r.line_no, r.product_id, r.location_id, r.quantity, r.place_id,
    r.hub_id
from reservations r
join channels c using (channel_id)
where r.order_id = any (cast(:order_ids as bigint[]))
  and r.kind = 'order' and r.state = 'active' and r.fulfillment_id is null and c.is_routed
order by r.reservation_id
for update of r;

-- name: units_of_work
-- The units a fulfillment order keeps, the oldest first.
select r.reservation_id, r.order_id, r.line_no, r.product_id, r.location_id, r.quantity, r.place_id,
    r.hub_id
from reservations r
where r.order_id = :order_id and r.fulfillment_id = :fulfillment_id and r.state = 'active'
order by r.reservation_id;

-- name: assign
-- Say by which fulfillment order units are kept.
update reservations r
set fulfillment_id = u.fulfillment_id
from jsonb_to_recordset(cast(:pairs as jsonb)) as u(reservation_id bigint, fulfillment_id bigint)
where r.reservation_id = u.reservation_id;

-- name: gather
-- Say where units are to be sent, to leave with others.
update reservations r
set hub_id = u.hub_id
from jsonb_to_recordset(cast(:told as jsonb)) as u(reservation_id bigint, hub_id integer)
where r.reservation_id = u.reservation_id;

-- name: unassign
-- Units a fulfillment order kept are to be picked by nobody: whoever they are kept for still has
-- them, until it is decided which of the order's units are not wanted any more.
update reservations set fulfillment_id = null
where fulfillment_id = :fulfillment_id and state = 'active';

-- name: release_units
-- A fulfillment order, or a transfer, lets go of some of its units: the youngest first. Those on
-- their way are no level's.
with asked as (
    select * from jsonb_to_recordset(cast(:units as jsonb)) as u(line_no integer, quantity bigint)
),
held as (
    select r.*, a.quantity as asked, sum(r.quantity) over (
        partition by r.line_no order by r.reservation_id desc) - r.quantity as before
    from reservations r
    join asked a using (line_no)
    where r.state in ('active', 'in_transit')
      and case when cast(:transfer_id as bigint) is null
          then r.order_id = :order_id and r.fulfillment_id = :fulfillment_id
          else r.transfer_id = :transfer_id end
),
let_go as (
    select *, least(quantity, greatest(0, asked - before)) as freed from held
),
shrunk as (
    update reservations r
    set quantity = r.quantity - g.freed
    from let_go g
    where r.reservation_id = g.reservation_id and g.freed > 0 and g.freed < g.quantity
),
ended as (
    update reservations r
    set state = 'released'
    from let_go g
    where r.reservation_id = g.reservation_id and g.freed = g.quantity
),
freed as (
    select product_id, location_id, sum(freed) as quantity from let_go
    where state = 'active' group by product_id, location_id
)
update stock_levels l
set allocated = l.allocated - f.quantity,
    is_oversold = l.allocated - f.quantity > l.on_hand - l.unavailable, updated_at = :at
from freed f
where l.product_id = f.product_id and l.location_id = f.location_id
returning l.product_id, f.quantity;

-- name: release_demand
-- All that is kept for the lines at hand, and their places in the queue, are let go. What is on
-- its way stays.
with freed as (
    update reservations r
    set state = 'released'
    from work_demand w
    where r.order_id = w.order_id and r.line_no = w.line_no and r.state in ('active', 'queued')
    returning r.product_id, r.location_id, r.quantity
),
sums as (
    select product_id, location_id, sum(quantity) as quantity from freed
    where location_id is not null
    group by product_id, location_id
)
update stock_levels l
set allocated = l.allocated - s.quantity,
    is_oversold = l.allocated - s.quantity > l.on_hand - l.unavailable, updated_at = :at
from sums s
where l.product_id = s.product_id and l.location_id = s.location_id
returning l.product_id, l.location_id;

-- name: correct
-- What a location found out: units that are not there, or not for sale, or back. It may find
-- more of the same line each time it looks: which act of the work it was is part of the cause.
with told as (
    select * from jsonb_to_recordset(cast(:units as jsonb)) as u(line_no integer, product_id integer, quantity bigint)
),
moved as (
    insert into stock_movements (
        product_id, location_id, kind, on_hand_delta, unavailable_delta, cause_type, cause_id,
        cause_line, occurred_at, occurred_on, recorded_at
    )
    select
        t.product_id, x.location_id, :kind, case :kind when 'adjust' then -t.quantity
            when 'return_unsellable' then t.quantity else 0 end,
        case when :kind in ('regrade', 'return_unsellable') then t.quantity else 0 end, :cause_type, :cause_id,
        concat(t.line_no, ':', cast(:act as integer)), :at,
        cast(cast(:at as timestamptz) at time zone x.time_zone as date), :at
    from told t
    join locations x on x.location_code = :location_code
    returning product_id, location_id, on_hand_delta, unavailable_delta
),
sums as (
    select product_id, location_id, sum(on_hand_delta) as on_hand, sum(unavailable_delta) as unavailable
    from moved group by product_id, location_id
)
update stock_levels l
set on_hand = l.on_hand + s.on_hand, unavailable = l.unavailable + s.unavailable,
    is_oversold = l.allocated > l.on_hand + s.on_hand - l.unavailable - s.unavailable,
    updated_at = :at
from sums s
where l.product_id = s.product_id and l.location_id = s.location_id;

-- name: but_location
-- These locations without one of them.
select array(
    select id from unnest(cast(:location_ids as integer[])) as id
    where id is distinct from (select location_id from locations where location_code = :location_code));

-- name: new_reservation_ids
-- Numbers for reservations that are going to be made.
select nextval(pg_get_serial_sequence('reservations', 'reservation_id')) as reservation_id
from generate_series(1, :count);

-- name: move_units
-- Units go to other locations with their reservations: one that goes to several is split. The
-- levels are held; what leaves one is in the same moment at another. Where they were to be sent
-- from there is over.
with pieces as (
    select * from jsonb_to_recordset(cast(:pieces as jsonb)) as p(
        reservation_id bigint, of_id bigint, location_id integer, quantity bigint)
),
before as (
    select r.* from reservations r where r.reservation_id in (select of_id from pieces)
),
moved as (
    update reservations r
    set location_id = p.location_id, quantity = p.quantity, hub_id = null
    from pieces p
    where r.reservation_id = p.reservation_id and p.of_id = p.reservation_id
),
split as (
    insert into reservations (
        reservation_id, kind, state, product_id, location_id, channel_id, quantity, order_id,
        line_no, wanted_at, created_at, place_id
    )
    overriding system value
    select p.reservation_id, b.kind, b.state, b.product_id, p.location_id, b.channel_id, p.quantity,
        b.order_id, b.line_no, b.wanted_at, b.created_at, b.place_id
    from pieces p
    join before b on b.reservation_id = p.of_id
    where p.of_id <> p.reservation_id
),
sums as (
    select product_id, location_id, sum(quantity) as quantity
    from (
        select b.product_id, p.location_id, p.quantity
        from pieces p
        join before b on b.reservation_id = p.of_id
        union all
        select product_id, location_id, -quantity from before
    ) both_ways
    group by product_id, location_id
    having sum(quantity) <> 0
)
update stock_levels l
set allocated = l.allocated + s.quantity,
    is_oversold = l.allocated + s.quantity > l.on_hand - l.unavailable, updated_at = :at
from sums s
where l.product_id = s.product_id and l.location_id = s.location_id
returning l.product_id, l.location_id, s.quantity;
