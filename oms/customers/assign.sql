-- Whose an order is: from what its document says of the customer, and from what is shown to be
-- somebody's. A pure function of both, so orders may come, change and come again in any sequence.

-- name: lock
-- Whoever assigns orders does so alone: an address that is verified while a batch is matched
-- would be missed.
select pg_advisory_xact_lock(hashtextextended('oms.customers.assign', 0));

-- name: take_changed
-- The orders the journal has to tell of.
insert into customer_batch (order_id, channel_id, is_till, channel_ref, email, phone, placed_at)
select
    o.order_id, o.channel_id, c.kind in ('pos', 'kiosk'), normalized_ref(o.customer_ref),
    normalized_email(o.customer_email), normalized_phone(o.customer_phone), o.placed_at
from orders o
join channels c using (channel_id)
where o.changed_xid >= cast(cast(:after as text) as xid8) and o.changed_xid < cast(cast(:upto as text) as xid8);

-- name: take_of_value
-- The orders of whoever is known by a value, however well: what becomes of them may change when
-- it is shown to be somebody's.
insert into customer_batch (order_id, channel_id, is_till, channel_ref, email, phone, placed_at)
select
    o.order_id, o.channel_id, c.kind in ('pos', 'kiosk'), normalized_ref(o.customer_ref),
    normalized_email(o.customer_email), normalized_phone(o.customer_phone), o.placed_at
from orders o
join channels c using (channel_id)
where o.order_id in (
    select l.order_id
    from customer_identifiers i
    join customer_orders l using (customer_id)
    where i.value_normalized = :value
);

-- name: match
-- The customer of each order that has none so far. An account stands for itself: whatever address
-- it gives, its orders are its own. Only who has none is known by an address, and only what is
-- shown to be somebody's makes the order theirs; else it is with all that say the same.
update customer_batch b
set customer_id = m.customer_id, basis = m.basis
from (
    select distinct on (order_id) order_id, customer_id, basis
    from (
        select d.order_id, i.customer_id, 'loyalty' as basis, 1 as rank
        from customer_batch d
        join customer_identifiers i on i.kind = 'loyalty' and i.value_normalized = d.channel_ref and i.is_verified
        where d.is_till and d.customer_id is null
        union all
        select d.order_id, i.customer_id, 'channel_ref', 2
        from customer_batch d
        join customer_identifiers i
            on i.kind = 'channel_ref' and i.value_normalized = d.channel_ref and i.channel_id = d.channel_id
            and i.is_verified
        where d.customer_id is null
        union all
        select d.order_id, i.customer_id, 'email', 3
        from customer_batch d
        join customer_identifiers i on i.kind = 'email' and i.value_normalized = d.email and i.is_verified
        where d.channel_ref is null and d.customer_id is null
        union all
        select d.order_id, i.customer_id, 'phone', 4
        from customer_batch d
        join customer_identifiers i on i.kind = 'phone' and i.value_normalized = d.phone and i.is_verified
        where d.channel_ref is null and d.customer_id is null
        union all
        select d.order_id, i.customer_id, 'unverified', 5
        from customer_batch d
        join customer_identifiers i on i.kind = 'email' and i.value_normalized = d.email and i.source = 'guest'
        where d.channel_ref is null and d.customer_id is null
        union all
        select d.order_id, i.customer_id, 'unverified', 6
        from customer_batch d
        join customer_identifiers i on i.kind = 'phone' and i.value_normalized = d.phone and i.source = 'guest'
        where d.channel_ref is null and d.email is null and d.customer_id is null
    ) found
    order by order_id, rank
) m
where m.order_id = b.order_id;

-- name: open_customers
-- A customer for each account nobody knows, and for each address of guests.
with wanted as (
    select distinct
        case when channel_ref is not null then 'channel_ref' when email is not null then 'email' else 'phone' end as kind,
        case when channel_ref is not null then channel_id end as channel_id,
        coalesce(channel_ref, email, phone) as value
    from customer_batch
    where customer_id is null and coalesce(channel_ref, email, phone) is not null
),
numbered as materialized (
    select nextval(pg_get_serial_sequence('customers', 'customer_id')) as customer_id, kind, channel_id, value
    from wanted
),
known as (
    insert into customer_identifiers (
        customer_id, kind, channel_id, value_normalized, is_verified, source, first_seen_at
    )
    select
        customer_id, kind, channel_id, value, kind = 'channel_ref',
        case when kind = 'channel_ref' then 'order' else 'guest' end, :at
    from numbered
    on conflict do nothing
    returning customer_id
)
insert into customers (customer_id, state, created_at)
select customer_id, 'active', :at from known;

-- name: note_identifiers
-- The addresses an order gives are its customer's to be found by, and no more than that.
insert into customer_identifiers (customer_id, kind, value_normalized, is_verified, source, first_seen_at)
select distinct b.customer_id, v.kind, v.value, false, 'order', cast(:at as timestamptz)
from customer_batch b
cross join lateral (values ('email', b.email), ('phone', b.phone)) v (kind, value)
where b.customer_id is not null and v.value is not null
  and not exists (
      select from customer_identifiers i
      where i.customer_id = b.customer_id and i.kind = v.kind and i.value_normalized = v.value)
on conflict do nothing;

-- name: link
-- Whose each order is, where that is news. What somebody claimed with the receipt stays theirs.
insert into customer_orders as l (order_id, customer_id, basis, placed_at)
select order_id, customer_id, basis, placed_at
from customer_batch
where customer_id is not null
on conflict (order_id) do update
    set customer_id = excluded.customer_id, basis = excluded.basis
    where (l.customer_id, l.basis) is distinct from (excluded.customer_id, excluded.basis)
      and l.basis <> 'claimed';

-- name: unlink
-- Orders that name nobody any more.
delete from customer_orders l using customer_batch b
where l.order_id = b.order_id and b.customer_id is null and l.basis <> 'claimed';
