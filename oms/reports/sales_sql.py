"""The SQL about sales: scopes say which rows, cuts how they are added up."""

from typing import Final

# Without a choice of products the small rollup by channel has everything.
ALL_PRODUCTS: Final = """
    with scope as (
        select sold_on, channel_code, orders_count, units, gross_amount, discount_amount,
            demand_amount, canceled_amount, returned_amount, net_amount, tax_amount
        from sales_by_channel_daily
        where basis = $basis and currency = $currency
            and sold_on >= $from_on and sold_on < $to_on
            and (len($channels::varchar[]) = 0
                or channel_code in (select unnest($channels::varchar[])))
    )
"""
# Amounts by day, channel and SKU; and the lines they come from. Products are grouped by what the
# catalog says now. The lines are not materialized so that the period of each use reaches the scan.
PRODUCTS: Final = """
    with product_days as (
        select sold_on, channel_code, sku,
            coalesce(product_type, '(none)') as product_type,
            coalesce(category, '(none)') as category, coalesce(brand, '(none)') as brand,
            units, gross_amount, discount_amount, demand_amount, canceled_amount,
            returned_amount, net_amount, tax_amount
        from sales_by_channel_product_daily
        where basis = $basis and currency = $currency
            and sold_on >= $from_on and sold_on < $to_on
            and (len($channels::varchar[]) = 0
                or channel_code in (select unnest($channels::varchar[])))
            and (len($skus::varchar[]) = 0 or sku in (select unnest($skus::varchar[])))
            and (len($product_types::varchar[]) = 0
                or coalesce(product_type, '(none)') in (select unnest($product_types::varchar[])))
            and (len($categories::varchar[]) = 0
                or coalesce(category, '(none)') in (select unnest($categories::varchar[])))
            and (len($brands::varchar[]) = 0
                or coalesce(brand, '(none)') in (select unnest($brands::varchar[])))
    ),
    lines as not materialized (
        select facts.*, products.title,
            coalesce(products.product_type, '(none)') as product_type,
            coalesce(products.category, '(none)') as category,
            coalesce(products.brand, '(none)') as brand,
            case $basis when 'event' then facts.event_on else facts.placed_on end as counted_on
        from fct_order_lines as facts
        left join dim_products as products
            on products.product_id = facts.product_id and products.is_current
        where not facts.is_test and facts.currency = $currency
            and (len($channels::varchar[]) = 0
                or facts.channel_code in (select unnest($channels::varchar[])))
            and (len($skus::varchar[]) = 0 or facts.sku in (select unnest($skus::varchar[])))
            and (len($product_types::varchar[]) = 0 or coalesce(products.product_type, '(none)')
                in (select unnest($product_types::varchar[])))
            and (len($categories::varchar[]) = 0 or coalesce(products.category, '(none)')
                in (select unnest($categories::varchar[])))
            and (len($brands::varchar[]) = 0 or coalesce(products.brand, '(none)')
                in (select unnest($brands::varchar[])))
    )
"""
# With a choice of products orders are counted on the lines: an order of two is still one order.
_SCOPE_OF_PRODUCTS: Final = """,
    scope as (
        select sold_on, channel_code, 0 as orders_count, units, gross_amount, discount_amount,
            demand_amount, canceled_amount, returned_amount, net_amount, tax_amount
        from product_days
        union all
        select placed_on, channel_code, count(distinct order_id), 0, 0, 0, 0, 0, 0, 0, 0
        from lines
        where event_kind = 'sale' and placed_on >= $from_on and placed_on < $to_on
        group by placed_on, channel_code
    )
"""
SOME_PRODUCTS: Final = PRODUCTS + _SCOPE_OF_PRODUCTS
# One question in four cuts: the whole, by time, by channel, by both.
CUT: Final = """
    select
        case when $by_time
            then cast(date_trunc($grain, sold_on + $shift_days::integer) as date) end as sold_on,
        case when $by_channel then scope.channel_code end as channel_code,
        any_value(case when $by_channel
            then coalesce(channels.channel_name, scope.channel_code) end) as channel_name,
        sum(orders_count)::bigint as orders_count,
        sum(units)::bigint as units,
        sum(gross_amount) as gross_amount,
        sum(discount_amount) as discount_amount,
        sum(demand_amount) as demand_amount,
        sum(canceled_amount) as canceled_amount,
        sum(returned_amount) as returned_amount,
        sum(net_amount) as net_amount,
        sum(tax_amount) as tax_amount
    from scope
    left join dim_channels as channels on channels.channel_code = scope.channel_code
    group by 1, 2
    order by 1, 2
"""
BY_PRODUCT: Final = """,
    amounts as (
        select
            case $level when 'product_type' then product_type when 'category' then category
                when 'brand' then brand else sku end as product,
            sum(units)::bigint as units,
            sum(gross_amount) as gross_amount,
            sum(discount_amount) as discount_amount,
            sum(demand_amount) as demand_amount,
            sum(canceled_amount) as canceled_amount,
            sum(returned_amount) as returned_amount,
            sum(net_amount) as net_amount,
            sum(tax_amount) as tax_amount
        from product_days
        group by product
    ),
    orders as (
        select
            case $level when 'product_type' then product_type when 'category' then category
                when 'brand' then brand else sku end as product,
            count(distinct order_id) as orders_count
        from lines
        where event_kind = 'sale' and placed_on >= $from_on and placed_on < $to_on
        group by product
    )
    select
        product,
        case when $level = 'sku' then titles.title else product end as title,
        coalesce(orders.orders_count, 0) as orders_count,
        coalesce(amounts.units, 0) as units,
        coalesce(amounts.gross_amount, 0) as gross_amount,
        coalesce(amounts.discount_amount, 0) as discount_amount,
        coalesce(amounts.demand_amount, 0) as demand_amount,
        coalesce(amounts.canceled_amount, 0) as canceled_amount,
        coalesce(amounts.returned_amount, 0) as returned_amount,
        coalesce(amounts.net_amount, 0) as net_amount,
        coalesce(amounts.tax_amount, 0) as tax_amount
    from amounts
    full join orders using (product)
    left join dim_products as titles on $level = 'sku' and titles.is_current
        and titles.sku = product
    order by amounts.net_amount desc nulls last, product
"""
BY_CHANNEL_AND_PRODUCT: Final = """,
    amounts as (
        select
            case $outer when 'product_type' then product_type when 'category' then category
                when 'brand' then brand else sku end as outer_value,
            case $inner when 'product_type' then product_type when 'category' then category
                when 'brand' then brand else sku end as inner_value,
            channel_code,
            case $measure when 'units' then units when 'gross_amount' then gross_amount
                when 'discount_amount' then discount_amount
                when 'demand_amount' then demand_amount
                when 'canceled_amount' then canceled_amount
                when 'returned_amount' then returned_amount
                when 'tax_amount' then tax_amount else net_amount end as amount
        from product_days
    )
    select
        outer_value, inner_value, amounts.channel_code,
        any_value(coalesce(channels.channel_name, amounts.channel_code)) as channel_name,
        grouping_id(outer_value) = 1 as is_total,
        grouping_id(inner_value) = 1 as is_subtotal,
        grouping_id(amounts.channel_code) = 1 as is_all_channels,
        sum(amount) as amount
    from amounts
    left join dim_channels as channels on channels.channel_code = amounts.channel_code
    group by grouping sets (
        (outer_value, inner_value, amounts.channel_code), (outer_value, inner_value),
        (outer_value, amounts.channel_code), (outer_value), (amounts.channel_code), ()
    )
"""
# The lines a number is the sum of, added up by order.
ORDERS: Final = """,
    touched as (
        select
            order_id,
            sum(quantity)::bigint as units,
            sum(case $measure when 'units' then quantity when 'gross_amount' then gross_amount
                when 'discount_amount' then discount_amount when 'tax_amount' then tax_amount
                else net_amount end) as amount
        from lines
        where counted_on >= $from_on and counted_on < $to_on
            and case $measure
                when 'demand_amount' then event_kind in ('sale', 'edit')
                when 'canceled_amount' then event_kind = 'cancel'
                when 'returned_amount' then event_kind = 'return'
                else true end
        group by order_id
    )
    select
        orders.order_number, orders.external_number, channels.channel_name, orders.placed_on,
        orders.order_state, touched.units, touched.amount, orders.total_amount,
        count(*) over () as orders_found,
        sum(touched.units) over () as units_found,
        sum(touched.amount) over () as amount_found
    from touched
    inner join fct_orders as orders on orders.order_id = touched.order_id
    left join dim_channels as channels on channels.channel_code = orders.channel_code
    order by orders.placed_at desc, orders.order_number desc
    limit $orders_max
"""
# Every signed event of every line, as a file of its own.
LINES: Final = """
    select lines.order_number, lines.line_no, lines.event_kind, lines.event_on, lines.placed_on,
        channels.channel_name, lines.channel_code, lines.sku, lines.title, lines.product_type,
        lines.category, lines.brand, lines.quantity, lines.gross_amount, lines.discount_amount,
        lines.net_amount, lines.tax_amount, lines.reason
    from lines
    left join dim_channels as channels on channels.channel_code = lines.channel_code
    where lines.counted_on >= $from_on and lines.counted_on < $to_on
    order by lines.event_on, lines.order_number, lines.line_no, lines.event_kind, lines.change_ref
"""
LINE_TOTALS: Final = """
    select coalesce(sum(quantity), 0)::bigint as quantity,
        coalesce(sum(gross_amount), 0) as gross_amount,
        coalesce(sum(discount_amount), 0) as discount_amount,
        coalesce(sum(net_amount), 0) as net_amount,
        coalesce(sum(tax_amount), 0) as tax_amount
    from lines
    where counted_on >= $from_on and counted_on < $to_on
"""
