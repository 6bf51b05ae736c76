-- Guards: sales by channel, by product and by both add up to the order lines, per basis and
-- currency, in units and every amount. (A day with orders but no amounts has a row by channel.)
{{ config(meta={'dagster': {'ref': {'name': 'sales_by_channel_product_daily'}}}) }}

with

order_lines as (
    select * from {{ ref('fct_order_lines') }}
    where not is_test
),

by_channel as (
    select * from {{ ref('sales_by_channel_daily') }}
),

by_product as (
    select * from {{ ref('sales_by_product_daily') }}
),

by_both as (
    select * from {{ ref('sales_by_channel_product_daily') }}
),

lines as (
    select
        bases.basis,
        order_lines.currency,
        case bases.basis when 'event' then order_lines.event_on else order_lines.placed_on end as sold_on,
        sum(order_lines.quantity) as units,
        sum(order_lines.gross_amount) as gross_amount,
        sum(order_lines.discount_amount) as discount_amount,
        sum(order_lines.net_amount) as net_amount,
        sum(order_lines.tax_amount) as tax_amount
    from order_lines
    cross join (values ('event'), ('placed')) as bases(basis)
    group by all
),

rollups as (
    select 'by_channel' as rollup, basis, currency, sold_on, units, gross_amount, discount_amount, demand_amount + canceled_amount + returned_amount as net_amount, tax_amount
    from by_channel
    union all
    select 'by_product', basis, currency, sold_on, units, gross_amount, discount_amount, demand_amount + canceled_amount + returned_amount, tax_amount
    from by_product
    union all
    select 'by_both', basis, currency, sold_on, units, gross_amount, discount_amount, demand_amount + canceled_amount + returned_amount, tax_amount
    from by_both
),

summed as (
    select
        rollup,
        basis,
        currency,
        sold_on,
        sum(units) as units,
        sum(gross_amount) as gross_amount,
        sum(discount_amount) as discount_amount,
        sum(net_amount) as net_amount,
        sum(tax_amount) as tax_amount
    from rollups
    group by rollup, basis, currency, sold_on
),

expected as (
    select names.rollup, lines.*
    from lines
    cross join (values ('by_channel'), ('by_product'), ('by_both')) as names(rollup)
),

differences as (
    (select 'lines' as only_in, * from expected except select 'lines', * from summed)
    union all
    (select 'rollup' as only_in, * from summed except select 'rollup', * from expected)
)

select * from differences
where units <> 0 or gross_amount <> 0 or discount_amount <> 0 or net_amount <> 0 or tax_amount <> 0
