with

source as (
    select * from {{ source('ledger', 'order_holds') }}
),

final as (
    select
        order_id,
        hold_no,
        type as hold_type,
        placed_at,
        released_at,
        _batch as batch
    from source
)

select * from final
