with

changed as (
    select * from {{ ref('int_sales__product_days_changed') }}
),

by_channel as (
    select * from {{ ref('sales_by_channel_product_daily') }}
    {% if is_incremental() %}
    where (basis, sold_on, sku) in (select basis, sold_on, sku from changed)
    {% endif %}
),

-- An order belongs to one channel, so even the orders of a product add up over channels.
final as (
    select
        basis,
        sold_on,
        sku,
        currency,
        product_type,
        category,
        brand,
        cast(sum(orders_count) as bigint) as orders_count,
        cast(sum(units) as bigint) as units,
        cast(sum(gross_amount) as decimal(18, 3)) as gross_amount,
        cast(sum(discount_amount) as decimal(18, 3)) as discount_amount,
        cast(sum(demand_amount) as decimal(18, 3)) as demand_amount,
        cast(sum(canceled_amount) as decimal(18, 3)) as canceled_amount,
        cast(sum(returned_amount) as decimal(18, 3)) as returned_amount,
        cast(sum(net_amount) as decimal(18, 3)) as net_amount,
        cast(sum(tax_amount) as decimal(18, 3)) as tax_amount
    from by_channel
    group by basis, sold_on, sku, currency, product_type, category, brand
)

select * from final
