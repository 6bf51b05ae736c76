with

source as (
    select * from {{ source('ledger', 'settlement_differences') }}
),

final as (
    select
        difference_id,
        difference_number,
        psp as service,
        report_id,
        row_no,
        transaction_id,
        finding,
        ours_minor,
        ours_currency,
        theirs_minor,
        theirs_currency,
        state as difference_state,
        found_at,
        resolved_at,
        _batch as batch
    from source
)

select * from final
