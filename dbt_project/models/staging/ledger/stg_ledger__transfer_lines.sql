with

source as (
    select * from {{ source('ledger', 'transfer_lines') }}
),

final as (
    select
        transfer_id,
        line_no,
        product_id,
        quantity,
        removed,
        picked,
        shipped,
        received,
        damaged,
        missing,
        _batch as batch
    from source
)

select * from final
