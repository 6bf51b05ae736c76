-- A retailer of a million orders for the benchmark of the order list, made in SQL from a seed.

-- name: make_places
-- Register a distribution center and forty stores.
insert into locations (location_code, name, kind, country_code, time_zone, updated_at)
select
    case when n = 0 then 'DC' else 'S' || lpad(n::text, 3, '0') end, 'Place ' || n,
    case when n = 0 then 'dc' else 'store' end, 'NL', 'Europe/Amsterdam', :at
from generate_series(0, 40) as n;

-- name: make_channels
-- Register six channels, of very different size.
insert into channels (
    channel_code, name, kind, currency, currencies, prices_include_tax, time_zone, adapter,
    updated_at
)
select
    code, code, kind, currency, array[currency], true, 'Europe/Amsterdam', 'canonical', :at
from (values
    ('web', 'webshop', 'EUR'), ('till', 'pos', 'EUR'), ('market', 'marketplace', 'EUR'),
    ('kiosk', 'kiosk', 'EUR'), ('phone', 'phone', 'EUR'), ('us', 'webshop', 'USD')
) as v (code, kind, currency);

-- name: make_products
-- List ten thousand products of sixty types; few of them are sold often.
insert into products (sku, gtin, title, product_type, category, brand, updated_at)
select
    'SKU-' || lpad(n::text, 5, '0'), (8710000000000 + n * 97)::text,
    initcap(concat_ws(' ',
        (array['red', 'blue', 'green', 'black', 'white', 'oak', 'steel', 'brass', 'linen', 'wool'])
            [1 + n % 10],
        (array['large', 'small', 'folding', 'round', 'square', 'light', 'heavy'])[1 + n % 7],
        (array['lamp', 'mug', 'chair', 'table', 'pen', 'bag', 'rug', 'shelf', 'clock', 'vase',
            'bowl', 'plate', 'towel'])[1 + n % 13]
    )) || ' ' || n,
    'Type ' || n % 60, 'Category ' || n % 12, 'Brand ' || n % 150, :at
from generate_series(1, :products) as n;

-- name: make_orders
-- Capture some orders, the oldest first: the last of all are open still.
with made as (
    select
        n, n::double precision / :orders as age, random() as channel_at, random() as state_at,
        (array['Jan', 'Piet', 'Anna', 'Sofie', 'Lars', 'Emma', 'Noah', 'Lucas', 'Julia', 'Zoë',
            'Renée', 'Björn', 'Łukasz', 'Maria', 'Ahmed', 'Fatima', 'Wei', 'Olga', 'Tom', 'Eva'])
            [1 + floor(random() * 20)] as first_name,
        (array['', '', '', '', 'van ', 'de ', 'van der '])[1 + floor(random() * 7)]
        || (array['Berg', 'Haan', 'Vries', 'Bakker', 'Jans', 'Smit', 'Meer', 'Dijk', 'Boer', 'Vis',
            'Köster', 'Lund', 'Holm', 'Peters', 'Kowal', 'Silva'])[1 + floor(random() * 16)]
        || (array['', 'sen', 'ma', 'stra', 'mans', 'er', 'ink', 'huis', 'veld', 'hof'])
            [1 + floor(random() * 10)]
        || (array['', '', 'a', 'e', 'o', 'us'])[1 + floor(random() * 6)] as last_name,
        (array['Amsterdam', 'Rotterdam', 'Den Haag', 'Utrecht', 'Gent', 'Köln', 'Zürich', 'Århus'])
            [1 + floor(power(random(), 2) * 8)] as city,
        floor(random() * 9000 + 1000)::int as postcode
    from generate_series(cast(:first as bigint), cast(:last as bigint)) as n
),
sold as (
    select
        m.*, m.first_name || ' ' || m.last_name as customer, c.channel_id, c.channel_code,
        c.currency,
        timestamptz '2024-01-01' + (m.age * 730 * 24) * interval '1 hour' as at,
        case
            when m.age > 0.97 then (array['allocated', 'allocated', 'backordered',
                'partially_shipped'])[1 + floor(m.state_at * 4)]
            when m.state_at < 0.05 then 'canceled'
            when m.state_at < 0.12 then 'returned'
            when m.state_at < 0.15 then 'partially_returned'
            else 'shipped'
        end as fulfillment_state
    from made m
    join channels c on c.channel_code = case
        when m.channel_at < 0.5 then 'web' when m.channel_at < 0.8 then 'till'
        when m.channel_at < 0.93 then 'market' when m.channel_at < 0.98 then 'us'
        when m.channel_at < 0.995 then 'phone' else 'kiosk' end
)
insert into orders (
    order_id, channel_id, external_ref, external_number, sha256, order_state, fulfillment_state,
    fulfillment_method, location_id, placed_at, placed_on, recorded_at, updated_at, currency,
    prices_include_tax, customer_ref, customer_name, customer_email, customer_phone, ship_to,
    country_code, items_net_minor, items_tax_minor, total_minor, has_exception, is_test
)
select
    100000000 + n, channel_id, upper(channel_code) || '-' || lpad(n::text, 8, '0'), '#' || n,
    sha256(n::text::bytea),
    case fulfillment_state
        when 'canceled' then 'canceled' when 'allocated' then 'placed'
        when 'backordered' then 'placed' when 'partially_shipped' then 'in_progress'
        else 'completed' end,
    fulfillment_state,
    case when channel_code in ('till', 'kiosk') then 'carry_out'
        when state_at * 100 - floor(state_at * 100) < 0.15 then 'collect_store'
        when state_at * 100 - floor(state_at * 100) < 0.2 then 'pickup_point'
        else 'ship_home' end,
    case when channel_code in ('till', 'kiosk') then
        (select location_id from locations where location_code = 'S' || lpad((1 + n % 40)::text, 3, '0'))
    end,
    at, at::date, at, at + random() * interval '5 days', currency, true, 'C' || n % 200000,
    customer,
    lower(translate(customer, ' ëéöłüå', '.eeolua')) || n % 5000 || '@example.'
        || (array['org', 'com', 'net'])[1 + n % 3],
    '+316' || lpad((n * 7919 % 100000000)::text, 8, '0'),
    jsonb_build_object('name', customer, 'street', 'Laan ' || n % 300, 'postcode',
        postcode || ' ' || chr(65 + n::int % 26) || chr(65 + n::int % 25), 'city', city,
        'country_code', 'NL'),
    case when city in ('Gent') then 'BE' when city = 'Köln' then 'DE' when city = 'Zürich' then 'CH'
        when city = 'Århus' then 'DK' else 'NL' end,
    0, 0, 0, random() < 0.004, random() < 0.001
from sold
order by n;

-- name: make_lines
-- Sell one to three products in each of them, the popular ones most often.
insert into order_lines (
    order_id, line_no, line_ref, product_id, sku, title, quantity, shipped, unit_price_minor,
    list_minor, discount_minor, net_minor, tax_minor
)
select
    l.order_id, l.line_no, l.line_no::text, p.product_id, p.sku, p.title, l.quantity, l.quantity,
    l.price, l.quantity * l.price, 0, round(l.quantity * l.price / 1.21),
    l.quantity * l.price - round(l.quantity * l.price / 1.21)
from (
    select
        100000000 + n as order_id, k as line_no, 1 + floor(random() * 3)::int as quantity,
        500 + floor(power(random(), 3) * 50000)::int as price,
        1 + floor(power(random(), 2.5) * :products)::int as product_id
    from generate_series(cast(:first as bigint), cast(:last as bigint)) as n
    cross join lateral generate_series(1, 1 + (n * 31 % 3)) as k
) l
join products p using (product_id)
order by l.order_id, l.line_no;

-- name: add_up
-- Give the orders the totals of their lines.
update orders o
set items_net_minor = l.net, items_tax_minor = l.tax, total_minor = l.net + l.tax
from (
    select order_id, sum(net_minor) as net, sum(tax_minor) as tax
    from order_lines
    where order_id between 100000000 + cast(:first as bigint) and 100000000 + cast(:last as bigint)
    group by order_id
) l
where o.order_id = l.order_id;

-- name: make_exceptions
-- Open what a person should look at.
insert into order_exceptions (order_id, code, detail, opened_at)
select order_id, case when order_id % 5 = 0 then 'OVERSOLD' else 'TOTALS_MISMATCH' end, '{}',
    placed_at
from orders
where has_exception;

-- name: make_rules
-- Keep the rules that planned the orders sent home: most within two days, some within one.
insert into sourcing_rule_sets (state, rules, created_by, created_at)
values ('archived', '{"name": "b", "promise_hours": 48, "location_groups": {}, "groups": [
    {"name": "all", "rules": [], "promise_hours": null},
    {"name": "next day", "rules": [], "promise_hours": 24}]}', 'bench', :at);

-- name: make_moment
-- Note what locations were, for all decisions.
insert into sourcing_moments (nodes) values ('[]');

-- name: make_plans
-- Decide who sends some of the orders.
insert into sourcing_decisions (
    order_id, group_no, version, decided_at, demand, candidates, plan, outcome, moment_id
)
select
    order_id, 1, (select max(version) from sourcing_rule_sets), placed_at,
    jsonb_build_object('placed_at', placed_at), '{}',
    jsonb_build_object('group', case when order_id % 5 = 0 then 'next day' else 'all' end), '{}',
    (select max(moment_id) from sourcing_moments)
from orders
where order_id between 100000000 + cast(:first as bigint) and 100000000 + cast(:last as bigint)
  and fulfillment_method = 'ship_home' and order_state <> 'canceled'
order by order_id;

-- name: make_work
-- Give them to the distribution center, every fourth to a store.
insert into fulfillment_orders (
    order_id, group_no, location_id, method, state, created_at, changed_at
)
select
    o.order_id, 1, l.location_id, o.fulfillment_method,
    case when o.order_state = 'completed' then 'shipped' else 'assigned' end, o.placed_at,
    o.placed_at
from orders o
join locations l on l.location_code = case
    when o.order_id % 4 > 0 then 'DC' else 'S' || lpad((1 + o.order_id / 4 % 40)::text, 3, '0') end
where o.order_id between 100000000 + cast(:first as bigint) and 100000000 + cast(:last as bigint)
  and o.fulfillment_method = 'ship_home' and o.order_state <> 'canceled'
order by o.order_id;

-- name: make_payments
-- Have every order paid, most by card; what is new is only authorized.
insert into payments (
    order_id, external_ref, tender, psp, psp_reference, managed_by, currency, amount_minor,
    authorized_minor, captured_minor, state, created_at, changed_at
)
select
    order_id, 'p', case
        when order_id % 50 = 0 then 'gift_card' when order_id % 7 = 0 then 'invoice'
        when order_id % 3 = 0 then 'bank' else 'card' end,
    'psp', 'pay_' || substr(md5(order_id::text), 1, 16), 'channel', currency,
    greatest(1, total_minor), total_minor,
    case when order_state = 'completed' then total_minor else 0 end,
    case when order_state = 'completed' then 'captured' else 'authorized' end, placed_at, placed_at
from orders
where order_id between 100000000 + cast(:first as bigint) and 100000000 + cast(:last as bigint)
order by order_id;

-- name: make_balances
-- Say how each is paid: a few have nothing to be paid, a few were charged back.
insert into order_balances (
    order_id, placed_at, payment_state, currency, due_minor, authorized_minor, captured_minor, refunded_minor,
    changed_at
)
select
    order_id, placed_at, case
        when order_id % 2003 = 0 then 'chargeback' when order_state = 'canceled' then 'voided'
        when order_state <> 'completed' and order_id % 10 = 0 then 'awaiting'
        when order_state <> 'completed' then 'authorized'
        when fulfillment_state = 'returned' then 'refunded' else 'paid' end,
    currency, total_minor, total_minor, total_minor, 0, placed_at
from orders
where order_id between 100000000 + cast(:first as bigint) and 100000000 + cast(:last as bigint)
  and order_id % 97 <> 0
order by order_id;

-- name: make_returns
-- Announce what came back.
insert into returns (order_id, kind, state, method, requested_by, created_at, changed_at)
select order_id, 'customer', 'completed', 'carrier', 'bench', placed_at, placed_at
from orders
where order_id between 100000000 + cast(:first as bigint) and 100000000 + cast(:last as bigint)
  and fulfillment_state in ('returned', 'partially_returned')
order by order_id;

-- name: add_tags
-- Tag some of them.
update orders
set tags = case when order_id % 1000 = 0 then array['vip', 'call first'] else array['vip'] end
where order_id between 100000000 + cast(:first as bigint) and 100000000 + cast(:last as bigint)
  and order_id % 40 = 0;
