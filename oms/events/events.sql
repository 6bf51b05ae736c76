-- What happened to orders, in an order in which nothing is skipped and an order's events come in
-- their sequence.
--
-- A reader takes what transactions below the horizon wrote, by transaction. That alone would not
-- keep an order's sequence: a transaction that began early may write late, after another one has
-- added to the same order. Such an event has a lower transaction than the one before it; it is
-- told together with it (`leader` below), so the place of an event is the highest transaction of
-- its order up to it.

-- name: window
-- Where a stretch of the journal ends, and how many events lie in it.
select changed_xid::text::bigint as xid, order_id, seq, count(*) over () as events_count
from (
    select e.changed_xid, e.order_id, e.seq
    from order_events e
    where e.changed_xid >= cast(:xid as text)::xid8 and e.changed_xid < cast(:upto as text)::xid8
      and (e.changed_xid, e.order_id, e.seq) > (cast(:xid as text)::xid8, :order_id, :seq)
    order by e.changed_xid, e.order_id, e.seq
    limit :window_max
) stretch
order by changed_xid desc, order_id desc, seq desc
limit 1;

-- name: page
-- The events of a stretch, each behind its leader.
with leader as (
    select e.changed_xid, e.order_id, e.seq, o.order_number, c.channel_code
    from order_events e
    join orders o using (order_id)
    join channels c using (channel_id)
    where e.changed_xid >= cast(:xid as text)::xid8
      and e.changed_xid <= cast(:last_xid as text)::xid8
      and (e.changed_xid, e.order_id, e.seq) > (cast(:xid as text)::xid8, :order_id, :seq)
      and (e.changed_xid, e.order_id, e.seq)
          <= (cast(:last_xid as text)::xid8, :last_order_id, :last_seq)
      and (cast(:channels as text[]) is null or c.channel_code = any (cast(:channels as text[])))
      and (:has_history or not o.is_historical)
      and not exists (
          select from order_events p
          where p.order_id = e.order_id and p.seq < e.seq and p.changed_xid > e.changed_xid)
    order by e.changed_xid, e.order_id, e.seq
    limit :limit
)
select
    l.changed_xid::text::bigint as leader_xid, l.seq as leader_seq, l.order_number, l.channel_code,
    e.order_id, e.seq, e.type, e.occurred_at, e.recorded_at, e.data
from leader l
cross join lateral (
    select min(n.seq) as seq from order_events n
    where n.order_id = l.order_id and n.seq > l.seq and n.changed_xid >= l.changed_xid
) following
join order_events e on e.order_id = l.order_id
    and e.seq >= l.seq and e.seq < coalesce(following.seq, 2147483647)
    and (e.seq = l.seq or e.changed_xid < l.changed_xid)
order by l.changed_xid, l.order_id, l.seq, e.seq;

-- name: orders
-- Orders as they are, for the events that speak of them.
select
    o.order_id, o.order_number, c.channel_code, o.external_ref, o.external_number, o.order_state,
    o.fulfillment_state, coalesce(b.payment_state, 'none') as payment_state, o.fulfillment_method, x.location_code, o.placed_at, o.updated_at,
    o.currency, o.total_minor, o.country_code, o.is_test, o.version, o.customer_ref,
    o.customer_name, o.customer_email, o.customer_phone, o.ship_to, o.bill_to
from orders o
join channels c using (channel_id)
left join locations x on x.location_id = o.location_id
left join order_balances b using (order_id)
where o.order_id = any (cast(:orders as bigint[]));

-- name: lines
-- The lines of orders.
select
    order_id, line_no, line_ref, sku, title, quantity, canceled, shipped, returned, backordered,
    net_minor, tax_minor
from order_lines
where order_id = any (cast(:orders as bigint[]))
order by order_id, line_no;
