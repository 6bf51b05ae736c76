-- The follower that keeps beside each order what it is searched by.

-- name: find_changed
-- List the orders that were written, or a line of theirs.
select order_id from orders
where changed_xid >= cast(:after as text)::xid8 and changed_xid < cast(:upto as text)::xid8
union
select order_id from order_lines
where changed_xid >= cast(:after as text)::xid8 and changed_xid < cast(:upto as text)::xid8;

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
made as materialized (
    select
        o.order_id, o.currency, o.total_minor,
        coalesce(left(trim(replace(search_fold(o.customer_name), '-', ' ')), 100), '') as name_key,
        coalesce(l.types, '{}') as product_types,
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
                left(l.words, 60000)
            ))
            || string_to_array(l.tags, e'\x1f')
            || array[
                lower(o.order_number), o.order_id::text, left(lower(o.customer_email), 200),
                nullif(right(regexp_replace(o.customer_phone, '[^0-9]+', '', 'g'), 9), ''),
                'l:' || o.location_id, 'm:' || o.fulfillment_method, 'n:' || o.country_code
            ], null)) as words
    from asked
    join orders o using (order_id)
    left join lines l using (order_id)
)
insert into order_search as s (order_id, currency, total_minor, name_key, product_types, words)
select order_id, currency, total_minor, name_key, product_types, words
from made m
where not exists (
    select from order_search k
    where k.order_id = m.order_id and k.words = m.words and k.total_minor = m.total_minor
      and k.name_key = m.name_key and k.product_types = m.product_types
      and k.currency = m.currency
)
order by order_id
on conflict (order_id) do update
set
    currency = excluded.currency, total_minor = excluded.total_minor,
    name_key = excluded.name_key, product_types = excluded.product_types, words = excluded.words;
