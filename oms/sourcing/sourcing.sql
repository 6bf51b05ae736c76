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

-- name: networks
-- The locations each channel of these orders may be supplied from.
select n.channel_id, n.location_id, n.priority
from channel_locations n
where n.channel_id in (
    select channel_id from orders where order_id = any (cast(:order_ids as bigint[])));

-- name: groups
-- The delivery groups of these orders, and where on the map they go: a pick-up point where that
-- is known, else the customer. A redirected group has an address of its own.
select
    g.order_id, g.group_no, o.channel_id, c.channel_code, g.method, o.currency, o.placed_at,
    coalesce(g.ship_to ->> 'country_code', o.country_code) as country_code,
    o.items_net_minor + o.items_tax_minor as value_minor, o.customer_ref is not null as has_account,
    case when jsonb_typeof(t.ship_to -> 'latitude') = 'number'
        then (t.ship_to ->> 'latitude')::double precision end as latitude,
    case when jsonb_typeof(t.ship_to -> 'longitude') = 'number'
        then (t.ship_to ->> 'longitude')::double precision end as longitude
from delivery_groups g
join orders o using (order_id)
join channels c using (channel_id)
cross join lateral (
    select case when g.pickup_point ? 'latitude' then g.pickup_point
        else coalesce(g.ship_to, o.ship_to) end as ship_to) t
where g.order_id = any (cast(:order_ids as bigint[]));

-- name: lines
-- The lines of these orders, with what rules ask of an article.
select k.order_id, k.line_no, coalesce(k.group_no, 1) as group_no, p.product_id, p.sku,
    p.product_type, p.category, p.brand
from order_lines k
join products p using (product_id)
where k.order_id = any (cast(:order_ids as bigint[]));

-- name: articles
-- What rules ask of these articles.
select sku, product_type, category, brand from products where sku = any (cast(:skus as text[]))
order by sku;

-- name: places
-- These locations, and how many fulfillment orders each has been given on its own today.
select
    x.location_id, x.location_code, x.kind, x.is_enabled, x.time_zone, x.opening_hours,
    x.latitude, x.longitude,
    x.capacity_per_day, x.cut_off, x.lead_time_hours, x.shipping_buffer, x.node_cost_minor,
    x.transit_days,
    case when x.capacity_per_day is null then 0 else (
        select count(*) from fulfillment_orders f
        where f.location_id = x.location_id and f.state not in ('rejected', 'canceled')
          and f.created_at >= date_trunc('day', cast(:at as timestamptz) at time zone x.time_zone)
              at time zone x.time_zone) end as given_count
from locations x
where x.location_id = any (cast(:location_ids as integer[]));

-- name: hold_limited
-- Hold those of these locations that can only be given so much a day, so that two who give them
-- something at once count each other's.
select count(*) from (
    select 1 from locations
    where location_id = any (cast(:location_ids as integer[])) and capacity_per_day is not null
    order by location_id
    for no key update
) held;

-- name: hold_limited_of
-- Hold all of them a plan of these orders may give something: before any level is held.
select count(*) from (
    select 1 from locations
    where capacity_per_day is not null and location_id in (
        select n.location_id from channel_locations n
        where n.channel_id in (
            select channel_id from orders where order_id = any (cast(:order_ids as bigint[])))
        union all
        select location_id from reservations where order_id = any (cast(:order_ids as bigint[])))
    order by location_id
    for no key update
) held;

-- name: rejected
-- Which locations have rejected which of these orders before, or had them taken from them, or did
-- not send what they were to send.
select order_id, location_id
from fulfillment_orders
where order_id = any (cast(:order_ids as bigint[])) and reason is not null
  and reason not in ('no_show', 'refused', 'merged')
union
select order_id, from_location_id
from transfers
where order_id = any (cast(:order_ids as bigint[])) and reason is not null;

-- name: gathering
-- Where parts of delivery groups of these orders wait for the rest, to be sent together.
select distinct on (f.order_id, f.group_no) f.order_id, f.group_no, x.location_code
from fulfillment_orders f
join locations x using (location_id)
where f.order_id = any (cast(:order_ids as bigint[])) and f.state = 'waiting_for_transfer'
order by f.order_id, f.group_no, f.fulfillment_id;

-- name: free
-- What of these products is free at these locations; below zero where more is promised.
select l.product_id, array_agg(l.location_id) as location_ids,
    array_agg(l.on_hand - l.unavailable - l.allocated - l.safety_stock - coalesce(h.quantity, 0))
        as quantities
from stock_levels l
left join (
    select product_id, location_id, sum(quantity)::bigint as quantity
    from reservations
    where kind = 'hold' and state = 'active' and expires_at > :at
      and product_id = any (cast(:product_ids as integer[]))
    group by product_id, location_id
) h using (product_id, location_id)
where l.product_id = any (cast(:product_ids as integer[]))
  and l.location_id = any (cast(:location_ids as integer[]))
group by l.product_id;

-- name: free_at
-- Likewise, at some places: each a product and a location.
select l.product_id, l.location_id,
    l.on_hand - l.unavailable - l.allocated - l.safety_stock - coalesce((
        select sum(h.quantity) from reservations h
        where h.product_id = l.product_id and h.location_id = l.location_id
          and h.kind = 'hold' and h.state = 'active' and h.expires_at > :at), 0)::bigint as quantity
from unnest(cast(:product_ids as integer[]), cast(:location_ids as integer[]))
    as p(product_id, location_id)
join stock_levels l using (product_id, location_id);

-- name: note_moment
-- What locations were at a moment, for the decisions made then.
insert into sourcing_moments (nodes) values (cast(:nodes as jsonb)) returning moment_id;

-- name: told_already
-- Of these groups, of which nothing was given to anybody, those whose last decision said just that
-- of as much, by the same rules.
select n.order_id, n.group_no
from unnest(
    cast(:order_ids as bigint[]), cast(:group_nos as smallint[]), cast(:demands as text[]),
    cast(:plans as text[])) as n(order_id, group_no, demand, plan)
cross join lateral (
    select d.version, d.demand, d.plan
    from sourcing_decisions d
    where d.order_id = n.order_id and d.group_no = n.group_no
    order by d.decision_id desc
    limit 1
) d
where d.version = :version and d.plan = cast(n.plan as jsonb)
  and d.demand -> 'lines' = cast(n.demand as jsonb) -> 'lines';

-- name: queue_written
-- Orders of which units were reserved meanwhile that nobody has been asked to pick, of channels
-- whose orders we give to locations, are to be planned now: those written by transactions from
-- one up to another. Units that wait already do not bring their order here again.
insert into sourcing_queue (order_id, placed_at, promised_by)
select r.order_id, min(r.wanted_at), min(r.wanted_at) + make_interval(hours => coalesce((
    select cast(s.rules ->> 'promise_hours' as integer) from sourcing_rule_sets s
    where s.state = 'active'), 0))
from reservations r
join channels c using (channel_id)
where r.changed_xid >= cast(cast(:after as text) as xid8) and r.changed_xid < cast(cast(:upto as text) as xid8)
  and r.kind = 'order' and r.state = 'active' and r.fulfillment_id is null and c.is_routed
  and not exists (
      select from sourcing_queue q
      where q.order_id = r.order_id and r.reservation_id = any (q.reservation_ids))
group by r.order_id
order by r.order_id
on conflict (order_id) do update set again_at = null;

-- name: wake_supplied
-- Orders that wait for products of which there is more meanwhile are planned now: goods came in,
-- or somebody let some go. All of them are where the rules or a location changed.
with risen as (
    select product_id from stock_movements
    where changed_xid >= cast(cast(:after as text) as xid8) and changed_xid < cast(cast(:upto as text) as xid8)
      and on_hand_delta > unavailable_delta
    union
    select product_id from reservations
    where changed_xid >= cast(cast(:after as text) as xid8) and changed_xid < cast(cast(:upto as text) as xid8)
      and state in ('released', 'expired')
    union
    select k.product_id from line_events e
    join order_lines k using (order_id, line_no)
    where e.changed_xid >= cast(cast(:after as text) as xid8) and e.changed_xid < cast(cast(:upto as text) as xid8)
      and e.kind = 'cancel'
),
changed as (
    select exists (
        select from locations
        where changed_xid >= cast(cast(:after as text) as xid8) and changed_xid < cast(cast(:upto as text) as xid8)
        union all
        select from sourcing_rule_sets
        where changed_xid >= cast(cast(:after as text) as xid8) and changed_xid < cast(cast(:upto as text) as xid8)
          and state = 'active') as is_so
)
update sourcing_queue q
set again_at = null
from (
    select q.order_id from sourcing_queue q cross join changed
    where q.again_at is not null and (changed.is_so or exists (
        select from unnest(q.reservation_ids) as w(reservation_id)
        join reservations r using (reservation_id)
        where r.product_id in (select product_id from risen)))
    order by q.order_id
    for update of q
) woken
where q.order_id = woken.order_id;

-- name: has_waiting
-- Whether any order waits.
select exists (select from sourcing_queue where again_at is not null);

-- name: wake_products
-- Orders that wait for these products are planned now.
update sourcing_queue q
set again_at = null
from (
    select order_id from sourcing_queue q
    where q.again_at is not null and exists (
        select from unnest(q.reservation_ids) as w(reservation_id)
        join reservations r using (reservation_id)
        where r.product_id = any (cast(:product_ids as integer[])))
    order by order_id
    for update
) woken
where q.order_id = woken.order_id;

-- name: wake_due
-- Orders that waited long enough are planned now.
update sourcing_queue q
set again_at = null
from (
    select order_id from sourcing_queue where again_at <= :at order by order_id for update
) woken
where q.order_id = woken.order_id;

-- name: due
-- Hold the orders that are planned next, the most urgent first; who has one in hand comes later.
select q.order_id
from sourcing_queue q
join orders o using (order_id)
where q.again_at is null
order by q.priority desc, q.promised_by, q.placed_at, q.order_id
limit :limit
for update of o skip locked;

-- name: leave_queue
-- These orders have nothing more to be planned.
delete from sourcing_queue q
using (
    select order_id from sourcing_queue where order_id = any (cast(:order_ids as bigint[]))
    order by order_id
    for update
) planned
where q.order_id = planned.order_id;

-- name: wait
-- These orders keep units no rule gave out, and are planned again.
insert into sourcing_queue (order_id, reservation_ids, again_at, priority, promised_by, placed_at)
select order_id, reservation_ids, :again_at, priority, promised_by, placed_at
from jsonb_to_recordset(cast(:waits as jsonb)) as w(
    order_id bigint, reservation_ids bigint[], priority smallint, promised_by timestamptz,
    placed_at timestamptz)
order by order_id
on conflict (order_id) do update set
    reservation_ids = excluded.reservation_ids, again_at = excluded.again_at,
    priority = excluded.priority, promised_by = excluded.promised_by;

-- name: waiting
-- What of these orders waits, and is not to be planned again yet.
select order_id, reservation_ids from sourcing_queue
where order_id = any (cast(:order_ids as bigint[])) and again_at > :at;

-- name: of_order
-- The decisions of an order, oldest first.
select d.decision_id, d.version, d.decided_at, d.demand, d.candidates, d.plan, d.outcome, m.nodes
from sourcing_decisions d
join sourcing_moments m using (moment_id)
join orders o using (order_id)
where o.order_number = :number
order by d.decision_id;

-- name: between
-- The decisions of some time, oldest first, a page at a time; whether each is its group's first in
-- that time.
select d.decision_id, d.version, d.decided_at, d.demand, d.candidates, d.plan, d.outcome, m.nodes,
    not exists (
        select from sourcing_decisions e
        where e.order_id = d.order_id and e.group_no = d.group_no
          and e.decision_id < d.decision_id and e.decided_at >= :from_at
    ) as is_first
from sourcing_decisions d
join sourcing_moments m using (moment_id)
where d.decided_at >= :from_at and d.decided_at < :to_at and d.decision_id > :after
order by d.decision_id
limit :limit;

-- name: count_between
-- How many decisions of some time come after one.
select count(*) from sourcing_decisions
where decided_at >= :from_at and decided_at < :to_at and decision_id > :after;

-- name: happened
-- What locations really did of delivery groups: what each was given and has not been let off, how
-- often one was, and when the last of it left or was ready.
select f.order_id, f.group_no, x.location_code, min(x.node_cost_minor) as node_cost_minor,
    sum(l.quantity) as quantity,
    count(*) filter (where f.reason not in ('no_show', 'merged')) as rejection_count,
    case when bool_and(l.quantity = 0 or e.out_at is not null) then max(e.out_at) end as out_at
from unnest(cast(:order_ids as bigint[]), cast(:group_nos as smallint[])) as g(order_id, group_no)
join fulfillment_orders f on f.order_id = g.order_id and f.group_no = g.group_no
join locations x using (location_id)
cross join lateral (
    select coalesce(sum(i.quantity - i.removed), 0) as quantity
    from fulfillment_lines i
    where i.fulfillment_id = f.fulfillment_id
) l
cross join lateral (
    select min(v.occurred_at) as out_at
    from order_events v
    where v.order_id = f.order_id and v.data ->> 'fulfillment' = f.fulfillment_number
      and v.type in ('fulfillment.ready_for_collection', 'fulfillment.shipped')
) e
group by f.order_id, f.group_no, x.location_code
order by f.order_id, f.group_no, x.location_code;

-- name: sent_in
-- Which locations sent, or are to send, parts of delivery groups to where they leave from.
select f.order_id, f.group_no, x.location_code, min(x.node_cost_minor) as node_cost_minor
from unnest(cast(:order_ids as bigint[]), cast(:group_nos as smallint[])) as g(order_id, group_no)
join fulfillment_orders f on f.order_id = g.order_id and f.group_no = g.group_no
join transfers t using (fulfillment_id)
join locations x on x.location_id = t.from_location_id
where t.state <> 'canceled'
group by f.order_id, f.group_no, x.location_code
order by f.order_id, f.group_no, x.location_code;

-- name: left_of
-- What of delivery groups was neither sent, nor canceled, nor given to anybody.
select k.order_id, g.group_no,
    sum(greatest(0, k.quantity - k.canceled - greatest(k.shipped, l.quantity))) as quantity
from unnest(cast(:order_ids as bigint[]), cast(:group_nos as smallint[])) as g(order_id, group_no)
join order_lines k on k.order_id = g.order_id and coalesce(k.group_no, 1) = g.group_no
cross join lateral (
    select coalesce(sum(i.quantity - i.removed), 0) as quantity
    from fulfillment_orders f
    join fulfillment_lines i using (fulfillment_id)
    where f.order_id = k.order_id and i.line_no = k.line_no
) l
group by k.order_id, g.group_no;

-- name: page
-- Decisions of every order, the newest first.
select d.decision_id, d.version, d.decided_at, d.demand, d.candidates, d.plan, d.outcome, m.nodes,
    o.order_number
from sourcing_decisions d
join sourcing_moments m using (moment_id)
join orders o using (order_id)
join channels c using (channel_id)
where (cast(:after as bigint) is null or d.decision_id < :after)
  and (cast(:channels as text[]) is null or c.channel_code = any (:channels))
  and (cast(:location_code as text) is null
      or d.plan -> 'parts' @> jsonb_build_array(jsonb_build_object('code', :location_code)))
  and (not :only_left or d.plan -> 'left' <> '{}')
order by d.decision_id desc
limit :limit;
