with

source as (
    select * from {{ source('ledger', 'order_balances') }}
),

final as (
    select
        order_id,
        payment_state,
        currency,
        due_minor,
        authorized_minor,
        captured_minor,
        refunded_minor,
        changed_at,
        _batch as batch
    from source
)

select * from final
