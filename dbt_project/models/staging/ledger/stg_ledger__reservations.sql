with

source as (
    select * from {{ source('ledger', 'reservations') }}
),

final as (
    select
        reservation_id,
        kind as reservation_kind,
        state as reservation_state,
        product_id,
        location_id,
        channel_id,
        quantity,
        order_id,
        line_no,
        expires_at,
        created_at,
        _batch as batch
    from source
)

select * from final
