with

source as (
    select * from {{ source('ledger', 'return_receipts') }}
),

final as (
    select
        receipt_no,
        location_id,
        received_at,
        _batch as batch
    from source
)

select * from final
