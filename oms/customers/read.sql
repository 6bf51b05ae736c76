-- What is read of customers. channel_codes are the channels whose orders may be known of, null
-- every one.

-- name: family
-- Who is one person with a customer: up to whom they were merged into, and down to all who were.
with recursive up as (
    select customer_id, merged_into from customers where customer_id = :customer_id
    union all
    select k.customer_id, k.merged_into
    from up
    cross join lateral (
        select c.customer_id, c.merged_into from customers c where c.customer_id = up.merged_into
        offset 0  -- by the key for each: few were merged, which the planner does not know
    ) k
),
down as (
    select customer_id from up where merged_into is null
    union all
    select k.customer_id
    from down
    cross join lateral (
        select c.customer_id from customers c where c.merged_into = down.customer_id
        offset 0  -- likewise
    ) k
)
select
    (select customer_id from up where merged_into is null) as root_id,
    (select array_agg(customer_id order by customer_id) from down) as customer_ids;

-- name: is_known
-- Whether somebody has an account or an order in channels that may be known of.
select cast(:channel_codes as text[]) is null or exists (
    select from customer_identifiers i join channels c using (channel_id)
    where i.customer_id = any (:customer_ids) and c.channel_code = any (:channel_codes)
) or exists (
    select from customer_orders l join orders o using (order_id) join channels c using (channel_id)
    where l.customer_id = any (:customer_ids) and c.channel_code = any (:channel_codes)
);

-- name: customer
-- A customer, called as their newest order calls them, with how many orders are theirs.
select
    k.customer_id, k.state, k.merged_into, k.created_at, last.customer_name as name,
    (
        select count(*)
        from customer_orders l
        join orders o using (order_id)
        join channels c using (channel_id)
        where l.customer_id = any (:customer_ids) and l.basis <> 'unverified' and not o.is_test
          and (cast(:channel_codes as text[]) is null or c.channel_code = any (:channel_codes))
    ) as orders_count
from customers k
left join lateral (
    select o.customer_name
    from customer_orders l
    join orders o using (order_id)
    join channels c using (channel_id)
    where l.customer_id = any (:customer_ids) and o.customer_name is not null
      and (cast(:channel_codes as text[]) is null or c.channel_code = any (:channel_codes))
    order by l.placed_at desc, l.order_id desc
    limit 1
) last on true
where k.customer_id = :customer_id;

-- name: identifiers
-- What somebody is known by: to who may know of some channels only, nothing but their refs.
select
    i.identifier_id, i.customer_id, i.kind, c.channel_code, i.value_normalized as value,
    i.is_verified, i.source, i.first_seen_at
from customer_identifiers i
left join channels c using (channel_id)
where i.customer_id = any (:customer_ids)
  and (cast(:channel_codes as text[]) is null or c.channel_code = any (:channel_codes))
order by i.identifier_id;

-- name: events
-- What was done to somebody.
select event_id, customer_id, type, occurred_at, actor, reason, data
from customer_events
where customer_id = any (:customer_ids)
order by event_id;

-- name: orders
-- A page of somebody's orders, newest first.
select l.order_id
from customer_orders l
join orders o using (order_id)
join channels c using (channel_id)
where l.customer_id = any (:customer_ids) and not o.is_test
  and (cast(:channel_codes as text[]) is null or c.channel_code = any (:channel_codes))
  and (:with_unverified or l.basis <> 'unverified')
  and (cast(:after_at as timestamptz) is null
      or (l.placed_at, l.order_id) < (cast(:after_at as timestamptz), cast(:after_id as bigint)))
order by l.placed_at desc, l.order_id desc
limit :limit;

-- name: purchases
-- Orders as their customer sees them, with no more of a name than a store is shown.
select
    o.order_id, o.order_number, o.external_number, c.channel_code, x.location_code,
    x.name as location_name, o.placed_at, o.placed_on, o.order_state, o.fulfillment_state,
    o.fulfillment_method, o.currency, o.total_minor,
    upper(left(btrim(o.customer_name), 1)) as customer_initial,
    coalesce(o.ship_to ->> 'city', o.bill_to ->> 'city') as customer_city, l.basis
from orders o
join channels c using (channel_id)
left join locations x on x.location_id = o.location_id
left join customer_orders l using (order_id)
where o.order_id = any (:order_ids)
order by o.placed_at desc, o.order_id desc;

-- name: purchase_lines
-- Their lines. The time to return one begins when its last unit was handed over; of history we
-- know the day it was sold.
select
    k.order_id, k.line_no, k.sku, k.title, k.quantity, k.canceled, k.shipped, k.returned,
    greatest(0, k.shipped - k.returned) as returnable,
    case when k.shipped > 0
        then coalesce(s.last_on, o.placed_on) + cast(:days as integer) end as returnable_until,
    k.net_minor + k.tax_minor as total_minor
from order_lines k
join orders o using (order_id)
left join lateral (
    select max(e.occurred_on) as last_on from line_events e
    where e.order_id = k.order_id and e.line_no = k.line_no and e.kind = 'ship'
) s on true
where k.order_id = any (:order_ids)
order by k.order_id, k.line_no;

-- name: tracked_by_number
-- How an order is. A wrong address and an unknown number are the same here: no row.
select o.order_id, o.order_state, o.fulfillment_state, o.fulfillment_method, o.placed_at, o.updated_at
from orders o
where (o.order_number = upper(:number) or o.external_number in (:number, '#' || :number))
  and lower(o.customer_email) = lower(:email) and not o.is_test
order by o.placed_at desc
limit 1;

-- name: tracked_by_id
-- How an order is, for who has a link we signed.
select o.order_id, o.order_state, o.fulfillment_state, o.fulfillment_method, o.placed_at, o.updated_at
from orders o
where o.order_id = :order_id;

-- name: steps
-- What of an order's story anybody may know.
select type, occurred_at
from order_events
where order_id = :order_id
  and type in ('order.captured', 'order.shipped', 'order.canceled', 'order.returned')
order by occurred_at, seq;

-- name: parcels
-- The parcels of an order as anybody may know of them.
select carrier, tracking_number, tracking_url, pickup_point, state, eta_at, collect_by,
    coalesce(last_event_at, created_at) as updated_at
from parcels
where order_id = :order_id and voided_at is null
order by parcel_id;

-- name: written
-- What was written for the customers of orders, without who wrote it.
select order_id, kind, body, coalesce(edited_at, created_at) as written_at, is_captured
from notes
where order_id = any (cast(:order_ids as bigint[])) and visibility = 'customer'
  and redacted_at is null
order by is_pinned desc, note_id;

-- name: receipt
-- The store's orders that look like a receipt: two that look the same are not told apart.
select o.order_id, o.placed_at, l.customer_id, l.basis
from orders o
join channels c using (channel_id)
left join customer_orders l using (order_id)
where (o.external_number = :number or o.external_ref = :number or o.order_number = upper(:number))
  and o.placed_on = :placed_on and o.total_minor = :total_minor and o.currency = :currency
  and o.location_id is not null and not o.is_test
  and (cast(:channel_codes as text[]) is null or c.channel_code = any (:channel_codes))
  and not exists (select from erased_orders e where e.order_id = o.order_id)
limit 2;

-- name: account
-- Whose an account at a channel is.
select i.customer_id
from customer_identifiers i
join channels c using (channel_id)
where i.kind = 'channel_ref' and i.value_normalized = normalized_ref(:ref) and i.is_verified
  and c.channel_code = :channel_code;

-- name: search
-- Customers known by a value, a name, or the number of an order of theirs; one who was merged is
-- found as the one they were merged into.
with recursive found as (
    select i.customer_id
    from customer_identifiers i
    left join channels c using (channel_id)
    where i.value_normalized in (:words, normalized_email(:words), normalized_phone(:words))
      and (cast(:channel_codes as text[]) is null or c.channel_code = any (:channel_codes))
    union
    select l.customer_id
    from orders o
    join customer_orders l using (order_id)
    join channels c using (channel_id)
    where (o.order_number = upper(:words) or o.external_number = :words
        or lower(o.customer_email) = lower(:words)
        or o.order_id in (select s.order_id from order_search s
            where s.words @@ cast(:name_words as tsquery)
              and ' ' || s.name_key like all (cast(:names as text[]))))
      and (cast(:channel_codes as text[]) is null or c.channel_code = any (:channel_codes))
),
up as (
    select k.customer_id, k.merged_into from found join customers k using (customer_id)
    union
    select k.customer_id, k.merged_into
    from up
    cross join lateral (
        select c.customer_id, c.merged_into from customers c where c.customer_id = up.merged_into
        offset 0  -- by the key for each: few were merged, which the planner does not know
    ) k
)
select customer_id
from up
where merged_into is null and customer_id > :after
order by customer_id
limit :limit;
