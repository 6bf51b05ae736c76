with

source as (
    select * from {{ source('ledger', 'transfers') }}
),

final as (
    select
        transfer_id,
        transfer_number,
        from_location_id,
        to_location_id,
        order_id,
        fulfillment_id,
        state as transfer_state,
        created_at,
        changed_at,
        shipped_at,
        carrier,
        reason,
        _batch as batch
    from source
)

select * from final
