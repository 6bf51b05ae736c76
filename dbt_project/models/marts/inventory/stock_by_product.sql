with

loads as (
    select * from {{ ref('stg_ledger__loads') }}
),

products as (
    select * from {{ ref('stg_ledger__products') }}
),

reservations as (
    select * from {{ ref('stg_ledger__reservations') }}
),

stock_levels as (
    select * from {{ ref('fct_stock_levels') }}
),

sales as (
    select * from {{ ref('sales_by_channel_product_daily') }}
    where basis = 'event'
),

-- Today, as of the last load rather than of the clock: the same load gives the same answer.
today as (
    select {{ business_date('max(loaded_at)', "'UTC'") }} as today_on from loads
),

levels as (
    select
        product_id,
        sum(on_hand) as on_hand,
        sum(unavailable) as unavailable,
        sum(allocated) as allocated,
        sum(available_to_fulfill) as available_to_fulfill,
        count(*) as locations_count
    from stock_levels
    group by product_id
),

waiting as (
    select product_id, sum(quantity) as queued
    from reservations
    where reservation_state = 'queued'
    group by product_id
),

sold as (
    select sku, sum(units) as units
    from sales
    where
        sold_on > (select today_on - 28 from today)
        and sold_on <= (select today_on from today)
    group by sku
),

final as (
    select
        products.sku,
        products.product_id,
        products.title,
        products.product_type,
        products.category,
        products.brand,
        cast(coalesce(levels.on_hand, 0) as bigint) as on_hand,
        cast(coalesce(levels.unavailable, 0) as bigint) as unavailable,
        cast(coalesce(levels.allocated, 0) as bigint) as allocated,
        cast(coalesce(waiting.queued, 0) as bigint) as queued,
        cast(coalesce(levels.available_to_fulfill, 0) as bigint) as available_to_fulfill,
        coalesce(levels.locations_count, 0) as locations_count,
        cast(coalesce(sold.units, 0) as bigint) as units_sold_28d,
        cast(case
            when sold.units > 0 then round(greatest(coalesce(levels.on_hand, 0), 0) * 28 / sold.units, 1)
        end as decimal(18, 1)) as cover_days
    from products
    left join levels on products.product_id = levels.product_id
    left join waiting on products.product_id = waiting.product_id
    left join sold on products.sku = sold.sku
)

select * from final
