with

source as (
    select * from {{ source('ledger', 'payment_transactions_replaced') }}
),

final as (
    select
        transaction_id,
        state as transaction_state,
        least(psp_at, finished_at) as occurred_at,
        _batch as batch
    from source
)

select * from final
