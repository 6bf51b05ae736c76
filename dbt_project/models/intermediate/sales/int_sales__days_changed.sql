with

order_days as (
    select * from {{ ref('int_sales__order_days_changed') }}
),

final as (
    select distinct sold_on from order_days
)

select * from final
