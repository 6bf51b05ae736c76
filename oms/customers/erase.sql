-- Erasing a customer: what is theirs is found and removed, what must not come back is remembered.

-- name: find_orders
-- The orders of customers, with who they are to somebody who was erased before.
select
    coalesce((select array_agg(order_id order by order_id)
        from customer_orders where customer_id = any (:customer_ids)), '{}') as order_ids,
    coalesce((select array_agg(value_normalized) from customer_identifiers
        where customer_id = any (:customer_ids) and kind in ('email', 'phone')), '{}') as own,
    exists (select from customers where customer_id = any (:customer_ids) and state = 'erased') as is_erased;

-- name: bury
-- Remember that orders were erased, and by which addresses their customer was known.
with buried as (
    insert into erased_orders (order_id, erased_at)
    select order_id, :at from unnest(cast(:order_ids as bigint[])) as gone (order_id)
    on conflict do nothing
)
insert into erased_identifiers (digest, erased_at)
select distinct sha256(:salt || convert_to(told, 'UTF8')), cast(:at as timestamptz)
from (
    select concat_ws(' ', kind, channel_id, value_normalized) as told
    from customer_identifiers where customer_id = any (cast(:customer_ids as bigint[]))
    union
    select unnest(array[
        'email ' || normalized_email(customer_email), 'phone ' || normalized_phone(customer_phone),
        'channel_ref ' || channel_id || ' ' || normalized_ref(customer_ref)])
    from orders where order_id = any (cast(:order_ids as bigint[]))
) known
where told is not null
on conflict (digest) do update set erased_at = greatest(erased_identifiers.erased_at, excluded.erased_at);

-- name: has_erased
-- Whether anybody was ever erased.
select exists (select from erased_identifiers) or exists (select from erased_orders);

-- name: find_returned
-- Orders that name somebody who was erased: they themselves were erased before, or somebody of
-- that address was, after they were placed. Who comes back later is a new customer.
select o.order_id
from orders o
where o.changed_xid >= cast(cast(:after as text) as xid8) and o.changed_xid < cast(cast(:upto as text) as xid8)
  and (coalesce(o.customer_ref, o.customer_name, o.customer_email, o.customer_phone,
      o.ship_to::text, o.bill_to::text) is not null
      or exists (select from order_groups g where g.order_id = o.order_id and g.ship_to is not null))
  and (
      exists (select from erased_orders e where e.order_id = o.order_id)
      or exists (
          select from erased_identifiers e
          where e.erased_at > o.placed_at and e.digest = any (array[
              sha256(:salt || convert_to('email ' || normalized_email(o.customer_email), 'UTF8')),
              sha256(:salt || convert_to('phone ' || normalized_phone(o.customer_phone), 'UTF8')),
              sha256(:salt || convert_to(
                  'channel_ref ' || o.channel_id || ' ' || normalized_ref(o.customer_ref), 'UTF8'))]))
  )
order by o.order_id;

-- name: remove_identifiers
-- Nothing they are known by stays.
delete from customer_identifiers where customer_id = any (:customer_ids);

-- name: remove_links
-- Their orders are nobody's.
delete from customer_orders where customer_id = any (:customer_ids);

-- name: erase_reasons
-- Why money of orders went back, in somebody's words, where it was asked for, done at a till and in
-- their stories: that it did and how much stays. What a rule has said is nobody's words.
with asked as (
    update refunds set reason = '[erased]'
    where order_id = any (cast(:order_ids as bigint[])) and reason not in ('', 'owed', '[erased]')
),
listed as (
    update refund_batch_rows b set reason = '[erased]'
    from orders o
    where o.order_number = b.order_number and o.order_id = any (cast(:order_ids as bigint[]))
      and b.reason not in ('', '[erased]')
),
given as (
    update till_visits v set override_reason = '[erased]'
    from refunds r
    where r.visit_id = v.visit_id and r.order_id = any (cast(:order_ids as bigint[]))
      and v.override_reason is not null
)
update order_events set data = jsonb_set(data, '{reason}', '"[erased]"')
where order_id = any (cast(:order_ids as bigint[]))
  and split_part(type, '.', 1) in ('refund', 'return')
  and data ->> 'reason' not in ('', 'owed', '[erased]');

-- name: close_customers
-- What is left of them is that they were.
update customers set state = 'erased', merged_into = null where customer_id = any (:customer_ids);

-- name: begin_search
-- Write an erasure down, and what is to be looked for in what came before it.
insert into customer_erasures (
    customer_id, orders_count, erased_at, actor, reason, texts, inbox_upto, quarantine_upto
)
values (
    :customer_id, :orders_count, :at, :by, :reason, cast(:texts as jsonb),
    (select coalesce(max(inbox_id), 0) from inbox),
    (select coalesce(max(quarantine_id), 0) from quarantine)
)
returning erasure_id;

-- name: next_search
-- The oldest erasure whose search is not done, held; another worker has the next one.
select erasure_id, texts, inbox_position, inbox_upto, quarantine_position, quarantine_upto
from customer_erasures
where finished_at is null
order by erasure_id
limit 1
for update skip locked;

-- name: advance_search
-- How far a search is; done, it forgets what it looked for.
update customer_erasures
set
    inbox_position = :inbox, quarantine_position = :quarantine,
    finished_at = case when :is_done then cast(:at as timestamptz) end,
    texts = case when not :is_done then texts end
where erasure_id = :erasure_id;
