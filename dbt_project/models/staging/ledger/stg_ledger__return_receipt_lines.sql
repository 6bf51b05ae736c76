with

source as (
    select * from {{ source('ledger', 'return_receipt_lines') }}
),

final as (
    select
        row_id,
        receipt_no,
        return_id,
        line_no,
        state as row_state,
        sku,
        quantity,
        _batch as batch
    from source
)

select * from final
