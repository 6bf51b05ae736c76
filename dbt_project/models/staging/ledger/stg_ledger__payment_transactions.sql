with

source as (
    select * from {{ source('ledger', 'payment_transactions') }}
),

final as (
    select
        transaction_id,
        transaction_number,
        payment_id,
        order_id,
        type as transaction_type,
        state as transaction_state,
        amount_minor,
        currency,
        psp as service,
        source,
        tender,
        location_id,
        coalesce(rounding_minor, 0) as rounding_minor,
        requested_at,
        -- When it happened as its service says, but not after we knew of it.
        least(psp_at, finished_at) as occurred_at,
        _batch as batch
    from source
)

select * from final
