-- The statements of reservations that are paid in a store.

-- name: undated
-- Those of these fulfillment orders that are reservations, and what says how long they are kept.
select f.fulfillment_id, f.collect_by, f.created_at, c.reserve_days, x.time_zone, x.opening_hours
from fulfillment_orders f
join orders o using (order_id)
join channels c using (channel_id)
join locations x on x.location_id = f.location_id
where f.fulfillment_id = any (cast(:fulfillment_ids as bigint[])) and f.method = 'reserve'
order by f.fulfillment_id;

-- name: keep_until
-- How long each is kept; a version of its own is for who has seen it.
update fulfillment_orders f
set collect_by = k.collect_by, version = f.version + :version_step
from jsonb_to_recordset(cast(:kept as jsonb)) as k(fulfillment_id bigint, collect_by timestamptz)
where f.fulfillment_id = k.fulfillment_id;

-- name: link
-- A receipt took units of a reservation: one reservation for each receipt.
insert into reservation_sales (sale_order_id, fulfillment_id, order_id, quantities, sold_at, sold_by)
values (:sale_order_id, :fulfillment_id, :order_id, cast(:quantities as jsonb), :at, :by)
on conflict (sale_order_id) do nothing
returning sale_order_id;

-- name: sales
-- The receipts units of these fulfillment orders were sold by, oldest first.
select s.fulfillment_id, o.order_id, o.order_number, c.channel_code, o.external_ref as receipt,
    s.quantities, s.sold_at
from reservation_sales s
join orders o on o.order_id = s.sale_order_id
join channels c using (channel_id)
where s.fulfillment_id = any (cast(:fulfillment_ids as bigint[]))
order by s.sold_at, o.order_id;

-- name: sold_by
-- The fulfillment order a receipt took units of.
select f.fulfillment_number, f.order_id
from reservation_sales s
join orders o on o.order_id = s.sale_order_id
join fulfillment_orders f using (fulfillment_id)
where o.external_ref = :receipt and o.channel_id = :channel_id;

-- name: count_one_by_one
-- Only one at a time may count a customer's reservations in a channel, and add one.
select pg_advisory_xact_lock(hashtextextended(concat_ws(':', 'reservations', :channel_id, lower(:email)), 0));

-- name: open_count
-- How many open orders of a channel a customer has something reserved by; none for one that is here.
select count(*)
from orders o
where lower(o.customer_email) = lower(:email) and o.channel_id = :channel_id
  and o.order_state in ('placed', 'in_progress')
  and exists (select from delivery_groups g where g.order_id = o.order_id and g.method = 'reserve')
  and not exists (
      select from orders k where k.external_ref = :external_ref and k.channel_id = :channel_id);
