with

source as (
    select * from {{ source('ledger', 'stock_levels') }}
),

final as (
    select
        product_id,
        location_id,
        on_hand,
        unavailable,
        allocated,
        safety_stock,
        is_oversold,
        updated_at,
        _batch as batch
    from source
)

select * from final
