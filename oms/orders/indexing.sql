-- The follower that keeps beside each order what it is searched by.

-- name: find_changed
-- List the orders of which something was written that they are searched by.
with span as (
    select cast(:after as text)::xid8 as after, cast(:upto as text)::xid8 as upto
)
select order_id from span, orders where changed_xid >= after and changed_xid < upto
union
select order_id from span, order_lines where changed_xid >= after and changed_xid < upto
union
select order_id from span, order_groups where changed_xid >= after and changed_xid < upto
union
select order_id from span, fulfillment_orders where changed_xid >= after and changed_xid < upto
union
select order_id from span, parcels where changed_xid >= after and changed_xid < upto
union
select order_id from span, sourcing_decisions where changed_xid >= after and changed_xid < upto
union
select order_id from span, payments where changed_xid >= after and changed_xid < upto
union
select order_id from span, payment_transactions where changed_xid >= after and changed_xid < upto
union
select order_id from span, refunds where changed_xid >= after and changed_xid < upto
union
select order_id from span, returns where changed_xid >= after and changed_xid < upto
union
select order_id from span, documents where changed_xid >= after and changed_xid < upto;

-- name: mark_products
-- Note the products that are not what they were: orders of theirs may be many.
insert into order_search_due (product_id)
select distinct product_id from product_versions
where changed_xid >= cast(:after as text)::xid8 and changed_xid < cast(:upto as text)::xid8
  and version > 1
on conflict (product_id) do update set after_order_id = 0;

-- name: list_due
-- List some products whose orders wait.
select product_id, after_order_id from order_search_due order by product_id limit :products;

-- name: find_orders_of
-- List the next orders of a product.
select distinct order_id from order_lines
where product_id = :product_id and order_id > :after_order_id
order by order_id limit :rows;

-- name: advance_due
-- Note how far the orders of a product are done.
update order_search_due set after_order_id = :after_order_id where product_id = :product_id;

-- name: forget_due
-- Forget a product whose orders are done.
delete from order_search_due where product_id = :product_id;

-- name: index_orders
-- Write what orders are searched by, where it is not there already.
with asked as (
    select distinct order_id from unnest(cast(:order_ids as bigint[])) as asked (order_id)
),
lines as (
    select
        l.order_id,
        string_agg(
            concat_ws(' ', l.sku, p.gtin, l.title, case when p.title <> l.title then p.title end),
            ' '
        ) as words,
        string_agg(
            concat_ws(
                e'\x1f', 'p:' || l.product_id, 't:' || left(lower(p.product_type), 200),
                'k:' || left(lower(p.category), 200), 'b:' || left(lower(p.brand), 200)
            ),
            e'\x1f'
        ) as tags,
        array_agg(distinct p.product_type) filter (where p.product_type is not null) as types
    from asked
    join order_lines l using (order_id)
    join products p using (product_id)
    group by l.order_id
),
groups as (
    select
        g.order_id,
        string_agg(
            concat_ws(' ',
                search_name(g.ship_to ->> 'name'), search_name(g.pickup_point ->> 'name'),
                replace(g.ship_to ->> 'postcode', ' ', '-'),
                replace(g.ship_to ->> 'city', ' ', '-'),
                replace(g.pickup_point ->> 'postcode', ' ', '-'),
                replace(g.pickup_point ->> 'city', ' ', '-')
            ),
            ' '
        ) as words,
        string_agg('m:' || g.method, e'\x1f') as tags, array_agg(g.location_id) as location_ids
    from asked
    join order_groups g using (order_id)
    group by g.order_id
),
-- A parcel whose label was void is looked for, too: its number is what somebody was told.
sent as (
    select order_id, string_agg(words, ' ') as words, array_agg(location_id) as location_ids
    from (
        select
            f.order_id, concat_ws(' ', f.fulfillment_number, replace(f.tracking_number, ' ', '-')),
            case when f.state not in ('rejected', 'canceled') then f.location_id end
        from asked
        join fulfillment_orders f using (order_id)
        union all
        select
            p.order_id, concat_ws(' ', p.parcel_number, replace(p.tracking_number, ' ', '-')), null
        from asked
        join parcels p using (order_id)
    ) as u (order_id, words, location_id)
    group by order_id
),
cases as (
    select order_id, string_agg(case_id, ' ') as words
    from asked
    join order_cases using (order_id)
    group by order_id
),
-- What has to do with its money and with what came back: the numbers of it somebody was told.
papers as (
    select order_id, string_agg(words, ' ') as words, string_agg(distinct tag, e'\x1f') as tags
    from (
        select
            y.order_id, concat_ws(' ', y.payment_number, replace(y.psp_reference, ' ', '-')),
            case when y.state <> 'failed' then 'y:' || y.tender end
        from asked
        join payments y using (order_id)
        union all
        select x.order_id, replace(x.psp_reference, ' ', '-'), null
        from asked
        join payment_transactions x using (order_id)
        union all
        select u.order_id, u.refund_number, null from asked join refunds u using (order_id)
        union all
        select
            r.order_id, concat_ws(' ', r.return_number, replace(r.tracking_number, ' ', '-')), null
        from asked
        join returns r using (order_id)
        union all
        select d.order_id, d.document_number, null from asked join documents d using (order_id)
    ) as u (order_id, words, tag)
    group by order_id
),
-- What the newest plan of each delivery group was to be ready by: the first of them counts.
promises as (
    select order_id, min(promised_at) as promised_at
    from (
        select distinct on (d.order_id, d.group_no)
            d.order_id,
            cast(d.demand ->> 'placed_at' as timestamptz) + make_interval(hours => coalesce(
                (select nullif(cast(g ->> 'promise_hours' as integer), 0)
                    from jsonb_array_elements(r.rules -> 'groups') g
                    where g ->> 'name' = d.plan ->> 'group' limit 1),
                cast(r.rules ->> 'promise_hours' as integer))) as promised_at
        from asked
        join sourcing_decisions d using (order_id)
        join sourcing_rule_sets r using (version)
        order by d.order_id, d.group_no, d.decision_id desc
    ) as p
    group by order_id
),
-- Words of notes stand under whom they are for: who may not read a note does not find by it.
remarks as (
    select r.order_id, string_agg(r.letter || word, e'\x1f') as tags
    from (
        select
            n.order_id,
            case n.visibility when 'internal' then 'i:' when 'customer' then 'u:' else 'w:' end
                as letter,
            left(string_agg(translate(n.body, e'\n\r\t', '   '), ' ' order by n.note_id desc), 20000)
                as body
        from asked
        join notes n using (order_id)
        where n.body is not null
        group by 1, 2
    ) r
    cross join unnest(search_words(r.body)) as w (word)
    group by r.order_id
),
made as materialized (
    select
        o.order_id, o.placed_at, o.currency, o.total_minor, o.channel_id, o.order_state,
        o.fulfillment_state, o.fulfillment_method, o.country_code, o.location_id, o.tags,
        coalesce(left(trim(replace(search_fold(o.customer_name), '-', ' ')), 100), '') as name_key,
        coalesce(l.types, '{}') as product_types,
        coalesce(p.promised_at, '9999-01-01 00:00:00+00') as promised_at, f.location_ids,
        o.order_state in ('placed', 'in_progress')
            or o.fulfillment_state in ('allocated', 'backordered', 'partially_shipped') as is_open,
        array_to_tsvector(array_remove(
            search_words(concat_ws(' ',
                o.external_ref, o.external_number, search_name(o.customer_name),
                search_name(nullif(o.ship_to ->> 'name', o.customer_name)),
                search_name(nullif(o.bill_to ->> 'name', o.customer_name)),
                translate(o.customer_email, '@.+-_0123456789', '               '),
                replace(o.ship_to ->> 'postcode', ' ', '-'),
                replace(o.ship_to ->> 'city', ' ', '-'),
                replace(nullif(o.bill_to ->> 'postcode', o.ship_to ->> 'postcode'), ' ', '-'),
                replace(nullif(o.bill_to ->> 'city', o.ship_to ->> 'city'), ' ', '-'),
                left(g.words, 20000), left(w.words, 20000), left(m.words, 20000),
                left(l.words, 60000), c.words
            ))
            || string_to_array(concat_ws(e'\x1f', l.tags, g.tags, m.tags, r.tags), e'\x1f')
            || array(select 'f:' || location_id from unnest(f.location_ids) as t (location_id))
            || array(select 'g:' || tag from unnest(o.tags) as t (tag))
            || array[
                lower(o.order_number), o.order_id::text, left(lower(o.customer_email), 200),
                nullif(right(regexp_replace(o.customer_phone, '[^0-9]+', '', 'g'), 9), ''),
                'l:' || o.location_id, 'm:' || o.fulfillment_method, 'n:' || o.country_code,
                'd:' || to_char(o.placed_at at time zone 'UTC', 'YYYY-MM')
            ], null)) as words
    from asked
    join orders o using (order_id)
    left join lines l using (order_id)
    left join groups g using (order_id)
    left join sent w using (order_id)
    left join papers m using (order_id)
    left join promises p using (order_id)
    left join remarks r using (order_id)
    left join cases c using (order_id)
    cross join lateral (
        select array(
            select distinct location_id from unnest(g.location_ids || w.location_ids) as u (location_id)
            where location_id is not null order by location_id
        ) as location_ids
    ) f
)
insert into order_search as s (
    order_id, placed_at, promised_at, currency, total_minor, name_key, product_types, location_ids,
    is_open, channel_id, order_state, fulfillment_state, fulfillment_method, country_code,
    location_id, tags, words
)
select
    order_id, placed_at, promised_at, currency, total_minor, name_key, product_types, location_ids,
    is_open, channel_id, order_state, fulfillment_state, fulfillment_method, country_code,
    location_id, tags, words
from made m
where not exists (
    select from order_search k
    where k.order_id = m.order_id and k.words = m.words
      and (k.placed_at, k.promised_at, k.currency, k.total_minor, k.name_key, k.product_types,
           k.location_ids, k.is_open, k.channel_id, k.order_state, k.fulfillment_state,
           k.fulfillment_method, k.country_code, k.location_id, k.tags)
        is not distinct from
          (m.placed_at, m.promised_at, m.currency, m.total_minor, m.name_key, m.product_types,
           m.location_ids, m.is_open, m.channel_id, m.order_state, m.fulfillment_state,
           m.fulfillment_method, m.country_code, m.location_id, m.tags)
)
order by order_id
on conflict (order_id) do update
set
    placed_at = excluded.placed_at, promised_at = excluded.promised_at,
    currency = excluded.currency, total_minor = excluded.total_minor, name_key = excluded.name_key,
    product_types = excluded.product_types, location_ids = excluded.location_ids,
    is_open = excluded.is_open, channel_id = excluded.channel_id,
    order_state = excluded.order_state, fulfillment_state = excluded.fulfillment_state,
    fulfillment_method = excluded.fulfillment_method, country_code = excluded.country_code,
    location_id = excluded.location_id, tags = excluded.tags, words = excluded.words;
