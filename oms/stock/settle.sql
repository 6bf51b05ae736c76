-- Settling stock with orders: goods that moved, reservations that are due or no longer needed.
-- Set-based; every level row is locked first, in the order (product, location). Where a level is
-- missing the product stands in for it, and is locked before any level: shared by those who find
-- it missing, alone by who opens one. So stock that comes to a place for the first time meets
-- the demand that is being laid down at the same moment.

-- name: place_goods
-- Where goods moved that nobody named a place for. They leave from where their line is
-- allocated, each place its part beside what is known to leave there; what is allocated nowhere
-- leaves the best location of the channel's network, and there comes back what comes back.
with unplaced as (
    delete from work_goods where location_id is null returning *
),
leaving as (
    select *, sum(taken) over (partition by order_id, line_no order by occurred_at, change_ref) as upto
    from unplaced
    where taken > 0
),
promised as (
    select *, sum(quantity) over (partition by order_id, line_no order by since) as upto
    from (
        select r.order_id, r.line_no, r.location_id, min(r.reservation_id) as since,
            sum(r.quantity) - coalesce((
                select sum(g.taken) from work_goods g
                where g.order_id = r.order_id and g.line_no = r.line_no
                  and g.location_id = r.location_id and g.taken > 0), 0) as quantity
        from (select distinct order_id, line_no, product_id from leaving) l
        cross join lateral (
            select e.* from reservations e
            where e.order_id = l.order_id and e.line_no = l.line_no and e.state = 'active'
              and e.product_id = l.product_id
            offset 0
        ) r
        group by r.order_id, r.line_no, r.location_id
    ) p
    where quantity > 0
),
parts as (
    select l.order_id, l.line_no, l.kind, l.change_ref, p.location_id,
        least(l.upto, p.upto) - greatest(l.upto - l.taken, p.upto - p.quantity) as taken
    from leaving l
    join promised p
        on p.order_id = l.order_id and p.line_no = l.line_no
        and p.upto - p.quantity < l.upto and l.upto - l.taken < p.upto
),
placed as (
    select * from parts
    union all
    select u.order_id, u.line_no, u.kind, u.change_ref,
        (
            select n.location_id from channel_locations n
            where n.channel_id = :channel_id
            order by n.priority, n.location_id limit 1
        ),
        u.taken - coalesce((
            select sum(p.taken) from parts p
            where (p.order_id, p.line_no, p.kind, p.change_ref)
                = (u.order_id, u.line_no, u.kind, u.change_ref)), 0)
    from unplaced u
)
insert into work_goods (order_id, line_no, product_id, kind, location_id, taken, change_ref, occurred_at)
select u.order_id, u.line_no, u.product_id, u.kind, p.location_id, sum(p.taken), u.change_ref, u.occurred_at
from placed p
join unplaced u using (order_id, line_no, kind, change_ref)
where p.taken <> 0
group by u.order_id, u.line_no, u.product_id, u.kind, p.location_id, u.change_ref, u.occurred_at;

-- name: open_levels
-- A level row for every place goods moved at, so that it can be locked.
with missing as (
    select distinct g.product_id, g.location_id
    from work_goods g
    where g.location_id is not null and not exists (
        select from stock_levels l
        where l.product_id = g.product_id and l.location_id = g.location_id)
),
held as (
    select product_id from products
    where product_id in (select product_id from missing)
    order by product_id
    for update
)
insert into stock_levels (product_id, location_id, updated_at)
select product_id, location_id, cast(:at as timestamptz)
from missing
join held using (product_id)
order by product_id, location_id
on conflict do nothing;

-- name: places_of_work
-- The products and locations this batch may read or write, as two lists. A line may have
-- reservations of the product it was before an edit.
with held as (
    select r.product_id, r.location_id
    from work_demand w
    cross join lateral (
        select e.product_id, e.location_id from reservations e
        where not w.is_new and e.order_id = w.order_id and e.line_no = w.line_no and e.state in ('active', 'queued')
        offset 0  -- by the index for each line: the planner knows nothing of work tables
    ) r
)
select
    array(
        select product_id from work_demand
        union select product_id from work_goods
        union select product_id from held
    ) as product_ids,
    array(
        select n.location_id from channel_locations n where n.channel_id = :channel_id
        union select w.place_id from work_demand w where w.place_id is not null
        union select g.location_id from work_goods g where g.location_id is not null
        union select h.location_id from held h where h.location_id is not null
    ) as location_ids,
    exists (select from work_demand where place_id is not null) as has_places;

-- name: lock_products
-- Hold the products that have no level at some of these places. Others may hold them as well,
-- and change their names, but open no level.
select count(*) from (
    select 1
    from products p
    where p.product_id = any (cast(:product_ids as integer[]))
      and cardinality(cast(:location_ids as integer[])) > (
          select count(*) from stock_levels l
          where l.product_id = p.product_id
            and l.location_id = any (cast(:location_ids as integer[])))
    order by p.product_id
    for key share
) held;

-- name: lock_levels
-- Hold the levels of these places, in the one order everybody uses.
select count(*) from (
    select 1
    from stock_levels l
    where l.product_id = any (cast(:product_ids as integer[]))
      and l.location_id = any (cast(:location_ids as integer[]))
    order by l.product_id, l.location_id
    for update
) held;

-- name: reduce
-- Goods that left use the reservation of the place they left from, whatever else the line has;
-- of several there that of the fulfillment order they left by.
-- What is reserved beyond what the line still needs is released: what is of another product,
-- then what is queued, then what is still to be sent to its place, then the youngest.
with gone as (
    select order_id, line_no, product_id, location_id, sum(taken) as quantity,
        max(fulfillment_id) as fulfillment_id
    from work_goods
    where taken > 0
    group by order_id, line_no, product_id, location_id
),
held as (
    select r.reservation_id, r.order_id, r.line_no, r.product_id, r.location_id, r.state, r.quantity,
        w.quantity as open, r.product_id <> w.product_id as is_strange,
        coalesce(r.location_id <> coalesce(r.place_id, r.hub_id), false) as is_to_be_sent,
        case when r.state = 'active' then greatest(0, least(r.quantity,
            coalesce(g.quantity, 0) + r.quantity - sum(r.quantity) over place)) else 0 end as used
    from work_demand w
    cross join lateral (
        select e.* from reservations e
        where not w.is_new and e.order_id = w.order_id and e.line_no = w.line_no and e.state in ('active', 'queued', 'in_transit')
        offset 0
    ) r
    left join gone g
        on g.order_id = r.order_id and g.line_no = r.line_no and g.product_id = r.product_id
        and g.location_id = r.location_id
    window place as (
        partition by r.order_id, r.line_no, r.product_id, r.location_id
        order by r.fulfillment_id is distinct from g.fulfillment_id, r.reservation_id)
),
needed as (
    select *, case when is_strange then 0 else quantity - used end as useful,
        sum(case when is_strange then 0 else quantity - used end) over (
            partition by order_id, line_no
            order by state = 'queued', is_to_be_sent, reservation_id
        ) as upto
    from held
),
kept as (
    select *, greatest(0, least(useful, open - (upto - useful))) as keep
    from needed
    where useful < quantity or upto > open
),
shrunk as (
    update reservations r
    set quantity = k.keep
    from kept k
    where r.reservation_id = k.reservation_id and k.keep > 0
),
ended as (
    update reservations r
    set state = case when k.used > 0 then 'consumed' else 'released' end
    from kept k
    where r.reservation_id = k.reservation_id and k.keep = 0
),
freed as (
    select product_id, location_id, sum(quantity - keep) as quantity
    from kept
    where state = 'active'
    group by product_id, location_id
)
update stock_levels l
set
    allocated = l.allocated - f.quantity,
    is_oversold = l.allocated - f.quantity > l.on_hand - l.unavailable,
    updated_at = :at
from freed f
where l.product_id = f.product_id and l.location_id = f.location_id
returning l.product_id, l.location_id;

-- name: move_goods
-- The movement of each cause once, and the level with it. A till may sell what the count says
-- is not there: the level goes below and is marked.
with moved as (
    insert into stock_movements (
        product_id, location_id, kind, on_hand_delta, cause_type, cause_id, cause_line,
        occurred_at, occurred_on, recorded_at
    )
    select
        g.product_id, g.location_id, g.kind, -g.taken, 'order', g.order_id::text,
        g.line_no || ':' || g.change_ref, g.occurred_at,
        cast(g.occurred_at at time zone x.time_zone as date), :at
    from work_goods g
    join locations x using (location_id)
    on conflict on constraint one_cause_one_movement do nothing
    returning *
),
late as (
    -- What moved before the place was counted is in the count already: it is taken back there,
    -- in the name of the count that knew.
    insert into stock_movements (
        product_id, location_id, kind, on_hand_delta, cause_type, cause_id, cause_line,
        occurred_at, occurred_on, recorded_at
    )
    select c.*, m.recorded_at
    from moved m
    cross join lateral counted_already(
        m.product_id, m.location_id, m.on_hand_delta,
        concat_ws(':', m.cause_type, m.cause_id, m.cause_line, m.kind), m.occurred_at) c
    returning product_id, location_id, on_hand_delta
),
sums as (
    select product_id, location_id, sum(on_hand_delta) as delta
    from (
        select product_id, location_id, on_hand_delta from moved
        union all
        select product_id, location_id, on_hand_delta from late
    ) both_ways
    group by product_id, location_id
)
update stock_levels l
set
    on_hand = l.on_hand + s.delta,
    is_oversold = l.allocated > l.on_hand + s.delta - l.unavailable,
    updated_at = :at
from sums s
where l.product_id = s.product_id and l.location_id = s.location_id;

-- name: allocate
-- Lay demand, oldest first, beside supply, best location first, on one scale of units per
-- product: where two intervals overlap, that many units are allocated. What lies beyond the
-- supply is queued. In one turn a product's demand is of channels with one network, or to be
-- collected at one place: of its own stock, then, where the channel has goods sent there, of the
-- network's.
with wanted as (
    select w.order_id, w.line_no, w.product_id, w.channel_id, w.placed_at, w.place_id,
        w.quantity - coalesce(r.quantity, 0) as quantity
    from work_demand w
    left join lateral (
        select sum(r.quantity) as quantity from reservations r
        where not w.is_new and r.order_id = w.order_id and r.line_no = w.line_no and r.state in ('active', 'queued', 'in_transit')
    ) r on true
    where w.turn = :turn
),
demand as (
    select *, sum(quantity) over (
        partition by product_id order by placed_at, order_id, line_no) as upto
    from wanted
    where quantity > 0
),
supply as (
    select product_id, location_id, quantity,
        sum(quantity) over (partition by product_id order by priority, location_id) as upto
    from (
        select l.product_id, l.location_id,
            case when l.location_id = d.place_id then -1 else coalesce(n.priority, 0) end as priority,
            available_to_fulfill(l.on_hand, l.unavailable, l.allocated, coalesce(h.quantity, 0)::bigint, l.safety_stock) as quantity
        from (
            select product_id, min(channel_id) as channel_id, min(place_id) as place_id
            from demand
            group by product_id
        ) d
        join stock_levels l on l.product_id = d.product_id
        join channels c on c.channel_id = d.channel_id
        left join channel_locations n
            on (d.place_id is null or c.collect_supply = 'any')
            and n.location_id = l.location_id and n.channel_id = d.channel_id
        join locations x on x.location_id = l.location_id and x.is_enabled
        left join lateral (
            select sum(r.quantity) as quantity from reservations r
            where r.product_id = l.product_id and r.location_id = l.location_id
              and r.kind = 'hold' and r.state = 'active' and r.expires_at > :at
        ) h on true
        -- Of what is demanded every level at these places is held. To say the products here again
        -- would have their list gone through for each product and place.
        where l.location_id = any (cast(:location_ids as integer[]))
          and (n.location_id is not null or l.location_id = d.place_id)
    ) s
    where quantity > 0
),
overlap as (
    select d.order_id, d.line_no, d.product_id, d.channel_id, d.placed_at, d.place_id, s.location_id,
        least(d.upto, s.upto) - greatest(d.upto - d.quantity, s.upto - s.quantity) as quantity
    from demand d
    join supply s
        on s.product_id = d.product_id
        and s.upto - s.quantity < d.upto and d.upto - d.quantity < s.upto
),
short as (
    select d.order_id, d.line_no, d.product_id, d.channel_id, d.placed_at, d.place_id,
        least(d.quantity, d.upto - coalesce(a.total, 0)) as quantity
    from demand d
    left join (select product_id, max(upto) as total from supply group by product_id) a using (product_id)
    where d.upto > coalesce(a.total, 0)
),
reserved as (
    insert into reservations (
        kind, state, product_id, location_id, channel_id, quantity, order_id, line_no, wanted_at,
        created_at, place_id
    )
    select 'order', 'active', product_id, location_id, channel_id, quantity, order_id, line_no,
        placed_at, cast(:at as timestamptz), place_id
    from overlap
    union all
    select 'order', 'queued', product_id, null, channel_id, quantity, order_id, line_no,
        placed_at, cast(:at as timestamptz), place_id
    from short
),
sums as (
    select product_id, location_id, sum(quantity) as quantity from overlap group by product_id, location_id
)
update stock_levels l
set allocated = l.allocated + s.quantity, updated_at = :at
from sums s
where l.product_id = s.product_id and l.location_id = s.location_id;

-- name: queued_of_demand
-- What of each line of this batch nobody can supply, where that may have changed.
select w.order_id, w.line_no, r.quantity
from work_demand w
cross join lateral (
    select coalesce(sum(e.quantity) filter (where e.state = 'queued'), 0) as quantity,
        bool_or(e.state <> 'active') as may_differ
    from reservations e
    where e.order_id = w.order_id and e.line_no = w.line_no
    offset 0
) r
where r.may_differ;

-- name: oversold_orders
-- Orders of this batch whose goods left a level below what is promised there.
select distinct g.order_id, p.sku, x.location_code, l.on_hand
from work_goods g
join stock_levels l on l.product_id = g.product_id and l.location_id = g.location_id
join products p on p.product_id = g.product_id
join locations x on x.location_id = g.location_id
where l.is_oversold and g.taken > 0;

-- name: missing_of_demand
-- What of each SKU is wanted of the network, sent to a store or not, beyond what is reserved for it already.
select p.sku, sum(w.quantity - coalesce(r.quantity, 0)) as quantity
from work_demand w
join products p using (product_id)
join channels c using (channel_id)
left join lateral (
    select sum(e.quantity) as quantity from reservations e
    where e.order_id = w.order_id and e.line_no = w.line_no and e.state in ('active', 'queued', 'in_transit')
    offset 0
) r on true
where w.quantity > coalesce(r.quantity, 0)
  and (w.place_id is null or c.collect_supply = 'any')
group by p.sku;

-- name: short_at_places
-- What is to be collected at a place beyond what that place can give, where nothing is sent there.
select p.sku, x.location_code, w.quantity as requested, coalesce(l.quantity, 0) as available
from (
    select d.product_id, d.place_id, sum(d.quantity - coalesce(r.quantity, 0)) as quantity
    from work_demand d
    join channels c using (channel_id)
    left join lateral (
        select sum(e.quantity) as quantity from reservations e
        where e.order_id = d.order_id and e.line_no = d.line_no and e.state in ('active', 'queued', 'in_transit')
        offset 0
    ) r on true
    where d.place_id is not null and c.collect_supply = 'store'
    group by d.product_id, d.place_id
) w
join products p using (product_id)
join locations x on x.location_id = w.place_id
left join lateral (
    select available_to_fulfill(s.on_hand, s.unavailable, s.allocated, coalesce((
        select sum(h.quantity) from reservations h
        where h.product_id = s.product_id and h.location_id = s.location_id
          and h.kind = 'hold' and h.state = 'active' and h.expires_at > :at), 0)::bigint,
        s.safety_stock) as quantity
    from stock_levels s
    where s.product_id = w.product_id and s.location_id = w.place_id and x.is_enabled
) l on true
where w.quantity > coalesce(l.quantity, 0)
order by p.sku, x.location_code;

-- name: want_queued
-- Who waits for these products, in any channel, and may get some: oldest first, as long as
-- those before in the channel wait for less than lies at the places at hand.
insert into work_demand (order_id, line_no, product_id, channel_id, place_id, placed_at, quantity)
with reach as (
    select l.product_id, n.channel_id, null::integer as place_id, sum(greatest(0, l.on_hand - l.unavailable - l.allocated)) as quantity
    from stock_levels l
    join channel_locations n using (location_id)
    join locations x on x.location_id = l.location_id and x.is_enabled
    where l.product_id = any (cast(:product_ids as integer[]))
      and l.location_id = any (cast(:location_ids as integer[]))
    group by l.product_id, n.channel_id
    union all
    select l.product_id, null, l.location_id, greatest(0, l.on_hand - l.unavailable - l.allocated)
    from stock_levels l
    join locations x on x.location_id = l.location_id and x.is_enabled
    where l.product_id = any (cast(:product_ids as integer[]))
      and l.location_id = any (cast(:location_ids as integer[]))
),
waiting as (
    select r.order_id, r.line_no, r.product_id, r.channel_id, r.place_id, min(r.wanted_at) as since,
        r.place_id is null or c.collect_supply = 'any' as is_of_network,
        sum(sum(r.quantity)) over (
            partition by r.product_id, r.place_id,
                case when r.place_id is null or c.collect_supply = 'any' then r.channel_id end
            order by min(r.wanted_at), r.order_id, r.line_no
        ) - sum(r.quantity) as before
    from reservations r
    join channels c using (channel_id)
    where r.state = 'queued' and r.product_id = any (cast(:product_ids as integer[]))
      and r.order_id is distinct from cast(:but_order_id as bigint)
    group by r.order_id, r.line_no, r.product_id, r.channel_id, r.place_id, c.collect_supply
)
select w.order_id, w.line_no, w.product_id, w.channel_id, w.place_id, w.since,
    (select sum(e.quantity) from reservations e
     where e.order_id = w.order_id and e.line_no = w.line_no and e.state in ('active', 'queued', 'in_transit'))
from waiting w
left join reach n
    on n.product_id = w.product_id and n.channel_id = w.channel_id and w.is_of_network
left join reach s on s.product_id = w.product_id and s.place_id = w.place_id
where w.before < coalesce(n.quantity, 0) + coalesce(s.quantity, 0)
  and not exists (select from work_demand d where d.order_id = w.order_id and d.line_no = w.line_no);

-- name: release_queued
-- The queue for these products is taken down, of the lines at hand, before they are allocated
-- anew.
update reservations r
set state = 'released'
from work_demand w
where r.order_id = w.order_id and r.line_no = w.line_no and r.state = 'queued'
  and r.product_id = any (cast(:product_ids as integer[]));

-- name: take_turns
-- Number the turns in which the demand of each product is served, by age: who comes next and
-- is supplied by another network, or at one place, begins another one. Returns the last number.
with networks as (
    select channel_id, array_agg(location_id order by priority, location_id) as places
    from channel_locations
    group by channel_id
),
beside as (
    select order_id, line_no, product_id, placed_at, places,
        lag(places) over (partition by product_id order by placed_at, order_id, line_no) as before
    from (
        select w.*, case
            when w.place_id is null then n.places
            when c.collect_supply = 'any' then w.place_id || n.places
            else array[w.place_id] end as places
        from work_demand w
        join channels c using (channel_id)
        left join networks n using (channel_id)
    ) w
),
numbered as (
    select order_id, line_no, count(*) filter (where places <> before) over (
        partition by product_id order by placed_at, order_id, line_no) + 1 as turn
    from beside
),
told as (
    update work_demand w
    set turn = n.turn
    from numbered n
    where w.order_id = n.order_id and w.line_no = n.line_no
    returning n.turn
)
select max(turn) as turns from told;

-- name: places_of_waiting
-- The locations of every channel that waits for these products and is supplied by one of these
-- places, and those where something waits to be collected that one of these places may supply.
with waiting as (
    select r.channel_id, r.place_id, r.place_id is null or c.collect_supply = 'any' as is_of_network
    from reservations r
    join channels c using (channel_id)
    where r.state = 'queued' and r.product_id = any (cast(:product_ids as integer[]))
),
reached as (
    select distinct w.*
    from waiting w
    where w.place_id = any (cast(:location_ids as integer[])) or (w.is_of_network and exists (
        select from channel_locations s
        where s.channel_id = w.channel_id and s.location_id = any (cast(:location_ids as integer[]))))
)
select array_agg(distinct location_id) as location_ids
from (
    select n.location_id from reached r join channel_locations n using (channel_id) where r.is_of_network
    union
    select r.place_id from reached r where r.place_id is not null
) places;

-- name: mark_bad_counts
-- What is wrong with counts against catalog and locations.
select c.position, '/sku' as field, 'UNKNOWN_SKU' as code, format('SKU %s is not in the catalog', left(c.sku, 60)) as detail
from draft_counts c where not exists (select from products p where p.sku = c.sku)
union all
select c.position, '/location_code', 'UNKNOWN_LOCATION', format('there is no location %s', left(c.location_code, 60))
from draft_counts c where not exists (select from locations x where x.location_code = c.location_code)
union all
select m.position, '/sku', 'UNKNOWN_SKU', format('SKU %s is not in the catalog', left(m.sku, 60))
from draft_movements m where not exists (select from products p where p.sku = m.sku)
union all
select m.position, '/location_code', 'UNKNOWN_LOCATION', format('there is no location %s', left(m.location_code, 60))
from draft_movements m where not exists (select from locations x where x.location_code = m.location_code)
order by 1, 2;

-- name: open_drafted_levels
-- A level row for every place that is counted or supplied, so that it can be locked.
with missing as (
    select p.product_id, x.location_id
    from (select sku, location_code from draft_counts union select sku, location_code from draft_movements) d
    join products p using (sku)
    join locations x using (location_code)
    where not exists (
        select from stock_levels l
        where l.product_id = p.product_id and l.location_id = x.location_id)
),
held as (
    select product_id from products
    where product_id in (select product_id from missing)
    order by product_id
    for update
)
insert into stock_levels (product_id, location_id, updated_at)
select product_id, location_id, cast(:at as timestamptz)
from missing
join held using (product_id)
order by product_id, location_id
on conflict do nothing;

-- name: lock_drafted_levels
-- Hold the levels in the one order everybody uses.
select count(*) from (
    select 1
    from stock_levels l
    where (l.product_id, l.location_id) in (
        select p.product_id, x.location_id
        from (select sku, location_code from draft_counts union select sku, location_code from draft_movements) d
        join products p using (sku)
        join locations x using (location_code))
    order by l.product_id, l.location_id
    for update
) held;

-- name: apply_movements
-- Each movement once, whoever repeats it.
with moved as (
    insert into stock_movements (
        product_id, location_id, kind, on_hand_delta, cause_type, cause_id, cause_line,
        occurred_at, occurred_on, recorded_at
    )
    select
        p.product_id, x.location_id, m.kind,
        case when m.kind in ('write_off', 'transfer_out') then -m.quantity else m.quantity end,
        'document', m.movement_ref, '', m.occurred_at,
        cast(m.occurred_at at time zone x.time_zone as date), :at
    from draft_movements m
    join products p using (sku)
    join locations x using (location_code)
    on conflict on constraint one_cause_one_movement do nothing
    returning *
),
late as (
    -- What moved before the place was counted is in the count already: it is taken back there,
    -- in the name of the count that knew.
    insert into stock_movements (
        product_id, location_id, kind, on_hand_delta, cause_type, cause_id, cause_line,
        occurred_at, occurred_on, recorded_at
    )
    select c.*, m.recorded_at
    from moved m
    cross join lateral counted_already(
        m.product_id, m.location_id, m.on_hand_delta,
        concat_ws(':', m.cause_type, m.cause_id, m.cause_line, m.kind), m.occurred_at) c
    returning product_id, location_id, on_hand_delta
),
sums as (
    select product_id, location_id, sum(on_hand_delta) as delta
    from (
        select product_id, location_id, on_hand_delta from moved
        union all
        select product_id, location_id, on_hand_delta from late
    ) both_ways
    group by product_id, location_id
)
update stock_levels l
set on_hand = l.on_hand + s.delta,
    is_oversold = l.allocated > l.on_hand + s.delta - l.unavailable,
    updated_at = :at
from sums s
where l.product_id = s.product_id and l.location_id = s.location_id
returning l.product_id, l.location_id, s.delta;

-- name: apply_counts
-- A count corrects what was expected when it was taken, so that what moved later survives it:
-- delta = counted − (on hand now − what moved after the count). Of several counts of one place
-- only the latest speaks; a repeated one says nothing.
with fresh as (
    select distinct on (p.product_id, x.location_id)
        p.product_id, x.location_id, x.time_zone, c.count_ref, c.counted, c.counted_at
    from draft_counts c
    join products p using (sku)
    join locations x using (location_code)
    where not exists (
        select from stock_movements v
        where v.product_id = p.product_id and v.location_id = x.location_id and v.kind = 'count_adjust'
          and ((v.cause_type = 'count' and v.cause_id = c.count_ref) or v.occurred_at > c.counted_at))
    order by p.product_id, x.location_id, c.counted_at desc, c.position desc
),
moved as (
    insert into stock_movements (
        product_id, location_id, kind, on_hand_delta, cause_type, cause_id, cause_line,
        occurred_at, occurred_on, recorded_at
    )
    select
        f.product_id, f.location_id, 'count_adjust',
        f.counted - (l.on_hand - coalesce((
            select sum(v.on_hand_delta) from stock_movements v
            where v.product_id = f.product_id and v.location_id = f.location_id
              and v.occurred_at > f.counted_at), 0)),
        'count', f.count_ref, '', f.counted_at,
        cast(f.counted_at at time zone f.time_zone as date), :at
    from fresh f
    join stock_levels l on l.product_id = f.product_id and l.location_id = f.location_id
    on conflict on constraint one_cause_one_movement do nothing
    returning product_id, location_id, on_hand_delta
)
update stock_levels l
set on_hand = l.on_hand + m.on_hand_delta,
    is_oversold = l.allocated > l.on_hand + m.on_hand_delta - l.unavailable,
    updated_at = :at
from moved m
where l.product_id = m.product_id and l.location_id = m.location_id
returning l.product_id, l.location_id, m.on_hand_delta as delta;
