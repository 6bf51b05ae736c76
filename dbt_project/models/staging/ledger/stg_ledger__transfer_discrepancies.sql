with

source as (
    select * from {{ source('ledger', 'transfer_discrepancies') }}
),

final as (
    select
        discrepancy_id,
        transfer_id,
        receipt_id,
        line_no,
        kind as discrepancy_kind,
        sku,
        quantity,
        found_at,
        _batch as batch
    from source
)

select * from final
