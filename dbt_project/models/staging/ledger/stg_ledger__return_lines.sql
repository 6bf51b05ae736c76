with

source as (
    select * from {{ source('ledger', 'return_lines') }}
),

final as (
    select
        return_id,
        line_no,
        product_id,
        expected,
        received,
        missing,
        inspected,
        accepted,
        rejected,
        reason,
        resolution,
        _batch as batch
    from source
)

select * from final
