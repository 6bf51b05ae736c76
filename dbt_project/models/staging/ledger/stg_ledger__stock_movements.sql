with

source as (
    select * from {{ source('ledger', 'stock_movements') }}
),

final as (
    select
        movement_id,
        product_id,
        location_id,
        kind as movement_kind,
        on_hand_delta,
        unavailable_delta,
        cause_type,
        cause_id,
        cause_line,
        occurred_at,
        occurred_on,
        recorded_at,
        _batch as batch
    from source
)

select * from final
