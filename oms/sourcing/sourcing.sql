-- The statements of sourcing: versions of the rules, what is known for a batch of orders, decisions.

-- name: draft
-- Keep a new version of the rules.
insert into sourcing_rule_sets (state, rules, created_by, created_at)
values ('draft', cast(:rules as jsonb), :by, :at)
returning version;

-- name: hold_rule_set
-- Hold a version, so that one of two who activate it finds it done.
select state from sourcing_rule_sets where version = :version for update;

-- name: archive
-- The active version is kept as it was.
update sourcing_rule_sets set state = 'archived', archived_at = :at where state = 'active';

-- name: activate
-- From now on it is this version that decides.
update sourcing_rule_sets
set state = 'active', activated_by = :by, activated_at = :at
where version = :version;

-- name: active
-- The rules that decide.
select version, state, rules, created_by, created_at, activated_at, archived_at
from sourcing_rule_sets
where state = 'active';

-- name: rule_sets
-- Every version of the rules, the newest first; one of them where it is named.
select version, state, rules, created_by, created_at, activated_at, archived_at
from sourcing_rule_sets
where cast(:version as integer) is null or version = :version
order by version desc;

-- name: network_of
-- Every location these orders may be supplied from.
select distinct n.location_id
from channel_locations n
where n.channel_id in (
    select channel_id from orders where order_id = any (cast(:order_ids as bigint[])));

-- name: groups
-- The delivery groups of these orders.
select
    g.order_id, g.group_no, c.channel_code, g.method, o.currency, o.placed_at,
    coalesce(g.ship_to ->> 'country_code', o.country_code) as country_code,
    o.items_net_minor + o.items_tax_minor as value_minor
from delivery_groups g
join orders o using (order_id)
join channels c using (channel_id)
where g.order_id = any (cast(:order_ids as bigint[]));

-- name: lines
-- The lines of these orders, with what rules ask of an article.
select k.order_id, k.line_no, coalesce(k.group_no, 1) as group_no, p.product_id, p.sku,
    p.product_type, p.category
from order_lines k
join products p using (product_id)
where k.order_id = any (cast(:order_ids as bigint[]));

-- name: places
-- These locations, and how many fulfillment orders each has been given on its own today.
select
    x.location_id, x.location_code, x.kind, x.is_enabled, x.time_zone, x.opening_hours,
    x.capacity_per_day, x.cut_off, x.lead_time_hours, x.shipping_buffer, x.node_cost_minor,
    case when x.capacity_per_day is null then 0 else (
        select count(*) from fulfillment_orders f
        where f.location_id = x.location_id and f.state not in ('rejected', 'canceled')
          and f.created_at >= date_trunc('day', cast(:at as timestamptz) at time zone x.time_zone)
              at time zone x.time_zone) end as given_count
from locations x
where x.location_id = any (cast(:location_ids as integer[]));

-- name: ways
-- For each delivery group every location of its network: how far it is (great circle), and
-- whether it has rejected the order before.
with groups as (
    select g.order_id, g.group_no, o.channel_id,
        case when jsonb_typeof(t.ship_to -> 'latitude') = 'number'
            then radians((t.ship_to ->> 'latitude')::double precision) end as latitude,
        case when jsonb_typeof(t.ship_to -> 'longitude') = 'number'
            then radians((t.ship_to ->> 'longitude')::double precision) end as longitude
    from delivery_groups g
    join orders o using (order_id)
    cross join lateral (select coalesce(g.ship_to, o.ship_to) as ship_to) t
    where g.order_id = any (cast(:order_ids as bigint[]))
)
select g.order_id, g.group_no, n.location_id, n.priority,
    round((2 * 6371 * asin(case when w.chord > 1 then 1 else sqrt(w.chord) end))::numeric, 1)
        ::double precision as distance_km,  -- null where either end is not known
    exists (
        select from fulfillment_orders f
        where f.order_id = g.order_id and f.location_id = n.location_id and f.reason is not null
          and f.reason <> 'no_show') as has_rejected
from groups g
join channel_locations n using (channel_id)
join locations x using (location_id)
cross join lateral (
    select sin((radians(x.latitude) - g.latitude) / 2) ^ 2
        + cos(g.latitude) * cos(radians(x.latitude))
            * sin((radians(x.longitude) - g.longitude) / 2) ^ 2 as chord
) w;

-- name: free
-- What of these products is free at these locations; below zero where more is promised.
select l.product_id, l.location_id,
    l.on_hand - l.unavailable - l.allocated - l.safety_stock - coalesce((
        select sum(h.quantity) from reservations h
        where h.product_id = l.product_id and h.location_id = l.location_id
          and h.kind = 'hold' and h.state = 'active' and h.expires_at > :at), 0)::bigint as quantity
from stock_levels l
where l.product_id = any (cast(:product_ids as integer[]))
  and l.location_id = any (cast(:location_ids as integer[]));

-- name: record
-- Keep decisions with everything they were made of.
insert into sourcing_decisions (
    order_id, group_no, version, decided_at, demand, candidates, plan, outcome
)
select d.order_id, d.group_no, :version, :at, d.demand, d.candidates, d.plan, d.outcome
from jsonb_to_recordset(cast(:decisions as jsonb)) as d(
    order_id bigint, group_no smallint, demand jsonb, candidates jsonb, plan jsonb, outcome jsonb)
order by d.order_id, d.group_no;

-- name: wait
-- These orders keep units no rule gave out, and are planned again; the others of the batch not.
with waiting as (
    select * from jsonb_to_recordset(cast(:waits as jsonb)) as w(
        order_id bigint, reservation_ids bigint[])
),
over as (
    delete from sourcing_waits
    where order_id = any (cast(:order_ids as bigint[]))
      and order_id not in (select order_id from waiting)
)
insert into sourcing_waits (order_id, reservation_ids, again_at)
select order_id, reservation_ids, :again_at from waiting
on conflict (order_id) do update set
    reservation_ids = excluded.reservation_ids, again_at = excluded.again_at;

-- name: waiting
-- What of these orders waits, and is not to be planned again yet.
select order_id, reservation_ids from sourcing_waits
where order_id = any (cast(:order_ids as bigint[])) and again_at > :at;

-- name: due
-- Orders that waited long enough.
select order_id from sourcing_waits where again_at <= :at order by order_id limit :limit;

-- name: of_order
-- The decisions of an order, oldest first.
select d.decision_id, d.version, d.decided_at, d.demand, d.candidates, d.plan, d.outcome
from sourcing_decisions d
join orders o using (order_id)
where o.order_number = :number
order by d.decision_id;

-- name: between
-- The decisions of some time, oldest first, a page at a time.
select decision_id, version, decided_at, demand, candidates, plan, outcome
from sourcing_decisions
where decided_at >= :from_at and decided_at < :to_at and decision_id > :after
order by decision_id
limit :limit;
