with

source as (
    select * from {{ source('ledger', 'payments') }}
),

final as (
    select
        payment_id,
        payment_number,
        order_id,
        tender,
        psp as service,
        managed_by,
        brand,
        currency,
        amount_minor,
        state as payment_state,
        location_id,
        created_at,
        changed_at,
        _batch as batch
    from source
)

select * from final
