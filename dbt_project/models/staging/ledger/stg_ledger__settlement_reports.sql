with

source as (
    select * from {{ source('ledger', 'settlement_reports') }}
),

final as (
    select
        report_id,
        report_number,
        psp as service,
        layout,
        rows_count,
        received_at,
        _batch as batch
    from source
)

select * from final
