with

source as (
    select * from {{ source('ledger', 'refunds') }}
),

final as (
    select
        refund_id,
        refund_number,
        order_id,
        kind as refund_kind,
        state as refund_state,
        paid_as,
        amount_minor,
        currency,
        created_at,
        changed_at,
        _batch as batch
    from source
)

select * from final
