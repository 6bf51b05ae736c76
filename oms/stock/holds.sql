-- Holds of stock: units kept for a short time without an order. A hold is locked first, then
-- the levels its units lie at; who else may take a level holds it, too.

-- name: products
-- The products of these SKUs.
select product_id, sku from products where sku = any (cast(:skus as text[]));

-- name: locations_of
-- Where a hold of a channel may lie: at the place that is named, else all over its network.
select x.location_id
from locations x
where case when cast(:location_code as text) is null
    then exists (select from channel_locations n where n.channel_id = :channel_id and n.location_id = x.location_id)
    else x.location_code = :location_code end;

-- name: at_place
-- What of these SKUs may be held at one place.
select p.sku, case when p.is_sellable and x.is_enabled and l.product_id is not null
    then available_to_fulfill(l.on_hand, l.unavailable, l.allocated, coalesce((
        select sum(h.quantity) from reservations h
        where h.product_id = l.product_id and h.location_id = l.location_id
          and h.kind = 'hold' and h.state = 'active' and h.expires_at > :at), 0)::bigint,
        l.safety_stock)
    else 0 end as available
from products p
join locations x on x.location_id = any (cast(:location_ids as integer[]))
left join stock_levels l on l.product_id = p.product_id and l.location_id = x.location_id
where p.sku = any (cast(:skus as text[]));

-- name: open
-- A new hold.
insert into stock_holds (hold_ref, channel_id, state, created_at, expires_at)
values (:hold_ref, :channel_id, 'active', :at, :expires_at);

-- name: keep_units
-- Its units, best location first, laid beside what lies free there on one scale per product.
with wanted as (
    select * from jsonb_to_recordset(cast(:units as jsonb)) as u(product_id integer, quantity bigint)
),
supply as (
    select product_id, location_id, wanted, quantity,
        sum(quantity) over (partition by product_id order by priority, location_id) as upto
    from (
        select l.product_id, l.location_id, w.quantity as wanted, coalesce(n.priority, 0) as priority,
            available_to_fulfill(l.on_hand, l.unavailable, l.allocated, coalesce((
                select sum(h.quantity) from reservations h
                where h.product_id = l.product_id and h.location_id = l.location_id
                  and h.kind = 'hold' and h.state = 'active' and h.expires_at > :at), 0)::bigint,
                l.safety_stock) as quantity
        from wanted w
        join stock_levels l using (product_id)
        join locations x on x.location_id = l.location_id and x.is_enabled
        left join channel_locations n on n.location_id = l.location_id and n.channel_id = :channel_id
        where l.location_id = any (cast(:location_ids as integer[]))
    ) s
    where quantity > 0
)
insert into reservations (
    kind, state, product_id, location_id, channel_id, quantity, hold_ref, expires_at, wanted_at, created_at
)
select 'hold', 'active', product_id, location_id, :channel_id,
    least(quantity, wanted - (upto - quantity)), :hold_ref, cast(:expires_at as timestamptz),
    cast(:at as timestamptz), cast(:at as timestamptz)
from supply
where upto - quantity < wanted;

-- name: lock
-- Hold a hold.
select h.hold_ref, h.channel_id, h.state, h.expires_at, h.order_id
from stock_holds h
where h.hold_ref = :hold_ref
for update;

-- name: lock_due
-- Hold some of the holds whose time is over, the oldest first; what somebody else has in hand is
-- theirs.
select hold_ref
from stock_holds
where state = 'active' and expires_at <= :at
order by expires_at, hold_ref
limit :limit
for update skip locked;

-- name: places
-- Where units of a hold lie.
select array_agg(distinct product_id) as product_ids, array_agg(distinct location_id) as location_ids
from reservations
where hold_ref = :hold_ref and state = 'active';

-- name: uncovered
-- Units of a hold that are not there any more: a shop sold them over its counter, or somebody
-- whose clock was ahead took them for free.
select r.product_id
from reservations r
join stock_levels l using (product_id, location_id)
where r.hold_ref = :hold_ref and r.state = 'active'
  and l.on_hand - l.unavailable - l.allocated < r.quantity + coalesce((
      select sum(o.quantity) from reservations o
      where o.product_id = r.product_id and o.location_id = r.location_id and o.kind = 'hold'
        and o.state = 'active' and o.expires_at > :at and o.hold_ref <> r.hold_ref), 0);

-- name: extend
-- A hold, and its units with it, lasts longer.
with longer as (
    update stock_holds set expires_at = :expires_at where hold_ref = :hold_ref returning hold_ref
)
update reservations r
set expires_at = :expires_at
from longer
where r.hold_ref = longer.hold_ref and r.state = 'active';

-- name: convert
-- The units of a hold become those of the lines at hand: what is to be collected at one place,
-- or what may come from anywhere. Units that are not there any more do not.
with held as (
    select r.reservation_id, r.product_id, r.location_id,
        least(r.quantity, greatest(0, l.on_hand - l.unavailable - l.allocated - coalesce((
            select sum(o.quantity) from reservations o
            where o.product_id = r.product_id and o.location_id = r.location_id
              and o.kind = 'hold' and o.state = 'active' and o.expires_at > :at
              and o.hold_ref <> r.hold_ref), 0))) as quantity
    from reservations r
    join stock_levels l using (product_id, location_id)
    where r.hold_ref = :hold_ref and r.state = 'active'
),
supply as (
    select *, sum(quantity) over (
        partition by product_id, case when :is_placed then location_id end order by reservation_id) as upto
    from held
    where quantity > 0
),
demand as (
    select *, sum(quantity) over (
        partition by product_id, place_id order by placed_at, order_id, line_no) as upto
    from (
        select w.order_id, w.line_no, w.product_id, w.channel_id, w.placed_at, w.place_id, w.quantity - coalesce((
            select sum(e.quantity) from reservations e
            where e.order_id = w.order_id and e.line_no = w.line_no
              and e.state in ('active', 'queued')), 0) as quantity
        from work_demand w
        where (w.place_id is not null) = :is_placed
    ) w
    where quantity > 0
),
overlap as (
    select d.order_id, d.line_no, d.product_id, d.channel_id, d.placed_at, d.place_id,
        s.location_id, s.reservation_id,
        least(d.upto, s.upto) - greatest(d.upto - d.quantity, s.upto - s.quantity) as quantity
    from demand d
    join supply s
        on s.product_id = d.product_id and (d.place_id is null or d.place_id = s.location_id)
        and s.upto - s.quantity < d.upto and d.upto - d.quantity < s.upto
),
reserved as (
    insert into reservations (
        kind, state, product_id, location_id, channel_id, quantity, order_id, line_no, wanted_at,
        created_at, place_id
    )
    select 'order', 'active', product_id, location_id, channel_id, quantity, order_id, line_no,
        placed_at, cast(:at as timestamptz), place_id
    from overlap
),
used as (
    select reservation_id, sum(quantity) as quantity from overlap group by reservation_id
),
taken as (
    update reservations r
    set state = case when u.quantity = r.quantity then 'consumed' else r.state end,
        quantity = case when u.quantity = r.quantity then r.quantity else r.quantity - u.quantity end
    from used u
    where r.reservation_id = u.reservation_id
),
sums as (
    select product_id, location_id, sum(quantity) as quantity from overlap group by product_id, location_id
)
update stock_levels l
set allocated = l.allocated + s.quantity, updated_at = :at
from sums s
where l.product_id = s.product_id and l.location_id = s.location_id;

-- name: demand_has_reservations
-- The lines at hand have reservations now, new as they may be.
update work_demand set is_new = false;

-- name: end
-- A hold is over, and what is left of its units free again. Returns where they lay.
with over as (
    update stock_holds
    set state = :state, order_id = cast(:order_id as bigint)
    where hold_ref = any (cast(:hold_refs as text[]))
    returning hold_ref
)
update reservations r
set state = case when :state = 'expired' then 'expired' else 'released' end
from over
where r.hold_ref = over.hold_ref and r.state = 'active'
returning r.product_id, r.location_id;

-- name: hold
-- A hold, with the channel it is for and what it became.
select h.hold_ref, c.channel_code, h.state, h.created_at, h.expires_at, o.order_number
from stock_holds h
join channels c using (channel_id)
left join orders o using (order_id)
where h.hold_ref = :hold_ref;

-- name: units
-- What it holds, or held.
select p.sku, x.location_code, r.quantity
from reservations r
join products p using (product_id)
join locations x using (location_id)
where r.hold_ref = :hold_ref
order by p.sku, x.location_code;

-- name: places_of_work
-- Where a fulfillment order keeps units, and where its order and a channel may take others from:
-- all that is to be held from the beginning.
with kept as (
    select product_id, location_id from reservations
    where order_id = :order_id and fulfillment_id = :fulfillment_id and state = 'active'
)
select
    array(
        select product_id from kept
        union select product_id from products where sku = any (cast(:skus as text[]))
    ) as product_ids,
    array(
        select location_id from kept
        union select n.location_id from channel_locations n
        where n.channel_id in (:channel_id, (select channel_id from orders where order_id = :order_id))
    ) as location_ids;

-- name: take_over
-- Units a fulfillment order keeps of an order's lines become those of a hold, at the same place.
with wanted as (
    select * from jsonb_to_recordset(cast(:units as jsonb)) as u(line_no smallint, quantity bigint)
),
kept as (
    select r.reservation_id, r.product_id, r.location_id, r.quantity,
        greatest(0, least(r.quantity, w.quantity + r.quantity - sum(r.quantity) over (
            partition by r.line_no order by r.reservation_id))) as taken
    from reservations r
    join wanted w using (line_no)
    where r.order_id = :order_id and r.fulfillment_id = :fulfillment_id and r.state = 'active'
),
fewer as (
    update reservations r
    set state = case when k.taken = r.quantity then 'consumed' else r.state end,
        quantity = case when k.taken = r.quantity then r.quantity else r.quantity - k.taken end
    from kept k
    where r.reservation_id = k.reservation_id and k.taken > 0
),
sums as (
    select product_id, location_id, sum(taken) as quantity
    from kept
    where taken > 0
    group by product_id, location_id
),
held as (
    insert into reservations (
        kind, state, product_id, location_id, channel_id, quantity, hold_ref, expires_at, wanted_at, created_at
    )
    select 'hold', 'active', product_id, location_id, :channel_id, quantity, :hold_ref,
        cast(:expires_at as timestamptz), cast(:at as timestamptz), cast(:at as timestamptz)
    from sums
)
update stock_levels l
set
    allocated = l.allocated - s.quantity,
    is_oversold = l.allocated - s.quantity > l.on_hand - l.unavailable,
    updated_at = :at
from sums s
where l.product_id = s.product_id and l.location_id = s.location_id
returning s.quantity;
