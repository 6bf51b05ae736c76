with

source as (
    select * from {{ source('ledger', 'returns') }}
),

final as (
    select
        return_id,
        return_number,
        order_id,
        kind as return_kind,
        state as return_state,
        method as return_method,
        location_id,
        is_after_expiry,
        created_at,
        changed_at,
        _batch as batch
    from source
)

select * from final
