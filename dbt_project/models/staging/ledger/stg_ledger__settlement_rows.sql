with

source as (
    select * from {{ source('ledger', 'settlement_rows') }}
),

final as (
    select
        report_id,
        row_no,
        psp as service,
        entry_ref,
        payout_ref,
        type as row_type,
        currency,
        amount_minor,
        net_currency,
        fee_minor,
        net_minor,
        occurred_at,
        transaction_id,
        finding,
        _batch as batch
    from source
)

select * from final
