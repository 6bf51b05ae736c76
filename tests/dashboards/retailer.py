"""A retailer for the tests of the dashboards: orders of a year and a half, made by plain SQL.

Everything follows from row numbers through `chance`, so the same call makes the same rows.
"""

from datetime import datetime
from typing import Final

import duckdb

from tests.dashboards.aftermath import AFTER

HISTORY_DAYS: Final = 480

_CHANCE: Final = """
    create or replace temp macro chance(seed, salt) as
        (hash(seed::varchar || salt) % 1000003) / 1000003.0
"""
_CHANNELS: Final = """
    insert into dim_channels values
        (1, 'webshop', 'Web shop', 'webshop', 'EUR', 'Europe/Berlin'),
        (2, 'stores', 'Stores', 'pos', 'EUR', 'Europe/Berlin'),
        (3, 'marketplace', 'Marketplace', 'marketplace', 'EUR', 'Europe/Berlin'),
        (4, 'kiosk', 'In-store kiosks', 'kiosk', 'EUR', 'Europe/Berlin'),
        (5, 'phone', 'Phone orders', 'phone', 'EUR', 'Europe/Berlin'),
        (6, 'webshop-us', 'Web shop US', 'webshop', 'USD', 'America/New_York'),
        (7, 'webshop-jp', 'Web shop Japan', 'webshop', 'JPY', 'Asia/Tokyo')
"""
_LOCATIONS: Final = """
    insert into dim_locations values
        (1, 'dc-leipzig', 'Distribution center Leipzig', 'dc', 'Leipzig', 'Sachsen', 'DE',
            51.34, 12.37, 'Europe/Berlin', true),
        (2, 'berlin-mitte', 'Berlin Mitte', 'store', 'Berlin', 'Berlin', 'DE',
            52.52, 13.40, 'Europe/Berlin', true),
        (3, 'hamburg', 'Hamburg Altona', 'store', 'Hamburg', 'Hamburg', 'DE',
            53.55, 9.99, 'Europe/Berlin', true),
        (4, 'munich', 'München Schwabing', 'store', 'München', 'Bayern', 'DE',
            48.16, 11.58, 'Europe/Berlin', true),
        (5, 'cologne', 'Köln Ehrenfeld', 'store', 'Köln', 'Nordrhein-Westfalen', 'DE',
            50.95, 6.92, 'Europe/Berlin', true),
        (6, 'vienna', 'Wien Neubau', 'store', 'Wien', 'Wien', 'AT',
            48.20, 16.35, 'Europe/Vienna', true)
"""
_CURRENCIES: Final = """
    insert into dim_currencies values
        ('EUR', 'Euro', 2), ('USD', 'US Dollar', 2), ('JPY', 'Yen', 0)
"""
_DATES: Final = """
    insert into dim_dates
    select day::date, year(day), quarter(day), month(day), monthname(day), isoyear(day),
        week(day), isodow(day), dayname(day), isodow(day) > 5, year(day), month(day), week(day)
    from generate_series(timestamp '2023-01-01', timestamp '2026-12-31', interval 1 day) as d(day)
"""
_PRODUCTS: Final = """
    insert into dim_products
    with kinds(kind, product_type, category, noun, price) as (values
        (0, 'Outdoor', 'Jackets', 'Rain jacket', 149.0),
        (1, 'Outdoor', 'Tents', 'Tent', 289.0),
        (2, 'Outdoor', 'Backpacks', 'Backpack', 89.0),
        (3, 'Footwear', 'Boots', 'Hiking boots', 169.0),
        (4, 'Footwear', 'Sandals', 'Sandals', 59.0),
        (5, 'Kitchen', 'Pans', 'Iron pan', 64.0),
        (6, 'Kitchen', 'Knives', 'Chef''s knife', 79.0),
        (7, 'Kitchen', 'Kettles', 'Kettle', 45.0),
        (8, 'Living', 'Lamps', 'Table lamp', 119.0),
        (9, 'Living', 'Rugs', 'Wool rug', 239.0),
        (10, 'Toys', 'Puzzles', 'Puzzle', 24.0),
        (11, null, null, 'Gift card sleeve', 3.5)
    ),
    made as (
        select i as product_id, kinds.*,
            ['Nordhavn', 'Fjellstad', 'Kastanje', 'Lumen & Co', 'Vestergade'][i % 5 + 1] as brand,
            ['Ash', 'Fjord', 'Moss', 'Clay', 'Slate', 'Ember', 'Dune', 'Pine'][i % 8 + 1] as name
        from range(1, $products + 1) as r(i)
        inner join kinds on kinds.kind = i % 12
    )
    select product_id || '-1', product_id, 1,
        upper(left(noun, 3)) || '-' || lpad(product_id::varchar, 5, '0'), null,
        noun || ' ' || name || ' ' || (product_id // 12 + 1), product_type, category, brand,
        'standard', true, timestamptz '2020-01-01 00:00:00+00',
        timestamptz '9999-12-31 00:00:00+00', true
    from made
"""
_ORDERS: Final = """
    create or replace temp table drafts as
    with drawn as (
        select i as order_id,
            $history - 1 - floor($history * pow(chance(i, 'day'), 1.25))::integer as day,
            chance(i, 'channel') as at_channel, chance(i, 'clock') as at_clock
        from range(1, $orders + 1) as r(i)
    ),
    dated as (
        select *, $today::date - ($history - 1) + day as drawn_on from drawn
    )
    select order_id,
        case when at_channel < .40 then 1 when at_channel < .66 then 2
            when at_channel < .82 then 3 when at_channel < .89 then 4
            when at_channel < .92 then 5 when at_channel < .97 then 6 else 7 end as channel_id,
        -- A part of the Sundays' orders waits until Monday, so that weeks have a shape.
        least(case when isodow(drawn_on) = 7 and chance(order_id, 'sunday') < .3
            then drawn_on + 1 else drawn_on end, $today::date) as placed_on,
        at_clock, 1 + floor(3 * pow(chance(order_id, 'lines'), 2))::bigint as lines_count,
        chance(order_id, 'test') < .01 as is_test
    from dated
"""
_LINES: Final = """
    create or replace temp table sold as
    select drafts.*, line_no, channels.channel_code, channels.currency, products.product_id,
        products.sku, products.product_key,
        1 + floor(2 * pow(chance(order_id * 10 + line_no, 'qty'), 3))::bigint as quantity,
        (kinds.price * case channels.currency when 'JPY' then 160 else 1 end)::decimal(18,0)
            as price,
        case when chance(order_id * 10 + line_no, 'discount') < .25 then 20 else 0 end as percent
    from drafts
    inner join dim_channels as channels on channels.channel_id = drafts.channel_id
    cross join range(1, 4) as l(line_no)
    inner join dim_products as products on products.product_id
        = 1 + floor($products * pow(chance(order_id * 10 + line_no, 'product'), 1.6))::bigint
    inner join (values (0, 149), (1, 289), (2, 89), (3, 169), (4, 59), (5, 64), (6, 79), (7, 45),
        (8, 119), (9, 239), (10, 24), (11, 3)) as kinds(kind, price)
        on kinds.kind = products.product_id % 12
    where line_no <= lines_count
"""
_EVENTS: Final = """
    insert into fct_order_lines by name
    with priced as (
        select *, round(quantity * price * percent / 100.0,
            case when currency = 'JPY' then 0 else 2 end) as discount
        from sold
    ),
    events as (
        select *, 'sale' as event_kind, '' as change_ref, placed_on as event_on, 1 as sign
        from priced
        union all
        select *, 'cancel', 'c' || order_id, placed_on + 1, -1 from priced
        where chance(order_id, 'cancel') < .03
        union all
        select *, 'return', 'r' || order_id,
            placed_on + 3 + floor(18 * chance(order_id, 'back'))::integer, -1 from priced
        where chance(order_id, 'cancel') >= .03
            and chance(order_id * 10 + line_no, 'return') < .09
    )
    select order_id, 'R' || lpad(order_id::varchar, 9, '0') as order_number, line_no, event_kind,
        change_ref, channel_id, channel_code, product_id, product_key, sku, currency,
        event_on::timestamp at time zone 'UTC' + to_seconds(at_clock * 86000) as event_at,
        event_on, placed_on::timestamp at time zone 'UTC' + to_seconds(at_clock * 86000)
            as placed_at, placed_on,
        sign * quantity as quantity, sign * quantity * price as gross_amount,
        sign * discount as discount_amount, sign * (quantity * price - discount) as net_amount,
        round(sign * (quantity * price - discount) * 0.19,
            case when currency = 'JPY' then 0 else 2 end) as tax_amount,
        case event_kind when 'cancel' then 'changed_mind' when 'return' then 'wrong_size' end
            as reason,
        is_test, false as is_historical
    from events
    where event_on <= $today::date
"""
_HEADERS: Final = """
    insert into fct_orders by name
    select order_id, any_value(order_number) as order_number,
        'ext-' || order_id as external_ref, '#' || (order_id + 1000) as external_number,
        any_value(channel_id) as channel_id, any_value(channel_code) as channel_code,
        case when sum(quantity) = 0 and bool_or(event_kind = 'cancel') then 'canceled'
            when max(placed_on) > $today::date - 2 then 'in_progress' else 'completed' end
            as order_state,
        'shipped' as fulfillment_state, 'ship_home' as fulfillment_method,
        any_value(currency) as currency, 'DE' as country_code,
        min(placed_at) as placed_at, min(placed_on) as placed_on, max(event_at) as last_event_at,
        count(*) filter (event_kind = 'sale') as lines_count, sum(quantity) as units,
        sum(net_amount) filter (event_kind = 'sale') as items_net_amount,
        sum(tax_amount) filter (event_kind = 'sale') as items_tax_amount,
        0 as shipping_net_amount, 0 as shipping_tax_amount,
        sum(net_amount + tax_amount) filter (event_kind = 'sale') as total_amount,
        coalesce(sum(net_amount) filter (event_kind = 'cancel'), 0) as canceled_net_amount,
        coalesce(sum(net_amount) filter (event_kind = 'return'), 0) as returned_net_amount,
        false as has_exception, any_value(is_test) as is_test, false as is_historical
    from fct_order_lines
    group by order_id
"""
_ROLLUP_FINEST: Final = """
    insert into sales_by_channel_product_daily
    with events as (
        select *, 'event' as basis, event_on as sold_on from fct_order_lines where not is_test
        union all
        select *, 'placed' as basis, placed_on as sold_on from fct_order_lines where not is_test
    )
    select basis, sold_on, channel_code, events.sku, events.currency,
        any_value(product_type), any_value(category), any_value(brand),
        count(distinct order_id) filter (event_kind = 'sale'), sum(quantity),
        sum(gross_amount), sum(discount_amount),
        coalesce(sum(net_amount) filter (event_kind in ('sale', 'edit')), 0),
        coalesce(sum(net_amount) filter (event_kind = 'cancel'), 0),
        coalesce(sum(net_amount) filter (event_kind = 'return'), 0),
        sum(net_amount), sum(tax_amount)
    from events
    inner join dim_products as products on products.product_id = events.product_id
    group by basis, sold_on, channel_code, events.sku, events.currency
"""
_ROLLUP_PRODUCT: Final = """
    insert into sales_by_product_daily
    select basis, sold_on, sku, currency, product_type, category, brand, sum(orders_count),
        sum(units), sum(gross_amount), sum(discount_amount), sum(demand_amount),
        sum(canceled_amount), sum(returned_amount), sum(net_amount), sum(tax_amount)
    from sales_by_channel_product_daily
    group by all
"""
_ROLLUP_CHANNEL: Final = """
    insert into sales_by_channel_daily
    with placed as (
        select basis, placed_on as sold_on, channel_code, currency, count(*) as orders_count
        from fct_orders cross join (values ('event'), ('placed')) as bases(basis)
        where not is_test
        group by all
    ),
    sold as (
        select basis, sold_on, channel_code, currency, sum(units) as units,
            sum(gross_amount) as gross, sum(discount_amount) as discount,
            sum(demand_amount) as demand, sum(canceled_amount) as canceled,
            sum(returned_amount) as returned, sum(net_amount) as net, sum(tax_amount) as tax
        from sales_by_channel_product_daily
        group by all
    )
    select basis, sold_on, channel_code, currency, coalesce(orders_count, 0), units, gross,
        discount, demand, canceled, returned, net, tax
    from sold left join placed using (basis, sold_on, channel_code, currency)
"""
_MOVEMENTS: Final = """
    insert into fct_stock_movements
    with places as (
        select products.product_id, sku, location_id, location_code,
            case when location_id = 1 then 160 else 14 end as size
        from dim_products as products cross join dim_locations
        where products.product_id <= 500
            and chance(products.product_id * 10 + location_id, 'listed') < .8
    ),
    moves as (
        select *, 'receipt' as kind, 120 as days_ago,
            (size * (0.4 + chance(product_id * 10 + location_id, 'first')))::bigint as delta
        from places
        union all
        select places.*, 'ship', day,
            -1 - floor(size / 14 * chance(product_id * 999 + day, 'out'))::bigint
        from places cross join range(0, 100, 8) as d(day)
        where chance(product_id * 7919 + location_id * 101 + day, 'sells') < .7
        union all
        select places.*, 'receipt', day,
            floor(size / 2 * chance(product_id * 31 + day, 'in'))::bigint
        from places cross join range(5, 100, 30) as d(day)
        where chance(product_id * 17 + location_id * 13 + day, 'receives') < .35
    )
    select row_number() over (order by days_ago desc, product_id, location_id, kind), product_id,
        sku, location_id, location_code, kind, delta, 0, 'document', 'd' || days_ago,
        $today::timestamptz - to_days(days_ago::integer), $today::date - days_ago::integer
    from moves
    where delta <> 0
"""
_LEVELS: Final = """
    insert into fct_stock_levels
    with summed as (
        select product_id, sku, location_id, location_code, sum(on_hand_delta)::bigint as on_hand
        from fct_stock_movements
        group by all
    ),
    promised as (
        select *, case when chance(product_id * 10 + location_id, 'damaged') < .15
                then least(2, greatest(on_hand, 0)) else 0 end as unavailable
        from summed
    ),
    allotted as (
        select *, floor(greatest(on_hand - unavailable, 0)
            * 0.3 * chance(product_id * 10 + location_id, 'allocated'))::bigint as allocated
        from promised
    )
    select product_id, sku, location_id, location_code, on_hand, unavailable, allocated, 1,
        greatest(0, on_hand - unavailable - allocated - 1), on_hand < 0, $today::timestamptz
    from allotted
"""
_DAILY: Final = """
    insert into fct_stock_daily
    select occurred_on, product_id, sku, location_id, location_code,
        sum(sum(on_hand_delta)) over (partition by product_id, location_id order by occurred_on),
        0, -sum(least(on_hand_delta, 0)), sum(greatest(on_hand_delta, 0))
    from fct_stock_movements
    group by occurred_on, product_id, sku, location_id, location_code
"""
_STOCK: Final = """
    insert into stock_by_product
    with levels as (
        select product_id, sum(on_hand) as on_hand, sum(unavailable) as unavailable,
            sum(allocated) as allocated, sum(available_to_fulfill) as available,
            count(*) as locations
        from fct_stock_levels
        group by product_id
    ),
    sold as (
        select sku, sum(units) as units from sales_by_product_daily
        where basis = 'event' and sold_on > $today::date - 28 group by sku
    )
    select products.sku, products.product_id, title, product_type, category, brand,
        coalesce(on_hand, 0), coalesce(unavailable, 0), coalesce(allocated, 0),
        case when chance(products.product_id, 'queued') < .1 then 3 else 0 end,
        coalesce(available, 0), coalesce(locations, 0), coalesce(units, 0),
        case when units > 0 then round(greatest(coalesce(on_hand, 0), 0) * 28 / units, 1) end
    from dim_products as products
    left join levels on levels.product_id = products.product_id
    left join sold on sold.sku = products.sku
"""
_FEEDS: Final = """
    insert into feeds_daily
    with ways(channel_code, transport, topic, silent_days) as (values
        ('webshop', 'push', 'orders/create', 0), ('webshop', 'push', 'refunds/create', 0),
        ('stores', 'file', 'orders', 0), ('stores', 'file', 'counts', 1),
        ('marketplace', 'pull', 'orders', 3), ('kiosk', 'push', 'orders', 0),
        ('phone', 'file', 'orders', 0), ('webshop-us', 'push', 'orders/create', 0),
        ('webshop-jp', 'push', 'orders/create', 0)
    ),
    days as (
        select ways.*, $today::date - day::integer as received_on, day,
            5 + floor(60 * chance(channel_code || topic || day, 'size'))::bigint as captured
        from ways cross join range(0, 60) as d(day)
        where day >= silent_days
    )
    select received_on, channel_code, transport, topic, captured + 3, captured + 6, captured,
        captured // 12, case when day % 3 = 0 then 4 else 1 end, day % 2,
        case when channel_code in ('stores', 'phone') then captured // 20 else 0 end,
        (day % 17 = 4)::bigint, captured * 2100,
        least(received_on::timestamp at time zone 'UTC' + interval 23 hour,
            $today::timestamptz - to_seconds(7 + len(channel_code || topic) * 19))
    from days
"""
_QUARANTINE: Final = """
    insert into quarantine_items
    with reasons(kind, code, field, detail) as (values
        (0, 'UNKNOWN_SKU', '/lines/0/sku', 'There is no product TEN-90001.'),
        (1, 'VALIDATION', '/lines/1/quantity', 'A quantity is a whole number above 0, not -2.'),
        (2, 'UNKNOWN_LOCATION', 'till', 'There is no location "berlin-mite".'),
        (3, 'CURRENCY_MISMATCH', 'currency', 'The channel sells in EUR, not in CHF.'),
        (4, 'MALFORMED', 'placed_at', 'Not an instant: "31.02.2025".')
    )
    select i, 400 + i, ['stores', 'phone', 'webshop'][i % 3 + 1], 'orders', 10 + i,
        case when i % 3 < 2 then 20 + i * 3 end, 'ext-' || (9000 + i), code, field, detail,
        1 + i % 2, case when i % 5 = 3 then 'resolved' else 'open' end, 1,
        $today::timestamptz - to_hours(i::integer * 7),
        case when i % 5 = 3 then $today::timestamptz end,
        case when i % 3 < 2 then 'till-2025-09-' || lpad((28 - i % 20)::varchar, 2, '0') || '.csv'
        end
    from range(1, 27) as r(i)
    inner join reasons on reasons.kind = (i * i) % 5
"""
_WORK: Final = """
    insert into fct_fulfillments by name
    with asked as (
        select order_id, order_number, channel_code, placed_at, placed_on, is_test,
            1 + floor(5.99 * chance(order_id, 'place'))::bigint as location_id,
            chance(order_id, 'way') as way, chance(order_id, 'fate') as fate
        from fct_orders
        where channel_code <> 'stores' and placed_on > $today::date - 180
        union all
        select order_id, order_number, channel_code, placed_at, placed_on, is_test,
            2 + floor(4.99 * chance(order_id, 'second'))::bigint, chance(order_id, 'way'), 0.5
        from fct_orders
        where channel_code <> 'stores' and placed_on > $today::date - 180
            and chance(order_id, 'split') < .12
    ),
    timed as (
        select *, row_number() over (order by order_id, location_id) as fulfillment_id,
            placed_at + to_minutes((3 + 30 * chance(order_id, 'asked'))::bigint) as created_at,
            (600 + 80000 * pow(chance(order_id * 7 + location_id, 'work'), 3))::bigint as seconds,
            way < .3 as is_collected, fate < .05 as is_rejected
        from asked
    )
    select fulfillment_id, 'F' || (500000000 + fulfillment_id) as fulfillment_number, order_id,
        order_number, 1 as group_no, channel_code, timed.location_id, location_code,
        case when is_collected then 'collect_store' else 'ship_home' end as fulfillment_method,
        case when is_rejected then 'rejected' when is_collected and fate < .15 then 'uncollected'
            when is_collected and fate < .9 then 'collected'
            when is_collected then 'ready_for_collection'
            when fate < .9 then 'delivered' else 'shipped' end as fulfillment_state,
        2 as units, case when fate < .08 then 1 else 2 end as picked_units,
        case when is_rejected then 0 when fate < .08 then 1 else 2 end as done_units,
        case when is_rejected then 2 when fate < .08 then 1 else 0 end as removed_units,
        case when is_rejected then 2 when fate < .08 then 1 else 0 end as short_units,
        0 as failures_count, placed_on as created_on, placed_at, created_at,
        created_at as assigned_at, created_at + to_seconds(seconds // 5) as accepted_at,
        case when not is_rejected then created_at + to_seconds(seconds // 2) end as picked_at,
        case when is_rejected then created_at + to_seconds(seconds) end as rejected_at,
        case when is_collected and not is_rejected then created_at + to_seconds(seconds) end
            as ready_at,
        case when not is_collected and not is_rejected
            then created_at + to_seconds(seconds) end
            as shipped_at,
        case when fulfillment_state = 'delivered'
            then shipped_at + to_minutes((1200 + fate * 3600)::bigint) end
            as delivered_at,
        case when fulfillment_state = 'collected'
            then ready_at + to_minutes((fate * 5400)::bigint) end
            as collected_at,
        case when fulfillment_state = 'uncollected' then ready_at + to_days(7) end
            as uncollected_at,
        placed_at + to_hours(12) as promised_at, coalesce(ready_at, shipped_at) as out_at,
        out_at <= promised_at as is_on_time,
        date_sub('second', placed_at, out_at) as order_to_out_seconds,
        date_sub('second', created_at, out_at) as work_seconds, seconds // 5 as accept_seconds,
        seconds // 2 - seconds // 5 as pick_seconds, seconds - seconds // 2 as pack_seconds,
        date_sub('second', shipped_at, delivered_at) as delivery_seconds,
        date_sub('second', ready_at, coalesce(collected_at, uncollected_at)) as shelf_seconds,
        is_test
    from timed
    inner join dim_locations as places on places.location_id = timed.location_id
"""
_LACKED: Final = """
    insert into fct_fulfillment_lines by name
    select fulfillment_id, fulfillment_number, order_id, order_number, 1 as line_no, channel_code,
        location_id, location_code, units, picked_units, done_units, removed_units, short_units,
        case when short_units > 0 then ['not_found', 'damaged', 'no_capacity', 'closed', 'other'
            ][1 + fulfillment_id % 5] end as short_reason
    from fct_fulfillments
"""
_GROUPS: Final = """
    insert into fct_delivery_groups by name
    select order_id, any_value(order_number) as order_number, group_no,
        any_value(channel_code) as channel_code,
        any_value(fulfillment_method) as fulfillment_method, min(created_on) as created_on,
        count(*) as fulfillments_count, count(out_at) as shipments_count,
        count(out_at) > 1 as is_split, 1 as decisions_count, 1 as planned_parts_count,
        40.5 as planned_distance_km, sum(short_units) as short_units,
        count(*) filter (fulfillment_state = 'rejected') as rejections_count,
        bool_or(is_test) as is_test
    from fct_fulfillments
    group by order_id, group_no
"""
_PARCELS: Final = """
    insert into fct_parcels by name
    select fulfillment_id as parcel_id, 'P' || fulfillment_id as parcel_number, fulfillment_id,
        order_id, channel_code, location_code,
        ['northpost', 'parcelway', 'bikefleet'][1 + fulfillment_id % 3] as carrier,
        case when delivered_at is null then 'in_transit' else 'delivered' end as parcel_state,
        (fulfillment_id % 31 = 0)::bigint as failures_count, created_on, created_at,
        shipped_at as handed_over_at, delivered_at as arrived_at,
        delivery_seconds as transit_seconds, is_test
    from fct_fulfillments
    where shipped_at is not null
"""
_TRANSFERS: Final = """
    insert into fct_transfers by name
    select i as transfer_id, 'T' || i as transfer_number, 'dc-leipzig' as from_location_code,
        ['berlin-mitte', 'hamburg', 'munich', 'cologne', 'vienna'][1 + i % 5] as to_location_code,
        'received' as transfer_state, 6 as units, 6 as shipped_units,
        case when i % 9 = 0 then 4 else 6 end as received_units,
        (i % 9 = 0)::bigint as damaged_units, (i % 9 = 0)::bigint as missing_units,
        0 as over_units, 0 as wrong_units, (i % 9 = 0)::bigint * 2 as discrepancies_count,
        $today::date - (i % 60)::integer as created_on,
        $today::timestamptz - to_days((i % 60)::integer) as created_at,
        created_at + to_hours(5) as shipped_at, shipped_at + to_hours(20 + i % 30)
            as first_received_at,
        18000 as send_seconds, 72000 + (i % 30) * 3600 as transit_seconds
    from range(1, 200) as r(i)
"""
_HOLDS: Final = """
    insert into fct_order_holds by name
    select order_id, order_number, 1 as hold_no, channel_code,
        ['fraud', 'address', 'payment_review', 'manual'][1 + order_id % 4] as hold_type,
        placed_on as held_on, placed_at as held_at,
        case when order_id % 5 > 0 then placed_at + to_minutes(order_id % 900) end as released_at,
        date_sub('second', held_at, released_at) as held_seconds, is_test
    from fct_orders
    where chance(order_id, 'held') < .04
"""
_FLOWS: Final = """
    insert into fct_unit_flows by name
    with lines as (
        select order_id, any_value(order_number) as order_number, line_no,
            any_value(channel_code) as channel_code, any_value(sku) as sku,
            any_value(placed_on) as placed_on, bool_or(is_test) as is_test,
            sum(quantity) filter (event_kind = 'sale') as units,
            bool_or(event_kind = 'return') as is_returned, bool_or(event_kind = 'cancel') as gone,
            ['berlin-mitte', 'hamburg', 'munich', 'cologne', 'vienna'
                ][1 + (order_id % 5)::integer] as store,
            chance(order_id, 'from') as from_store, chance(order_id, 'returns') as to_store
        from fct_order_lines
        group by order_id, line_no
    )
    select order_id, order_number, line_no, channel_code, sku, placed_on, units, is_returned,
        is_test, 'ship_home' as fulfillment_method,
        case when channel_code in ('stores', 'kiosk') then store end as sold_location_code,
        case when channel_code = 'stores' or from_store < .3 then store else 'dc-leipzig' end
            as fulfilled_location_code,
        case when is_returned and to_store < .5 then store when is_returned then 'dc-leipzig' end
            as returned_location_code,
        coalesce(case when sold_location_code is null then from_store < .3 or
                is_returned and to_store < .5
            else fulfilled_location_code <> sold_location_code end, false) as is_omnichannel
    from lines
    where not gone
"""
_CASH: Final = """
    insert into cash_by_channel_daily by name
    select placed_on as occurred_on, channel_code, currency, count(*) as transactions_count,
        sum(total_amount) as captured_amount,
        coalesce(-sum(total_amount) filter (chance(order_id, 'refunded') < .1), 0)
            as refunded_amount,
        0 as charged_back_amount, captured_amount + refunded_amount as cash_amount
    from fct_orders
    where not is_test
    group by placed_on, channel_code, currency
"""
_PAID: Final = """
    insert into fct_payments by name
    with paid as (
        select *, ['card', 'card', 'wallet', 'bank', 'gift_card'][order_id % 5 + 1] as tender
        from fct_orders where total_amount > 0
    )
    select order_id as transaction_id, order_id as payment_id, order_id, order_number, channel_code,
        'capture' as transaction_type, tender, currency, total_amount as amount,
        total_amount as cash_amount, placed_at as occurred_at, placed_on as occurred_on, placed_on,
        is_test
    from paid
    union all by name
    select 1000000000 + order_id as transaction_id, order_id as payment_id, order_id, order_number,
        channel_code, 'refund' as transaction_type, tender, currency, total_amount as amount,
        -total_amount as cash_amount, placed_at as occurred_at, placed_on as occurred_on, placed_on,
        is_test
    from paid where chance(order_id, 'refunded') < .1
"""
_REFUNDED: Final = """
    insert into fct_refunds by name
    select order_id as refund_id, order_id, order_number, channel_code, currency, amount,
        ['owed', 'owed', 'shipping', 'goodwill'][order_id % 4 + 1] as refund_kind,
        case when order_id % 7 = 0 then 'awaiting_approval' else 'succeeded' end as refund_state,
        placed_on as requested_on, occurred_at as requested_at,
        case when order_id % 7 > 0 then 3600 * (1 + order_id % 50) end as refund_seconds, placed_on,
        is_test
    from fct_payments where transaction_type = 'refund'
"""
_BILLED: Final = """
    insert into fct_documents by name
    select transaction_id as document_id, order_id, order_number, channel_code, currency,
        case transaction_type when 'capture' then 'invoice' else 'credit_note' end as document_type,
        occurred_at as issued_at, occurred_on as issued_on, amount as total_amount,
        round(amount / 1.19, 2) as net_amount, amount - round(amount / 1.19, 2) as tax_amount,
        case transaction_type when 'capture' then 1 else -1 end as billed_sign
    from fct_payments where not is_test and currency = 'EUR'
"""
_STEPS: Final = (
    _CHANCE, _CHANNELS, _LOCATIONS, _CURRENCIES, _DATES, _PRODUCTS, _ORDERS, _LINES, _EVENTS,
    _HEADERS, _ROLLUP_FINEST, _ROLLUP_PRODUCT, _ROLLUP_CHANNEL, _MOVEMENTS, _LEVELS, _DAILY,
    _STOCK, _FEEDS, _QUARANTINE, _WORK, _LACKED, _GROUPS, _PARCELS, _TRANSFERS, _HOLDS, _FLOWS,
    _CASH, _PAID, _REFUNDED, _BILLED, *AFTER,
)  # fmt: skip


def fill(
    warehouse: duckdb.DuckDBPyConnection, *, orders: int, products: int, as_of: datetime
) -> None:
    """Fill every table but the stamp with what a retailer sold, holds and received."""
    given = {
        "orders": orders,
        "products": products,
        "today": as_of,
        "history": HISTORY_DAYS,
    }
    for step in _STEPS:
        warehouse.execute(
            step, {name: value for name, value in given.items() if f"${name}" in step}
        )
