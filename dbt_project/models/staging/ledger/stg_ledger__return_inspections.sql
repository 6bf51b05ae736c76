with

source as (
    select * from {{ source('ledger', 'return_inspections') }}
),

final as (
    select
        row_id,
        units_before,
        return_id,
        line_no,
        quantity,
        condition,
        disposition,
        inspected_at,
        _batch as batch
    from source
)

select * from final
