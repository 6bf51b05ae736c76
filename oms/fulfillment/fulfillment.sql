-- The statements of fulfillment orders.

-- name: open_orders
-- A fulfillment order per (order, group, location) of the units given, with its lines; what is
-- collected is picked where it is collected, what is gathered at its hub, and waits while some of
-- it is kept elsewhere. One that waits already takes what comes to it. Returns which units are
-- whose.
with units as (
    select * from jsonb_to_recordset(cast(:units as jsonb)) as u(
        reservation_id bigint, order_id bigint, line_no smallint, product_id integer,
        location_id integer, quantity bigint, place_id integer, hub_id integer)
),
placed as (
    select u.reservation_id, u.order_id, u.line_no, u.product_id, u.quantity,
        coalesce(k.group_no, 1) as group_no,
        coalesce(u.place_id, u.hub_id, u.location_id) as location_id,
        coalesce(coalesce(u.place_id, u.hub_id) <> u.location_id, false) as is_elsewhere
    from units u
    join order_lines k using (order_id, line_no)
),
wanted as (
    select order_id, group_no, location_id, bool_or(is_elsewhere) as is_waiting
    from placed
    group by order_id, group_no, location_id
),
joined as (
    update fulfillment_orders f
    set version = version + 1, changed_at = :at
    from wanted w
    where (f.order_id, f.group_no, f.location_id) = (w.order_id, w.group_no, w.location_id)
      and f.state = 'waiting_for_transfer'
    returning f.fulfillment_id, f.fulfillment_number, f.order_id, f.group_no, f.location_id, f.state
),
opened as (
    insert into fulfillment_orders (
        order_id, group_no, location_id, method, state, created_at, changed_at
    )
    select w.order_id, w.group_no, w.location_id, g.method,
        case when w.is_waiting then 'waiting_for_transfer' else 'assigned' end, :at, :at
    from wanted w
    join delivery_groups g using (order_id, group_no)
    where not exists (
        select from joined j
        where (j.order_id, j.group_no, j.location_id) = (w.order_id, w.group_no, w.location_id))
    order by w.order_id, w.group_no, w.location_id
    returning fulfillment_id, fulfillment_number, order_id, group_no, location_id, state
),
taking as (
    select *, true as is_new from opened union all select *, false from joined
),
lines as (
    insert into fulfillment_lines (fulfillment_id, order_id, line_no, product_id, quantity)
    select o.fulfillment_id, o.order_id, p.line_no, min(p.product_id), sum(p.quantity)
    from placed p
    join taking o using (order_id, group_no, location_id)
    group by o.fulfillment_id, o.order_id, p.line_no
    on conflict (fulfillment_id, line_no) do update
    set quantity = fulfillment_lines.quantity + excluded.quantity
)
select o.fulfillment_id, o.fulfillment_number, o.order_id, x.location_code, o.state, o.is_new,
    array_agg(p.reservation_id) as reservation_ids
from taking o
join placed p using (order_id, group_no, location_id)
join locations x on x.location_id = o.location_id
group by o.fulfillment_id, o.fulfillment_number, o.order_id, x.location_code, o.state, o.is_new
order by o.fulfillment_id;

-- name: hold
-- Hold a fulfillment order and its order, the order first, as everybody does.
select f.fulfillment_id
from fulfillment_orders f
where f.fulfillment_number = :number
for update;

-- name: target
-- A location work may go to: whether it works at all, and whether it supplies the order's channel.
select x.location_id, f.location_id as from_id, x.is_enabled, exists (
    select from channel_locations n
    where n.channel_id = o.channel_id and n.location_id = x.location_id) as is_in_network
from fulfillment_orders f
join orders o using (order_id)
join locations x on x.location_code = :code
where f.fulfillment_id = :fulfillment_id;

-- name: goods
-- What the lines of a fulfillment order are of, and where it is.
select l.line_no, l.product_id, f.location_id
from fulfillment_lines l
join fulfillment_orders f using (fulfillment_id)
where l.fulfillment_id = :fulfillment_id;

-- name: order_of
-- Whose fulfillment order it is.
select order_id from fulfillment_orders where fulfillment_number = :number;

-- name: to_accept
-- Which of these wait to be accepted at a location that is given so many minutes for it.
select f.fulfillment_id, x.opening_hours, x.time_zone, x.accept_minutes
from fulfillment_orders f
join locations x using (location_id)
where f.fulfillment_id = any (cast(:fulfillment_ids as bigint[])) and f.state = 'assigned'
  and f.method not in ('collect_store', 'reserve') and x.accept_minutes is not null;

-- name: give_time
-- By when they are to be accepted.
update fulfillment_orders f
set accept_by = u.accept_by
from jsonb_to_recordset(cast(:timed as jsonb)) as u(fulfillment_id bigint, accept_by timestamptz)
where f.fulfillment_id = u.fulfillment_id;

-- name: unaccepted
-- What nobody accepted in time, the longest first, as long as its location is hurried at all. What
-- is on a hold that keeps it from being picked is not.
select f.fulfillment_number, f.version
from fulfillment_orders f
join locations x using (location_id)
where f.state = 'assigned' and f.accept_by <= :at and x.accept_minutes is not null
  and not exists (
      select from order_holds h
      where h.order_id = f.order_id and h.released_at is null
        and h.type = any (cast(:unhurried as text[])))
order by f.accept_by, f.fulfillment_id
limit 1;

-- name: uncollected
-- What lies ready longer than its customer was given to come: the longest first. What is only
-- reserved is not kept longer either, ready or not.
select fulfillment_number, version
from fulfillment_orders
where collect_by <= :at and (state = 'ready_for_collection' or (
    method = 'reserve' and state in ('assigned', 'accepted', 'picking', 'picked', 'packed')))
order by collect_by, fulfillment_id
limit 1;

-- name: move
-- Write the next state of a fulfillment order, if nobody else has meanwhile.
update fulfillment_orders
set state = :state, changed_at = :at, version = version + 1,
    reason = coalesce(:reason, reason), collect_code = coalesce(:collect_code, collect_code),
    collect_by = coalesce(:collect_by, collect_by), carrier = coalesce(:carrier, carrier),
    tracking_number = coalesce(:tracking_number, tracking_number)
where fulfillment_id = :fulfillment_id and version = :version;

-- name: pick
-- What was picked of each line; the rest of it is taken away.
update fulfillment_lines l
set picked = p.picked, removed = l.removed + p.short
from jsonb_to_recordset(cast(:lines as jsonb)) as p(line_no smallint, picked bigint, short bigint)
where l.fulfillment_id = :fulfillment_id and l.line_no = p.line_no;

-- name: reduce
-- Some of it will not come.
update fulfillment_lines l
set removed = l.removed + p.quantity
from jsonb_to_recordset(cast(:lines as jsonb)) as p(line_no smallint, quantity bigint)
where l.fulfillment_id = :fulfillment_id and l.line_no = p.line_no;

-- name: stop_waiting
-- Those of these orders whose units are all there are to be picked; one that has none left is
-- canceled. Returns those that changed.
update fulfillment_orders f
set
    state = case when exists (
        select from fulfillment_lines l
        where l.fulfillment_id = f.fulfillment_id and l.quantity > l.done + l.removed)
        then 'assigned' else 'canceled' end,
    changed_at = :at, version = version + 1
where f.order_id = any (cast(:order_ids as bigint[])) and f.state = 'waiting_for_transfer'
  and not exists (
      select from reservations r
      where r.order_id = f.order_id and r.fulfillment_id = f.fulfillment_id
        and r.transfer_id is not null and r.state in ('active', 'in_transit'))
returning f.fulfillment_id, f.fulfillment_number, f.order_id, f.state;

-- name: take_away
-- Nothing of it is to be supplied here any more.
update fulfillment_lines
set removed = quantity - done, picked = 0
where fulfillment_id = :fulfillment_id;

-- name: put_back
-- What was picked lies on its shelf again.
update fulfillment_lines set picked = 0 where fulfillment_id = :fulfillment_id;

-- name: take_in
-- What another one still has to supply is to be supplied by this one, too.
insert into fulfillment_lines (fulfillment_id, order_id, line_no, product_id, quantity)
select :fulfillment_id, o.order_id, o.line_no, o.product_id, o.quantity - o.done - o.removed
from fulfillment_lines o
where o.fulfillment_id = :other_id and o.quantity > o.done + o.removed
on conflict (fulfillment_id, line_no) do update
set quantity = fulfillment_lines.quantity + excluded.quantity;

-- name: hurry
-- Whichever was to be accepted first says by when.
update fulfillment_orders f
set accept_by = least(f.accept_by, o.accept_by)
from fulfillment_orders o
where f.fulfillment_id = :fulfillment_id and o.fulfillment_id = :other_id;

-- name: hand_over
-- What was still open has left.
update fulfillment_lines
set done = done + quantity - done - removed
where fulfillment_id = :fulfillment_id;

-- name: hand_over_part
-- Some of it has left; the rest is to be supplied still, or not any more.
update fulfillment_lines l
set
    done = l.done + coalesce(p.quantity, 0),
    removed = case when :keeps_rest then l.removed
        else l.quantity - l.done - coalesce(p.quantity, 0) end,
    picked = case when :keeps_rest
        then least(l.picked, l.quantity - l.done - l.removed - coalesce(p.quantity, 0))
        else l.picked end
from fulfillment_lines k
left join jsonb_to_recordset(cast(:lines as jsonb)) as p(line_no smallint, quantity bigint)
    using (line_no)
where l.fulfillment_id = :fulfillment_id
  and k.fulfillment_id = l.fulfillment_id and k.line_no = l.line_no;

-- name: fit
-- The open fulfillment orders of these orders have what is still reserved for them; one that has
-- nothing left is canceled. Returns those that changed.
with kept as (
    select l.fulfillment_id, l.line_no, l.quantity - l.done - l.removed as open,
        coalesce((
            select sum(r.quantity) from reservations r
            where r.order_id = l.order_id and r.line_no = l.line_no
              and r.fulfillment_id = l.fulfillment_id
              and r.state in ('active', 'in_transit')), 0)::bigint as reserved
    from fulfillment_lines l
    join fulfillment_orders f using (fulfillment_id)
    where l.order_id = any (cast(:order_ids as bigint[])) and f.state = any (cast(:open_states as text[]))
),
fitted as (
    update fulfillment_lines l
    set removed = l.removed + k.open - k.reserved, picked = least(l.picked, k.reserved)
    from kept k
    where l.fulfillment_id = k.fulfillment_id and l.line_no = k.line_no and k.open > k.reserved
    returning l.fulfillment_id
)
update fulfillment_orders f
set
    state = case when left_over.reserved = 0 then 'canceled' else f.state end,
    changed_at = :at, version = f.version + 1
from (select fulfillment_id, sum(reserved) as reserved from kept group by fulfillment_id) left_over
where f.fulfillment_id = left_over.fulfillment_id
  and f.fulfillment_id in (select fulfillment_id from fitted)
returning f.fulfillment_id, f.fulfillment_number, f.order_id, f.state;

-- name: orders_with_work
-- Which of these orders have open fulfillment orders.
select distinct order_id
from fulfillment_orders
where order_id = any (cast(:order_ids as bigint[])) and state = any (cast(:open_states as text[]))
order by order_id;

-- name: images
-- What fulfillment orders are, with their lines: as the story of their order keeps it.
select f.fulfillment_number, jsonb_build_object(
        'state', f.state, 'location', x.location_code, 'fulfillment_lines', jsonb_agg(
            jsonb_build_object('line_no', l.line_no, 'quantity', l.quantity, 'picked', l.picked,
                'done', l.done, 'removed', l.removed) order by l.line_no)) as image
from fulfillment_orders f
join fulfillment_lines l using (fulfillment_id)
join locations x using (location_id)
where f.fulfillment_number = any (cast(:numbers as text[]))
group by f.fulfillment_id, x.location_code;
