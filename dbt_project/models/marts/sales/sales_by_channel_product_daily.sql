with

changed as (
    select * from {{ ref('int_sales__product_days_changed') }}
),

order_lines as not materialized (
    select * from {{ ref('fct_order_lines') }}
    where not is_test
),

products as (
    select * from {{ ref('stg_ledger__products') }}
),

counted as (
    select *, 'event' as basis, event_on as sold_on from order_lines
    {% if is_incremental() %}
    where (event_on, channel_code, sku) in (
        select sold_on, channel_code, sku from changed where basis = 'event'
    )
    {% endif %}
    union all
    select *, 'placed' as basis, placed_on as sold_on from order_lines
    {% if is_incremental() %}
    where (placed_on, channel_code, sku) in (
        select sold_on, channel_code, sku from changed where basis = 'placed'
    )
    {% endif %}
),

summed as (
    select
        basis,
        sold_on,
        channel_code,
        sku,
        currency,
        max(product_id) as product_id,
        count(distinct order_id) filter (where event_kind = 'sale') as orders_count,
        cast(sum(quantity) as bigint) as units,
        cast(sum(gross_amount) as decimal(18, 3)) as gross_amount,
        cast(sum(discount_amount) as decimal(18, 3)) as discount_amount,
        cast(coalesce(sum(net_amount) filter (where event_kind in ('sale', 'edit')), 0) as decimal(18, 3)) as demand_amount,
        cast(coalesce(sum(net_amount) filter (where event_kind = 'cancel'), 0) as decimal(18, 3)) as canceled_amount,
        cast(coalesce(sum(net_amount) filter (where event_kind = 'return'), 0) as decimal(18, 3)) as returned_amount,
        cast(sum(net_amount) as decimal(18, 3)) as net_amount,
        cast(sum(tax_amount) as decimal(18, 3)) as tax_amount
    from counted
    group by basis, sold_on, channel_code, sku, currency
),

final as (
    select
        summed.basis,
        summed.sold_on,
        summed.channel_code,
        summed.sku,
        summed.currency,
        products.product_type,
        products.category,
        products.brand,
        summed.orders_count,
        summed.units,
        summed.gross_amount,
        summed.discount_amount,
        summed.demand_amount,
        summed.canceled_amount,
        summed.returned_amount,
        summed.net_amount,
        summed.tax_amount
    from summed
    left join products on summed.product_id = products.product_id
)

select * from final
