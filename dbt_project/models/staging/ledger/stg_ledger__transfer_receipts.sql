with

source as (
    select * from {{ source('ledger', 'transfer_receipts') }}
),

final as (
    select
        transfer_id,
        receipt_id,
        received_at,
        _batch as batch
    from source
)

select * from final
